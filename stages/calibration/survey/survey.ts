import { histogramStatistics, POWER_BINS } from './power-histogram.ts'

/** Visibilities of one baseline: element (t, c, p, re/im) lies at `offset[t] + (c * polarizations + p) * 2`. */
export interface BaselineData {
  readonly data: Float32Array
  /** (integrations, subbands): position of the first channel of a subband, or -1 where the baseline has no row. */
  readonly offset: Int32Array
  readonly integrations: number
  readonly channels: number
  readonly polarizations: number
  readonly perSubband: number
}

export interface SurveyOptions {
  clipSigma: number
  /** (integrations, channels) polarisation bits known bad, left out of every statistic; (integrations) where any is. */
  knownBad: Uint8Array
  knownBadAt: Uint8Array
  /**
   * Flags of the input: polarisation bits of (t, c) at `flagOffset[t] + c`; the survey adds its own. `flaggedAt[t]` is 1
   * where the input has any.
   */
  flags: Uint8Array
  flagOffset: Int32Array
  flaggedAt: Uint8Array
}

export interface SurveyWork {
  readonly power: Float32Array
  readonly bits: Uint32Array
  readonly histogram: Uint32Array
}

/** Statistics of all baselines by cell, sums of integers so that they do not depend on the order of the baselines. */
export interface CellSums {
  /** (integrations, channels, polarizations): power over the median of the baseline, in steps of 1 / CELL_POWER_STEPS. */
  readonly sum: Int32Array
  readonly flagged: Int32Array
}

export interface PolarizationSurvey {
  /** Median amplitude of the unflagged samples, NaN without any. */
  medianAmplitude: number
  /** Amplitude above which samples are flagged. */
  threshold: number
  /** Samples that are zero, not finite, or flagged in the input. */
  missing: number
  /** Samples above the threshold. */
  clip: number
}

/** The clip never cuts under 1.5 times the median (data without noise). */
const CLIP_FLOOR = 1.5
/** Contribution of one sample to the mean power of its cell, in units of the squared median of its baseline. */
const CELL_POWER_CAP = 9
export const CELL_POWER_STEPS = 1024
const SIGMA_PER_MAD = 1.4826
/** Samples behind the median and the deviation of one baseline: 3 % of a standard deviation. */
const STATISTIC_SAMPLES = 2048

export function createSurveyWork(): SurveyWork {
  const power = new Float32Array(1)
  return { power, bits: new Uint32Array(power.buffer), histogram: new Uint32Array(POWER_BINS) }
}

/**
 * Flags one polarisation of one baseline over time and channel: what is zero, not finite or known bad is left out, then
 * what exceeds median + clipSigma * 1.4826 MAD of the amplitudes. Both come from a histogram of some 2048 samples spread
 * over all times and channels. Adds the polarisation's bit to `flags`, and the powers over the median to `cells`.
 */
export function surveyPolarization(
  baseline: BaselineData,
  polarization: number,
  { work, options, cells }: { work: SurveyWork; options: SurveyOptions; cells: CellSums },
): PolarizationSurvey {
  const { centre, deviation } = statistics(baseline, polarization, { work, options })
  const threshold = Math.max(CLIP_FLOOR * centre, centre + options.clipSigma * SIGMA_PER_MAD * deviation)
  const scan: Scan = { limit: threshold * threshold, scale: CELL_POWER_STEPS / (centre * centre), missing: 0, clip: 0 }
  for (let t = 0; t < baseline.integrations; t++) {
    if (baseline.offset[t * subbandsOf(baseline)] < 0) countAbsent(baseline, polarization, { cells, t })
    else if (options.flaggedAt[t] === 1 || options.knownBadAt[t] === 1 || Number.isNaN(centre))
      scanChecked(baseline, polarization, { options, cells, scan, t })
    else scanClean(baseline, polarization, { options, cells, scan, t })
  }
  return { medianAmplitude: centre, threshold, missing: scan.missing, clip: scan.clip }
}

interface Scan {
  limit: number
  scale: number
  missing: number
  clip: number
}

interface ScanRow {
  options: SurveyOptions
  cells: CellSums
  scan: Scan
  t: number
}

function subbandsOf({ channels, perSubband }: BaselineData): number {
  return channels / perSubband
}

