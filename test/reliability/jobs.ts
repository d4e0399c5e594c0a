import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { observation, writeInput } from '../orchestrator/workbench.ts'
import type { Job } from './trial.ts'

/** One observation, and stages that do no science. */
export function scriptedJob(folder: string): Job {
  const input = join(folder, 'incoming')
  writeInput(input, { observations: [observation('20260125T222605')] })
  return { stages: 'scripted', argv: ['--input', input], folder }
}

/** One small simulated observation and the real stages, on one core: then products are the same to the last byte. */
export function realJob(folder: string): Job {
  const sky = join(folder, 'sky')
  const main = fileURLToPath(new URL('../../orchestrator/main.ts', import.meta.url))
  const small = ['antennas=24', 'integrations=6', 'channels=12', 'sources=0', 'catalogue=false']
  execFileSync(process.execPath, [main, 'simulate', '--out', sky, ...small.flatMap((setting) => ['--set', setting])], {
    stdio: 'ignore',
  })
  return {
    stages: 'real',
    argv: [
      join(sky, 'contimg.yaml'),
      '--set',
      'execution.resources.cpu=1',
      '--set',
      'imaging.preset=quicklook',
      '--set',
      'imaging.sizePixels=512',
    ],
    folder,
  }
}
