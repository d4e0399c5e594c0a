import { openHdf5, type Hdf5File } from '../hdf5/file.ts'
import { readPhasing, type Phasing } from './phasing.ts'
import {
  antennaKey,
  decodeNumbers,
  headerValues,
  missing,
  peekRows,
  unreadable,
  unsupported,
  type HeaderScratch,
  type HeaderValues,
} from './values.ts'

/** The header of one UVH5 file, decoded. Row-indexed arrays have `rows` entries, in the order of the file. */
export interface Uvh5Header {
  readonly path: string
  readonly bytes: number
  /** Of the UVH5 memo; `0` where the file states none. */
  readonly version: string
  readonly latitudeDeg: number
  readonly longitudeDeg: number
  readonly altitudeM: number
  readonly telescopeName: string
  readonly instrument: string
  readonly phaseType: string
  readonly history: string
  readonly phasing: Phasing
  readonly antennaNames: readonly string[]
  readonly antennaNumbers: Int32Array
  readonly antennaDiametersM: Float64Array
  /** (antenna, 3): offsets from the array centre, ITRF axes. */
  readonly antennaPositionsM: Float64Array
  /** Channel centres in file order. */
  readonly freqHz: Float64Array
  /** Absolute value; of the first channel where the file has one value a channel. */
  readonly channelWidthHz: number
  /** AIPS codes: -5 XX, -6 YY, -7 XY, -8 YX. */
  readonly polarizations: Int32Array
  readonly rows: number
  /**
   * Of a file of the telescope: Ntimes, and rows for each. Of others, whose rows may come in any order and with gaps:
   * the number of different times, and of different pairs of antennas.
   */
  readonly integrations: number
  readonly baselines: number
  readonly channels: number
  /** Julian date (UTC) of the integration's centre, one a row. */
  readonly timeJd: Float64Array
  readonly integrationS: Float64Array
  /** Antenna numbers (not indices, not names). */
  readonly ant1: Int32Array
  readonly ant2: Int32Array
  /** (row, 3), position(ant2) - position(ant1). */
  readonly uvwM: Float32Array | Float64Array
  readonly phaseCentreAppDecRad: number | undefined
  readonly haPhaseCentreRad: number | undefined
  readonly phaseCentreEpoch: string | undefined
  readonly appliedDelaysNs: string | undefined
  readonly fsTable: string | undefined
  /** `dsa110`: fringe-stopped to (HA 0, apparent declination), whatever `phaseType` says. */
  readonly dialect: 'dsa110' | 'other'
  /**
   * Of files that were decoded with one scratch: the same object for files in a row whose antenna_numbers, ant_1_array
   * and ant_2_array are the same, so that what was found out about them need not be found out again.
   */
  readonly antennaKey: object | undefined
}

/**
 * Reads and checks the header of a UVH5 file (UVH5 memo, versions 0.x to 1.2; with or without the spectral-window axis).
 * @throws StageError DATA_UNREADABLE for files that are not HDF5, truncated, corrupt or without a needed dataset;
 * DATA_UNSUPPORTED for layouts, types and filters that are not supported, by name
 */
export async function readUvh5Header(path: string): Promise<Uvh5Header> {
  const file = await openHdf5(path)
  try {
    return decodeHeader(file)
  } finally {
    file.close()
  }
}

/**
 * The header of an open file. @param options.uvw `first`: of the telescope's files only the uvw coordinates of the first
 * integration are read, which is what can be wrong with them by themselves
 * @param options.scratch of earlier files of the same kind; row-indexed arrays of floating-point numbers are valid until
 * it is used again
 */
