import { writeSync } from 'node:fs'
import { enableCompileCache, getCompileCacheDir } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Terminal } from './cli/io.ts'
import { stopSignal } from './cli/stop.ts'

const signal = stopSignal(process.env['CONTIMG_LAUNCHER_FD'])
delete process.env['CONTIMG_LAUNCHER_FD']

// Compiled code is kept in the checkout where that can be written: it halves the start of this process and of each stage.
const cache = fileURLToPath(new URL('../node_modules/.cache/contimg', import.meta.url))
enableCompileCache(cache)
if (getCompileCacheDir() !== undefined) process.env['NODE_COMPILE_CACHE'] ??= cache
const { runCli } = await import('./cli/program.ts')

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
  signal,
  stagesDir: fileURLToPath(new URL('../stages', import.meta.url)),
})

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
    return await terminal.question(question, { signal: signal })
  } catch {
    // Stopped while it waited: no answer is no consent.
    return ''
  } finally {
    terminal.close()
  }
}
