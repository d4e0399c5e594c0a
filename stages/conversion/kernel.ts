import { SPEED_OF_LIGHT_M_S } from '#runtime/sky/constants.ts'

/** What the rows of one subband have in common. */
export interface KernelSetup {
  channels: number
  polarizations: number
  /** Whether the file lists channels from high to low frequency. */
  descending: boolean
  /** Lowest channel centre and step, Hz. */
  lowestHz: number
  stepHz: number
  /** Index in the file of each output correlation, for pairs as listed and for swapped ones. */
  direct: Int32Array
  swappedOrder: Int32Array
  /** (baselines) */
  swapped: Uint8Array
  /** (rows of the observation) */
  pathM: Float64Array
}

/** A block of rows of one subband; arrays in C order (row, channel, polarization). */
export interface KernelBlock {
  row0: number
  rows: number
  /** As in the file. */
  vis: Float32Array
  /** Output: pairs (re, im), channels ascending, correlations in the order of the set. */
  data: Float32Array
  /** Output: 1 where the sample is zero or not finite, else 0. */
  bad: Uint8Array
  /** Output, (rows): number of such samples. */
  badCount: Uint32Array
}

/** Squares of amplitudes from here on overflow float32 when rotated: such samples count as not finite. */
const LARGEST_SQUARE = 3.4e38 ** 2 / 2

/**
 * Brings a block into the form of the MeasurementSet: conjugated where the file lists the pair as (1, 2), so that
 * DATA = <V_1 conj(V_2)>; channels ascending; rotated by exp(-2 pi i nu/c path). Zero and non-finite samples become 0
 * and are marked. Phases are float64: one sine and cosine a row for the first channel and one for the step, a complex
 * recurrence between (error < 1e-13 over 48 channels); results are rounded once to float32.
 */
export function convertBlock(setup: KernelSetup, block: KernelBlock): void {
  const { channels, polarizations, descending, swapped, pathM } = setup
  const { vis, data, bad, row0 } = block
  const baselines = swapped.length
  const first = descending ? channels - 1 : 0
  const next = descending ? -1 : 1
  const turn = (-2 * Math.PI) / SPEED_OF_LIGHT_M_S
  for (let row = 0; row < block.rows; row++) {
    const reversed = swapped[(row0 + row) % baselines] === 1
    const order = reversed ? setup.swappedOrder : setup.direct
    const sign = reversed ? 1 : -1
    const path = pathM[row0 + row]
    let re = Math.cos(turn * setup.lowestHz * path)
    let im = Math.sin(turn * setup.lowestHz * path)
    const stepRe = Math.cos(turn * setup.stepHz * path)
    const stepIm = Math.sin(turn * setup.stepHz * path)
    const base = row * channels * polarizations
    let count = 0
    let to = base
    for (let channel = 0; channel < channels; channel++) {
      const from = base + (first + next * channel) * polarizations
      for (let p = 0; p < polarizations; p++) {
        const at = 2 * (from + order[p])
        const x = vis[at]
        const y = sign * vis[at + 1]
        const square = x * x + y * y
        // One comparison for zero, NaN, infinity and overflow.
        if (square > 0 && square < LARGEST_SQUARE) {
          data[2 * to] = x * re - y * im
          data[2 * to + 1] = x * im + y * re
          bad[to] = 0
        } else {
          data[2 * to] = 0
          data[2 * to + 1] = 0
          bad[to] = 1
          count++
        }
        to++
      }
      const turned = re * stepRe - im * stepIm
      im = re * stepIm + im * stepRe
      re = turned
    }
    block.badCount[row] = count
  }
}
