import { createRandom } from '#runtime/numeric/random.ts'
import type { MsLayout } from '#runtime/formats/measurement-set/layout.ts'
import type { MsMetadata, MsRows } from '#runtime/formats/measurement-set/schema.ts'
import { openTiles } from '#runtime/formats/measurement-set/tiles.ts'
import { createMeasurementSet, writeMetadata } from '#runtime/formats/measurement-set/write.ts'

export interface EmptySet {
  layout: MsLayout
  metadata: MsMetadata
  rows: MsRows
}

export interface SampleSet extends EmptySet {
  data: Float32Array
  flags: Uint8Array
  weights: Float32Array
}

type Shape = Partial<MsLayout> & { path: string }

/** A set of random content in the given shape. */
export function sampleSet(shape: Shape, seed = 1): SampleSet {
  const set = emptySet(shape, seed)
  const { rows, channels, polarizations } = set.layout
  const elements = rows * channels * polarizations
  const random = createRandom(seed).fork('samples')
  return {
    ...set,
    data: Float32Array.from({ length: 2 * elements }, () => 10 * random.normal()),
    flags: Uint8Array.from({ length: elements }, () => (random.next() < 0.07 ? 1 : 0)),
    weights: Float32Array.from({ length: elements }, () => random.next()),
  }
}

/** Random rows and metadata in the given shape, and no samples. */
export function emptySet(shape: Shape, seed = 1): EmptySet {
  const layout: MsLayout = {
    rows: 150,
    channels: 24,
    polarizations: 2,
    tileRows: 64,
    tileChannels: 12,
    weightSpectrum: true,
    ...shape,
  }
  const random = createRandom(seed)
  const { rows, channels, polarizations } = layout
  const many = (count: number, scale: number): Float64Array =>
    Float64Array.from({ length: count }, () => scale * random.normal())
  const antennas = 9
  return {
    layout,
    metadata: {
      telescopeName: 'OVRO_MMA',
      observer: 'contimg',
      project: 'a project whose name is longer than eight bytes',
      fieldName: 'drift +16',
      antennas: Array.from({ length: antennas }, (_, i) => ({
        name: String(i + 1),
        positionM: [-2409555.9 + random.normal(), -4478213.6 + random.normal(), 3838767.4 + random.normal()] as const,
        diameterM: 4.65,
      })),
      freqHz: Float64Array.from({ length: channels }, (_, i) => 1.3e9 + 244140.625 * i),
      channelWidthHz: 244140.625,
      stokes: polarizations === 2 ? [9, 12] : [9, 10, 11, 12],
      phaseCentre: { raRad: 1.25, decRad: 0.28 },
      timeRangeMjdS: [5.2e9, 5.2e9 + 300],
      history: ['', 'eight by', 'nine byte', 'x'.repeat(5000), 'ångström'].map((message) => ({
        message,
        application: 'contimg',
        timeMjdS: 5.2e9,
      })),
      beam: { timeMjdS: many(6, 1), raRad: many(6, 1), decRad: many(6, 1), decOfDateRad: 0.2825 },
      extra: { CALTBL: 'abc', UNCALIBR: 1, SEFD: 6500.5 },
    },
    rows: {
      timeMjdS: many(rows, 1e9),
      intervalS: many(rows, 1),
      exposureS: many(rows, 1),
      antenna1: Int32Array.from({ length: rows }, () => random.int(antennas)),
      antenna2: Int32Array.from({ length: rows }, () => random.int(antennas)),
      uvwM: many(3 * rows, 1000),
      weight: Float32Array.from(many(rows * polarizations, 1)),
      sigma: Float32Array.from(many(rows * polarizations, 1)),
      flagRow: Uint8Array.from({ length: rows }, () => random.int(2)),
    },
  }
}

/** Writes a whole sample set, tile block by tile block in a scrambled order. */
export async function writeSampleSet(set: SampleSet): Promise<void> {
  const { layout } = set
  await createMeasurementSet(layout)
  const tiles = openTiles(layout, 'write')
  const blocks: [number, number][] = []
  for (let row = 0; row < layout.rows; row += layout.tileRows) {
    for (let channel = 0; channel < layout.channels; channel += layout.tileChannels) blocks.push([row, channel])
  }
  const half = Math.floor(blocks.length / 2)
  for (const [row, channel] of [...blocks.slice(half), ...blocks.slice(0, half)]) {
    const rows = Math.min(layout.tileRows, layout.rows - row)
    const channels = Math.min(layout.tileChannels, layout.channels - channel)
    const block = { row, rows, channel, channels }
    tiles.writeData(row, rows, channel, channels, cut(set, set.data, block) as Float32Array)
    tiles.writeFlags(row, rows, channel, channels, cut(set, set.flags, block) as Uint8Array)
    if (layout.weightSpectrum)
      tiles.writeWeights(row, rows, channel, channels, cut(set, set.weights, block) as Float32Array)
  }
  tiles.close()
  await writeMetadata(layout, set.metadata, set.rows)
}

/** A block of rows and channels of a full array in C order. */
export function cut(
  { layout }: SampleSet,
  full: Float32Array | Uint8Array,
  block: { row: number; rows: number; channel: number; channels: number },
): Float32Array | Uint8Array {
  const width = full.length / (layout.rows * layout.channels)
  const out = new (full.constructor as Float32ArrayConstructor)(block.rows * block.channels * width)
  for (let row = 0; row < block.rows; row++) {
    const from = ((block.row + row) * layout.channels + block.channel) * width
    out.set(full.subarray(from, from + block.channels * width), row * block.channels * width)
  }
  return out
}
