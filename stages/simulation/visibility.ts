import { beamScale } from '#runtime/sky/beam.ts'
import { SPEED_OF_LIGHT_M_S } from '#runtime/sky/constants.ts'

/** Sources as one integration sees them. */
export interface SourceView {
  readonly sources: number
  /** Unit vectors in ITRF axes: (source, 3). */
  readonly towards: Float64Array
  /** Unit vector of the pointing. */
  readonly pointing: readonly [number, number, number]
  /** Of the middle of the beam, where the dishes point elsewhere than the phases. */
  readonly beamCentre?: readonly [number, number, number]
  /** Flux densities before the beam, Jy: (source, channel). */
  readonly fluxJy: Float64Array
}

/** The response of every antenna to every source, for one subband and integration. */
export interface AntennaResponse {
  /** exp(2 pi i nu/c r.(s - s0)): (antenna, channel, source), real and imaginary part apart. */
  readonly re: Float64Array
  readonly im: Float64Array
  /** The same times S A. */
  readonly weightedRe: Float64Array
  readonly weightedIm: Float64Array
}

/**
 * Per-antenna factors of V12 = sum S A exp(+2 pi i nu/c (r2 - r1).(s - s0)). A baseline's visibility is the product of
 * the weighted factor of antenna 2 and the conjugate factor of antenna 1, summed over the sources: exact, and a dot
 * product in the inner loop.
 * @param positionsM (antenna, 3) in correlator order, ITRF axes
 * @param freqHz channel centres, evenly spaced
 * @param beam power pattern as a function of (pi D nu/c sin theta)^2
 */
export function antennaResponse(
  positionsM: Float64Array,
  freqHz: Float64Array,
  view: SourceView,
  beam: (xSquared: number) => number,
): AntennaResponse {
  const antennas = positionsM.length / 3
  const channels = freqHz.length
  const { sources, towards, pointing } = view
  const beamCentre = view.beamCentre ?? pointing
  const size = antennas * channels * sources
  const response = {
    re: new Float64Array(size),
    im: new Float64Array(size),
    weightedRe: new Float64Array(size),
    weightedIm: new Float64Array(size),
  }
  const weight = new Float64Array(channels)
  for (let source = 0; source < sources; source++) {
    const [x, y, z] = [towards[3 * source], towards[3 * source + 1], towards[3 * source + 2]]
    const [dx, dy, dz] = [x - pointing[0], y - pointing[1], z - pointing[2]]
    const crossX = y * beamCentre[2] - z * beamCentre[1]
    const crossY = z * beamCentre[0] - x * beamCentre[2]
    const crossZ = x * beamCentre[1] - y * beamCentre[0]
    const sinSquared = crossX * crossX + crossY * crossY + crossZ * crossZ
    const infront = x * beamCentre[0] + y * beamCentre[1] + z * beamCentre[2] > 0
    for (let channel = 0; channel < channels; channel++) {
      const scale = beamScale(freqHz[channel])
      weight[channel] = infront ? view.fluxJy[source * channels + channel] * beam(scale * scale * sinSquared) : 0
    }
    for (let antenna = 0; antenna < antennas; antenna++) {
      const pathM = positionsM[3 * antenna] * dx + positionsM[3 * antenna + 1] * dy + positionsM[3 * antenna + 2] * dz
      fillPhases(response, antenna * channels * sources + source, sources, { pathM, freqHz, weight })
    }
  }
  return response
}

/** Channels are anchored to a fresh sine and cosine this often; the recurrence between loses 1e-15 a step. */
const ANCHOR_CHANNELS = 16

function fillPhases(
  response: AntennaResponse,
  start: number,
  stride: number,
  path: { pathM: number; freqHz: Float64Array; weight: Float64Array },
): void {
  const { re, im, weightedRe, weightedIm } = response
  const { freqHz, weight } = path
  const turn = (2 * Math.PI * path.pathM) / SPEED_OF_LIGHT_M_S
  const step = freqHz.length > 1 ? turn * (freqHz[1] - freqHz[0]) : 0
  const [stepCos, stepSin] = [Math.cos(step), Math.sin(step)]
  let cos = 1
  let sin = 0
  for (let channel = 0, at = start; channel < freqHz.length; channel++, at += stride) {
    if (channel % ANCHOR_CHANNELS === 0) {
      cos = Math.cos(turn * freqHz[channel])
      sin = Math.sin(turn * freqHz[channel])
    } else {
      const next = cos * stepCos - sin * stepSin
      sin = cos * stepSin + sin * stepCos
      cos = next
    }
    re[at] = cos
    im[at] = sin
    weightedRe[at] = cos * weight[channel]
    weightedIm[at] = sin * weight[channel]
  }
}

