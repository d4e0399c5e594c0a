import { join } from 'node:path'
import { boolean, complex64, fixedString, float32, float64, int64 } from '#runtime/formats/hdf5/element-type.ts'
import type { FixedDataset, Group, RowDataset } from '#runtime/formats/hdf5/tree-image.ts'
import { createHdf5Writer } from '#runtime/formats/hdf5/writer.ts'
import { createRandom } from '#runtime/numeric/random.ts'
import { horizonVector, type Direction, type Site } from '#runtime/sky/frames.ts'
import { targetFrame } from '#runtime/sky/phase-rotation.ts'
import { earthOrientationAt, jdToMjd } from '#runtime/sky/time.ts'
import { dot, type Vec3 } from '#runtime/sky/vector.ts'
import { earthOrientation } from './raw-observation.ts'

/** South of the equator, east of Greenwich: a mirrored sign shows. */
export const site: Site = { latitudeRad: -0.53618, longitudeRad: 0.37399, altitudeM: 1051 }
export const antennaNumbers = [0, 3, 7, 8, 12]
const stepS = 60

export const SIDEREAL = { cat_type: 'sidereal', cat_name: 'source', cat_lon: 1, cat_lat: -0.5, cat_frame: 'icrs' }

type Entries = Group['children']
type Entry = Entries[string] | undefined

/** A file of another telescope by version 1.2 of the UVH5 memo: all that it holds, changeable before it is written. */
export interface AnyFile {
  name: string
  /** Any order. */
  ant1: number[]
  ant2: number[]
  timeJd: number[]
  freqHz: number[]
  polarizations: number[]
  /** (antenna, 3), ITRF axes. */
  positionsM: Float64Array
  /** (row, channel, polarisation), `vis` with real and imaginary part. */
  vis: Float32Array
  flags: Uint8Array
  nsamples: Float32Array
  /** (row, 3), of which w alone is looked at. */
  uvwM: Float64Array
  /** Entries of the header besides those that follow from the above; undefined takes one away. */
  header: Record<string, Entry>
}

/** 5 antennas, 4 times, 3 channels in ascending order, some pairs the other way round; random samples, not phased. */
export function anyFile({ firstHz = 1.4e9, name = 'any.uvh5', polarizations = [-5, -6] } = {}): AnyFile {
  const random = createRandom(7).fork(`${firstHz}`)
  const pairs = antennaNumbers.flatMap((a, i) =>
    antennaNumbers.slice(i).map((b): [number, number] => ((a + b) % 5 === 0 ? [b, a] : [a, b])),
  )
  const times = [0, 1, 2, 3].map((k) => 2460500.3 + (k * stepS) / 86400)
  const rows = times.flatMap((time) => pairs.map(([a, b]) => ({ a, b, time })))
  const freqHz = [0, 1, 2].map((channel) => firstHz + 1e5 * channel)
  const samples = rows.length * freqHz.length * polarizations.length
  const vis = new Float32Array(2 * samples)
  random.fillNormal(vis, 3)
  const nsamples = Float32Array.from({ length: samples }, (_, i) => 1 + (i % 7) / 8)
  const file = {
    name,
    ant1: rows.map(({ a }) => a),
    ant2: rows.map(({ b }) => b),
    timeJd: rows.map(({ time }) => time),
    freqHz,
    polarizations,
    positionsM: positions(),
    vis,
    flags: Uint8Array.from({ length: samples }, (_, i) => (i % 11 === 0 ? 1 : 0)),
    nsamples,
    uvwM: new Float64Array(3 * rows.length),
    header: { ...centre({ cat_type: 'unprojected', cat_name: 'zenith', cat_lon: 0, cat_lat: Math.PI / 2 }) },
  }
  alignW(file, () => horizonVector(0, Math.PI / 2, site))
  return file
}

/** The same file phased to a place in ICRS. */
export function siderealFile(options: Parameters<typeof anyFile>[0] = {}): AnyFile {
  const file = { ...anyFile(options), header: centre(SIDEREAL) }
  alignW(file, (timeJd) => towards({ raRad: SIDEREAL.cat_lon, decRad: SIDEREAL.cat_lat }, timeJd))
  return file
}

/** Within a kilometre, flat to a few metres. */
function positions(): Float64Array {
  const places = new Float32Array(3 * antennaNumbers.length)
  createRandom(8).fork('positions').fillNormal(places, 1)
  const [east, north, up] = [
    horizonVector(Math.PI / 2, 0, site),
    horizonVector(0, 0, site),
    horizonVector(0, Math.PI / 2, site),
  ]
  return Float64Array.from(places, (_, i) => {
    const [antenna, axis] = [Math.floor(i / 3), i % 3]
    const [e, n, u] = [0, 1, 2].map((k) => [400, 400, 4][k] * places[3 * antenna + k])
    return e * east[axis] + n * north[axis] + u * up[axis]
  })
}

/** The one entry of a catalogue, and what names it. */
export function centre(fields: Record<string, string | number>, id = 1): Record<string, Entry> {
  return { phase_center_catalog: catalogue({ [id]: fields }), Nphase: integers([], [1]) }
}

