import { median } from '#runtime/numeric/statistics.ts'

/** Why a sample is flagged by the survey of its own baseline. */
export interface SurveyCounts {
  /** Zero, non-finite, or flagged in the input. */
  missing: number
  /** Above the robust clip. */
  clip: number
}

/** Visibilities of one baseline: element (t, c, p, re/im) lies at `offset[t] + (c * polarizations + p) * 2`. */
export interface BaselineData {
  readonly data: Float32Array
  /** (integrations): position of channel 0, or -1 where the baseline has no row. */
  readonly offset: Int32Array
  readonly integrations: number
  readonly channels: number
  readonly polarizations: number
}

export interface SurveyOptions {
  perSubband: number
  clipSigma: number
  /** Cells (integrations, channels) known bad: polarisation bits, left out of every statistic. */
  knownBad: Uint8Array
  /**
   * Flags of the input: polarisation bits of (t, c) at `flagOffset[t] + c`. The survey adds its own. Undefined positions
   * of absent rows are not touched.
   */
  flags: Uint8Array
  flagOffset: Int32Array
}

/** A baseline against a bright source: metres of path to it per integration, to stop its fringes before differencing. */
export interface NoiseOptions {
  freqHz: Float64Array
  /** (integrations): u l + v m + w (n - 1) of the calibrator in metres / c; zero to difference as is. */
  delayS: Float64Array
}

export interface SurveyWork {
  readonly power: Float32Array
  readonly bits: Uint32Array
  readonly histogram: Uint32Array
  readonly amplitude: Float64Array
  readonly differences: Float64Array
}

/** Median amplitudes below are floors for the clip: it never cuts under 1.5 times the median (noiseless data). */
const CLIP_FLOOR = 1.5
/** Contribution of one sample to the mean power of its cell, in units of the median of its baseline: at most 3 sigma. */
const CELL_POWER_CAP = 9
/** Cell sums are integers in these steps, so that their sum does not depend on the order of the baselines. */
export const CELL_POWER_STEPS = 1024
/** Median of |x| of a normal distribution over its standard deviation, inverse. */
const SIGMA_PER_MEDIAN_ABS = 1.4826
/** Differences wanted behind one noise estimate. */
const NOISE_DIFFERENCES = 60

export function createSurveyWork(integrations: number, channels: number): SurveyWork {
  const power = new Float32Array(integrations * channels)
  return {
    power,
    bits: new Uint32Array(power.buffer),
    histogram: new Uint32Array(1 << 15),
    amplitude: new Float64Array(integrations * channels),
    differences: new Float64Array(4 * integrations * channels),
  }
}

export interface PolarizationSurvey extends SurveyCounts {
  /** Median amplitude of the unflagged samples, NaN without any. */
  medianAmplitude: number
  /** Amplitude above which samples are flagged. */
  threshold: number
}

/**
 * Flags one polarisation of one baseline over time and channel: what is zero, not finite or known bad is left out, then
 * what exceeds median + clipSigma * 1.4826 MAD of the amplitudes. Medians come from a histogram with 128 bins an octave of
 * power. Adds the polarisation's bit to `flags`, and the powers over the median to `cellSum` (integrations, channels,
 * polarizations) in integer steps, with the flagged samples counted in `cellFlagged`.
 */
export function surveyPolarization(
  baseline: BaselineData,
  polarization: number,
  { work, options, cellSum, cellFlagged }: { work: SurveyWork; options: SurveyOptions; cellSum: Uint32Array; cellFlagged: Uint32Array },
): PolarizationSurvey {
  const { data, offset, integrations, channels, polarizations } = baseline
  const { flags, flagOffset, knownBad } = options
  const { power, bits, histogram } = work
  const bit = 1 << polarization
  let missing = 0
  let samples = 0
  let lowest = histogram.length
  let highest = 0
  for (let t = 0; t < integrations; t++) {
    const from = t * channels
    if (offset[t] < 0) {
      power.fill(0, from, from + channels)
      continue
    }
    let k = offset[t] + 2 * polarization
    for (let c = 0; c < channels; c++, k += 2 * polarizations) {
      const p = data[k] * data[k] + data[k + 1] * data[k + 1]
      // Not-a-number and zero fail the first, infinity the second comparison.
      const valid = p > 0 && p < Infinity && (flags[flagOffset[t] + c] & bit) === 0
      if (!valid) {
        flags[flagOffset[t] + c] |= bit
        missing++
        power[from + c] = 0
        continue
      }
      if ((knownBad[from + c] & bit) !== 0) {
        power[from + c] = 0
        continue
      }
      power[from + c] = p
      const bin = bits[from + c] >>> 16
      histogram[bin]++
      samples++
      if (bin < lowest) lowest = bin
      if (bin > highest) highest = bin
    }
  }
  if (samples === 0) return finish({ medianAmplitude: Number.NaN, threshold: Number.NaN, missing, clip: 0 })
  const { centre, deviation } = histogramStatistics(histogram, { lowest, highest, samples })
  const threshold = Math.max(CLIP_FLOOR * centre, centre + options.clipSigma * SIGMA_PER_MEDIAN_ABS * deviation)
  const limit = threshold * threshold
  const scale = CELL_POWER_STEPS / (centre * centre)
  const cap = CELL_POWER_CAP * CELL_POWER_STEPS
  let clip = 0
  for (let t = 0; t < integrations; t++) {
    const from = t * channels
    for (let c = 0; c < channels; c++) {
      const p = power[from + c]
      if (p > 0 && p <= limit) {
        const share = p * scale
        cellSum[(from + c) * polarizations + polarization] += share < cap ? share : cap
        continue
      }
      // Absent rows have no power and count as flagged.
      cellFlagged[(from + c) * polarizations + polarization]++
      if (p > limit) {
        flags[flagOffset[t] + c] |= bit
        clip++
      }
    }
  }
  histogram.fill(0, lowest, highest + 1)
  return finish({ medianAmplitude: centre, threshold, missing, clip })

  function finish(result: PolarizationSurvey): PolarizationSurvey {
    if (!Number.isNaN(result.medianAmplitude)) return result
    for (let t = 0; t < integrations; t++) {
      for (let c = 0; c < channels; c++) cellFlagged[(t * channels + c) * polarizations + polarization]++
    }
    return result
  }
}