/** What turns the sky's visibilities into the correlator's. */
export interface Signal {
  readonly antennas: number
  readonly channels: number
  readonly polarizations: 2 | 4
  readonly sources: number
  readonly response: AntennaResponse
  /** Complex gains (antenna, channel, feed X then Y), re and im. */
  readonly gains: Float64Array
  /** Standard normal deviates, as long as the block; undefined for no noise. */
  readonly noise: Float32Array | undefined
  readonly sefdJy: number
  /** Noise of the real and of the imaginary part of a cross-correlation, Jy. */
  readonly sigmaJy: number
  readonly noiseAfterGains: boolean
  /** Complex amplitudes of interference (antenna, channel), in sqrt(Jy); undefined for none. */
  readonly interference: Float64Array | undefined
  readonly scale: number
}

/** Feeds (0 X, 1 Y) of antenna 1 and 2 of each polarisation in file order: XX, YY or XX, XY, YX, YY. */
const FEEDS = {
  2: [
    [0, 0],
    [1, 1],
  ],
  4: [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ],
} as const

/**
 * The visibilities of one integration and subband, (row, channel, polarisation) with re and im, rows as in the files:
 * for i, for j <= i: (order[j], order[i]).
 *
 *     V12 = scale [ conj(g1) g2 (M + R) + n ]        noise after the gains (equal in raw units)
 *     V12 = scale conj(g1) g2 [ M + R + n ]          noise before the gains (equal in Jy)
 *
 * M is zero in XY and YX (unpolarised sky). Autocorrelations are real, with the SEFD as their level and sqrt(2) of the
 * noise.
 */
export function correlate(signal: Signal, out: Float32Array): void {
  const { antennas, channels, polarizations, response, gains, noise, interference, scale } = signal
  const feeds = FEEDS[polarizations]
  let at = 0
  for (let second = 0; second < antennas; second++) {
    for (let first = 0; first <= second; first++) {
      const auto = first === second
      for (let channel = 0; channel < channels; channel++) {
        const one = first * channels + channel
        const two = second * channels + channel
        let skyRe = dotRe(response, one * signal.sources, two * signal.sources, signal.sources)
        let skyIm = auto ? 0 : dotIm(response, one * signal.sources, two * signal.sources, signal.sources)
        let extraRe = 0
        let extraIm = 0
        if (interference !== undefined) {
          extraRe =
            interference[2 * one] * interference[2 * two] + interference[2 * one + 1] * interference[2 * two + 1]
          extraIm = auto
            ? 0
            : interference[2 * one] * interference[2 * two + 1] - interference[2 * one + 1] * interference[2 * two]
        }
        for (let polarization = 0; polarization < polarizations; polarization++, at += 2) {
          const [feedOne, feedTwo] = feeds[polarization]
          const cross = feedOne !== feedTwo
          const g1 = 2 * (2 * one + feedOne)
          const g2 = 2 * (2 * two + feedTwo)
          const gRe = gains[g1] * gains[g2] + gains[g1 + 1] * gains[g2 + 1]
          const gIm = gains[g1] * gains[g2 + 1] - gains[g1 + 1] * gains[g2]
          let re = (cross ? 0 : skyRe) + extraRe
          let im = (cross ? 0 : skyIm) + extraIm
          let noiseRe = 0
          let noiseIm = 0
          if (noise !== undefined) {
            const real = auto && !cross
            noiseRe = real ? signal.sefdJy + Math.SQRT2 * signal.sigmaJy * noise[at] : signal.sigmaJy * noise[at]
            noiseIm = real ? 0 : signal.sigmaJy * noise[at + 1]
          }
          if (!signal.noiseAfterGains) {
            re += noiseRe
            im += noiseIm
            noiseRe = 0
            noiseIm = 0
          }
          out[at] = scale * (gRe * re - gIm * im + noiseRe)
          out[at + 1] = auto && !cross ? 0 : scale * (gRe * im + gIm * re + noiseIm)
        }
      }
    }
  }
}

function dotRe({ re, im, weightedRe, weightedIm }: AntennaResponse, one: number, two: number, n: number): number {
  let sum = 0
  for (let k = 0; k < n; k++) sum += weightedRe[two + k] * re[one + k] + weightedIm[two + k] * im[one + k]
  return sum
}

function dotIm({ re, im, weightedRe, weightedIm }: AntennaResponse, one: number, two: number, n: number): number {
  let sum = 0
  for (let k = 0; k < n; k++) sum += weightedIm[two + k] * re[one + k] - weightedRe[two + k] * im[one + k]
  return sum
}
