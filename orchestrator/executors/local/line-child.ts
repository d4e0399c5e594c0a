import { spawn } from 'node:child_process'

/** How many of its last lines travel with the end of a child. */
const LAST_LINES = 50
/** Time between SIGTERM and SIGKILL for a child that does not end. */
const KILL_DELAY_MS = 5_000

interface ChildEnd {
  /** How it failed, as the end of a sentence; undefined when its exit code is 0. */
  failure: string | undefined
  lastLines: readonly string[]
}

/**
 * Runs a script on this Node to its end and gives every line of its standard output and error. Aborting the signal stops
 * it. With Node's own means: a library that can do more takes longer to load than many a command to answer.
 */
export async function runLines(
  args: readonly string[],
  { signal, onLine }: { signal: AbortSignal; onLine: (line: string) => void },
): Promise<ChildEnd> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const lastLines: string[] = []
  const hear = (line: string): void => {
    lastLines.push(line)
    if (lastLines.length > LAST_LINES) lastLines.shift()
    onLine(line)
  }
  let killTimer: NodeJS.Timeout | undefined
  const stop = (): void => {
    child.kill('SIGTERM')
    killTimer ??= setTimeout(() => child.kill('SIGKILL'), KILL_DELAY_MS)
  }
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop)
  // It does not outlive this process.
  process.on('exit', stop)
  try {
    const failure = await new Promise<string | undefined>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) splitLines(stream, hear, reject)
      child.on('error', ({ code, message }: NodeJS.ErrnoException) =>
        resolve(`could not be started (${code ?? message})`),
      )
      child.on('close', (code, killedBy) => {
        if (killedBy !== null) resolve(`was killed by ${killedBy}`)
        else resolve(code === 0 ? undefined : `ended with exit code ${code}`)
      })
    })
    return { failure, lastLines }
  } finally {
    child.kill('SIGTERM')
    clearTimeout(killTimer)
    signal.removeEventListener('abort', stop)
    process.off('exit', stop)
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
