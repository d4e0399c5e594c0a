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
  /** It leads a process group of its own, which ends with it, and with this process however that ends. */
  tied?: boolean
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
 * @throws StageError CANCELLED when the signal aborted, else CHILD_FAILED with a ChildFailure as its cause.
 */
export async function exec(file: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const started = performance.now()
  const lastLines: string[] = []
  const tied = options.tied === true
  failpoint('child.start.before', basename(file))
  const child = execa(...(tied ? tiedCommand(file, args) : ([file, args] as const)), {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    ...(options.timeoutSeconds === undefined ? {} : { timeout: options.timeoutSeconds * 1000 }),
    forceKillAfterDelay: KILL_DELAY_MS,
    detached: tied,
    stdin: tied ? 'pipe' : 'ignore',
  })
  failpoint('child.start.after', basename(file), child.pid)
  if (tied) child.nodeChildProcess.once('exit', () => killGroup(child.pid))
  const untracks = [trackChild(child.pid), ...(tied ? [trackGroup(child.pid)] : [])]
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
    for (const untrack of untracks) untrack()
    failpoint('child.exit.after', basename(file))
  }
}

/**
 * A command line that does the same, started as the leader of a process group and with a pipe as standard input that is never
 * written to: a second process of the group waits for the end of that pipe, which comes when this process ends, even by SIGKILL
 * and whatever the child is busy with. It then ends the group by SIGTERM, and by SIGKILL after 4 s. The group has to be killed
 * when its leader has ended.
 */
export function tiedCommand(file: string, args: readonly string[]): [string, string[]] {
  return ['/bin/sh', ['-c', TIED, 'contimg', file, ...args]]
}

const TIED = `exec 3<&0 </dev/null
{
  trap '' TERM INT HUP
  read -r _ <&3
  kill -TERM 0
  n=0
  while kill -0 $$ && [ $n -lt 40 ]; do sleep 0.1; n=$((n + 1)); done
  kill -KILL 0
} >/dev/null 2>&1 &
exec "$@" 3<&-`

const groups = new Set<number>()

/** Counts a running process group among those that `killGroups` ends, until the returned function is called. */
export function trackGroup(pid: number | undefined): () => void {
  if (pid === undefined) return () => undefined
  groups.add(pid)
  return () => groups.delete(pid)
}

/** Ends every tracked process group at once: what waits for a child goes on as after any other end of it. */
export function killGroups(): void {
  for (const pid of groups) killGroup(pid)
}

/** Ends what is left of the process group of a child that has ended. */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // ESRCH: nobody is left. EPERM (macOS): the group holds only a zombie.
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
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
  return new StageError('CHILD_FAILED', `${file} ${how}`, { cause })
}