/**
 * Noise of one polarisation of one baseline in each subband: standard deviation of a real component from double
 * differences d = (V(t+1,c+1) - V(t+1,c) - V(t,c+1) + V(t,c)) / 2 after stopping the calibrator's fringes, which have the
 * variance of one sample and hold next to nothing of the sky; 1.4826 times the median of |Re d| and |Im d|. NaN where fewer
 * than eight differences are unflagged.
 */
export function surveyNoise(
  baseline: BaselineData,
  polarization: number,
  { work, options, noise, out }: { work: SurveyWork; options: SurveyOptions; noise: NoiseOptions; out: Float32Array },
): void {
  const { integrations, channels } = baseline
  const { perSubband } = options
  const steps = Math.max(1, integrations - 1)
  const pairs = Math.min(perSubband >> 1, Math.max(3, Math.ceil(NOISE_DIFFERENCES / steps)))
  for (let s = 0; s * perSubband < channels; s++) {
    let n = 0
    for (let pair = 0; pair < pairs; pair++) {
      const c = s * perSubband + Math.floor(((pair + 0.5) * perSubband) / pairs - 0.5)
      n = differencePair(baseline, polarization, { c, n, work, options, noise })
    }
    out[s] = n < 8 ? Number.NaN : SIGMA_PER_MEDIAN_ABS * median(work.differences.subarray(0, n))
  }
}

interface Pair {
  c: number
  /** Differences written so far. */
  n: number
  work: SurveyWork
  options: SurveyOptions
  noise: NoiseOptions
}

/** Appends |Re d| and |Im d| of channels c and c + 1 for all neighbouring integrations; returns the new count. */
function differencePair(baseline: BaselineData, polarization: number, { c, n, work, options, noise }: Pair): number {
  const { data, offset, integrations, polarizations } = baseline
  const { flags, flagOffset, knownBad } = options
  const bit = 1 << polarization
  const stride = 2 * polarizations
  let count = n
  let previousRe = Number.NaN
  let previousIm = Number.NaN
  for (let t = 0; t < integrations; t++) {
    const cell = t * baseline.channels + c
    const good =
      offset[t] >= 0 &&
      ((flags[flagOffset[t] + c] | flags[flagOffset[t] + c + 1] | knownBad[cell] | knownBad[cell + 1]) & bit) === 0
    if (!good) {
      previousRe = Number.NaN
      continue
    }
    const k = offset[t] + c * stride + 2 * polarization
    const [re0, im0] = stopped(k, c, t)
    const [re1, im1] = stopped(k + stride, c + 1, t)
    const re = re1 - re0
    const im = im1 - im0
    if (!Number.isNaN(previousRe)) {
      work.differences[count++] = 0.5 * Math.abs(re - previousRe)
      work.differences[count++] = 0.5 * Math.abs(im - previousIm)
    }
    previousRe = re
    previousIm = im
  }
  return count

  function stopped(k: number, channel: number, t: number): [number, number] {
    const delay = noise.delayS[t]
    if (delay === 0) return [data[k], data[k + 1]]
    const angle = 2 * Math.PI * noise.freqHz[channel] * delay
    const cos = Math.cos(angle)
    const sin = Math.sin(angle)
    return [data[k] * cos + data[k + 1] * sin, data[k + 1] * cos - data[k] * sin]
  }
}

interface HistogramRange {
  lowest: number
  highest: number
  samples: number
}

const bitsOf = new Uint32Array(1)
const floatOf = new Float32Array(bitsOf.buffer)

/** Median and median absolute deviation of amplitudes from their histogram by the top 16 bits of float32 power. */
function histogramStatistics(histogram: Uint32Array, { lowest, highest, samples }: HistogramRange): { centre: number; deviation: number } {
  const half = samples / 2
  let bin = lowest
  let below = 0
  while (bin < highest && below + histogram[bin] < half) below += histogram[bin++]
  const low = binEdge(bin)
  const centre = Math.sqrt(low + ((half - below) / histogram[bin]) * (binEdge(bin + 1) - low))
  // Outwards from the median, always taking the bin that is nearer, until half of the samples are inside.
  let down = bin
  let up = bin + 1
  let inside = 0
  let deviation = 0
  while (inside < half && (down >= lowest || up <= highest)) {
    const toDown = down >= lowest ? centre - binCentre(down) : Infinity
    const toUp = up <= highest ? binCentre(up) - centre : Infinity
    if (toDown <= toUp) inside += histogram[down--]
    else inside += histogram[up++]
    deviation = Math.max(deviation, Math.min(toDown, toUp))
  }
  return { centre, deviation: Math.max(0, deviation) }
}

/** Lower edge in power of a histogram bin. */
function binEdge(bin: number): number {
  bitsOf[0] = bin << 16
  return floatOf[0]
}

/** Amplitude at the middle of a histogram bin. */
function binCentre(bin: number): number {
  return Math.sqrt(0.5 * (binEdge(bin) + binEdge(bin + 1)))
}
