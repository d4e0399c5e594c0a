import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { tileFile, type MsLayout } from '#runtime/formats/measurement-set/layout.ts'
import { openTiles } from '#runtime/formats/measurement-set/tiles.ts'
import { StageError } from '#runtime/stage/errors.ts'
import type { AntennaHealth } from './antenna-health.ts'
import type { BlockJob } from './blocks.ts'
import { flagDeadAntennas } from './dead-antennas.ts'
import type { Observation } from './observation.ts'
import type { BlockRun, BlockWorkers } from './workers.ts'

interface FinishInput {
  job: BlockJob
  observation: Observation
  health: AntennaHealth
  samplesPerRow: number
  workers: BlockWorkers
  /** How the workers run, should they be needed once more. */
  running: Omit<BlockRun, 'pass'>
}

export interface Finished {
  layout: MsLayout
  flagRow: Uint8Array
  /** Flagged samples of present subbands. */
  flagged: number
}

/** Flags dead antennas whole, then writes the weights or drops their column. */
export async function finishSet({
  job,
  observation,
  health,
  samplesPerRow,
  workers,
  running,
}: FinishInput): Promise<Finished> {
  const { layout, results } = job
  if (health.dead.length > 0) {
    const tiles = openTiles(layout, 'write')
    try {
      flagDeadAntennas(tiles, { geometry: observation.rows, dead: new Set(health.dead), results, samplesPerRow })
    } finally {
      tiles.close()
    }
  }
  const varying = results.varying.some((value) => value !== 0)
  if (varying) await workers.run(job, { pass: 'weights', ...running })
  else await rm(join(layout.path, tileFile('WEIGHT_SPECTRUM')))
  let flagged = 0
  const flagRow = new Uint8Array(layout.rows)
  for (let row = 0; row < layout.rows; row++) {
    flagged += results.flagCount[row]
    flagRow[row] = results.flagCount[row] === samplesPerRow ? 1 : 0
  }
  if (flagged === layout.rows * samplesPerRow) {
    throw new StageError('DATA_UNUSABLE', 'every sample of the observation is zero, not finite or flagged', {
      hint: 'look at the raw files; there is nothing to convert',
    })
  }
  return { layout: { ...layout, weightSpectrum: varying }, flagRow, flagged }
}
