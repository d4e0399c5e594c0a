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

/** Thermal noise of one averaged Stokes I visibility's image, from its header. */
export interface NoiseTheory {
  sefdJy: number
  channelWidthHz: number
  integrationS: number
  /** Effective number of visibilities: (sum w)^2 / sum w^2. */
  effectiveVisibilities: number
}

/**
 * Expected image noise, sigma = sigma_1 / sqrt(2 N_eff) with sigma_1 = SEFD / sqrt(2 dnu tau) of one averaged sample of
 * one polarisation (Thompson, Moran & Swenson 2017, section 6.2; N(N-1)/2 baselines enter through N_eff).
 */
export function expectedNoiseJy({ sefdJy, channelWidthHz, integrationS, effectiveVisibilities }: NoiseTheory): number {
  return sefdJy / Math.sqrt(2 * channelWidthHz * integrationS) / Math.sqrt(2 * effectiveVisibilities)
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
