import { basename } from 'node:path'
import { execa, ExecaError } from 'execa'
import { StageError } from './errors.ts'
import { failpoint } from './failpoint.ts'
import { trackChild } from './usage.ts'

/** How many of a child's last lines travel with its failure. */
const LAST_LINES = 50
/** Time between SIGTERM and SIGKILL for a child that does not end. */
const KILL_DELAY_MS = 4_000

export interface ExecOptions {
  cwd?: string
  env?: Record<string, string>
  /** Aborting it ends the child and throws CANCELLED. */
  signal?: AbortSignal
  onLine?: (line: string, stream: 'stdout' | 'stderr') => void
  timeoutSeconds?: number
}

export interface ExecResult {
  stdout: string
  stderr: string
  lastLines: string[]
  seconds: number
}

/** Why a child failed, kept as the cause of the StageError. */
export class ChildFailure extends Error {
  readonly exitCode: number | undefined
  readonly signal: string | undefined
  readonly systemCode: string | undefined
  readonly lastLines: readonly string[]

  constructor(message: string, facts: Pick<ChildFailure, 'exitCode' | 'signal' | 'systemCode' | 'lastLines'>) {
    super(message)
    this.name = 'ChildFailure'
    this.exitCode = facts.exitCode
    this.signal = facts.signal
    this.systemCode = facts.systemCode
    this.lastLines = facts.lastLines
  }
}

/**
 * Runs a child process to its end. Its memory and CPU count in the stage's usage.
 * @throws StageError CANCELLED when the signal aborted, else INTERNAL with a ChildFailure as its cause, unless the caller knows better.
 */
export async function exec(file: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const started = performance.now()
  const lastLines: string[] = []
  failpoint('child.start.before', basename(file))
  const child = execa(file, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    ...(options.timeoutSeconds === undefined ? {} : { timeout: options.timeoutSeconds * 1000 }),
    forceKillAfterDelay: KILL_DELAY_MS,
    stdin: 'ignore',
  })
  failpoint('child.start.after', basename(file), child.pid)
  const untrack = trackChild(child.pid)
  const follow = async (stream: 'stdout' | 'stderr'): Promise<void> => {
    for await (const line of child.iterable({ from: stream })) {
      lastLines.push(line)
      if (lastLines.length > LAST_LINES) lastLines.shift()
      options.onLine?.(line, stream)
    }
  }
  // The iterables reject together with the child; the child's own error is the one to report.
  const followed = Promise.allSettled([follow('stdout'), follow('stderr')])
  try {
    const result = await child
    await followed
    return { stdout: result.stdout, stderr: result.stderr, lastLines, seconds: (performance.now() - started) / 1000 }
  } catch (error) {
    await followed
    if (options.signal?.aborted) throw new StageError('CANCELLED', `${file} was stopped`, { cause: error })
    throw failure(file, error, lastLines)
  } finally {
    untrack()
    failpoint('child.exit.after', basename(file))
  }
}

function failure(file: string, error: unknown, lastLines: readonly string[]): StageError {
  if (!(error instanceof ExecaError)) return new StageError('INTERNAL', String(error), { cause: error })
  const how = error.timedOut
    ? 'ran out of time'
    : error.signal !== undefined
      ? `was killed by ${error.signal}`
      : error.exitCode !== undefined
        ? `ended with exit code ${error.exitCode}`
        : `could not be started (${error.code ?? 'unknown reason'})`
  const cause = new ChildFailure(lastLines.slice(-10).join('\n'), {
    exitCode: error.exitCode,
    signal: error.signal,
    systemCode: error.code,
    lastLines,
  })
  return new StageError('INTERNAL', `${file} ${how}`, { cause })
}
