import { enableCompileCache, getCompileCacheDir } from 'node:module'
import { fileURLToPath } from 'node:url'

/** Exit codes of a process that was asked to stop. */
const stopCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

// Compiled code is kept in the checkout where that can be written: it halves the start of this process and of each stage.
const cache = fileURLToPath(new URL('../node_modules/.cache/contimg', import.meta.url))
enableCompileCache(cache)
if (getCompileCacheDir() !== undefined) process.env['NODE_COMPILE_CACHE'] ??= cache
const { runCli } = await import('./cli/program.ts')

const controller = new AbortController()
for (const [name, code] of Object.entries(stopCodes)) process.on(name, () => controller.abort(code))
process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  out: writerTo(process.stdout),
  err: writerTo(process.stderr),
  terminal: process.stderr.isTTY ? { columns: () => process.stderr.columns } : undefined,
  now: () => new Date(),
  random: Math.random,
  signal: controller.signal,
  stagesDir: fileURLToPath(new URL('../stages', import.meta.url)),
})

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
