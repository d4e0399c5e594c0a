import { writeSync } from 'node:fs'
import { enableCompileCache, getCompileCacheDir } from 'node:module'
import { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Terminal } from './cli/io.ts'

/** Exit codes of a process that was asked to stop; `contimg cancel` asks with SIGUSR2. */
const stopCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGUSR2: 6 } as const

/** The launcher passes on the Ctrl-C that the terminal has sent to both: a second one in so short a time is the same. */
const SAME_STOP_MS = 500

// Compiled code is kept in the checkout where that can be written: it halves the start of this process and of each stage.
const cache = fileURLToPath(new URL('../node_modules/.cache/contimg', import.meta.url))
enableCompileCache(cache)
if (getCompileCacheDir() !== undefined) process.env['NODE_COMPILE_CACHE'] ??= cache
const { runCli } = await import('./cli/program.ts')

const controller = new AbortController()
let stoppedAtMs: number | undefined
for (const [name, code] of Object.entries(stopCodes)) process.on(name, () => stop(code))
followLauncher(process.env['CONTIMG_LAUNCHER_FD'])
delete process.env['CONTIMG_LAUNCHER_FD']
const failpoints = process.env['CONTIMG_FAILPOINTS']
if (failpoints !== undefined) (await import('#runtime/stage/failpoint.ts')).armFailpoints('orchestrator', failpoints)
process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  out: writerTo(process.stdout),
  err: writerTo(process.stderr),
  terminal: process.stderr.isTTY ? terminalOf(process.stderr) : undefined,
  outIsTerminal: process.stdout.isTTY,
  ask: process.stdin.isTTY && process.stderr.isTTY ? askOnTerminal : undefined,
  now: () => new Date(),
  random: Math.random,
  signal: controller.signal,
  stagesDir: fileURLToPath(new URL('../stages', import.meta.url)),
})

/** Once: what runs is ended in order. Twice: at once. */
function stop(code: number): void {
  if (stoppedAtMs === undefined) {
    stoppedAtMs = performance.now()
    controller.abort(code)
  } else if (performance.now() - stoppedAtMs > SAME_STOP_MS)
    void import('#runtime/stage/exec.ts').then(({ killGroups }) => killGroups())
}

/** Nobody can stop a run any more whose launcher was killed: it ends as if it had been told to. */
function followLauncher(descriptor: string | undefined): void {
  if (descriptor === undefined) return
  const pipe = new Socket({ fd: Number(descriptor), readable: true, writable: false })
  pipe.on('error', () => undefined).on('close', () => stop(stopCodes.SIGTERM))
  pipe.resume().unref()
}

/** Remembers whether the cursor is hidden, so that it comes back whatever ends this process, a defect too. */
function terminalOf(stream: typeof process.stderr): Terminal {
  let hidden = false
  const cursor = (visible: boolean): void => {
    if (hidden === !visible) return
    hidden = !visible
    try {
      // At once and not through the stream, which may not be flushed any more when the process ends.
      writeSync(stream.fd, `\u001b[?25${visible ? 'h' : 'l'}`)
    } catch {
      // The terminal has gone away, and its cursor with it.
    }
  }
  process.on('exit', () => cursor(true))
  return { columns: () => stream.columns, rows: () => stream.rows, cursor }
}

/**
 * Writes until nobody reads any more: the reader of a pipe may leave early (`contimg run … 2>&1 | head`) and a terminal may
 * go away. That ends no run, whose log and products are what counts.
 */
function writerTo(stream: NodeJS.WriteStream): (text: string) => void {
  let open = true
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
    open = false
  })
  return (text) => {
    if (open) stream.write(text)
  }
}

async function askOnTerminal(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await terminal.question(question, { signal: controller.signal })
  } catch {
    // Stopped while it waited: no answer is no consent.
    return ''
  } finally {
    terminal.close()
  }
}
