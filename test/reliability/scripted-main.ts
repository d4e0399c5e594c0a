// `contimg` as a process of its own, with the scripted stages: what a killed process leaves can be seen without any science.
import { fileURLToPath } from 'node:url'
import { armFailpoints } from '#runtime/stage/failpoint.ts'
import { runCli } from '../../orchestrator/cli/program.ts'
import { stopSignal } from '../../orchestrator/cli/stop.ts'

armFailpoints('orchestrator', process.env['CONTIMG_FAILPOINTS'])
process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  now: () => new Date(),
  random: Math.random,
  signal: stopSignal(undefined),
  stagesDir: fileURLToPath(new URL('../fixtures/stages', import.meta.url)),
})
