import { SPEED_OF_LIGHT_M_S } from '#runtime/sky/constants.ts'
import { addFringe, type ChannelRun } from '#runtime/sky/predict.ts'

/** What the sums of one baseline are made of; see `BaselineData` of survey.ts for the layout of the samples. */
export interface AccumulateInput {
  data: Float32Array
  /** (integrations): position of channel 0, or -1 where the baseline has no row. */
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
  /** (integrations, subbands): 1 where any sample of this baseline is flagged or has a weight below one. */
  dirty: Uint8Array
  /** (integrations, channels) polarisation bits flagged for every baseline. */
  cellFlags: Uint8Array
  /** Relative weights of the samples, placed like the data without re/im, where they are not all one. */
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

export function createBinSums(channels: number, polarizations: number): BinSums {
  const size = channels * polarizations
  return { a: new Float64Array(2 * size), w: new Float64Array(size), q: new Float64Array(size), n: new Float64Array(size) }
}

export interface AccumulateWork {
  readonly sums: BinSums
  /** (channels, re/im): the other sources, relative to the calibrator's fringe. */
  readonly others: Float64Array
  readonly smeared: Float64Array
  /** (channels, re/im): the model of one row. */
  readonly model: Float64Array
  readonly ones: Float64Array
}

export function createAccumulateWork(channels: number, polarizations: number): AccumulateWork {
  return {
    sums: createBinSums(channels, polarizations),
    others: new Float64Array(2 * channels),
    smeared: new Float64Array(channels),
    model: new Float64Array(2 * channels),
    ones: new Float64Array(channels).fill(1),
  }
}

/**
 * Exact pre-averaging of one baseline: for each time bin the sums of w V conj(M), w |M|^2 and w |V|^2 per channel and
 * polarisation, handed to `sink` bin by bin (the sums are reused). Flagged samples count nothing, whatever they hold.
 */
export function accumulateBaseline(input: AccumulateInput, work: AccumulateWork, sink: (bin: number, sums: BinSums) => void): void {
  const { sums } = work
  for (let bin = 0; bin + 1 < input.bins.length; bin++) {
    sums.a.fill(0)
    sums.w.fill(0)
    sums.q.fill(0)
    sums.n.fill(0)
    const end = input.bins[bin + 1]
    for (let t = input.bins[bin]; t < end; t++) {
      if ((t - input.bins[bin]) % input.model.step === 0) {
        predictOthers(input.model, work, { from: t, to: Math.min(end, t + input.model.step), input })
      }
      if (input.offset[t] >= 0) accumulateRow(input, work, t)
    }
    sink(bin, sums)
  }
}

/** Mean over integrations [from, to) of the other sources relative to the calibrator's fringe. */
function predictOthers(
  model: BaselineModel,
  { others, smeared }: AccumulateWork,
  { from, to, input }: { from: number; to: number; input: AccumulateInput },
): void {
  others.fill(0)
  const { channels, integrations } = input
  const middle = (from + to - 1) >> 1
  const count = to - from
  for (let s = 0; s < model.sources; s++) {
    const path = s * integrations
    let mean = 0
    for (let t = from; t < to; t++) mean += model.otherPathM[path + t] / count
    const stepM = count > 1 ? (model.otherPathM[path + to - 1] - model.otherPathM[path + from]) / (count - 1) : 0
    const amplitude = (path + middle) * channels
    for (const run of model.runs) smear(smeared, run, { amplitudes: model.others, amplitude, stepM, count })
    for (const run of model.runs) addFringe(others, run, { pathM: mean, amplitudes: smeared, from: 0 })
  }
}

/** Channels over which one smearing factor holds: its phase changes by 3e-3 of itself. */
const SMEAR_CHANNELS = 16

/** Amplitudes times the mean of `count` phasors that turn by nu stepM / c each: sin(n x / 2) / (n sin(x / 2)). */
function smear(
  out: Float64Array,
  run: ChannelRun,
  { amplitudes, amplitude, stepM, count }: { amplitudes: Float64Array; amplitude: number; stepM: number; count: number },
): void {
  for (let block = 0; block < run.count; block += SMEAR_CHANNELS) {
    const end = Math.min(run.count, block + SMEAR_CHANNELS)
    const freqHz = run.firstHz + (0.5 * (block + end - 1)) * run.stepHz
    const half = (Math.PI * freqHz * stepM) / SPEED_OF_LIGHT_M_S
    const sine = Math.sin(half)
    const factor = Math.abs(sine) < 1e-9 ? 1 : Math.sin(count * half) / (count * sine)
    for (let c = run.start + block; c < run.start + end; c++) out[c] = amplitudes[amplitude + c] * factor
  }
}

function accumulateRow(input: AccumulateInput, work: AccumulateWork, t: number): void {
  rowModel(input, work, t)
  const { channels, perSubband, polarizations } = input
  for (let s = 0; s * perSubband < channels; s++) {
    const first = s * perSubband
    const end = Math.min(channels, first + perSubband)
    if (input.dirty[t * Math.ceil(channels / perSubband) + s] === 1) addMasked(input, work, { t, first, end })
    else if (polarizations === 2) addPair(input, work, { t, first, end })
    else addMasked(input, work, { t, first, end })
  }
}

/** model <- (calibrator + others) times the calibrator's fringe. */
function rowModel({ model: source, channels }: AccumulateInput, { model, others, ones }: AccumulateWork, t: number): void {
  model.fill(0)
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

interface Part {
  t: number
  first: number
  end: number
}

/** Two polarisations, nothing flagged, all weights one. */
function addPair({ data, offset }: AccumulateInput, { sums, model }: AccumulateWork, { t, first, end }: Part): void {
  const { a, w, q, n } = sums
  let k = offset[t] + 4 * first
  for (let c = first; c < end; c++, k += 4) {
    const mr = model[2 * c]
    const mi = model[2 * c + 1]
    const power = mr * mr + mi * mi
    const xr = data[k]
    const xi = data[k + 1]
    const yr = data[k + 2]
    const yi = data[k + 3]
    const i = 4 * c
    a[i] += xr * mr + xi * mi
    a[i + 1] += xi * mr - xr * mi
    a[i + 2] += yr * mr + yi * mi
    a[i + 3] += yi * mr - yr * mi
    const j = 2 * c
    w[j] += power
    w[j + 1] += power
    q[j] += xr * xr + xi * xi
    q[j + 1] += yr * yr + yi * yi
    n[j]++
    n[j + 1]++
  }
}

function addMasked(input: AccumulateInput, { sums, model }: AccumulateWork, { t, first, end }: Part): void {
  const { data, offset, polarizations, flags, flagOffset, cellFlags, channels, weights, weightOffset } = input
  const { a, w, q, n } = sums
  for (let c = first; c < end; c++) {
    const flagged = flags[flagOffset[t] + c] | cellFlags[t * channels + c]
    const mr = model[2 * c]
    const mi = model[2 * c + 1]
    for (let p = 0; p < polarizations; p++) {
      if ((flagged & (1 << p)) !== 0) continue
      const weight = weights === undefined ? 1 : weights[weightOffset![t] + c * polarizations + p]
      if (!(weight > 0)) continue
      const k = offset[t] + 2 * (c * polarizations + p)
      const j = c * polarizations + p
      a[2 * j] += weight * (data[k] * mr + data[k + 1] * mi)
      a[2 * j + 1] += weight * (data[k + 1] * mr - data[k] * mi)
      w[j] += weight * (mr * mr + mi * mi)
      q[j] += weight * (data[k] * data[k] + data[k + 1] * data[k + 1])
      n[j]++
    }
  }
}
