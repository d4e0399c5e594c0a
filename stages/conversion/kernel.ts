import type { StoredArray } from '#runtime/formats/uvh5/data.ts'
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
  /** (rows of the observation): 1 where the file lists the pair of antennas the other way round. */
  swapped: Uint8Array
  /** (rows of the observation) */
  pathM: Float64Array
  /** Of a complete sample, where the file counts them; undefined where nsamples are weights by themselves. */
  samplesPerIntegration: number | undefined
}

/** A block of rows of one subband. Outputs are in C order (row, channel, polarization). */
export interface KernelBlock {
  row0: number
  rows: number
  /** As stored in the file, chunk by chunk. */
  vis: StoredArray<Float32Array>
  /** From `channelPhases`, the same for every subband. */
  stepPhase: Float64Array
  /** Output: pairs (re, im), channels ascending, correlations in the order of the set. */
  data: Float32Array
  /** Output: 1 where the sample is zero or not finite, else 0. */
  bad: Uint8Array
  /** Output, (rows): number of such samples. */
  badCount: Uint32Array
}

/** Radians of phase for one metre of path and one hertz. */
export const TURN_RAD_S_M = (-2 * Math.PI) / SPEED_OF_LIGHT_M_S

/** Squares of amplitudes from here on could overflow float32 when rotated: such samples count as not finite. */
export const LARGEST_SQUARE = 3.4e38 ** 2 / 2

/**
 * By what the phase of each row turns from one channel to the next: exp(-2 pi i step/c path).
 * @param out (rows, 2): real and imaginary part
 */
export function channelPhases(
  { pathM, stepHz }: Pick<KernelSetup, 'pathM' | 'stepHz'>,
  { row0, rows }: { row0: number; rows: number },
  out: Float64Array,
): void {
  for (let row = 0; row < rows; row++) {
    const angle = TURN_RAD_S_M * pathM[row0 + row] * stepHz
    out[2 * row] = Math.cos(angle)
    out[2 * row + 1] = Math.sin(angle)
  }
}

/**
 * Brings a block into the form of the MeasurementSet: conjugated where the file lists the pair as (1, 2), so that
 * DATA = <V_1 conj(V_2)>; channels ascending; rotated by exp(-2 pi i nu/c path). Zero and non-finite samples become 0
 * and are marked. Phases are float64: one sine and cosine a row for the first channel, a complex recurrence from there
 * (error < 1e-13 over 48 channels); results are rounded once to float32. Adding 0 turns an imaginary part of -0 into 0,
 * so that the sign of nothing does not depend on how a file lists a pair.
 */
export function convertBlock(setup: KernelSetup, block: KernelBlock): void {
  block.bad.fill(0, 0, block.rows * setup.channels * setup.polarizations)
  for (const band of block.vis.bands) convertBand(setup, block, band)
}

export type RowBand = KernelBlock['vis']['bands'][number]

function convertBand(setup: KernelSetup, block: KernelBlock, band: RowBand): void {
  const { channels, polarizations, swapped } = setup
  const { data, bad, stepPhase } = block
  const { values, rowStride, chunkChannels, chunkPolarizations } = block.vis
  const { segments, polarizationChunks, next } = chunkOrder(setup, block.vis)
  const place = Int32Array.from(
    { length: polarizations },
    (_, p) => Math.floor(p / chunkPolarizations) * band.chunkStride + (p % chunkPolarizations),
  )
  for (let row = band.row; row < band.row + band.rows; row++) {
    const reversed = swapped[block.row0 + row] === 1
    const order = reversed ? setup.swappedOrder : setup.direct
    const sign = reversed ? 1 : -1
    const angle = TURN_RAD_S_M * setup.pathM[block.row0 + row] * setup.lowestHz
    let re = Math.cos(angle)
    let im = Math.sin(angle)
    const stepRe = stepPhase[2 * row]
    const stepIm = stepPhase[2 * row + 1]
    let to = row * channels * polarizations
    let count = 0
    for (const segment of segments) {
      const length = Math.min(chunkChannels, channels - segment * chunkChannels)
      let from =
        band.start +
        segment * polarizationChunks * band.chunkStride +
        (row - band.row) * rowStride +
        (next < 0 ? (1 - length) * next : 0)
      for (let channel = 0; channel < length; channel++, from += next) {
        for (let p = 0; p < polarizations; p++, to++) {
          const at = 2 * (from + place[order[p]])
          const x = values[at]
          const y = sign * values[at + 1]
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
        const turned = re * stepRe - im * stepIm
        im = re * stepIm + im * stepRe
        re = turned
      }
    }
    block.badCount[row] = count
  }
}

/** One comparison each way for zero, NaN, infinity and overflow. */
function isUsable(square: number): boolean {
  return square > 0 && square < LARGEST_SQUARE
}

/** Pieces of the channel axis in the order of the set, and the way from one channel to the next in one of them. */
export function chunkOrder(
  { channels, polarizations, descending }: KernelSetup,
  { chunkChannels, chunkPolarizations }: StoredArray<Float32Array>,
): { segments: number[]; polarizationChunks: number; next: number } {
  const segments = Array.from({ length: Math.ceil(channels / chunkChannels) }, (_, segment) => segment)
  return {
    segments: descending ? segments.reverse() : segments,
    polarizationChunks: Math.ceil(polarizations / chunkPolarizations),
    next: descending ? -chunkPolarizations : chunkPolarizations,
  }
}
