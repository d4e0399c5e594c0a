import { guessChunkShape } from '../hdf5/chunk-shape.ts'
import { boolean, complex64, fixedString, float32, float64, int64, type ElementType } from '../hdf5/element-type.ts'
import type { FixedDataset, Group, RowDataset } from '../hdf5/tree-image.ts'
import { createHdf5Writer } from '../hdf5/writer.ts'

/** What a UVH5 file of the telescope holds besides its rows. */
export interface Uvh5FileSpec {
  readonly latitudeDeg: number
  readonly longitudeDeg: number
  readonly altitudeM: number
  readonly history: string
  readonly decOfDateRad: number
  readonly appliedDelaysNs: string
  readonly fsTable: string
  readonly antennaNames: readonly string[]
  readonly antennaDiametersM: Float64Array
  /** (antenna, 3). */
  readonly antennaPositionsM: Float64Array
  readonly antennasInData: number
  /** Descending, as the telescope writes them. */
  readonly freqHz: Float64Array
  readonly channelWidthHz: number
  readonly polarizations: readonly number[]
  /** Antenna numbers of the rows of one integration. */
  readonly ant1: Int32Array
  readonly ant2: Int32Array
  /** (row, 3) of one integration. */
  readonly uvwM: Float32Array
  readonly integrationS: number
}

/** One integration, C order (row, channel, polarisation); `vis` with real and imaginary part. */
export interface Uvh5Integration {
  readonly timeJd: number
  readonly vis: Float32Array
  readonly flags: Uint8Array
  readonly nsamples: Float32Array
}

export interface Uvh5Writer {
  append(integration: Uvh5Integration): void
  close(): void
  /** Closes the descriptor and leaves an unreadable file. */
  abandon(): void
}

/**
 * Writes a file as the telescope's writer (dsa110/dsa110-meridian-fs) does: every dataset with its type, shape and
 * chunks, grown by one write per integration, nothing compressed. Memory does not grow with the file.
 */
export function createUvh5Writer(path: string, spec: Uvh5FileSpec): Uvh5Writer {
  const rows = spec.ant1.length
  const writer = createHdf5Writer(path, fileTree(spec, 0))
  const ant1 = BigInt64Array.from(spec.ant1, BigInt)
  const ant2 = BigInt64Array.from(spec.ant2, BigInt)
  const integrationTime = new Float64Array(rows).fill(Math.fround(spec.integrationS))
  let integrations = 0
  return {
    append({ timeJd, vis, flags, nsamples }) {
      writer.append('/Header/time_array', new Float64Array(rows).fill(timeJd))
      writer.append('/Header/integration_time', integrationTime)
      writer.append('/Header/uvw_array', spec.uvwM)
      writer.append('/Header/ant_1_array', ant1)
      writer.append('/Header/ant_2_array', ant2)
      writer.append('/Data/visdata', vis)
      writer.append('/Data/flags', flags)
      writer.append('/Data/nsamples', nsamples)
      integrations += 1
    },
    close: () => writer.close(fileTree(spec, integrations)),
    abandon: () => writer.abandon(),
  }
}

function fileTree(spec: Uvh5FileSpec, integrations: number): Group {
  const baselines = spec.ant1.length
  const data = [1, spec.freqHz.length, spec.polarizations.length]
  const header: Group['children'] = {
    latitude: real([], [spec.latitudeDeg]),
    longitude: real([], [spec.longitudeDeg]),
    altitude: real([], [spec.altitudeM]),
    telescope_name: ascii('OVRO_MMA'),
    instrument: ascii('DSA'),
    object_name: ascii('search'),
    history: ascii(spec.history),
    phase_type: ascii('drift'),
    phase_center_app_dec: real([], [spec.decOfDateRad]),
    Nants_data: integer([], [spec.antennasInData]),
    Nants_telescope: integer([], [spec.antennaNames.length]),
    antenna_diameters: real([spec.antennaNames.length], spec.antennaDiametersM),
    antenna_names: names(spec.antennaNames),
    antenna_numbers: integer(
      [spec.antennaNames.length],
      spec.antennaNames.map((_, index) => index),
    ),
    antenna_positions: real([spec.antennaNames.length, 3], spec.antennaPositionsM),
    Nbls: integer([], [baselines]),
    Nblts: integer([], [baselines * integrations]),
    Nfreqs: integer([], [spec.freqHz.length]),
    Npols: integer([], [spec.polarizations.length]),
    Ntimes: integer([], [integrations]),
    Nspws: integer([], [1]),
    uvw_array: growing(float32, [3]),
    time_array: growing(float64, []),
    integration_time: growing(float64, []),
    ant_1_array: growing(int64, []),
    ant_2_array: growing(int64, []),
    freq_array: real([1, spec.freqHz.length], spec.freqHz),
    channel_width: real([], [spec.channelWidthHz]),
    spw_array: integer([1], [1]),
    polarization_array: integer([spec.polarizations.length], spec.polarizations),
    extra_keywords: {
      kind: 'group',
      children: {
        phase_center_dec: real([], [spec.decOfDateRad]),
        ha_phase_center: real([], [0]),
        phase_center_epoch: { kind: 'text', value: 'HADEC' },
        fs_table: ascii(spec.fsTable),
        applied_delays_ns: ascii(spec.appliedDelaysNs),
      },
    },
  }
  return {
    kind: 'group',
    children: {
      Header: { kind: 'group', children: header },
      Data: {
        kind: 'group',
        children: {
          visdata: growing(complex64, data),
          flags: growing(boolean, data),
          nsamples: growing(float32, data),
        },
      },
    },
  }
}

function real(shape: readonly number[], values: ArrayLike<number>): FixedDataset {
  return { kind: 'fixed', type: float64, shape, data: new Uint8Array(Float64Array.from(values).buffer) }
}

function integer(shape: readonly number[], values: ArrayLike<number>): FixedDataset {
  return {
    kind: 'fixed',
    type: int64,
    shape,
    data: new Uint8Array(BigInt64Array.from(Array.from(values), BigInt).buffer),
  }
}

function ascii(value: string): FixedDataset {
  const data = Buffer.from(value, 'latin1')
  return { kind: 'fixed', type: fixedString(data.length), shape: [], data }
}

/** Four bytes a name, padded with nulls. */
function names(values: readonly string[]): FixedDataset {
  const bytes = 4
  const data = Buffer.alloc(bytes * values.length)
  values.forEach((value, index) => data.write(value, index * bytes, bytes, 'latin1'))
  return { kind: 'fixed', type: fixedString(bytes), shape: [values.length], data }
}

function growing(type: ElementType, rowShape: readonly number[]): RowDataset {
  return { kind: 'rows', type, rowShape, chunkShape: guessChunkShape([0, ...rowShape], type.bytes) }
}
