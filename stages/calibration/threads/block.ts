import type { MsTiles } from '#runtime/formats/measurement-set/tiles.ts'
import type { Job } from '../job.ts'

/**
 * Visibilities of a group of slots over all integrations. Each subband of a run of rows is read on its own, so that where
 * tiles hold one subband the file's bytes go straight to their place.
 */
export interface Block {
  readonly data: Float32Array
  /** Relative weights, (row, channel, polarisation) in row order; undefined where all are one. */
  readonly weights: Float32Array | undefined
  readonly flagBytes: Uint8Array
  /** (slots of the group) (integrations, subbands): position of the first channel of a subband in `data`, or -1. */
  readonly offset: Int32Array[]
  /** (slots of the group) (integrations): position of channel 0 in the flags of the job and in `weights`, or -1. */
  readonly flagOffset: Int32Array[]
  readonly weightOffset: Int32Array[]
}

export function createBlock(job: Job, slotsPerUnit: number): Block {
  const { integrations } = job.index
  const { channels } = job.layout
  const samples = slotsPerUnit * integrations * channels * job.polarizations
  const offsets = (size: number): Int32Array[] => Array.from({ length: slotsPerUnit }, () => new Int32Array(size))
  return {
    data: new Float32Array(2 * samples),
    weights: job.layout.weightSpectrum || job.rowWeights !== undefined ? new Float32Array(samples) : undefined,
    flagBytes: new Uint8Array(slotsPerUnit * channels * job.polarizations),
    offset: offsets(integrations * job.subbands),
    flagOffset: offsets(integrations),
    weightOffset: offsets(integrations),
  }
}

/** Reads slots [slot0, slot0 + count) of every integration, contiguous rows at once; `onRows` sees each run that was read. */
export function readBlock(
  job: Job,
  tiles: MsTiles,
  {
    block,
    slot0,
    count,
    onRows,
  }: { block: Block; slot0: number; count: number; onRows?: (row0: number, rows: number) => void },
): void {
  const { integrations, slots, rowOf } = job.index
  const { channels } = job.layout
  const { perSubband, subbands, polarizations } = job
  const cell = channels * polarizations
  const part = perSubband * polarizations
  for (let t = 0; t < integrations; t++) {
    for (let s = 0; s < count;) {
      const row0 = rowOf[t * slots + slot0 + s]
      let rows = 1
      if (row0 >= 0) while (s + rows < count && rowOf[t * slots + slot0 + s + rows] === row0 + rows) rows++
      const at = (t * count + s) * cell
      for (let k = 0; k < rows; k++) {
        for (let band = 0; band < subbands; band++) {
          block.offset[s + k][t * subbands + band] = row0 < 0 ? -1 : 2 * (at + (band * rows + k) * part)
        }
        block.weightOffset[s + k][t] = row0 < 0 ? -1 : at + k * cell
        block.flagOffset[s + k][t] = row0 < 0 ? -1 : (row0 + k) * channels
      }
      if (row0 >= 0) {
        for (let band = 0; band < subbands; band++) {
          const from = 2 * (at + band * rows * part)
          tiles.readData(row0, rows, band * perSubband, perSubband, block.data.subarray(from, from + 2 * rows * part))
        }
        readWeights(job, tiles, { block, row0, rows, at })
        onRows?.(row0, rows)
      }
      s += rows
    }
  }
}

function readWeights(
  job: Job,
  tiles: MsTiles,
  { block, row0, rows, at }: { block: Block; row0: number; rows: number; at: number },
): void {
  if (block.weights === undefined) return
  const cell = job.layout.channels * job.polarizations
  const out = block.weights.subarray(at, at + rows * cell)
  if (job.layout.weightSpectrum) {
    tiles.readWeights(row0, rows, 0, job.layout.channels, out)
    return
  }
  for (let k = 0; k < rows * cell; k++) {
    const row = row0 + Math.floor(k / cell)
    out[k] = job.rowWeights![row * job.polarizations + (k % job.polarizations)]
  }
}
