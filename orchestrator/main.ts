import { fileURLToPath } from 'node:url'
import { runCli } from './cli/program.ts'

/** Exit codes of a process that was asked to stop. */
const stopCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

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