export function decodeHeader(
  file: Hdf5File,
  options: { uvw?: 'all' | 'first'; scratch?: HeaderScratch } = {},
): Uvh5Header {
  const values = headerValues(file, options.scratch)
  const optional = <T>(name: string, read: (path: string) => T): T | undefined =>
    values.has(`/Header/${name}`) ? read(`/Header/${name}`) : undefined
  const string = (name: string): string => optional(name, values.string) ?? ''

  const shape = dataShape(file)
  const antennaNumbers = values.integers('/Header/antenna_numbers')
  const haPhaseCentreRad = optional('extra_keywords/ha_phase_center', values.number)
  const phaseCentreEpoch = optional('extra_keywords/phase_center_epoch', values.string)
  const freqHz = values.numbers('/Header/freq_array')
  const polarizations = values.integers('/Header/polarization_array')
  const timeJd = values.numbers('/Header/time_array')
  const ant1 = values.integers('/Header/ant_1_array')
  const ant2 = values.integers('/Header/ant_2_array')
  const antennaPositionsM = values.numbers('/Header/antenna_positions')
  const antennaNames = values.strings('/Header/antenna_names')

  const expectLength = (name: string, length: number, expected: number): void => {
    if (length !== expected)
      throw unreadable(file.path, `/Header/${name} has ${length} values where ${expected} are needed`)
  }
  expectLength('freq_array', freqHz.length, shape.channels)
  expectLength('polarization_array', polarizations.length, shape.polarizations)
  expectLength('time_array', timeJd.length, shape.rows)
  expectLength('ant_1_array', ant1.length, shape.rows)
  expectLength('ant_2_array', ant2.length, shape.rows)
  expectLength('uvw_array', product(values.shape('/Header/uvw_array')), 3 * shape.rows)
  expectLength('antenna_positions', antennaPositionsM.length, 3 * antennaNumbers.length)
  expectLength('antenna_names', antennaNames.length, antennaNumbers.length)
  expectLength('Nblts', values.number('/Header/Nblts'), shape.rows)
  refuseUnknown(file.path, values)
  const dialect = phaseCentreEpoch === 'HADEC' && haPhaseCentreRad !== undefined ? 'dsa110' : 'other'
  const decRad = apparentDeclination(values)
  const phasing = readPhasing(file, values, dialect === 'dsa110' ? (decRad ?? Number.NaN) : undefined)
  const { integrations, baselines } =
    dialect === 'dsa110'
      ? regularRows(file.path, shape.rows, values.number('/Header/Ntimes'))
      : { integrations: new Set(timeJd).size, baselines: pairs(ant1, ant2) }

  return {
    path: file.path,
    bytes: file.bytes,
    version: string('version') || '0',
    latitudeDeg: values.number('/Header/latitude'),
    longitudeDeg: values.number('/Header/longitude'),
    altitudeM: values.number('/Header/altitude'),
    telescopeName: values.string('/Header/telescope_name'),
    instrument: string('instrument'),
    phaseType: string('phase_type'),
    history: string('history'),
    phasing,
    antennaNames,
    antennaNumbers,
    antennaDiametersM: perAntenna(optional('antenna_diameters', values.numbers), antennaNumbers.length, file.path),
    antennaPositionsM,
    freqHz,
    channelWidthHz: channelWidth(file.path, optional('channel_width', values.numbers), freqHz),
    polarizations,
    rows: shape.rows,
    integrations,
    baselines,
    channels: shape.channels,
    timeJd,
    integrationS: perRow(values.numbers('/Header/integration_time'), shape.rows, file.path),
    ant1,
    ant2,
    uvwM: readUvw(file, values, options.uvw === 'first' && dialect === 'dsa110' ? baselines : shape.rows),
    phaseCentreAppDecRad: decRad,
    haPhaseCentreRad,
    phaseCentreEpoch,
    appliedDelaysNs: optional('extra_keywords/applied_delays_ns', values.string),
    fsTable: optional('extra_keywords/fs_table', values.string),
    dialect,
    antennaKey: antennaKey(options.scratch, [antennaNumbers, ant1, ant2]),
  }
}

export interface DataShape {
  readonly rows: number
  readonly channels: number
  readonly polarizations: number
}

/** The common shape of the three data arrays, with or without the spectral-window axis of length 1. */
export function dataShape(file: Hdf5File): DataShape {
  const [vis, ...others] = ['/Data/visdata', '/Data/flags', '/Data/nsamples'].map((path) => {
    const dataset = file.dataset(path)
    if (dataset === undefined) throw missing(file.path, path)
    return dataset
  })
  for (const other of others) {
    if (other.shape.join() !== vis.shape.join()) {
      throw unreadable(
        file.path,
        `${other.path} has shape (${other.shape.join()}), /Data/visdata (${vis.shape.join()})`,
      )
    }
  }
  const { shape } = vis
  const known = shape.length === 3 || (shape.length === 4 && shape[1] === 1)
  if (!known)
    throw unsupported(`${file.path}: /Data/visdata has shape (${shape.join()}); one spectral window is supported`)
  if (shape.includes(0)) throw unreadable(file.path, 'it holds no data: /Data/visdata is empty')
  return { rows: shape[0], channels: shape[shape.length - 2], polarizations: shape[shape.length - 1] }
}