export function catalogue(centres: Record<string, Record<string, string | number>>): Group {
  const entry = (fields: Record<string, string | number>): Group => ({
    kind: 'group',
    children: Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        name,
        typeof value === 'string' ? ascii(value) : reals([], [value]),
      ]),
    ),
  })
  return {
    kind: 'group',
    children: Object.fromEntries(Object.entries(centres).map(([id, fields]) => [id, entry(fields)])),
  }
}

/** position(ant_2) - position(ant_1) of a row, metres. */
export function baseline({ ant1, ant2, positionsM }: AnyFile, row: number): Vec3 {
  const [a, b] = [3 * antennaNumbers.indexOf(ant1[row]), 3 * antennaNumbers.indexOf(ant2[row])]
  const along = (axis: number): number => positionsM[b + axis] - positionsM[a + axis]
  return [along(0), along(1), along(2)]
}

/** Gives each row the w that it has for a direction, a unit vector in ITRF axes at a Julian date. */
export function alignW(file: AnyFile, towards: (timeJd: number) => Vec3): void {
  file.ant1.forEach((_, row) => (file.uvwM[3 * row + 2] = dot(baseline(file, row), towards(file.timeJd[row]))))
}

/** Unit vector in ITRF axes towards a place of the sky. */
export function towards(target: Direction, timeJd: number): Vec3 {
  const mjdUtc = jdToMjd(timeJd)
  return targetFrame({ mjdUtc, eop: earthOrientationAt(earthOrientation, mjdUtc), site, target }).s1
}

/** The given rows, in the given order; all other rows are left out. */
export function reordered(file: AnyFile, order: readonly number[]): AnyFile {
  const samples = file.freqHz.length * file.polarizations.length
  const at = (values: readonly number[]): number[] => order.map((row) => values[row])
  const take = (values: ArrayLike<number>, width: number): number[] =>
    order.flatMap((row) => Array.from({ length: width }, (_, i) => values[row * width + i]))
  return {
    ...file,
    ant1: at(file.ant1),
    ant2: at(file.ant2),
    timeJd: at(file.timeJd),
    vis: Float32Array.from(take(file.vis, 2 * samples)),
    flags: Uint8Array.from(take(file.flags, samples)),
    nsamples: Float32Array.from(take(file.nsamples, samples)),
    uvwM: Float64Array.from(take(file.uvwM, 3)),
  }
}

/** Writes a file and returns its path. */
export function writeAny(dir: string, file: AnyFile): string {
  const path = join(dir, file.name)
  const tree = fileTree(file)
  const writer = createHdf5Writer(path, tree)
  writer.append('/Data/visdata', file.vis)
  writer.append('/Data/flags', file.flags)
  writer.append('/Data/nsamples', file.nsamples)
  writer.close(tree)
  return path
}

function fileTree(file: AnyFile): Group {
  const rows = file.ant1.length
  const antennas = antennaNumbers.length
  const header: Record<string, Entry> = {
    version: ascii('1.2'),
    latitude: reals([], [(site.latitudeRad * 180) / Math.PI]),
    longitude: reals([], [(site.longitudeRad * 180) / Math.PI]),
    altitude: reals([], [site.altitudeM]),
    telescope_name: ascii('TEST'),
    history: ascii('a test of contimg'),
    antenna_names: names(antennaNumbers.map((number) => `A${number}`)),
    antenna_numbers: integers([antennas], antennaNumbers),
    antenna_positions: reals([antennas, 3], file.positionsM),
    Nblts: integers([], [rows]),
    uvw_array: reals([rows, 3], file.uvwM),
    time_array: reals([rows], file.timeJd),
    integration_time: reals([rows], new Float64Array(rows).fill(stepS)),
    ant_1_array: integers([rows], file.ant1),
    ant_2_array: integers([rows], file.ant2),
    freq_array: reals([file.freqHz.length], file.freqHz),
    channel_width: reals(
      [file.freqHz.length],
      file.freqHz.map(() => 1e5),
    ),
    polarization_array: integers([file.polarizations.length], file.polarizations),
    ...file.header,
  }
  const children: Record<string, Entries[string]> = {}
  for (const [name, entry] of Object.entries(header)) if (entry !== undefined) children[name] = entry
  const shape = [file.freqHz.length, file.polarizations.length]
  const growing = (type: RowDataset['type']): RowDataset => ({
    kind: 'rows',
    type,
    rowShape: shape,
    chunkShape: [7, 2, shape[1]],
  })
  return {
    kind: 'group',
    children: {
      Header: { kind: 'group', children },
      Data: {
        kind: 'group',
        children: { visdata: growing(complex64), flags: growing(boolean), nsamples: growing(float32) },
      },
    },
  }
}

export function reals(shape: readonly number[], values: ArrayLike<number>): FixedDataset {
  return { kind: 'fixed', type: float64, shape, data: new Uint8Array(Float64Array.from(values).buffer) }
}

export function integers(shape: readonly number[], values: readonly number[]): FixedDataset {
  return { kind: 'fixed', type: int64, shape, data: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) }
}

export function ascii(value: string): FixedDataset {
  const data = Buffer.from(value, 'latin1')
  return { kind: 'fixed', type: fixedString(data.length), shape: [], data }
}

function names(values: readonly string[]): FixedDataset {
  const data = Buffer.alloc(8 * values.length)
  values.forEach((value, index) => data.write(value, 8 * index, 'latin1'))
  return { kind: 'fixed', type: fixedString(8), shape: [values.length], data }
}
