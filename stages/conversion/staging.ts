import type { Filesystem } from '#runtime/stage/filesystem.ts'
import { STAGING_MARGIN } from './contract.ts'

export type StagingWish = 'auto' | 'on' | 'off'

export interface StagingFacts {
  wish: StagingWish
  /** Bytes of the MeasurementSet, WEIGHT_SPECTRUM among them. */
  setBytes: number
  /** Scratch space that the step may use. */
  grantedBytes: number
  output: Filesystem
  scratch: Filesystem
}

export interface Staging {
  /** Whether the set is assembled in scratch space and copied to its place when it is whole. */
  staged: boolean
  /** In words, with the sizes that led to it. */
  reason: string
}

/**
 * Where to assemble a MeasurementSet. Staging costs a copy of the whole set, 0.5 s of a full observation, so it pays only
 * where the 48 kB writes of tiles are slow: on a network filesystem.
 */
export function decideStaging({ wish, setBytes, grantedBytes, output, scratch }: StagingFacts): Staging {
  const straight = (reason: string): Staging => ({ staged: false, reason: `written straight to the output: ${reason}` })
  if (wish === 'off') return straight('staging is off')
  if (wish === 'auto' && !output.network)
    return straight(`it lies on a local filesystem (${output.name}), where staging costs a copy and gains nothing`)
  const need = `the set of ${gigabytes(setBytes)} with a margin`
  if (setBytes * STAGING_MARGIN > grantedBytes)
    return straight(`${need} does not fit the ${gigabytes(grantedBytes)} of scratch space that the step was given`)
  if (setBytes * STAGING_MARGIN > scratch.freeBytes)
    return straight(`${need} does not fit the ${gigabytes(scratch.freeBytes)} that are free in scratch space`)
  if (wish === 'auto' && !scratch.memory) return straight(`scratch space is not in memory (${scratch.name})`)
  const why = wish === 'on' ? 'staging is on' : `the output lies on a network filesystem (${output.name})`
  return { staged: true, reason: `assembled in scratch space (${scratch.name}) and copied: ${why}` }
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`
}
