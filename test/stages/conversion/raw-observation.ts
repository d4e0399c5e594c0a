import { mkdtempSync, rmSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultEarthOrientationPath, readEarthOrientation } from '#runtime/formats/earth-orientation.ts'
import { openMeasurementSet, type MeasurementSet } from '#runtime/formats/measurement-set/read.ts'
import { openTiles } from '#runtime/formats/measurement-set/tiles.ts'
import { createUvh5Writer, type Uvh5FileSpec } from '#runtime/formats/uvh5/write.ts'
import { createRandom } from '#runtime/numeric/random.ts'
import { DAY_S, DEGREE_RAD, DSA110_SITE, INTEGRATION_S } from '#runtime/sky/constants.ts'
import { mjdFromIso, mjdToJd } from '#runtime/sky/time.ts'
import type { StageInput, StageOutcome, StageRun } from '#runtime/stage/contract.ts'
import type { conversion } from '../../../stages/conversion/contract.ts'
import { conversionParams } from '../../../stages/conversion/contract.ts'
import { run } from '../../../stages/conversion/run.ts'
import { baselineRows, stationPositions } from '../../../stages/simulation/array.ts'
import { channelWidthHz, subbandFrequencies } from '../../../stages/simulation/band.ts'
import { fileUvw } from '../../../stages/simulation/geometry.ts'

export const earthOrientation = readEarthOrientation()

