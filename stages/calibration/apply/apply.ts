/** Gains as they are applied: zero marks a flagged solution. */
export interface AppliedGains {
  /** (antennas, channels, polarizations, re/im): bandpass. */
  bandpass: Float64Array
  /** (antennas, integrations, polarizations, re/im): G, with G2 where it holds. */
  gain: Float64Array
  /** (subbands, polarizations, antennas): raw noise factor e, sigma_ij^2 = e_i e_j; NaN where unknown. */
  noise: Float64Array
}

export interface ApplyRow {
  /** (channels, polarizations, re/im) of the row from `at` on. */
  data: Float32Array
  at: number
  /** Polarisation bits of the channels of the row from `flagAt` on, and of the cells of its integration from `cellAt` on. */
  flags: Uint8Array
  flagAt: number
  cellFlags: Uint8Array
  cellAt: number
  /** (subbands): 1 where a sample of the row is flagged or has a weight of its own. */
  dirty: Uint8Array
  /** (channels, polarizations) relative weights of the row from `weightAt` on; absent: all one. */
  weights?: Float32Array | undefined
  weightAt?: number | undefined
  antenna1: number
  antenna2: number
  integration: number
  /** Polarisation bits flagged for the whole row. */
  rowFlags: number
}

export interface ApplyShape {
  antennas: number
  integrations: number
  channels: number
  polarizations: number
  perSubband: number
  /** Channels averaged into one. */
  average: number
}

/** One averaged row, (groups, polarizations): visibilities with re/im, weights in Jy^-2, flags 0 or 1. */
export interface AveragedRow {
  data: Float32Array
  weights: Float32Array
  flags: Uint8Array
  /** Position of the row in `weights` and `flags`; twice that in `data`. */
  at: number
}

/** An averaged sample needs this part of its channels. */
const LEAST_GOOD = 0.5

/**
 * Corrects and averages one row: V = sum w V conj(g_i) g_j / sum w |g_i|^2 |g_j|^2 over the channels of each group, weight
 * sum w |g_i|^2 |g_j|^2 in Jy^-2, w = 1 / (e_i e_j) times the relative weight. A sample whose solution is flagged for either
 * antenna counts as flagged; a group with less than half of its channels good is flagged, and all its polarisations with
 * it. Flagged samples are written as zeros. Returns the number of flagged output samples.
 */
export function applyRow(
  row: ApplyRow,
  { shape, gains, out, work }: { shape: ApplyShape; gains: AppliedGains; out: AveragedRow; work: ApplyWork },
): number {
  const { polarizations, average, channels } = shape
  const { sums, counts } = work
  const groups = channels / average
  let flagged = 0
  scaleOf(row, shape, { gains, work })
  for (let group = 0; group < groups; group++) {
    const subband = Math.floor((group * average) / shape.perSubband)
    let good = true
    const first = group * average
    if (polarizations === 2 && row.dirty[subband] === 0) sumPair(row, shape, { gains, work, first })
    else for (let p = 0; p < polarizations; p++) sumGroup(row, shape, { gains, work, first, p })
    for (let p = 0; p < polarizations; p++) {
      if (counts[p] < LEAST_GOOD * average || !(work.weight[subband * polarizations + p] > 0)) good = false
    }
    const at = out.at + group * polarizations
    for (let p = 0; p < polarizations; p++) {
      const k = at + p
      out.flags[k] = good ? 0 : 1
      if (!good) {
        out.data[2 * k] = 0
        out.data[2 * k + 1] = 0
        out.weights[k] = 0
        flagged++
        continue
      }
      const re = work.product[2 * p]
      const im = work.product[2 * p + 1]
      const power = re * re + im * im
      const scale = 1 / (power * sums[3 * p + 2])
      out.data[2 * k] = (sums[3 * p] * re - sums[3 * p + 1] * im) * scale
      out.data[2 * k + 1] = (sums[3 * p] * im + sums[3 * p + 1] * re) * scale
      out.weights[k] = work.weight[subband * polarizations + p] * power * sums[3 * p + 2]
    }
  }
  return flagged
}

export interface ApplyWork {
  /** (polarizations, [re, im, weight]) */
  readonly sums: Float64Array
  readonly counts: Float64Array
  /** (polarizations, re/im): conj(G_i) G_j of the row. */
  readonly product: Float64Array
  /** (subbands, polarizations): 1 / (e_i e_j). */
  readonly weight: Float64Array
}

export function createApplyWork({ channels, perSubband, polarizations }: ApplyShape): ApplyWork {
  return {
    sums: new Float64Array(3 * polarizations),
    counts: new Float64Array(polarizations),
    product: new Float64Array(2 * polarizations),
    weight: new Float64Array((channels / perSubband) * polarizations),
  }
}