function statistics(
  baseline: BaselineData,
  polarization: number,
  { work, options }: { work: SurveyWork; options: SurveyOptions },
): { centre: number; deviation: number } {
  const { data, offset, integrations, channels, polarizations, perSubband } = baseline
  const { power, bits, histogram } = work
  const bit = 1 << polarization
  const subbands = subbandsOf(baseline)
  const stride = Math.max(1, Math.floor((integrations * channels) / STATISTIC_SAMPLES))
  let samples = 0
  let lowest = histogram.length
  let highest = 0
  for (let t = 0; t < integrations; t++) {
    if (offset[t * subbands] < 0) continue
    const checked = options.flaggedAt[t] === 1 || options.knownBadAt[t] === 1
    // The start moves with the integration, so that every channel is looked at.
    for (let c = t % stride, band = 0, end = perSubband; c < channels; c += stride) {
      while (c >= end) {
        band++
        end += perSubband
      }
      const k = offset[t * subbands + band] + 2 * ((c + perSubband - end) * polarizations + polarization)
      const p = data[k] * data[k] + data[k + 1] * data[k + 1]
      if (!(p > 0 && p < Infinity)) continue
      if (checked && ((options.flags[options.flagOffset[t] + c] | options.knownBad[t * channels + c]) & bit) !== 0)
        continue
      power[0] = p
      const bin = bits[0] >>> 16
      histogram[bin]++
      samples++
      if (bin < lowest) lowest = bin
      if (bin > highest) highest = bin
    }
  }
  if (samples === 0) return { centre: Number.NaN, deviation: Number.NaN }
  const result = histogramStatistics(histogram, { lowest, highest, samples })
  histogram.fill(0, lowest, highest + 1)
  return result
}

/** An integration without a flag so far. */
function scanClean(
  { data, offset, channels, polarizations, perSubband }: BaselineData,
  polarization: number,
  { options, cells, scan, t }: ScanRow,
): void {
  const { limit, scale } = scan
  const cap = CELL_POWER_CAP * CELL_POWER_STEPS
  const { sum } = cells
  const step = 2 * polarizations
  let cell = t * channels * polarizations + polarization
  for (let first = 0, band = (t * channels) / perSubband; first < channels; first += perSubband, band++) {
    let k = offset[band] + 2 * polarization
    for (let c = first; c < first + perSubband; c++, k += step, cell += polarizations) {
      const p = data[k] * data[k] + data[k + 1] * data[k + 1]
      if (p > 0 && p <= limit) {
        const share = p * scale
        sum[cell] += share < cap ? share | 0 : cap
      } else flagSample(p, { options, cells, scan, cell, at: options.flagOffset[t] + c, bit: 1 << polarization })
    }
  }
}

/** An integration that holds flags, known-bad cells, or nothing to compare with. */
function scanChecked(baseline: BaselineData, polarization: number, { options, cells, scan, t }: ScanRow): void {
  const { data, offset, channels, polarizations, perSubband } = baseline
  const bit = 1 << polarization
  for (let c = 0; c < channels; c++) {
    const cell = (t * channels + c) * polarizations + polarization
    const at = options.flagOffset[t] + c
    const k =
      offset[t * subbandsOf(baseline) + Math.floor(c / perSubband)] +
      2 * ((c % perSubband) * polarizations + polarization)
    const p = (options.flags[at] & bit) !== 0 ? 0 : data[k] * data[k] + data[k + 1] * data[k + 1]
    if (!(p > 0 && p < Infinity)) flagSample(0, { options, cells, scan, cell, at, bit })
    else if ((options.knownBad[t * channels + c] & bit) !== 0) cells.flagged[cell]++
    else if (p <= scan.limit) cells.sum[cell] += Math.min(p * scan.scale, CELL_POWER_CAP * CELL_POWER_STEPS) | 0
    else flagSample(p, { options, cells, scan, cell, at, bit })
  }
}

interface Sample {
  options: SurveyOptions
  cells: CellSums
  scan: Scan
  cell: number
  at: number
  bit: number
}

/** A sample without power or not finite is missing, any other above the limit. */
function flagSample(p: number, { options, cells, scan, cell, at, bit }: Sample): void {
  options.flags[at] |= bit
  cells.flagged[cell]++
  if (p > 0 && p < Infinity) scan.clip++
  else scan.missing++
}

/** Rows that do not exist count as flagged in the cells. */
function countAbsent(
  { channels, polarizations }: BaselineData,
  polarization: number,
  { cells, t }: { cells: CellSums; t: number },
): void {
  for (let c = 0; c < channels; c++) cells.flagged[(t * channels + c) * polarizations + polarization]++
}
