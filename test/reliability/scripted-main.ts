// `contimg` as a process of its own, with the scripted stages: what a killed process leaves can be seen without any science.
import { fileURLToPath } from 'node:url'
import { armFailpoints } from '#runtime/stage/failpoint.ts'
import { runCli } from '../../orchestrator/cli/program.ts'

armFailpoints('orchestrator', process.env['CONTIMG_FAILPOINTS'])
const controller = new AbortController()
process.on('SIGINT', () => controller.abort(130))
process.on('SIGTERM', () => controller.abort(143))
process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  now: () => new Date(),
  random: Math.random,
  signal: controller.signal,
  stagesDir: fileURLToPath(new URL('../fixtures/stages', import.meta.url)),
})
