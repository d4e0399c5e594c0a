import { robustSigma } from '#runtime/numeric/statistics.ts'

/** Beam response above which the noise of an image is measured, and above which its sources count. */
export const centreResponse = 0.5
const fieldResponse = 0.2

export interface ResidualStatistics {
  /** 1.4826 MAD where the mean beam is above 0.5, and between 0.2 and 0.5. */
  rmsCentre: number
  rmsOuter: number
  /** Largest and smallest value where the mean beam is above 0.2, and the moments there. */
  highest: number
  lowest: number
  skewness: number
  kurtosis: number
}

/** Robust rms of the pixels where the mean beam is at least `low` (and below `high`). NaN where there are none. */
export function rmsInBeam(
  image: Float32Array,
  beam: Float32Array,
  { low, high = Infinity }: { low: number; high?: number },
): number {
  return robustSigma(image.filter((value, i) => beam[i] >= low && beam[i] < high && Number.isFinite(value)))
}

/** Numbers of a residual image (flat noise), never of a beam-corrected one: its edges would rule them. */
export function residualStatistics(residual: Float32Array, beam: Float32Array): ResidualStatistics {
  let [n, sum, highest, lowest] = [0, 0, -Infinity, Infinity]
  const inside = (i: number): boolean => beam[i] >= fieldResponse && Number.isFinite(residual[i])
  for (let i = 0; i < residual.length; i += 1) {
    if (!inside(i)) continue
    n += 1
    sum += residual[i]
    if (residual[i] > highest) highest = residual[i]
    if (residual[i] < lowest) lowest = residual[i]
  }
  const mean = sum / n
  let [m2, m3, m4] = [0, 0, 0]
  for (let i = 0; i < residual.length; i += 1) {
    if (!inside(i)) continue
    const d = residual[i] - mean
    m2 += d * d
    m3 += d * d * d
    m4 += d * d * d * d
  }
  const variance = m2 / n
  return {
    rmsCentre: rmsInBeam(residual, beam, { low: centreResponse }),
    rmsOuter: rmsInBeam(residual, beam, { low: fieldResponse, high: centreResponse }),
    highest,
    lowest,
    skewness: m3 / n / variance ** 1.5,
    kurtosis: m4 / n / variance ** 2,
  }
}

/** Largest absolute value; NaN when any value is not finite. */
export function peakOf(image: Float32Array): number {
  let peak = 0
  for (let i = 0; i < image.length; i += 1) {
    const value = Math.abs(image[i])
    if (!Number.isFinite(value)) return Number.NaN
    if (value > peak) peak = value
  }
  return peak
}

/** Rms of sources too faint and too many to tell apart, Jy/beam: 0.2 mJy (nu/GHz)^-0.7 (theta/arcmin)^2. */
export function confusionJy(freqHz: number, beam: { majorRad: number; minorRad: number }): number {
  const arcmin = (180 * 60) / Math.PI
  return 0.2e-3 * (freqHz / 1e9) ** -0.7 * beam.majorRad * arcmin * beam.minorRad * arcmin
}

/**
 * Thermal noise of an image from the radiometer equation, Jy/beam: s1 / sqrt(2 N), s1 = SEFD / sqrt(2 dnu tau) of one sample
 * of one polarisation and N the effective number of Stokes I samples (WSCENVIS).
 */
export function radiometerNoiseJy(input: {
  sefdJy: number
  channelWidthHz: number
  integrationS: number
  effectiveSamples: number
}): number {
  const sample = input.sefdJy / Math.sqrt(2 * input.channelWidthHz * input.integrationS)
  return sample / Math.sqrt(2 * input.effectiveSamples)
}
