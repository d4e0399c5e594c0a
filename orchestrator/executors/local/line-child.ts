import { spawn } from 'node:child_process'
import { failpoint } from '#runtime/stage/failpoint.ts'
import { killGroup, tiedCommand, trackGroup } from '#runtime/stage/process-group.ts'

/** How many of its last lines travel with the end of a child. */
const LAST_LINES = 50
/** Time between SIGTERM and SIGKILL for a child that does not end. */
const KILL_DELAY_MS = 4_000

interface ChildEnd {
  /** How it failed, as the end of a sentence; undefined when its exit code is 0. */
  failure: string | undefined
  /** The signal that killed it, if one did. */
  killedBy: NodeJS.Signals | undefined
  lastLines: readonly string[]
}

/**
 * Runs a script on this Node to its end and gives every line of its standard output and error. Aborting the signal stops
 * it, and it ends with this process however that ends. With Node's own means: a library that can do more takes longer to load than many a command to answer.
 */
export async function runLines(
  args: readonly string[],
  { signal, onLine }: { signal: AbortSignal; onLine: (line: string) => void },
): Promise<ChildEnd> {
  failpoint('child.start.before', 'stage')
  const child = spawn(...tiedCommand(process.execPath, args), { detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  const untrack = trackGroup(child.pid)
  failpoint('child.start.after', 'stage', child.pid)
  const lastLines: string[] = []
  const hear = (line: string): void => {
    lastLines.push(line)
    if (lastLines.length > LAST_LINES) lastLines.shift()
    onLine(line)
  }
  let killTimer: NodeJS.Timeout | undefined
  const stop = (): void => {
    child.kill('SIGTERM')
    killTimer ??= setTimeout(() => killGroup(child.pid), KILL_DELAY_MS)
  }
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop)
  child.once('exit', () => killGroup(child.pid))
  let killedBy: NodeJS.Signals | undefined
  try {
    const failure = await new Promise<string | undefined>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) splitLines(stream, hear, reject)
      child.on('error', ({ code, message }: NodeJS.ErrnoException) =>
        resolve(`could not be started (${code ?? message})`),
      )
      child.on('close', (code, signalName) => {
        killedBy = signalName ?? undefined
        if (signalName !== null) resolve(`was killed by ${signalName}`)
        else resolve(code === 0 ? undefined : `ended with exit code ${code}`)
      })
    })
    return { failure, killedBy, lastLines }
  } finally {
    child.kill('SIGTERM')
    untrack()
    clearTimeout(killTimer)
    signal.removeEventListener('abort', stop)
    failpoint('child.exit.after', 'stage')
  }
}

/** There is no stream where the system had no more descriptors; the child reports that itself. */
function splitLines(
  stream: NodeJS.ReadableStream | undefined,
  hear: (line: string) => void,
  fail: (error: unknown) => void,
): void {
  let rest = ''
  const hearAll = (lines: readonly string[]): void => {
    try {
      for (const line of lines) hear(line)
    } catch (error) {
      fail(error)
    }
  }
  stream?.setEncoding('utf8')
  stream?.on('data', (text: string) => {
    const lines = (rest + text).split(/\r?\n/)
    rest = lines.pop() ?? ''
    hearAll(lines)
  })
  stream?.on('end', () => hearAll(rest === '' ? [] : [rest]))
}
