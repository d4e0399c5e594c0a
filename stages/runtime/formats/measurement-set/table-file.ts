import { AipsReader, AipsWriter } from './aips-io.ts'
import { cellTypes, type CellType, type ColumnSpec } from './column.ts'
import { readRecord, typed, writeRecord, type KeywordRecord } from './record.ts'
import { TableFault } from './unreadable.ts'

/** What table.dat says about a table: its keywords, its columns and where the untiled ones lie in their buckets. */
export interface TableDescription {
  rows: number
  keywords: KeywordRecord
  columns: readonly ColumnSpec[]
  /** Offset in a StandardStMan bucket of each column that is not tiled, in column order. */
  columnOffsets: readonly number[]
}

const littleEndianTable = 1
const standardManager = 'StandardStMan'
const tiledManagerType = 'TiledColumnStMan'

/** casacore's column options: array values inside the bucket (direct), array of one shape (fixed). */
const directOption = 1
const fixedShapeOption = 4

/** Version of casacore's ColumnSet that knows byte orders and 32-bit row counts. */
const columnSetVersion = -2

/** Name of the hypercolumn and of the storage manager of a tiled column. */
export function tiledName(column: string): string {
  return `Tiled${column}`
}

/** Encodes table.dat. The StandardStMan is manager 0; tiled columns are managers 1, 2, ... in column order. */
export function encodeTableDescription(table: TableDescription): Uint8Array {
  const out = new AipsWriter()
  out.object('Table', 2, () => {
    out.uint(table.rows)
    out.uint(littleEndianTable)
    out.string('PlainTable')
    writeDescription(out, table)
    writeColumnSet(out, table)
  })
  return out.finish()
}

/** Decodes table.dat of a table in the layout that `encodeTableDescription` writes. */
export function decodeTableDescription(bytes: Uint8Array): TableDescription {
  const from = new AipsReader(bytes)
  return from.object('Table', () => {
    const rows = from.uint()
    if (from.uint() !== littleEndianTable) throw new TableFault('big-endian table: not written by contimg')
    from.string()
    const { keywords, columns } = readDescription(from)
    const managers = readColumnSet(from, columns)
    const stored = columns.map((column, i) => (managers[i] === 0 ? column : asTiled(column)))
    return { rows, keywords, columns: stored, columnOffsets: readManagerData(from, new Set(managers).size) }
  })
}

function tiledIn(columns: readonly ColumnSpec[]): ColumnSpec[] {
  return columns.filter((column) => column.storage === 'tiled')
}

function writeDescription(out: AipsWriter, table: TableDescription): void {
  const hypercolumns: Record<string, KeywordRecord> = {}
  for (const column of tiledIn(table.columns)) {
    const ndim = typed('Int', (column.shape ?? []).length + 1)
    hypercolumns[`Hypercolumn_${tiledName(column.name)}`] = { ndim, data: [column.name], coord: [], id: [] }
  }
  out.object('TableDesc', 2, () => {
    for (let i = 0; i < 3; i++) out.string('')
    writeRecord(out, table.keywords)
    writeRecord(out, hypercolumns)
    out.uint(table.columns.length)
    for (const column of table.columns) writeColumn(out, column)
  })
}

function writeColumn(out: AipsWriter, column: ColumnSpec): void {
  const { code, className } = cellTypes[column.type]
  const tiled = column.storage === 'tiled'
  const scalar = column.storage === 'scalar'
  const direct = column.storage === 'direct'
  out.uint(1)
  out.string(`${scalar ? 'Scalar' : 'Array'}ColumnDesc<${className}`)
  out.uint(1)
  out.string(column.name)
  out.string('')
  out.string(tiled ? tiledManagerType : standardManager)
  out.string(tiled ? tiledName(column.name) : standardManager)
  out.int(code)
  out.int(tiled ? fixedShapeOption : direct ? directOption + fixedShapeOption : 0)
  out.int(scalar ? 0 : (column.shape?.length ?? column.dimensions ?? -1))
  if (!scalar) out.position(column.shape ?? [])
  out.uint(0)
  writeRecord(out, column.keywords ?? {})
  out.uint(1)
  if (scalar) writeDefault(out, column.type)
  else out.bool(false)
}