/** A folder of its own for a test; removed when the test's work is done. */
export async function inFolder<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'contimg-conversion-'))
  try {
    return await work(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** A raw observation of random visibilities: all that its files hold, changeable before it is written. */
export interface RawObservation {
  /** By subband. Samples are (integration, baseline, channel, polarisation) in file order. */
  subbands: Map<number, RawSubband>
  timesJd: number[]
}

interface RawSubband {
  name: string
  spec: Uvh5FileSpec
  vis: Float32Array
  flags: Uint8Array
  nsamples: Float32Array
}

export interface RawShape {
  /** Stations in correlator order. */
  order: number[]
  subbands: number[]
  channels: number
  integrations: number
  polarizations: number[]
  startUtc: string
  decOfDateDeg: number
}

/** 7 antennas in an order that reverses some pairs, 3 subbands of 4 channels, 5 integrations: 140 rows. */
const smallShape: RawShape = {
  order: [24, 3, 70, 101, 44, 112, 105],
  subbands: [0, 1, 2],
  channels: 4,
  integrations: 5,
  polarizations: [-5, -6],
  startUtc: '2026-01-25T22:26:05Z',
  decOfDateDeg: 16.15,
}

/** Random visibilities of the given shape; autocorrelations real, as the correlator makes them. */
export function rawObservation(changes: Partial<RawShape> = {}, seed = 1): RawObservation {
  const shape = { ...smallShape, ...changes }
  const decOfDateRad = shape.decOfDateDeg * DEGREE_RAD
  const { ant1, ant2 } = baselineRows(shape.order)
  const antennaPositionsM = stationPositions()
  const uvwM = fileUvw(antennaPositionsM, ant1, ant2, { decOfDateRad, table: earthOrientation })
  const samples = shape.integrations * ant1.length * shape.channels * shape.polarizations.length
  const timesJd: number[] = []
  let jd = mjdToJd(mjdFromIso(shape.startUtc)) + INTEGRATION_S / 2 / DAY_S
  for (let k = 0; k < shape.integrations; k++, jd += INTEGRATION_S / DAY_S) timesJd.push(jd)
  const subbands = new Map<number, RawSubband>()
  for (const subband of shape.subbands) {
    const random = createRandom(seed).fork(`subband ${subband}`)
    const vis = new Float32Array(2 * samples)
    random.fillNormal(vis, 5)
    makeAutosReal(vis, { ant1, ant2, channels: shape.channels, polarizations: shape.polarizations })
    subbands.set(subband, {
      name: `${shape.startUtc.slice(0, 19)}_sb${String(subband).padStart(2, '0')}.hdf5`,
      vis,
      flags: new Uint8Array(samples),
      nsamples: new Float32Array(samples).fill(96),
      spec: {
        ...DSA110_SITE,
        history: 'a test of contimg',
        decOfDateRad,
        appliedDelaysNs: '0 0',
        fsTable: 'none',
        antennaNames: Array.from({ length: 117 }, (_, index) => String(index + 1)),
        antennaDiametersM: new Float64Array(117).fill(4.65),
        antennaPositionsM,
        antennasInData: shape.order.length,
        freqHz: subbandFrequencies(subband, shape.channels),
        channelWidthHz: channelWidthHz(shape.channels),
        polarizations: shape.polarizations,
        ant1,
        ant2,
        uvwM,
        integrationS: INTEGRATION_S,
      },
    })
  }
  return { subbands, timesJd }
}

/** Autocorrelations as they are in nature: parallel hands real, YX the conjugate of XY (here both real and equal). */
function makeAutosReal(
  vis: Float32Array,
  file: { ant1: Int32Array; ant2: Int32Array; channels: number; polarizations: readonly number[] },
): void {
  const pols = file.polarizations.length
  for (let element = 0; element < vis.length / 2; element++) {
    const baseline = Math.floor(element / (pols * file.channels)) % file.ant1.length
    if (file.ant1[baseline] !== file.ant2[baseline]) continue
    vis[2 * element + 1] = 0
    const pol = element % pols
    if (file.polarizations[pol] === -8) vis[2 * element] = vis[2 * (element - pol + file.polarizations.indexOf(-7))]
  }
}

/** Writes the files of an observation and returns their paths in the order of the subbands. */
export function writeRaw(dir: string, { subbands, timesJd }: RawObservation): string[] {
  return [...subbands.values()].map(({ name, spec, vis, flags, nsamples }) => {
    const path = join(dir, name)
    const writer = createUvh5Writer(path, spec)
    const part = flags.length / timesJd.length
    timesJd.forEach((timeJd, k) =>
      writer.append({
        timeJd,
        vis: vis.subarray(2 * k * part, 2 * (k + 1) * part),
        flags: flags.subarray(k * part, (k + 1) * part),
        nsamples: nsamples.subarray(k * part, (k + 1) * part),
      }),
    )
    writer.close()
    return path
  })
}

/** The same observation with the given baselines listed the other way round in all files. */
export function reversePairs(raw: RawObservation, reversed: ReadonlySet<number>): RawObservation {
  const subbands = new Map<number, RawSubband>()
  for (const [subband, file] of raw.subbands) {
    const { spec } = file
    const baselines = spec.ant1.length
    const pols = spec.polarizations
    const ant1 = spec.ant1.map((antenna, i) => (reversed.has(i) ? spec.ant2[i] : antenna))
    const ant2 = spec.ant2.map((antenna, i) => (reversed.has(i) ? spec.ant1[i] : antenna))
    const uvwM = spec.uvwM.map((value, i) => (reversed.has(Math.floor(i / 3)) ? -value : value))
    const exchanged = pols.map((code) => (code === -7 ? -8 : code === -8 ? -7 : code))
    const from = exchanged.map((code) => pols.indexOf(code))
    const vis = file.vis.slice()
    const flags = file.flags.slice()
    const nsamples = file.nsamples.slice()
    for (let element = 0; element < flags.length; element++) {
      const pol = element % pols.length
      const baseline = Math.floor(element / (pols.length * spec.freqHz.length)) % baselines
      if (!reversed.has(baseline)) continue
      const source = element - pol + from[pol]
      vis[2 * element] = file.vis[2 * source]
      vis[2 * element + 1] = -file.vis[2 * source + 1]
      flags[element] = file.flags[source]
      nsamples[element] = file.nsamples[source]
    }
    subbands.set(subband, { ...file, vis, flags, nsamples, spec: { ...spec, ant1, ant2, uvwM } })
  }
  return { ...raw, subbands }
}

export interface Converted {
  outcome: StageOutcome<typeof conversion>
  warnings: string[]
  path: string
}

export interface ConvertOptions {
  expect?: { subbands: number[]; integrations: number }
  cpu?: number
  /** Staging in a folder, with so much scratch space. */
  staging?: { wish: 'auto' | 'on' | 'off'; scratchDir: string; scratchBytes: number }
  params?: Record<string, unknown>
  /** Path of a table of surveyed stations. */
  stationTable?: string
  /** Called when a phase of the stage begins. */
  onPhase?: (name: string) => void
}

/** Runs the stage in this process, as the harness would. */
export async function convert(
  paths: readonly string[],
  outputDir: string,
  options: ConvertOptions = {},
): Promise<Converted> {
  const warnings: string[] = []
  const expect = options.expect ?? { subbands: smallShape.subbands, integrations: smallShape.integrations }
  const stage: StageRun<typeof conversion> = {
    params: conversionParams.parse({ expect, ...options.params }),
    inputs: {
      raw: await Promise.all(paths.map((path) => input(path, 'uvh5'))),
      earthOrientation: await input(defaultEarthOrientationPath, 'earth-orientation'),
      stationTable: options.stationTable === undefined ? undefined : await input(options.stationTable, 'station-table'),
    },
    upstream: {},
    observation: 'test',
    key: '0'.repeat(64),
    outputDir,
    scratchDir: options.staging?.scratchDir ?? outputDir,
    resources: {
      cpu: options.cpu ?? 1,
      memoryBytes: 2 ** 31,
      scratchBytes: options.staging?.scratchBytes ?? 0,
      staging: options.staging?.wish ?? 'auto',
    },
    signal: new AbortController().signal,
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
    progress: () => undefined,
    phase: async (name, work) => {
      options.onPhase?.(name)
      return work()
    },
    warn: (message) => void warnings.push(message),
  }
  return { outcome: await run(stage), warnings, path: join(outputDir, 'measurement-set') }
}

async function input(path: string, kind: string): Promise<StageInput> {
  return { path, kind, bytes: (await stat(path)).size }
}

/** A set with all of its samples. */
export interface WholeSet extends MeasurementSet {
  data: Float32Array
  flags: Uint8Array
  weights: Float32Array | undefined
}

export async function readWhole(path: string): Promise<WholeSet> {
  const set = await openMeasurementSet(path)
  const { rows, channels, polarizations, weightSpectrum } = set.layout
  const elements = rows * channels * polarizations
  const data = new Float32Array(2 * elements)
  const flags = new Uint8Array(elements)
  const weights = weightSpectrum ? new Float32Array(elements) : undefined
  const tiles = openTiles(set.layout, 'read')
  tiles.readData(0, rows, 0, channels, data)
  tiles.readFlags(0, rows, 0, channels, flags)
  if (weights !== undefined) tiles.readWeights(0, rows, 0, channels, weights)
  tiles.close()
  return { ...set, data, flags, weights }
}
