import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { DEGREE_RAD } from '#runtime/sky/constants.ts'
import { siteItrf } from '#runtime/sky/frames.ts'
import type { Vec3 } from '#runtime/sky/vector.ts'
import { StageError } from '#runtime/stage/errors.ts'

/** Surveyed stations by `stationKey`: ITRF position in metres; undefined where the table has no elevation. */
export interface StationTable {
  stations: ReadonlyMap<string, Vec3 | undefined>
  sha256: string
}

/** Spellings of the columns, in small letters and without spaces, punctuation and units. */
const columnNames = {
  station: ['station', 'stationnumber', 'stationname', 'stationid', 'name'],
  latitude: ['latitude', 'lat'],
  longitude: ['longitude', 'lon', 'long'],
  elevation: ['elevation', 'elev', 'height', 'altitude', 'alt'],
} as const
type Column = keyof typeof columnNames
type Columns = Record<Column, { index: number; title: string }>

/** Units that a column name may end with, `Latitude (deg)` or `elevation_m`, by column. */
const units: Record<Column, readonly string[]> = {
  station: [],
  latitude: ['deg', 'degree', 'degrees', '°'],
  longitude: ['deg', 'degree', 'degrees', '°'],
  elevation: ['m', 'meter', 'meters', 'metre', 'metres'],
}

/** What a coordinate may be: degrees, degrees, metres above the WGS84 ellipsoid. */
const ranges = { latitude: [-90, 90], longitude: [-180, 360], elevation: [-500, 9000] } as const

const HINT =
  'give a CSV with the columns station, latitude, longitude (degrees, WGS84) and elevation (metres above the ellipsoid), as dsa110-antpos has it'

/**
 * Reads a table of surveyed stations: CSV with the columns station, latitude, longitude and elevation in any order, as
 * DSA110_Station_Coordinates.csv of dsa110-antpos; lines above the column names and other columns are passed over.
 * Throws INPUT_MISSING when the file cannot be read, PARAMS_INVALID with line and column of what is wrong in it.
 */
export function readStationTable(path: string): StationTable {
  const bytes = readTable(path)
  const lines = bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
  const { headerLine, separator, columns } = findHeader(path, lines)
  const stations = new Map<string, Vec3 | undefined>()
  const lineOf = new Map<string, number>()
  for (let line = headerLine + 1; line < lines.length; line++) {
    const cells = splitLine(lines[line], separator)
    if (lines[line].startsWith('#') || cells.every((cell) => cell === '')) continue
    const where = `${path}, line ${line + 1}`
    const name = cells[columns.station.index] ?? ''
    if (name === '') throw invalid(`${where}: there is no value in the column "${columns.station.title}"`)
    const key = stationKey(name)
    if (lineOf.has(key)) throw invalid(`${where}: station ${name} stands in line ${lineOf.get(key)} already`)
    lineOf.set(key, line + 1)
    stations.set(key, position(cells, columns, where))
  }
  if (stations.size === 0) throw invalid(`${path} lists no station below its column names`)
  return { stations, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** What names a station in tables and headers alike: `DSA-007`, `007` and `7` are one; other names are as they are. */
export function stationKey(name: string): string {
  return /^(?:dsa[-_ ]?)?0*(\d+)$/i.exec(name.trim())?.[1] ?? name.trim()
}

function readTable(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new StageError('INPUT_MISSING', `cannot read the station table ${path}`, { cause, hint: HINT })
  }
}

/** The first line that names the four columns. */
function findHeader(
  path: string,
  lines: readonly string[],
): { headerLine: number; separator: string; columns: Columns } {
  let nearest: { line: number; missing: Column[] } | undefined
  for (const [line, text] of lines.entries()) {
    const separator = text.includes('\t') ? '\t' : text.includes(';') ? ';' : ','
    const titles = splitLine(text.replace(/^#\s*/, ''), separator)
    const found: Partial<Columns> = {}
    for (const [index, title] of titles.entries()) {
      const column = columnOf(title, `${path}, line ${line + 1}`)
      if (column !== undefined) found[column] ??= { index, title }
    }
    const missing = (Object.keys(columnNames) as Column[]).filter((column) => found[column] === undefined)
    if (missing.length === 0) return { headerLine: line, separator, columns: found as Columns }
    if (missing.length < (nearest?.missing.length ?? 3)) nearest = { line, missing }
  }
  throw invalid(
    nearest === undefined
      ? `${path} is no station table: no line names its columns`
      : `${path}, line ${nearest.line + 1}: no column for ${nearest.missing.join(' and ')}`,
  )
}

function columnOf(title: string, where: string): Column | undefined {
  const [, words, bracketed] = /^([^([]*)(?:[([]\s*([^)\]]*?)\s*[)\]])?\s*$/.exec(title) ?? []
  if (words === undefined) return undefined
  const plain = words.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  for (const column of Object.keys(columnNames) as Column[]) {
    const names: readonly string[] = columnNames[column]
    const bare = names.includes(plain)
    if (!bare && !names.some((name) => units[column].includes(plain.slice(name.length)) && plain.startsWith(name)))
      continue
    if (bracketed !== undefined && column !== 'station' && !units[column].includes(bracketed.toLowerCase()))
      throw invalid(`${where}: the column "${title}" is not in ${column === 'elevation' ? 'metres' : 'degrees'}`)
    return column
  }
  return undefined
}

function position(cells: readonly string[], columns: Columns, where: string): Vec3 | undefined {
  const latitudeDeg = coordinate('latitude', cells, columns, where)
  const longitudeDeg = coordinate('longitude', cells, columns, where)
  const cell = cells[columns.elevation.index] ?? ''
  if (cell === '' || cell.toLowerCase() === 'nan') return undefined
  return siteItrf({
    latitudeRad: latitudeDeg * DEGREE_RAD,
    longitudeRad: longitudeDeg * DEGREE_RAD,
    altitudeM: coordinate('elevation', cells, columns, where),
  })
}

function coordinate(column: keyof typeof ranges, cells: readonly string[], columns: Columns, where: string): number {
  const { index, title } = columns[column]
  const cell = cells[index] ?? ''
  const value = cell === '' ? Number.NaN : Number(cell)
  const [low, high] = ranges[column]
  if (!(value >= low && value <= high))
    throw invalid(`${where}: "${title}" must be a number from ${low} to ${high}, not "${cell}"`)
  return value
}

/** Cells without the blanks around them; a cell in quotes may hold the separator. */
function splitLine(line: string, separator: string): string[] {
  const cells: string[] = ['']
  let quoted = false
  for (const character of line) {
    if (character === '"') quoted = !quoted
    else if (character === separator && !quoted) cells.push('')
    else cells[cells.length - 1] += character
  }
  return cells.map((cell) => cell.trim())
}

function invalid(message: string): StageError {
  return new StageError('PARAMS_INVALID', message, { hint: HINT })
}
