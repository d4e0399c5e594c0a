import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createUvh5Writer } from '#runtime/formats/uvh5/write.ts'
import { writtenName } from './file-faults.ts'
import { incompleteName } from './faulty-names.ts'
import type { Observation } from './observation.ts'
import { subbandFile, subbandIntegrations } from './subband.ts'

/**
 * Writes the file of a subband, block by block, under the `_incomplete` name until it is whole, as the telescope does.
 * Left before its end it leaves nothing behind.
 */
export function* writeSubband(observation: Observation, subband: number, dir: string): Generator<void> {
  const name = observation.files.get(subband)
  if (name === undefined) throw new RangeError(`subband ${subband} is not written`)
  const incomplete = join(dir, incompleteName(name))
  const writer = createUvh5Writer(incomplete, subbandFile(observation, subband))
  let whole = false
  try {
    for (const integration of subbandIntegrations(observation, subband)) {
      writer.append(integration)
      yield
    }
    writer.close()
    whole = true
  } finally {
    if (!whole) {
      writer.abandon()
      rmSync(incomplete, { force: true })
    }
  }
  renameSync(incomplete, join(dir, writtenName(observation, subband)))
}
