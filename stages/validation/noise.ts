import { robustSigma } from '#runtime/numeric/statistics.ts'

/** Most pixels that a robust statistic looks at: a regular subset of more changes it by less than 0.2 %. */
const MAX_SAMPLES = 2_000_000

/** 1.4826 MAD of a plane where the mean beam is at least `beamCut`; NaN without a finite pixel. */
export function centralRms(plane: Float32Array, primaryBeam: Float32Array, beamCut: number): number {
  // An odd stride walks over all columns.
  const stride = Math.max(1, Math.floor(plane.length / MAX_SAMPLES)) | 1
  const inside = new Float32Array(Math.ceil(plane.length / stride))
  let n = 0
  for (let i = 0; i < plane.length; i += stride) {
    if (primaryBeam[i] >= beamCut && Number.isFinite(plane[i])) inside[n++] = plane[i]
  }
  return robustSigma(inside.subarray(0, n))
}

/** What the thermal noise of an image follows from. */
export interface NoiseTheory {
  sefdJy: number
  /** Of one averaged sample. */
  channelWidthHz: number
  integrationS: number
  /** Unflagged Stokes I visibilities. */
  visibilities: number
  /** Noise over that of natural weighting. */
  weightingLoss: number
}

/**
 * Expected image noise: sigma_1 / sqrt(2 N) with sigma_1 = SEFD / sqrt(2 dnu tau) of one averaged sample of one polarisation
 * (Thompson, Moran & Swenson 2017, section 6.2; the N (N-1) / 2 baselines are in N), times what the weighting costs.
 */
export function expectedNoiseJy(theory: NoiseTheory): number {
  const { sefdJy, channelWidthHz, integrationS, visibilities, weightingLoss } = theory
  return (weightingLoss * sefdJy) / Math.sqrt(2 * channelWidthHz * integrationS) / Math.sqrt(2 * visibilities)
}

/** Noise of Briggs weightings over natural, measured on dirty Stokes Q images of the full array. */
const BRIGGS_LOSS: readonly (readonly [number, number])[] = [
  [0, 1.38],
  [0.5, 1.155],
  [2, 1],
]

/** What a weighting costs in noise, from WSClean's name for it; undefined for weightings that were not measured. */
export function weightingLoss(name: string): number | undefined {
  if (/^natural/i.test(name)) return 1
  const robust = Number(/^briggs'?\((-?[\d.]+)\)/i.exec(name)?.[1] ?? NaN)
  const above = BRIGGS_LOSS.findIndex(([value]) => value >= robust)
  if (Number.isNaN(robust) || robust < BRIGGS_LOSS[0][0]) return undefined
  if (above < 0) return 1
  if (above === 0) return BRIGGS_LOSS[0][1]
  const [[r0, l0], [r1, l1]] = [BRIGGS_LOSS[above - 1], BRIGGS_LOSS[above]]
  return l0 + ((robust - r0) / (r1 - r0)) * (l1 - l0)
}

/**
 * Confusion of sources too faint and too many to tell apart, Jy/beam: 0.2 mJy (nu / GHz)^-0.7 (theta / arcmin)^2, theta^2
 * the product of the beam's full widths (Condon 2002, ASP Conf. 278, 155).
 */
export function confusionNoiseJy(freqHz: number, beam: { major: number; minor: number }): number {
  const arcmin = (180 * 60) / Math.PI
  return 0.2e-3 * (freqHz / 1e9) ** -0.7 * beam.major * arcmin * beam.minor * arcmin
}

/** Largest absolute value over the local noise among the covered pixels; undefined without one. */
export function largestRatio(plane: Float32Array, rms: Float32Array, covered: Uint8Array): number | undefined {
  let largest = -1
  for (let i = 0; i < plane.length; i++) {
    if (covered[i] === 0) continue
    const ratio = Math.abs(plane[i]) / rms[i]
    if (ratio > largest) largest = ratio
  }
  return largest < 0 ? undefined : largest
}

/** Largest value among the covered pixels; NaN without one. */
export function largestValue(plane: Float32Array, covered: Uint8Array): number {
  let largest = NaN
  for (let i = 0; i < plane.length; i++) if (covered[i] === 1 && !(plane[i] <= largest)) largest = plane[i]
  return largest
}

/** Counts of value / sigma in equal bins from -limit to limit, for the pixels where the mean beam is at least `beamCut`. */
export function histogram(
  plane: Float32Array,
  primaryBeam: Float32Array,
  options: { sigma: number; beamCut: number; limit: number; bins: number },
): number[] {
  const { sigma, beamCut, limit, bins } = options
  const counts = Array.from({ length: bins }, () => 0)
  for (let i = 0; i < plane.length; i++) {
    if (!(primaryBeam[i] >= beamCut)) continue
    const bin = Math.floor(((plane[i] / sigma + limit) / (2 * limit)) * bins)
    if (bin >= 0 && bin < bins) counts[bin]++
  }
  return counts
}
