import type { ChunkFilter } from '../hdf5/chunk-filter.ts'
import { guessChunkShape } from '../hdf5/chunk-shape.ts'
import {
  boolean,
  complex64,
  fixedString,
  float32,
  float64,
  int64,
  uint8,
  type ElementType,
} from '../hdf5/element-type.ts'
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
  readonly form?: Uvh5Form
}

/** What other writers of UVH5 do otherwise than the telescope's; all of it may be left out. */
export interface Uvh5Form {
  /** Compression of datasets of /Data and of the row-indexed ones of /Header, by name. */
  readonly filters?: Readonly<Record<string, ChunkFilter>>
  /** All strings of variable length, or all of fixed length. */
  readonly strings?: 'variable' | 'fixed'
  /** No axis of spectral windows. */
  readonly windowAxis?: false
  /** Version of the UVH5 memo, with the datasets that it asks for and the telescope does not write. */
  readonly version?: string
  readonly flags?: 'uint8'
  readonly channelWidthSign?: -1
  /** Of the chunks of /Data: rows, channels. */
  readonly dataChunk?: readonly [number, number]
  /** Integrations of the whole file: its row-indexed datasets then lie in one piece each. */
  readonly contiguousIntegrations?: number
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
  const { form = {} } = spec
  const window = form.windowAxis === false ? [] : [1]
  const data = [...window, spec.freqHz.length, spec.polarizations.length]
  const contiguousRows = form.contiguousIntegrations === undefined ? undefined : form.contiguousIntegrations * baselines
  const growing = (name: string, type: ElementType, rowShape: readonly number[]): RowDataset => ({
    kind: 'rows',
    type,
    rowShape,
    chunkShape:
      form.dataChunk === undefined || rowShape.length < 2
        ? guessChunkShape([0, ...rowShape], type.bytes)
        : [form.dataChunk[0], ...window, Math.min(form.dataChunk[1], spec.freqHz.length), spec.polarizations.length],
    filter: form.filters?.[name],
    contiguousRows,
  })
  const ascii = (value: string): Entry => (form.strings === 'variable' ? { kind: 'text', value } : fixedText(value))
  const names = (values: readonly string[]): Entry =>
    form.strings === 'variable' ? { kind: 'texts', values } : fixedNames(values)
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
    uvw_array: growing('uvw_array', float32, [3]),
    time_array: growing('time_array', float64, []),
    integration_time: growing('integration_time', float64, []),
    ant_1_array: growing('ant_1_array', int64, []),
    ant_2_array: growing('ant_2_array', int64, []),
    freq_array: real([...window, spec.freqHz.length], spec.freqHz),
    channel_width: real([], [(form.channelWidthSign ?? 1) * spec.channelWidthHz]),
    spw_array: integer([1], [1]),
    polarization_array: integer([spec.polarizations.length], spec.polarizations),
    extra_keywords: {
      kind: 'group',
      children: {
        phase_center_dec: real([], [spec.decOfDateRad]),
        ha_phase_center: real([], [0]),
        phase_center_epoch: form.strings === 'fixed' ? fixedText('HADEC') : { kind: 'text', value: 'HADEC' },
        fs_table: ascii(spec.fsTable),
        applied_delays_ns: ascii(spec.appliedDelaysNs),
      },
    },
    ...(form.version === undefined ? {} : laterMemo(form.version, ascii)),
  }
  return {
    kind: 'group',
    children: {
      Header: { kind: 'group', children: header },
      Data: {
        kind: 'group',
        children: {
          visdata: growing('visdata', complex64, data),
          flags: growing('flags', form.flags === 'uint8' ? uint8 : boolean, data),
          nsamples: growing('nsamples', float32, data),
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

type Entry = Group['children'][string]

/** What version 1.1 of the memo has beyond the telescope's files: the phases as its phase_type has them, and units. */
function laterMemo(version: string, text: (value: string) => Entry): Group['children'] {
  const zenith: Group = {
    kind: 'group',
    children: {
      cat_name: text('drift'),
      cat_type: text('unprojected'),
      cat_lon: real([], [0]),
      cat_lat: real([], [Math.PI / 2]),
      cat_frame: text('altaz'),
    },
  }
  return {
    version: text(version),
    Nphase: integer([], [1]),
    phase_center_catalog: { kind: 'group', children: { 0: zenith } },
    timesys: text('UTC'),
    vis_units: text('uncalib'),
  }
}

function fixedText(value: string): FixedDataset {
  const data = Buffer.from(value, 'latin1')
  return { kind: 'fixed', type: fixedString(data.length), shape: [], data }
}

/** Four bytes a name, padded with nulls. */
function fixedNames(values: readonly string[]): FixedDataset {
  const bytes = 4
  const data = Buffer.alloc(bytes * values.length)
  values.forEach((value, index) => data.write(value, index * bytes, bytes, 'latin1'))
  return { kind: 'fixed', type: fixedString(bytes), shape: [values.length], data }
}