function writeDefault(out: AipsWriter, type: CellType): void {
  if (type === 'Bool') out.bool(false)
  else if (type === 'Int') out.int(0)
  else if (type === 'float') out.float(0)
  else if (type === 'double') out.double(0)
  else if (type === 'String') out.string('')
  else throw new Error(`scalar columns of ${type} are not written`)
}

function readDescription(from: AipsReader): { keywords: KeywordRecord; columns: ColumnSpec[] } {
  return from.object('TableDesc', () => {
    for (let i = 0; i < 3; i++) from.string()
    const keywords = readRecord(from)
    readRecord(from)
    const columns = Array.from({ length: from.uint() }, () => readColumn(from))
    return { keywords, columns }
  })
}

function readColumn(from: AipsReader): ColumnSpec {
  from.uint()
  const scalar = from.string().startsWith('Scalar')
  from.uint()
  const name = from.string()
  for (let i = 0; i < 3; i++) from.string()
  const type = typeOfCode(from.int())
  const option = from.int()
  const dimensions = from.int()
  const shape = scalar ? [] : from.position()
  from.uint()
  const keywords = readRecord(from)
  from.uint()
  if (scalar) skipDefault(from, type)
  else from.bool()
  if (scalar) return { name, type, storage: 'scalar', keywords }
  if ((option & fixedShapeOption) !== 0) return { name, type, storage: 'direct', shape, keywords }
  return { name, type, storage: 'indirect', dimensions, keywords }
}

function typeOfCode(code: number): CellType {
  for (const type of Object.keys(cellTypes) as CellType[]) if (cellTypes[type].code === code) return type
  throw new TableFault(`columns of casacore type ${code} are not supported`)
}

function skipDefault(from: AipsReader, type: CellType): void {
  if (type === 'String') from.string()
  else from.raw(type === 'Bool' ? 1 : type === 'double' ? 8 : 4)
}

function asTiled(column: ColumnSpec): ColumnSpec {
  return { ...column, storage: 'tiled' }
}

function writeColumnSet(out: AipsWriter, table: TableDescription): void {
  const tiled = tiledIn(table.columns)
  out.int(columnSetVersion)
  out.uint(table.rows)
  out.uint(tiled.length + 1)
  out.uint(tiled.length + 1)
  for (let manager = 0; manager <= tiled.length; manager++) {
    out.string(manager === 0 ? standardManager : tiledManagerType)
    out.uint(manager)
  }
  for (const column of table.columns) {
    out.uint(2)
    out.string(column.name)
    out.uint(1)
    out.uint(tiled.indexOf(column) + 1)
    if (column.storage === 'scalar') continue
    out.bool(column.shape !== undefined)
    if (column.shape !== undefined) out.position(column.shape)
  }
  const blob = standardData(table.columnOffsets)
  out.uint(blob.length)
  out.raw(blob)
  for (let i = 0; i < tiled.length; i++) out.uint(0)
}

function standardData(columnOffsets: readonly number[]): Uint8Array {
  const out = new AipsWriter()
  out.object('SSM', 2, () => {
    out.string(standardManager)
    out.block(columnOffsets)
    out.block(columnOffsets.map(() => 0))
  })
  return out.finish()
}

/** Reads the manager number of each column. */
function readColumnSet(from: AipsReader, columns: readonly ColumnSpec[]): number[] {
  if (from.int() !== columnSetVersion) throw new TableFault('column set of another version: not written by contimg')
  from.uint()
  from.uint()
  const managers = from.uint()
  for (let i = 0; i < managers; i++) {
    from.string()
    from.uint()
  }
  return columns.map((column) => {
    from.uint()
    from.string()
    from.uint()
    const manager = from.uint()
    if (column.storage !== 'scalar' && from.bool()) from.position()
    return manager
  })
}

function readManagerData(from: AipsReader, managers: number): number[] {
  const standard = new AipsReader(from.raw(from.uint()))
  const offsets = standard.object('SSM', () => {
    standard.string()
    const blocks = standard.block()
    standard.block()
    return blocks
  })
  for (let i = 1; i < managers; i++) from.raw(from.uint())
  return offsets
}