/** The first rows of uvw_array, or all of them. */
function readUvw(file: Hdf5File, values: HeaderValues, rows: number): Float32Array | Float64Array {
  const path = '/Header/uvw_array'
  const dataset = file.dataset(path)
  if (dataset === undefined) throw missing(file.path, path)
  const { type, shape } = dataset
  const bytes = shape[0] > rows ? peekRows(file, dataset, 0, rows) : values.bytes(path)
  const single = type.kind === 'float' && type.bytes === 4
  return single ? new Float32Array(bytes.buffer) : decodeNumbers(bytes, type, `${file.path}: ${path}`)
}

function product(shape: readonly number[]): number {
  return shape.reduce((total, length) => total * length, 1)
}

function channelWidth(path: string, widths: Float64Array | undefined, freqHz: Float64Array): number {
  const width = Math.abs(widths?.[0] ?? freqHz[1] - freqHz[0])
  if (!(width > 0)) throw unreadable(path, 'the channel width is missing or zero (/Header/channel_width)')
  if (widths?.some((other) => Math.abs(Math.abs(other) - width) > 1e-6 * width))
    throw unsupported(`${path}: /Header/channel_width differs between channels`)
  return width
}

function perRow(values: Float64Array, rows: number, path: string): Float64Array {
  if (values.length === rows) return values
  if (values.length === 1) return new Float64Array(rows).fill(values[0])
  throw unreadable(path, `/Header/integration_time has ${values.length} values for ${rows} rows`)
}

function perAntenna(diameters: Float64Array | undefined, antennas: number, path: string): Float64Array {
  if (diameters === undefined) return new Float64Array(antennas).fill(Number.NaN)
  if (diameters.length !== antennas)
    throw unreadable(path, `/Header/antenna_diameters has ${diameters.length} values for ${antennas} antennas`)
  return diameters
}

/** A scalar in the telescope's files. One value a row, as later memo versions have it, is what other programs make of it. */
function apparentDeclination(values: HeaderValues): number | undefined {
  const path = ['/Header/phase_center_app_dec', '/Header/extra_keywords/phase_center_dec'].find(
    (candidate) => values.has(candidate) && values.numbers(candidate).length === 1,
  )
  return path === undefined ? undefined : values.numbers(path)[0]
}

/** Names what the memo allows and a set with one band, one place on Earth and one time scale cannot hold. */
function refuseUnknown(path: string, values: HeaderValues): void {
  const has = (name: string): boolean => values.has(`/Header/${name}`) && !values.shape(`/Header/${name}`).includes(0)
  const windows = ['spw_array', 'flex_spw_id_array'].find(
    (name) => has(name) && new Set(values.numbers(`/Header/${name}`)).size > 1,
  )
  if (windows !== undefined)
    throw unsupported(`${path}: /Header/${windows} names several spectral windows; one is supported`)
  if (has('flex_spw_polarization_array')) {
    throw unsupported(
      `${path}: /Header/flex_spw_polarization_array gives each spectral window another polarisation; that is not supported`,
    )
  }
  const frame = has('telescope_frame') ? values.string('/Header/telescope_frame') : 'itrs'
  if (frame.toLowerCase() !== 'itrs')
    throw unsupported(`${path}: /Header/telescope_frame is ${frame}; telescopes on Earth (itrs) are supported`)
  const scale = has('timesys') ? values.string('/Header/timesys') : 'UTC'
  if (scale.toUpperCase() !== 'UTC') throw unsupported(`${path}: /Header/timesys is ${scale}; UTC is supported`)
}

function regularRows(path: string, rows: number, integrations: number): { integrations: number; baselines: number } {
  if (Number.isInteger(rows / integrations)) return { integrations, baselines: rows / integrations }
  throw unreadable(path, `${rows} rows do not divide into ${integrations} integrations (/Header/Nblts, /Header/Ntimes)`)
}

/** Number of different pairs, whichever way round. */
function pairs(ant1: Int32Array, ant2: Int32Array): number {
  const seen = new Set<number>()
  for (let row = 0; row < ant1.length; row++) {
    const [low, high] = ant1[row] < ant2[row] ? [ant1[row], ant2[row]] : [ant2[row], ant1[row]]
    // Antenna numbers have 32 bits at most; those beyond 2^26 could collide, and none are known.
    seen.add(low * 2 ** 26 + high)
  }
  return seen.size
}
