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

/** Squares of amplitudes from here on could overflow float32 when rotated: such samples count as not finite. */
const LARGEST_SQUARE = 3.4e38 ** 2 / 2

/**
 * Brings a block into the form of the MeasurementSet: conjugated where the file lists the pair as (1, 2), so that
 * DATA = <V_1 conj(V_2)>; channels ascending; rotated by exp(-2 pi i nu/c path). Zero and non-finite samples become 0
 * and are marked. Phases are float64: one sine and cosine a row for the first channel and one for the step, a complex
 * recurrence between (error < 1e-13 over 48 channels); results are rounded once to float32. Adding 0 turns an imaginary
 * part of -0 into 0, so that the sign of nothing does not depend on how a file lists a pair.
 */
export function convertBlock(setup: KernelSetup, block: KernelBlock): void {
  block.bad.fill(0, 0, block.rows * setup.channels * setup.polarizations)
  // Two correlations in the order of the set are what the telescope writes; the loop for them is unrolled.
  const pair = [setup.direct, setup.swappedOrder].every((order) => order.join() === '0,1')
  if (pair) convertPairs(setup, block)
  else convertAny(setup, block)
}

function convertAny(setup: KernelSetup, block: KernelBlock): void {
  const { channels, polarizations, swapped } = setup
  const { vis, data, bad } = block
  const { first, next } = channelOrder(setup)
  const phase = new Float64Array(4)
  for (let row = 0; row < block.rows; row++) {
    const reversed = swapped[(block.row0 + row) % swapped.length] === 1
    const order = reversed ? setup.swappedOrder : setup.direct
    const sign = reversed ? 1 : -1
    startPhase(setup, block.row0 + row, phase)
    let re = phase[0]
    let im = phase[1]
    const base = row * channels * polarizations
    let count = 0
    let to = base
    for (let channel = 0; channel < channels; channel++) {
      const from = base + (first + next * channel) * polarizations
      for (let p = 0; p < polarizations; p++, to++) {
        const at = 2 * (from + order[p])
        const x = vis[at]
        const y = sign * vis[at + 1]
        if (isUsable(x * x + y * y)) {
          data[2 * to] = x * re - y * im
          data[2 * to + 1] = x * im + y * re + 0
        } else {
          data[2 * to] = 0
          data[2 * to + 1] = 0
          bad[to] = 1
          count++
        }
      }
      const turned = re * phase[2] - im * phase[3]
      im = re * phase[3] + im * phase[2]
      re = turned
    }
    block.badCount[row] = count
  }
}

/** The same operations in the same order for two correlations that keep their places. */
function convertPairs(setup: KernelSetup, block: KernelBlock): void {
  const { channels, swapped } = setup
  const { vis, data, bad } = block
  const { first, next } = channelOrder(setup)
  const phase = new Float64Array(4)
  for (let row = 0; row < block.rows; row++) {
    const sign = swapped[(block.row0 + row) % swapped.length] === 1 ? 1 : -1
    startPhase(setup, block.row0 + row, phase)
    let re = phase[0]
    let im = phase[1]
    const stepRe = phase[2]
    const stepIm = phase[3]
    let to = row * channels * 4
    let from = to + first * 4
    let count = 0
    for (let channel = 0; channel < channels; channel++) {
      const x0 = vis[from]
      const y0 = sign * vis[from + 1]
      const x1 = vis[from + 2]
      const y1 = sign * vis[from + 3]
      if (isUsable(x0 * x0 + y0 * y0) && isUsable(x1 * x1 + y1 * y1)) {
        data[to] = x0 * re - y0 * im
        data[to + 1] = x0 * im + y0 * re + 0
        data[to + 2] = x1 * re - y1 * im
        data[to + 3] = x1 * im + y1 * re + 0
      } else {
        const usable0 = isUsable(x0 * x0 + y0 * y0)
        const usable1 = isUsable(x1 * x1 + y1 * y1)
        data[to] = usable0 ? x0 * re - y0 * im : 0
        data[to + 1] = usable0 ? x0 * im + y0 * re + 0 : 0
        data[to + 2] = usable1 ? x1 * re - y1 * im : 0
        data[to + 3] = usable1 ? x1 * im + y1 * re + 0 : 0
        bad[to >> 1] = usable0 ? 0 : 1
        bad[(to >> 1) + 1] = usable1 ? 0 : 1
        count += (usable0 ? 0 : 1) + (usable1 ? 0 : 1)
      }
      const turned = re * stepRe - im * stepIm
      im = re * stepIm + im * stepRe
      re = turned
      to += 4
      from += 4 * next
    }
    block.badCount[row] = count
  }
}

/** One comparison each way for zero, NaN, infinity and overflow. */
function isUsable(square: number): boolean {
  return square > 0 && square < LARGEST_SQUARE
}

/** First channel of the file in the order of the set, and the way from one to the next. */
function channelOrder({ channels, descending }: KernelSetup): { first: number; next: number } {
  return descending ? { first: channels - 1, next: -1 } : { first: 0, next: 1 }
}

/** exp(-2 pi i nu/c path) of the lowest channel, and of one channel step. */
function startPhase({ pathM, lowestHz, stepHz }: KernelSetup, row: number, out: Float64Array): void {
  const turn = ((-2 * Math.PI) / SPEED_OF_LIGHT_M_S) * pathM[row]
  out[0] = Math.cos(turn * lowestHz)
  out[1] = Math.sin(turn * lowestHz)
  out[2] = Math.cos(turn * stepHz)
  out[3] = Math.sin(turn * stepHz)
}
