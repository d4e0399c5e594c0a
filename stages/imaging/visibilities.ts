import { setImmediate } from 'node:timers/promises'
import { openMeasurementSet, type MeasurementSet } from '#runtime/formats/measurement-set/read.ts'
import { openTiles, type MsTiles } from '#runtime/formats/measurement-set/tiles.ts'
import type { SkySource } from '#runtime/sky/calibrators.ts'
import { createPredictor } from '#runtime/sky/predict.ts'
import { StageError } from '#runtime/stage/errors.ts'
import type { VisibilityBlock, VisibilityFrame } from './bright-sources.ts'

/** Visibilities (rows x channels) in one block: 1.5 MB of DATA, so that a block stays near the cache. */
const samplesPerBlock = 98_304

/** A calibrated MeasurementSet and, for each row, the integration of its beam track. */
export interface VisibilitySet extends MeasurementSet {
  integration: Int32Array
}

/** What the flags and weights of a set say. */
export interface Survey {
  /** (integrations, channels): summed weights of unflagged Stokes I samples. */
  weights: Float64Array
  /** Cross-correlation samples (row, channel, polarisation) and how many of them are flagged. */
  samples: number
  flagged: number
  /** Antennas, integrations and channels with unflagged data. */
  antennas: number
  integrations: number
  channels: number
}

/** Opens a set and finds the integration of each row by time. */
export async function openVisibilities(path: string): Promise<VisibilitySet> {
  const set = await openMeasurementSet(path)
  if (set.layout.polarizations !== 2 && set.layout.polarizations !== 4) {
    throw new StageError(
      'DATA_UNUSABLE',
      `${path} has ${set.layout.polarizations} polarisations; imaging needs XX and YY`,
    )
  }
  return { ...set, integration: nearestIntegration(set.rows.timeMjdS, set.metadata.beam.timeMjdS) }
}

export function frameOf({ metadata }: VisibilitySet): VisibilityFrame {
  return { phaseCentre: metadata.phaseCentre, beam: metadata.beam, freqHz: metadata.freqHz }
}

/** Counts flags and sums weights. */
export async function surveyVisibilities(set: VisibilitySet, signal: AbortSignal): Promise<Survey> {
  const { layout, rows, integration, metadata } = set
  const { channels, polarizations } = layout
  const weights = new Float64Array(metadata.beam.raRad.length * channels)
  const antennas = new Set<number>()
  let samples = 0
  let flagged = 0
  const reader = openReader(set)
  try {
    for await (const { row0, count } of blocksOf(set, signal)) {
      const { flags, weight } = reader.readWeights(row0, count)
      for (let r = 0; r < count; r += 1) {
        const row = row0 + r
        if (rows.antenna1[row] === rows.antenna2[row]) continue
        let used = false
        for (let c = 0; c < channels; c += 1) {
          const i = (r * channels + c) * polarizations
          for (let p = 0; p < polarizations; p += 1) flagged += flags[i + p]
          const sum = weight[r * channels + c]
          if (sum === 0) continue
          weights[integration[row] * channels + c] += sum
          used = true
        }
        samples += channels * polarizations
        if (used) antennas.add(rows.antenna1[row]).add(rows.antenna2[row])
      }
    }
  } finally {
    reader.close()
  }
  const sumOver = (pick: (i: number) => number): number => new Set(indicesAbove(weights).map(pick)).size
  return {
    weights,
    samples,
    flagged,
    antennas: antennas.size,
    integrations: sumOver((i) => Math.floor(i / channels)),
    channels: sumOver((i) => i % channels),
  }
}

/** Gives every `blockStep`-th block of a set, Stokes I of every `channelStep`-th channel, to `visit`. */
export async function visitStokesI(
  set: VisibilitySet,
  { channelStep, blockStep, signal }: { channelStep: number; blockStep: number; signal: AbortSignal },
  visit: (block: VisibilityBlock) => void,
): Promise<void> {
  const { layout, rows, integration } = set
  const { channels } = layout
  const picked = pickChannels(channels, channelStep)
  const reader = openReader(set)
  try {
    for await (const { row0, count } of blocksOf(set, signal, blockStep)) {
      const { weight } = reader.readWeights(row0, count)
      const data = reader.readData(row0, count)
      const [stokesI, weights] = [new Float32Array(count * picked.length * 2), new Float32Array(count * picked.length)]
      for (let r = 0; r < count; r += 1) {
        if (rows.antenna1[row0 + r] === rows.antenna2[row0 + r]) continue
        for (let k = 0; k < picked.length; k += 1) {
          const from = r * channels + picked[k]
          const to = r * picked.length + k
          weights[to] = weight[from]
          stokesI[2 * to] = (data[from * reader.stride] + data[from * reader.stride + reader.yy]) / 2
          stokesI[2 * to + 1] = (data[from * reader.stride + 1] + data[from * reader.stride + reader.yy + 1]) / 2
        }
      }
      visit({
        rows: count,
        uvwM: rows.uvwM.subarray(3 * row0),
        integration: integration.subarray(row0),
        stokesI,
        weight: weights,
      })
    }
  } finally {
    reader.close()
  }
}

