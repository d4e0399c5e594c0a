import { addFringe, type ChannelRun } from '#runtime/sky/predict.ts'
import { addSmearedFringe } from './smeared-fringe.ts'

/** What the sums of one baseline are made of. */
export interface AccumulateInput {
  data: Float32Array
  /**
   * (integrations, subbands): position of the first channel of a subband, or -1 where the baseline has no row; element
   * (c, p, re/im) follows at 2 (c polarizations + p), c counted from the start of the subband.
   */
  offset: Int32Array
  integrations: number
  channels: number
  polarizations: number
  perSubband: number
  /** First integration of each bin, and the end: (bins + 1). */
  bins: Int32Array
  /** Polarisation bits of the flagged samples: (t, c) at flagOffset[t] + c. */
  flags: Uint8Array
  flagOffset: Int32Array
  /** (integrations, subbands): 1 where any sample of this baseline is flagged or has a weight of its own. */
  dirty: Uint8Array
  /** (integrations, channels) polarisation bits flagged for every baseline. */
  cellFlags: Uint8Array
  /** Relative weights of the samples where they are not all one, (t, c, p) at weightOffset[t] + c polarizations + p. */
  weights?: Float32Array | undefined
  weightOffset?: Int32Array | undefined
  model: BaselineModel
}

/**
 * The model of one baseline: a calibrator with its exact fringes, and other sources averaged over each bin in the frame
 * that turns with the calibrator, where their mean is what the averaged data hold.
 */
export interface BaselineModel {
  runs: readonly ChannelRun[]
  /** (integrations, channels): apparent flux density of the calibrator, Jy. */
  calibrator: Float64Array
  /** (integrations): path to the calibrator u l + v m + w (n - 1), metres. */
  calibratorPathM: Float64Array
  /** Apparent flux densities of the others: (sources, integrations, channels). */
  others: Float64Array
  sources: number
  /** (sources, integrations): their path less the calibrator's, metres. */
  otherPathM: Float64Array
  /** Integrations over which the others are averaged; 1: exact. */
  step: number
}

/** Sums over one bin and baseline: a (channels, pols, re/im) of w V conj(M), w of w |M|^2, q of w |V|^2, n samples. */
export interface BinSums {
  readonly a: Float64Array
  readonly w: Float64Array
  readonly q: Float64Array
  readonly n: Float64Array
}

export interface AccumulateWork {
  readonly sums: BinSums
  /** (channels): w and n of samples that all polarisations share. */
  readonly sharedW: Float64Array
  readonly sharedN: Float64Array
  /** (channels, re/im): the other sources, relative to the calibrator's fringe. */
  readonly others: Float64Array
  /** (rows of a group, channels, re/im): the model of each row. */
  readonly models: Float64Array
  readonly ones: Float64Array
  readonly rows: Int32Array
}

/** Rows that are summed in registers at a time; with other sources in the model, their averaging step. */
const GROUP_ROWS = 4

export function createAccumulateWork({
  channels,
  polarizations,
  step,
}: {
  channels: number
  polarizations: number
  step: number
}): AccumulateWork {
  const size = channels * polarizations
  const rows = Math.max(step, GROUP_ROWS)
  return {
    sums: {
      a: new Float64Array(2 * size),
      w: new Float64Array(size),
      q: new Float64Array(size),
      n: new Float64Array(size),
    },
    sharedW: new Float64Array(channels),
    sharedN: new Float64Array(channels),
    others: new Float64Array(2 * channels),
    models: new Float64Array(2 * channels * rows),
    ones: new Float64Array(channels).fill(1),
    rows: new Int32Array(rows),
  }
}

/**
 * Exact pre-averaging of one baseline: for each time bin the sums of w V conj(M), w |M|^2 and w |V|^2 per channel and
 * polarisation, handed to `sink` bin by bin (the sums are reused). Flagged samples count nothing, whatever they hold.
 */
export function accumulateBaseline(
  input: AccumulateInput,
  work: AccumulateWork,
  sink: (bin: number, sums: BinSums) => void,
): void {
  const { sums, sharedW, sharedN } = work
  const step = input.model.sources > 0 ? input.model.step : GROUP_ROWS
  for (let bin = 0; bin + 1 < input.bins.length; bin++) {
    for (const values of [sums.a, sums.w, sums.q, sums.n, sharedW, sharedN]) values.fill(0)
    const end = input.bins[bin + 1]
    for (let from = input.bins[bin]; from < end; from += step)
      accumulateGroup(input, work, { from, to: Math.min(end, from + step) })
    for (let c = 0, k = 0; c < input.channels; c++) {
      for (let p = 0; p < input.polarizations; p++, k++) {
        sums.w[k] += sharedW[c]
        sums.n[k] += sharedN[c]
      }
    }
    sink(bin, sums)
  }
}

interface Span {
  from: number
  to: number
}

