import { basename, dirname } from 'node:path'
import { execa } from 'execa'
import { failpoint } from '#runtime/stage/failpoint.ts'
import { killGroup, tiedCommand, trackGroup } from '#runtime/stage/process-group.ts'

/** Time between SIGTERM and SIGKILL for a stage that does not end, s: an interrupted run ends within 5 s. */
const KILL_AFTER_MS = 4_000
/** How many of its last lines on standard error travel with a failure. */
const LAST_LINES = 20

export interface ChildOptions {
  entry: string
  args: readonly string[]
  cwd: string
  env: Record<string, string>
  timeoutSeconds?: number
  onStdout: (line: string) => void
  onStderr: (line: string) => void
}

interface ChildEnd {
  exitCode: number | undefined
  signal: string | undefined
  stopped?: 'user' | 'deadline'
  lastLines: readonly string[]
}

export interface RunningChild {
  stop(why: 'user' | 'deadline'): void
  readonly ended: Promise<ChildEnd>
}

/**
 * Starts a TypeScript entry on this Node as the leader of a process group of its own, so that a terminal's Ctrl-C reaches
 * it once, through `stop`, and that nothing it started outlives it, or this process.
 */
export function startChild({ entry, args, cwd, env, timeoutSeconds, onStdout, onStderr }: ChildOptions): RunningChild {
  const name = basename(dirname(entry))
  failpoint('child.start.before', name)
  const child = execa(...tiedCommand(process.execPath, [entry, ...args]), {
    cwd,
    env,
    detached: true,
    stdin: 'pipe',
    buffer: false,
    reject: false,
  })
  const untrack = trackGroup(child.pid)
  failpoint('child.start.after', name, child.pid)
  let stopped: 'user' | 'deadline' | undefined
  let killTimer: NodeJS.Timeout | undefined
  const lastLines: string[] = []

  const stop = (why: 'user' | 'deadline'): void => {
    if (stopped !== undefined) return
    stopped = why
    child.kill('SIGTERM')
    killTimer = setTimeout(() => killGroup(child.pid), KILL_AFTER_MS)
  }
  const deadline = timeoutSeconds === undefined ? undefined : setTimeout(() => stop('deadline'), timeoutSeconds * 1000)
  // Its children may hold its pipes open: the group goes as soon as its leader has ended.
  child.nodeChildProcess.once('exit', () => killGroup(child.pid))

  const ended = (async (): Promise<ChildEnd> => {
    // The streams end, or fail, together with the child, whose own end is what counts.
    const follow = Promise.allSettled([
      eachLine(child.iterable({ from: 'stdout' }), onStdout),
      eachLine(child.iterable({ from: 'stderr' }), (line) => {
        if (lastLines.push(line) > LAST_LINES) lastLines.shift()
        onStderr(line)
      }),
    ])
    const result = await child
    failpoint('child.exit.before', name)
    await follow
    untrack()
    failpoint('child.exit.after', name)
    clearTimeout(killTimer)
    clearTimeout(deadline)
    if (result.exitCode === undefined && result.signal === undefined)
      lastLines.push(result.shortMessage ?? 'could not be started')
    return {
      exitCode: result.exitCode,
      signal: result.signal,
      lastLines,
      ...(stopped === undefined ? {} : { stopped }),
    }
  })()
  return { stop, ended }
}

async function eachLine(lines: AsyncIterable<string>, use: (line: string) => void): Promise<void> {
  for await (const line of lines) use(line)
}