/** Channel frequencies that `visitStokesI` gives. */
export function pickedFrequencies(set: VisibilitySet, channelStep: number): Float64Array {
  return Float64Array.from(pickChannels(set.layout.channels, channelStep), (c) => set.metadata.freqHz[c])
}

/** Writes DATA minus the model of unpolarised sources from one set into another of the same layout. */
export async function subtractSources(
  from: VisibilitySet,
  into: VisibilitySet,
  { sources, signal }: { sources: readonly SkySource[]; signal: AbortSignal },
): Promise<void> {
  const { channels } = from.layout
  const predictor = createPredictor({ ...frameOf(from), sources })
  const reader = openReader(from)
  const writer = openTiles(into.layout, 'write')
  try {
    for await (const { row0, count } of blocksOf(from, signal)) {
      const data = reader.readData(row0, count)
      const model = new Float32Array(2 * count * channels)
      predictor.predict(row0, count, from.rows.uvwM, from.integration, model)
      for (let i = 0; i < count * channels; i += 1) {
        for (const at of [i * reader.stride, i * reader.stride + reader.yy]) {
          data[at] -= model[2 * i]
          data[at + 1] -= model[2 * i + 1]
        }
      }
      writer.writeData(row0, count, 0, channels, data)
    }
  } finally {
    reader.close()
    writer.close()
  }
}

interface Reader {
  /** Floats a sample (all polarisations), and from XX to YY. */
  stride: number
  yy: number
  readData(row0: number, count: number): Float32Array
  /** Flags (row, channel, polarisation) and the weight of Stokes I (row, channel), 0 where XX or YY is flagged. */
  readWeights(row0: number, count: number): { flags: Uint8Array; weight: Float32Array }
  close(): void
}

function openReader({ layout, rows }: VisibilitySet): Reader {
  const { channels, polarizations } = layout
  const tiles: MsTiles = openTiles(layout, 'read')
  const last = polarizations - 1
  return {
    stride: 2 * polarizations,
    yy: 2 * last,
    readData(row0, count) {
      const data = new Float32Array(count * channels * polarizations * 2)
      tiles.readData(row0, count, 0, channels, data)
      return data
    },
    readWeights(row0, count) {
      const flags = new Uint8Array(count * channels * polarizations)
      tiles.readFlags(row0, count, 0, channels, flags)
      const each = new Float32Array(flags.length)
      if (layout.weightSpectrum) tiles.readWeights(row0, count, 0, channels, each)
      else {
        for (let i = 0; i < each.length; i += 1) {
          each[i] =
            rows.weight[(row0 + Math.floor(i / (channels * polarizations))) * polarizations + (i % polarizations)]
        }
      }
      const weight = new Float32Array(count * channels)
      for (let i = 0; i < weight.length; i += 1) {
        const at = i * polarizations
        // As WSClean weighs Stokes I of XX and YY.
        if (flags[at] === 0 && flags[at + last] === 0) weight[i] = Math.min(each[at], each[at + last])
      }
      return { flags, weight }
    },
    close: () => tiles.close(),
  }
}

/** Row ranges on tile borders; between blocks the event loop runs, so that a stop signal is heard. */
async function* blocksOf(
  { layout }: VisibilitySet,
  signal: AbortSignal,
  blockStep = 1,
): AsyncGenerator<{ row0: number; count: number }> {
  const tiles = Math.max(1, Math.floor(samplesPerBlock / (layout.tileRows * layout.channels)))
  const step = tiles * layout.tileRows
  for (let row0 = 0; row0 < layout.rows; row0 += blockStep * step) {
    await setImmediate(undefined, { signal })
    yield { row0, count: Math.min(step, layout.rows - row0) }
  }
}

function pickChannels(channels: number, step: number): number[] {
  return Array.from({ length: Math.ceil(channels / step) }, (_, k) => k * step)
}

function indicesAbove(values: Float64Array): number[] {
  return Array.from(values.keys()).filter((i) => values[i] > 0)
}

function nearestIntegration(timeMjdS: Float64Array, centresMjdS: Float64Array): Int32Array {
  let k = 0
  return Int32Array.from(timeMjdS, (time) => {
    // Rows come in order of time: the next one is nearly always in the same integration.
    if (time < centresMjdS[k]) k = 0
    while (k + 1 < centresMjdS.length && Math.abs(centresMjdS[k + 1] - time) <= Math.abs(centresMjdS[k] - time)) k += 1
    return k
  })
}