function accumulateGroup(input: AccumulateInput, work: AccumulateWork, span: Span): void {
  const { channels, perSubband, polarizations, offset, dirty } = input
  const subbands = channels / perSubband
  if (input.model.sources > 0) predictOthers(input, work, span)
  for (let t = span.from; t < span.to; t++) {
    if (offset[t * subbands] >= 0) rowModel(input, work, { t, at: 2 * channels * (t - span.from) })
  }
  for (let band = 0; band < subbands; band++) {
    let clean = polarizations === 2
    for (let t = span.from; t < span.to; t++) clean &&= dirty[t * subbands + band] === 0 && offset[t * subbands] >= 0
    if (clean) addClean(input, work, { ...span, band })
    else
      for (let t = span.from; t < span.to; t++)
        if (offset[t * subbands] >= 0) addMasked(input, work, { t, band, at: 2 * channels * (t - span.from) })
  }
}

/** Mean over integrations [from, to) of the other sources relative to the calibrator's fringe. */
function predictOthers(
  { model, channels, integrations }: AccumulateInput,
  { others }: AccumulateWork,
  { from, to }: Span,
): void {
  others.fill(0)
  const middle = (from + to - 1) >> 1
  const count = to - from
  for (let s = 0; s < model.sources; s++) {
    const path = s * integrations
    let pathM = 0
    for (let t = from; t < to; t++) pathM += model.otherPathM[path + t] / count
    const stepM = count > 1 ? (model.otherPathM[path + to - 1] - model.otherPathM[path + from]) / (count - 1) : 0
    const fringe = { pathM, stepM, count, amplitudes: model.others, from: (path + middle) * channels }
    for (const run of model.runs) addSmearedFringe(others, run, fringe)
  }
}

/** models[at...] <- (calibrator + others) times the calibrator's fringe in integration t. */
function rowModel(
  { model: source, channels }: AccumulateInput,
  { models, others, ones }: AccumulateWork,
  { t, at }: { t: number; at: number },
): void {
  const model = models.subarray(at, at + 2 * channels).fill(0)
  const from = t * channels
  const flux = source.calibrator
  const pathM = source.calibratorPathM[t]
  if (source.sources === 0) {
    for (const run of source.runs) addFringe(model, run, { pathM, amplitudes: flux, from })
    return
  }
  for (const run of source.runs) addFringe(model, run, { pathM, amplitudes: ones, from: 0 })
  for (let c = 0; c < channels; c++) {
    const re = flux[from + c] + others[2 * c]
    const im = others[2 * c + 1]
    const fr = model[2 * c]
    const fi = model[2 * c + 1]
    model[2 * c] = fr * re - fi * im
    model[2 * c + 1] = fr * im + fi * re
  }
}

/** Two polarisations, nothing flagged, all weights one: sums over the rows of the group are kept in registers. */
function addClean(
  { data, offset, channels, perSubband }: AccumulateInput,
  work: AccumulateWork,
  { from, to, band }: Span & { band: number },
): void {
  const { sums, models, sharedW, sharedN, rows } = work
  const { a, q } = sums
  const subbands = channels / perSubband
  const count = to - from
  for (let r = 0; r < count; r++) rows[r] = offset[(from + r) * subbands + band]
  const width = 2 * channels
  const first = band * perSubband
  for (let c = first, within = 0; c < first + perSubband; c++, within += 4) {
    let xRe = 0
    let xIm = 0
    let yRe = 0
    let yIm = 0
    let xPower = 0
    let yPower = 0
    let power = 0
    for (let r = 0, m = 2 * c; r < count; r++, m += width) {
      const k = rows[r] + within
      const mr = models[m]
      const mi = models[m + 1]
      const xr = data[k]
      const xi = data[k + 1]
      const yr = data[k + 2]
      const yi = data[k + 3]
      xRe += xr * mr + xi * mi
      xIm += xi * mr - xr * mi
      yRe += yr * mr + yi * mi
      yIm += yi * mr - yr * mi
      xPower += xr * xr + xi * xi
      yPower += yr * yr + yi * yi
      power += mr * mr + mi * mi
    }
    const i = 4 * c
    a[i] += xRe
    a[i + 1] += xIm
    a[i + 2] += yRe
    a[i + 3] += yIm
    q[2 * c] += xPower
    q[2 * c + 1] += yPower
    sharedW[c] += power
    sharedN[c] += count
  }
}

function addMasked(
  input: AccumulateInput,
  { sums, models }: AccumulateWork,
  { t, band, at }: { t: number; band: number; at: number },
): void {
  const { data, offset, polarizations, perSubband, flags, flagOffset, cellFlags, channels, weights, weightOffset } =
    input
  const { a, w, q, n } = sums
  const first = band * perSubband
  const start = offset[t * (channels / perSubband) + band]
  for (let c = first; c < first + perSubband; c++) {
    const flagged = flags[flagOffset[t] + c] | cellFlags[t * channels + c]
    const mr = models[at + 2 * c]
    const mi = models[at + 2 * c + 1]
    for (let p = 0; p < polarizations; p++) {
      if ((flagged & (1 << p)) !== 0) continue
      const weight = weights === undefined ? 1 : weights[weightOffset![t] + c * polarizations + p]
      if (!(weight > 0)) continue
      const k = start + 2 * ((c - first) * polarizations + p)
      const j = c * polarizations + p
      a[2 * j] += weight * (data[k] * mr + data[k + 1] * mi)
      a[2 * j + 1] += weight * (data[k + 1] * mr - data[k] * mi)
      w[j] += weight * (mr * mr + mi * mi)
      q[j] += weight * (data[k] * data[k] + data[k + 1] * data[k + 1])
      n[j]++
    }
  }
}
