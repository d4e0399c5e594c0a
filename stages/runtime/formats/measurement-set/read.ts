import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AipsReader } from './aips-io.ts'
import type { ArrayCell } from './column.ts'
import { tiledColumns, tileFile, tileFileBytes, type MsLayout } from './layout.ts'
import type { KeywordRecord } from './record.ts'
import type { MsAntenna, MsMetadata, MsRows } from './schema.ts'
import { readTable, type Table } from './table.ts'
import { readingSet, TableFault } from './unreadable.ts'

export interface MeasurementSet {
  layout: MsLayout
  metadata: MsMetadata
  rows: MsRows
}

/**
 * Reads a MeasurementSet that contimg wrote, without its tiles (`openTiles`).
 * @throws StageError DATA_UNUSABLE when it has another layout or is damaged, INPUT_MISSING when a file of it is absent
 */
export async function openMeasurementSet(path: string): Promise<MeasurementSet> {
  return readingSet(path, async () => {
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
    await checkTiles(layout)
    return { layout, metadata: await readMetadata(path, main.keywords), rows: readRows(main, layout) }
  })
}

async function readTileShape(path: string): Promise<number[]> {
  return new AipsReader(await readFile(path)).header('TiledColumnStMan').position()
}

/** Tiles of the stated shape fill the tile files exactly, or one of them is not what was written. */
async function checkTiles(layout: MsLayout): Promise<void> {
  const { channels, polarizations, tileChannels, tileRows } = layout
  if (![channels, polarizations, tileChannels, tileRows].every((length) => length > 0))
    throw new TableFault(`tiles of ${polarizations} x ${tileChannels} x ${tileRows}, ${channels} channels`)
  for (const column of tiledColumns(layout)) {
    const { size } = await stat(join(layout.path, tileFile(column)))
    if (size !== tileFileBytes(layout, column))
      throw new TableFault(`${tileFile(column)} has ${size} bytes, not ${tileFileBytes(layout, column)}`)
  }
}

function readRows(main: Table, { polarizations }: MsLayout): MsRows {
  return {
    timeMjdS: column(main, 'TIME', Float64Array),
    intervalS: column(main, 'INTERVAL', Float64Array),
    exposureS: column(main, 'EXPOSURE', Float64Array),
    antenna1: column(main, 'ANTENNA1', Int32Array),
    antenna2: column(main, 'ANTENNA2', Int32Array),
    uvwM: column(main, 'UVW', Float64Array, 3),
    weight: column(main, 'WEIGHT', Float32Array, polarizations),
    sigma: column(main, 'SIGMA', Float32Array, polarizations),
    flagRow: column(main, 'FLAG_ROW', Uint8Array),
  }
}

async function readMetadata(path: string, keywords: KeywordRecord): Promise<MsMetadata> {
  const [antenna, field, history, observation, polarization, window] = (await Promise.all(
    ['ANTENNA', 'FIELD', 'HISTORY', 'OBSERVATION', 'POLARIZATION', 'SPECTRAL_WINDOW'].map((name) =>
      readTable(join(path, name)),
    ),
  )) as [Table, Table, Table, Table, Table, Table]
  if (field.rows !== 1) throw new TableFault(`it has ${field.rows} fields, expected one`)
  const centre = numbers(field, 'PHASE_DIR')
  if (centre.length < 2) throw new TableFault('its field has no direction')
  const times = column(history, 'TIME', Float64Array)
  const messages = texts(history, 'MESSAGE')
  const applications = texts(history, 'APPLICATION')
  const range = column(observation, 'TIME_RANGE', Float64Array, 2)
  if (observation.rows !== 1) throw new TableFault(`it has ${observation.rows} observations, expected one`)
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
    beam: readBeam(keywordRecord(keywords, 'CONTIMG_BEAM')),
    extra: readExtra(keywordRecord(keywords, 'CONTIMG_EXTRA')),
  }
}

type Numbers = Float64Array | Float32Array | Int32Array | Uint8Array

/** A column of numbers of a fixed type, `perRow` a row. */
function column<T extends Numbers>(table: Table, name: string, type: new () => T, perRow = 1): T {
  const cells = table.cells(name)
  if (!(cells instanceof type) || cells.length !== table.rows * perRow)
    throw new TableFault(`the column ${name} is not what it should be`)
  return cells
}

function texts(table: Table, name: string): string[] {
  const cells: unknown = table.cells(name)
  if (!Array.isArray(cells) || cells.some((cell) => typeof cell !== 'string'))
    throw new TableFault(`the column ${name} holds no text`)
  return cells as string[]
}

function text(table: Table, name: string): string {
  const [first] = texts(table, name)
  if (first === undefined) throw new TableFault(`the column ${name} has no row`)
  return first
}

/** The numbers of the first cell of an array column. */
function numbers(table: Table, name: string): ArrayLike<number> {
  const cell = (table.cells(name) as (ArrayCell | undefined)[])[0]
  if (cell === undefined || typeof cell !== 'object' || !ArrayBuffer.isView(cell.values))
    throw new TableFault(`the column ${name} is not filled with numbers`)
  return cell.values as unknown as ArrayLike<number>
}

function readAntennas(table: Table): MsAntenna[] {
  const positions = column(table, 'POSITION', Float64Array, 3)
  const diameters = column(table, 'DISH_DIAMETER', Float64Array)
  return texts(table, 'NAME').map((name, i) => ({
    name,
    positionM: [positions[3 * i], positions[3 * i + 1], positions[3 * i + 2]],
    diameterM: diameters[i],
  }))
}

function readBeam(record: KeywordRecord): MsMetadata['beam'] {
  const numbersOf = (name: string): Float64Array => {
    const value = record[name]
    if (!(value instanceof Float64Array)) throw new TableFault(`the keyword CONTIMG_BEAM has no ${name}`)
    return value
  }
  const beam = { timeMjdS: numbersOf('TIME'), raRad: numbersOf('RA'), decRad: numbersOf('DEC') }
  const decOfDateRad = record['DEC_OF_DATE']
  if (typeof decOfDateRad !== 'number') throw new TableFault('the keyword CONTIMG_BEAM has no DEC_OF_DATE')
  if (beam.raRad.length !== beam.timeMjdS.length || beam.decRad.length !== beam.timeMjdS.length)
    throw new TableFault('the lists of the keyword CONTIMG_BEAM differ in length')
  return { ...beam, decOfDateRad }
}

function readExtra(record: KeywordRecord): MsMetadata['extra'] {
  return Object.fromEntries(
    Object.entries(record).filter(
      (entry): entry is [string, string | number] => typeof entry[1] === 'string' || typeof entry[1] === 'number',
    ),
  )
}

function keywordRecord(keywords: KeywordRecord, name: string): KeywordRecord {
  const value = Object.hasOwn(keywords, name) ? keywords[name] : undefined
  if (typeof value !== 'object' || Array.isArray(value) || ArrayBuffer.isView(value))
    throw new TableFault(`there is no keyword ${name}`)
  return value as KeywordRecord
}
