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
  /** (rows, 4): of the first channel and the next one, from `startPhases`. Becomes that of the two channels after the last. */
  phase: Float64Array
  /** (rows, 2): by what the phase turns in two channels, from `startPhases`. */
  step: Float64Array
  /** Output: pairs (re, im), channels ascending, correlations in the order of the set. */
  data: Float32Array
  /** Output: 1 where the sample is zero or not finite, else 0. */
  bad: Uint8Array
  /** Output, (rows): number of such samples. */
  badCount: Uint32Array
}

/** Radians of phase for one metre of path and one hertz. */
const TURN_RAD_S_M = (-2 * Math.PI) / SPEED_OF_LIGHT_M_S

/** Squares of amplitudes from here on could overflow float32 when rotated: such samples count as not finite. */
export const LARGEST_SQUARE = 3.4e38 ** 2 / 2

/**
 * Phases exp(-2 pi i nu/c path) of the first two channels of each row, and by what they turn in two channels.
 * @param into.phase (rows, 4): real parts of both, imaginary parts of both
 * @param into.step (rows, 2): real and imaginary part
 */
export function startPhases(
  { pathM, lowestHz, stepHz }: Pick<KernelSetup, 'pathM' | 'lowestHz' | 'stepHz'>,
  { row0, rows }: { row0: number; rows: number },
  { phase, step }: Pick<KernelBlock, 'phase' | 'step'>,
): void {
  for (let row = 0; row < rows; row++) {
    const turn = TURN_RAD_S_M * pathM[row0 + row]
    const re = Math.cos(turn * lowestHz)
    const im = Math.sin(turn * lowestHz)
    const stepRe = Math.cos(turn * stepHz)
    const stepIm = Math.sin(turn * stepHz)
    phase[4 * row] = re
    phase[4 * row + 1] = re * stepRe - im * stepIm
    phase[4 * row + 2] = im
    phase[4 * row + 3] = re * stepIm + im * stepRe
    step[2 * row] = stepRe * stepRe - stepIm * stepIm
    step[2 * row + 1] = 2 * stepRe * stepIm
  }
}

/**
 * Brings a block into the form of the MeasurementSet: conjugated where the file lists the pair as (1, 2), so that
 * DATA = <V_1 conj(V_2)>; channels ascending; rotated by exp(-2 pi i nu/c path). Zero and non-finite samples become 0
 * and are marked. Phases are float64, sines and cosines at the lowest channel and two interleaved recurrences from there
 * (error < 1e-12 over 1,000 channels); the rotation itself is float32 (error < 1.5e-7 of the amplitude, exact where the
 * phase is 0). Adding 0 turns an imaginary part of -0 into 0, so that the sign of nothing does not depend on how a file
 * lists a pair.
 */
export function convertBlock(setup: KernelSetup, block: KernelBlock): void {
  block.bad.fill(0, 0, block.rows * setup.channels * setup.polarizations)
  for (const band of block.vis.bands) convertBand(setup, block, band)
}

export type RowBand = KernelBlock['vis']['bands'][number]

function convertBand(setup: KernelSetup, block: KernelBlock, band: RowBand): void {
  const { channels, polarizations, swapped } = setup
  const { data, bad, phase, step } = block
  const { fround } = Math
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
    let [re, nextRe, im, nextIm] = phase.subarray(4 * row, 4 * row + 4)
    const stepRe = step[2 * row]
    const stepIm = step[2 * row + 1]
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
        const re32 = fround(re)
        const im32 = fround(im)
        for (let p = 0; p < polarizations; p++, to++) {
          const at = 2 * (from + place[order[p]])
          const x = values[at]
          const y = sign * values[at + 1]
          if (isUsable(x * x + y * y)) {
            data[2 * to] = fround(x * re32) - fround(y * im32)
            data[2 * to + 1] = fround(fround(x * im32) + fround(y * re32)) + 0
          } else {
            data[2 * to] = 0
            data[2 * to + 1] = 0
            bad[to] = 1
            count++
          }
        }
        const turned = re * stepRe - im * stepIm
        const turnedIm = re * stepIm + im * stepRe
        re = nextRe
        im = nextIm
        nextRe = turned
        nextIm = turnedIm
      }
    }
    phase.set([re, nextRe, im, nextIm], 4 * row)
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
