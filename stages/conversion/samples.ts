import type { KernelSetup } from './kernel.ts'

/**
 * Weights of a block of rows, gathered subband by subband: per row and polarisation the smallest, largest and summed
 * weight of its unflagged samples, and their number.
 */
export interface WeightSums {
  least: Float64Array
  most: Float64Array
  sum: Float64Array
  count: Uint32Array
}

/** Flags and sample counts of a block as the file has them, in C order; or the one count of all samples, none flagged. */
export type FileSamples = { flags: Uint8Array; nsamples: Float32Array } | { nsamples: number }

/** A block of one subband after `convertBlock`, in output order. */
export interface SampleBlock {
  row0: number
  rows: number
  file: FileSamples
  /** In: 1 for zero and non-finite samples. Out: also where the file flags a sample or no raw samples are behind it. */
  flags: Uint8Array
  /** In: number of zero and non-finite samples of each row. Out: those without raw samples too. */
  badCount: Uint32Array
  /** Out, (rows): number of flagged samples. */
  flagCount: Uint32Array
}

export function createWeightSums(rows: number, polarizations: number): WeightSums {
  const size = rows * polarizations
  return {
    least: new Float64Array(size),
    most: new Float64Array(size),
    sum: new Float64Array(size),
    count: new Uint32Array(size),
  }
}

export function clearWeightSums(sums: WeightSums): void {
  sums.least.fill(Infinity)
  sums.most.fill(-Infinity)
  sums.sum.fill(0)
  sums.count.fill(0)
}

/**
 * Weight of a sample from the raw samples behind it: their part of a full integration, between 0 and 1. Where the file
 * does not count raw samples, nsamples is the weight, as pyuvdata takes it.
 */
export function sampleWeight(nsamples: number, samplesPerIntegration: number | undefined): number {
  if (samplesPerIntegration === undefined) return Math.max(0, nsamples)
  return Math.min(1, Math.max(0, nsamples / samplesPerIntegration))
}

/** Merges the flags and sample counts of the file into a converted block, and adds its weights to the sums. */
export function mergeSamples(setup: KernelSetup, block: SampleBlock, sums: WeightSums): void {
  const { file } = block
  if ('flags' in file) addEach(setup, block, file, sums)
  else addUniform(setup, block, file.nsamples, sums)
}

/**
 * Weight of each row and polarisation: the common weight of its unflagged samples, or their mean where they differ. A
 * polarisation that is flagged whole takes the largest weight of the row; only a row that is flagged whole has weight 0.
 * @param out (rows, polarizations)
 * @returns whether weights differ within a row and polarisation
 */
export function finishWeights(sums: WeightSums, rows: number, polarizations: number, out: Float32Array): boolean {
  let varying = false
  for (let row = 0; row < rows; row++) {
    let largest = 0
    for (let at = row * polarizations; at < (row + 1) * polarizations; at++) {
      const uniform = sums.least[at] === sums.most[at]
      if (sums.count[at] > 0 && !uniform) varying = true
      out[at] = sums.count[at] === 0 ? 0 : uniform ? sums.least[at] : sums.sum[at] / sums.count[at]
      largest = Math.max(largest, out[at])
    }
    for (let at = row * polarizations; at < (row + 1) * polarizations; at++) if (sums.count[at] === 0) out[at] = largest
  }
  return varying
}

/** Calls `visit(row, output element, file element)` for every sample of a block, in output order. */
export function visitElements(
  setup: KernelSetup,
  { row0, rows }: { row0: number; rows: number },
  visit: (row: number, to: number, from: number) => void,
): void {
  const { channels, polarizations, descending, swapped } = setup
  for (let row = 0; row < rows; row++) {
    const order = swapped[row0 + row] === 1 ? setup.swappedOrder : setup.direct
    const base = row * channels * polarizations
    for (let channel = 0; channel < channels; channel++) {
      const from = base + (descending ? channels - 1 - channel : channel) * polarizations
      for (let p = 0; p < polarizations; p++) visit(row, base + channel * polarizations + p, from + order[p])
    }
  }
}

function addUniform(setup: KernelSetup, block: SampleBlock, nsamples: number, sums: WeightSums): void {
  const { channels, polarizations } = setup
  const weight = sampleWeight(nsamples, setup.samplesPerIntegration)
  for (let row = 0; row < block.rows; row++) {
    block.flagCount[row] = block.badCount[row]
    for (let p = 0; p < polarizations; p++) {
      const at = row * polarizations + p
      let good = channels
      if (block.badCount[row] > 0) {
        const start = row * channels * polarizations + p
        for (let channel = 0; channel < channels; channel++) good -= block.flags[start + channel * polarizations]
      }
      if (good > 0) add(sums, at, weight, good)
    }
  }
}

function addEach(
  setup: KernelSetup,
  block: SampleBlock,
  { flags, nsamples }: Extract<FileSamples, { flags: Uint8Array }>,
  sums: WeightSums,
): void {
  const { polarizations } = setup
  block.flagCount.fill(0, 0, block.rows)
  visitElements(setup, block, (row, to, from) => {
    const empty = !(nsamples[from] > 0)
    if (empty && block.flags[to] === 0) block.badCount[row]++
    if (empty || flags[from] !== 0) block.flags[to] = 1
    if (block.flags[to] === 0)
      add(
        sums,
        row * polarizations + (to % polarizations),
        sampleWeight(nsamples[from], setup.samplesPerIntegration),
        1,
      )
    else block.flagCount[row]++
  })
}

function add(sums: WeightSums, at: number, weight: number, count: number): void {
  sums.least[at] = Math.min(sums.least[at], weight)
  sums.most[at] = Math.max(sums.most[at], weight)
  sums.sum[at] += weight * count
  sums.count[at] += count
}
