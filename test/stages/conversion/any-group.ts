import { join } from 'node:path'
import { convertGroup } from '../../../stages/conversion/convert.ts'
import { readGroup } from '../../../stages/conversion/sources.ts'
import { earthOrientation, type Converted } from './raw-observation.ts'

/** Converts the files of one group of any telescope in this process. */
export async function convertAny(paths: readonly string[], outputDir: string): Promise<Converted> {
  const warnings: string[] = []
  const outcome = await convertGroup(
    {
      outputDir,
      scratchDir: outputDir,
      resources: { cpu: 1, memoryBytes: 2 ** 31, scratchBytes: 0, staging: 'off' },
      signal: new AbortController().signal,
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
      progress: () => undefined,
      phase: async (_, work) => work(),
      warn: (message) => void warnings.push(message),
    },
    {
      paths,
      read: () => readGroup(paths, { nowMs: Date.now() }),
      earthOrientation,
      stationTable: undefined,
      deadAntennaFraction: 0.95,
    },
  )
  return { outcome, warnings, path: join(outputDir, 'measurement-set') }
}
