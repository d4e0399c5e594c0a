import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AipsReader } from './aips-io.ts'
import type { ArrayCell } from './column.ts'
import type { MsLayout } from './layout.ts'
import type { KeywordRecord } from './record.ts'
import type { MsAntenna, MsMetadata, MsRows } from './schema.ts'
import { readTable, type Table } from './table.ts'

export interface MeasurementSet {
  layout: MsLayout
  metadata: MsMetadata
  rows: MsRows
}

/** Reads a MeasurementSet that contimg wrote, without its tiles (`openTiles`). Throws on any other layout. */
export async function openMeasurementSet(path: string): Promise<MeasurementSet> {
  const main = await readTable(path)
  const data = main.columns.get('DATA')
  const tile = await readTileShape(join(path, 'table.f2'))
  const layout: MsLayout = {
    path,
    rows: main.rows,
    polarizations: data?.shape?.[0] ?? 0,
    channels: data?.shape?.[1] ?? 0,
    tileRows: tile[2] ?? 0,
    tileChannels: tile[1] ?? 0,
    weightSpectrum: main.columns.has('WEIGHT_SPECTRUM'),
  }
  return { layout, metadata: await readMetadata(path, main.keywords), rows: readRows(main) }
}

async function readTileShape(path: string): Promise<number[]> {
  return new AipsReader(await readFile(path)).header('TiledColumnStMan').position()
}

function readRows(main: Table): MsRows {
  return {
    timeMjdS: main.cells('TIME') as Float64Array,
    intervalS: main.cells('INTERVAL') as Float64Array,
    exposureS: main.cells('EXPOSURE') as Float64Array,
    antenna1: main.cells('ANTENNA1') as Int32Array,
    antenna2: main.cells('ANTENNA2') as Int32Array,
    uvwM: main.cells('UVW') as Float64Array,
    weight: main.cells('WEIGHT') as Float32Array,
    sigma: main.cells('SIGMA') as Float32Array,
    flagRow: main.cells('FLAG_ROW') as Uint8Array,
  }
}

async function readMetadata(path: string, keywords: KeywordRecord): Promise<MsMetadata> {
  const [antenna, field, history, observation, polarization, window] = (await Promise.all(
    ['ANTENNA', 'FIELD', 'HISTORY', 'OBSERVATION', 'POLARIZATION', 'SPECTRAL_WINDOW'].map((name) =>
      readTable(join(path, name)),
    ),
  )) as [Table, Table, Table, Table, Table, Table]
  if (field.rows !== 1) throw new Error(`${path} has ${field.rows} fields, expected one`)
  const centre = numbers(field, 'PHASE_DIR')
  const times = history.cells('TIME') as Float64Array
  const messages = history.cells('MESSAGE') as string[]
  const applications = history.cells('APPLICATION') as string[]
  const range = observation.cells('TIME_RANGE') as Float64Array
  return {
    telescopeName: text(observation, 'TELESCOPE_NAME'),
    observer: text(observation, 'OBSERVER'),
    project: text(observation, 'PROJECT'),
    fieldName: text(field, 'NAME'),
    antennas: readAntennas(antenna),
    freqHz: Float64Array.from(numbers(window, 'CHAN_FREQ')),
    channelWidthHz: numbers(window, 'CHAN_WIDTH')[0],
    stokes: Array.from(numbers(polarization, 'CORR_TYPE')),
    phaseCentre: { raRad: centre[0], decRad: centre[1] },
    timeRangeMjdS: [range[0], range[1]],
    history: messages.map((message, i) => ({
      message,
      application: applications[i],
      timeMjdS: times[i],
    })),
    beam: readBeam(keywords['CONTIMG_BEAM'] as KeywordRecord),
    extra: readExtra(keywords['CONTIMG_EXTRA'] as KeywordRecord),
  }
}

function text(table: Table, column: string): string {
  return (table.cells(column) as string[])[0]
}

/** The numbers of the first cell of an array column. */
function numbers(table: Table, column: string): ArrayLike<number> {
  const cell = (table.cells(column) as (ArrayCell | undefined)[])[0]
  if (cell === undefined) throw new Error(`column ${column} is not filled`)
  return cell.values as ArrayLike<number>
}

function readAntennas(table: Table): MsAntenna[] {
  const positions = table.cells('POSITION') as Float64Array
  const diameters = table.cells('DISH_DIAMETER') as Float64Array
  return (table.cells('NAME') as string[]).map((name, i) => ({
    name,
    positionM: [positions[3 * i], positions[3 * i + 1], positions[3 * i + 2]],
    diameterM: diameters[i],
  }))
}

function readBeam(record: KeywordRecord): MsMetadata['beam'] {
  return {
    timeMjdS: record['TIME'] as Float64Array,
    raRad: record['RA'] as Float64Array,
    decRad: record['DEC'] as Float64Array,
    decOfDateRad: record['DEC_OF_DATE'] as number,
  }
}

function readExtra(record: KeywordRecord): MsMetadata['extra'] {
  const extra: Record<string, string | number> = {}
  for (const [name, value] of Object.entries(record))
    if (typeof value === 'string' || typeof value === 'number') extra[name] = value
  return extra
}