interface Prepared {
  gains: AppliedGains
  work: ApplyWork
}

/** Gain product and weights of the row; a flagged gain or an unknown noise gives weight zero. */
function scaleOf(
  row: ApplyRow,
  { antennas, integrations, polarizations }: ApplyShape,
  { gains, work }: Prepared,
): void {
  for (let p = 0; p < polarizations; p++) {
    const i = 2 * ((row.antenna1 * integrations + row.integration) * polarizations + p)
    const j = 2 * ((row.antenna2 * integrations + row.integration) * polarizations + p)
    const { gain } = gains
    work.product[2 * p] = gain[i] * gain[j] + gain[i + 1] * gain[j + 1]
    work.product[2 * p + 1] = gain[i] * gain[j + 1] - gain[i + 1] * gain[j]
    const dead = (work.product[2 * p] === 0 && work.product[2 * p + 1] === 0) || (row.rowFlags & (1 << p)) !== 0
    for (let cell = p; cell < work.weight.length; cell += polarizations) {
      const weight = 1 / (gains.noise[cell * antennas + row.antenna1] * gains.noise[cell * antennas + row.antenna2])
      work.weight[cell] = dead || !Number.isFinite(weight) ? 0 : weight
    }
  }
}

/** Two polarisations without flagged samples: only solutions can be flagged. */
function sumPair(
  row: ApplyRow,
  { channels, average }: ApplyShape,
  { gains, work, first }: Prepared & { first: number },
): void {
  const { data } = row
  const { bandpass } = gains
  const { sums, counts } = work
  let xRe = 0
  let xIm = 0
  let xTotal = 0
  let xCount = 0
  let yRe = 0
  let yIm = 0
  let yTotal = 0
  let yCount = 0
  let i = 4 * (row.antenna1 * channels + first)
  let j = 4 * (row.antenna2 * channels + first)
  let k = row.at + 4 * first
  for (const end = k + 4 * average; k < end; k += 4, i += 4, j += 4) {
    const ar = bandpass[i] * bandpass[j] + bandpass[i + 1] * bandpass[j + 1]
    const ai = bandpass[i] * bandpass[j + 1] - bandpass[i + 1] * bandpass[j]
    const br = bandpass[i + 2] * bandpass[j + 2] + bandpass[i + 3] * bandpass[j + 3]
    const bi = bandpass[i + 2] * bandpass[j + 3] - bandpass[i + 3] * bandpass[j + 2]
    const a = ar * ar + ai * ai
    const b = br * br + bi * bi
    xRe += data[k] * ar - data[k + 1] * ai
    xIm += data[k] * ai + data[k + 1] * ar
    yRe += data[k + 2] * br - data[k + 3] * bi
    yIm += data[k + 2] * bi + data[k + 3] * br
    xTotal += a
    yTotal += b
    if (a > 0) xCount++
    if (b > 0) yCount++
  }
  sums[0] = xRe
  sums[1] = xIm
  sums[2] = xTotal
  sums[3] = yRe
  sums[4] = yIm
  sums[5] = yTotal
  counts[0] = xCount
  counts[1] = yCount
}

function sumGroup(
  row: ApplyRow,
  { channels, polarizations, average }: ApplyShape,
  { gains, work, first, p }: Prepared & { first: number; p: number },
): void {
  const { data, flags, cellFlags, weights } = row
  const { bandpass } = gains
  const bit = 1 << p
  let re = 0
  let im = 0
  let total = 0
  let count = 0
  for (let c = first; c < first + average; c++) {
    if (((flags[row.flagAt + c] | cellFlags[row.cellAt + c]) & bit) !== 0) continue
    const i = 2 * ((row.antenna1 * channels + c) * polarizations + p)
    const j = 2 * ((row.antenna2 * channels + c) * polarizations + p)
    const pr = bandpass[i] * bandpass[j] + bandpass[i + 1] * bandpass[j + 1]
    const pi = bandpass[i] * bandpass[j + 1] - bandpass[i + 1] * bandpass[j]
    const power = pr * pr + pi * pi
    const weight = weights === undefined ? 1 : weights[row.weightAt! + c * polarizations + p]
    if (power === 0 || !(weight > 0)) continue
    const k = row.at + 2 * (c * polarizations + p)
    re += weight * (data[k] * pr - data[k + 1] * pi)
    im += weight * (data[k] * pi + data[k + 1] * pr)
    total += weight * power
    count++
  }
  work.sums[3 * p] = re
  work.sums[3 * p + 1] = im
  work.sums[3 * p + 2] = total
  work.counts[p] = count
}
