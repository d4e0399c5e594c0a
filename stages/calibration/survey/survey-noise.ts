import { median } from '#runtime/numeric/statistics.ts'
import type { BaselineData, SurveyOptions } from './survey.ts'

/** Light travel times to the calibrator, over which its fringes turn. */
export interface FringeDelays {
  freqHz: Float64Array
  /** (integrations): (u l + v m + w (n - 1)) / c; all zero to difference the data as they are. */
  delayS: Float64Array
}

export interface NoiseWork {
  /** (polarizations, differences) */
  readonly differences: Float64Array[]
  readonly count: Int32Array
  /** (polarizations, re/im): channel difference of the integration before; NaN without one. */
  readonly previous: Float64Array
}

/** Median of |x| of a normal distribution over its standard deviation, inverse. */
const SIGMA_PER_MEDIAN_ABS = 1.4826
/** Differences wanted behind one estimate, and the fewest that make one. */
const DIFFERENCES = 60
const LEAST_DIFFERENCES = 8

export function createNoiseWork({
  integrations,
  channels,
  polarizations,
}: {
  integrations: number
  channels: number
  polarizations: number
}): NoiseWork {
  return {
    differences: Array.from({ length: polarizations }, () => new Float64Array(2 * integrations * channels)),
    count: new Int32Array(polarizations),
    previous: new Float64Array(2 * polarizations),
  }
}

/**
 * Noise of one baseline in each subband and polarisation: standard deviation of a real component from double differences
 * d = (V(t+1,c+1) - V(t+1,c) - V(t,c+1) + V(t,c)) / 2 after stopping the calibrator's fringes, which have the variance of
 * one sample and hold next to nothing of the sky; 1.4826 times the median of |Re d| and |Im d|. Writes (subbands,
 * polarizations) from `at` on, NaN where fewer than eight differences are unflagged.
 */
export function surveyNoise(
  baseline: BaselineData,
  {
    work,
    options,
    delays,
    out,
    at,
  }: { work: NoiseWork; options: SurveyOptions; delays: FringeDelays; out: Float32Array; at: number },
): void {
  const { integrations, channels, polarizations, perSubband } = baseline
  const pairs = Math.min(perSubband >> 1, Math.max(3, Math.ceil(DIFFERENCES / Math.max(1, integrations - 1))))
  for (let band = 0; band * perSubband < channels; band++) {
    work.count.fill(0)
    for (let pair = 0; pair < pairs; pair++) {
      differencePair(baseline, band * perSubband + Math.floor(((pair + 0.5) * perSubband) / pairs - 0.5), {
        work,
        options,
        delays,
      })
    }
    for (let p = 0; p < polarizations; p++) {
      const count = work.count[p]
      const value =
        count < LEAST_DIFFERENCES ? Number.NaN : SIGMA_PER_MEDIAN_ABS * median(work.differences[p].subarray(0, count))
      out[at + band * polarizations + p] = value
    }
  }
}

interface PairOptions {
  work: NoiseWork
  options: SurveyOptions
  delays: FringeDelays
}

/** Appends |Re d| and |Im d| of channels c and c + 1 for all neighbouring integrations. */
function differencePair(baseline: BaselineData, c: number, { work, options, delays }: PairOptions): void {
  const { data, offset, integrations, channels, polarizations, perSubband } = baseline
  const { flags, flagOffset, knownBad } = options
  const { differences, count, previous } = work
  const subbands = channels / perSubband
  const band = Math.floor(c / perSubband)
  const within = 2 * (c - band * perSubband) * polarizations
  previous.fill(Number.NaN)
  for (let t = 0; t < integrations; t++) {
    const start = offset[t * subbands + band]
    if (start < 0) {
      previous.fill(Number.NaN)
      continue
    }
    const cell = t * channels + c
    const flagged = flags[flagOffset[t] + c] | flags[flagOffset[t] + c + 1] | knownBad[cell] | knownBad[cell + 1]
    const angle0 = 2 * Math.PI * delays.freqHz[c] * delays.delayS[t]
    const angle1 = 2 * Math.PI * delays.freqHz[c + 1] * delays.delayS[t]
    const [c0, s0, c1, s1] =
      angle0 === 0 && angle1 === 0
        ? [1, 0, 1, 0]
        : [Math.cos(angle0), Math.sin(angle0), Math.cos(angle1), Math.sin(angle1)]
    for (let p = 0; p < polarizations; p++) {
      if ((flagged & (1 << p)) !== 0) {
        previous[2 * p] = Number.NaN
        continue
      }
      const k = start + within + 2 * p
      const n = k + 2 * polarizations
      const re = data[n] * c1 + data[n + 1] * s1 - (data[k] * c0 + data[k + 1] * s0)
      const im = data[n + 1] * c1 - data[n] * s1 - (data[k + 1] * c0 - data[k] * s0)
      if (!Number.isNaN(previous[2 * p])) {
        differences[p][count[p]++] = 0.5 * Math.abs(re - previous[2 * p])
        differences[p][count[p]++] = 0.5 * Math.abs(im - previous[2 * p + 1])
      }
      previous[2 * p] = re
      previous[2 * p + 1] = im
    }
  }
}
