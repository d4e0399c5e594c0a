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
// The reader of a pipe may leave early (`contimg list | head`): that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  now: () => new Date(),
  random: Math.random,
  signal: controller.signal,
  stagesDir: fileURLToPath(new URL('../stages', import.meta.url)),
})
