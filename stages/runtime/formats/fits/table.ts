import { open } from 'node:fs/promises'
import { blockBytes, type FitsCard, type FitsValue } from './cards.ts'
import { encodeHeaderWithChecksum, sumBytes } from './checksum.ts'
import { naturalNumber, notFits, readInto, readNextUnit, readUnit } from './file.ts'

/** A column to be written: float64, float32, int32 or text. */
export interface FitsColumn {
  name: string
  unit?: string
  /** Unified content descriptor (IVOA UCD1+), written as TUCDn. */
  ucd?: string
  description?: string
  type: 'f8' | 'f4' | 'i4' | 'str'
  values: ArrayLike<number> | readonly string[]
}

/** A column as read: numbers as float64 (absent ones NaN), logicals as 1, 0 or NaN, text trimmed. */
export interface FitsTableColumn {
  name: string
  unit?: string
  ucd?: string
  description?: string
  /** Elements a row; `values` holds rows x repeat numbers. Text counts as one. */
  repeat: number
  values: Float64Array | string[]
}

export interface FitsTable {
  cards: Map<string, FitsValue>
  rows: number
  columns: FitsTableColumn[]
  /** Columns of types that are not read: bits, complex, variable-length. */
  skipped: string[]
}

/** Most columns that the standard allows. */
const maxFields = 999

/** Bytes of rows decoded at a time. */
const readBytes = 4 * 2 ** 20

/** Writes one binary table after an empty primary unit, with CHECKSUM and DATASUM in both. Equal arguments, equal bytes. */
export async function writeFitsTable(
  path: string,
  table: { columns: readonly FitsColumn[]; cards: readonly FitsCard[] },
): Promise<void> {
  const rows = table.columns[0]?.values.length ?? 0
  const layout = layOut(table.columns, rows)
  const data = Buffer.alloc(Math.ceil((rows * layout.rowBytes) / blockBytes) * blockBytes)
  layout.columns.forEach((column) => writeColumn(data, column, layout.rowBytes))
  await using file = await open(path, 'w')
  await file.writeFile(
    Buffer.concat([
      encodeHeaderWithChecksum(primaryCards, 0),
      encodeHeaderWithChecksum([...tableCards(layout, rows), ...table.cards], sumBytes(data)),
      data,
    ]),
  )
}

/**
 * Reads the first binary table of a file, all columns or those named (in any letter case), in row blocks, so that
 * catalogues of gigabytes need memory only for the columns asked for. 64-bit integers lose digits beyond 2^53.
 */
export async function readFitsTable(path: string, options: { columns?: readonly string[] } = {}): Promise<FitsTable> {
  await using file = await open(path)
  let unit = await readUnit(file, path)
  while (unit !== undefined && unit.cards.get('XTENSION') !== 'BINTABLE') unit = await readNextUnit(file, path, unit)
  if (unit === undefined) throw notFits(path, 'it holds no binary table (ASCII tables are not read)')
  const { cards, dataOffset } = unit
  if (cards.get('NAXIS') !== 2 || cards.get('BITPIX') !== 8)
    throw notFits(path, 'its binary table is not two axes of bytes')
  const rows = naturalNumber(cards, 'NAXIS2', { path })
  const rowBytes = naturalNumber(cards, 'NAXIS1', { path })
  if (rowBytes === 0 && rows > 0) throw notFits(path, `${rows} rows of 0 bytes`)
  const wanted = options.columns?.map((name) => name.toLowerCase())
  const { fields, skipped } = fieldsOf(cards, path, (name) => wanted?.includes(name.toLowerCase()) ?? true)
  const columns = fields.map((field) => emptyColumn(field, rows))
  const blockRows = Math.max(1, Math.floor(readBytes / Math.max(rowBytes, 1)))
  for (let row0 = 0; row0 < rows; row0 += blockRows) {
    const block = Buffer.alloc(Math.min(blockRows, rows - row0) * rowBytes)
    await readInto(file, dataOffset + row0 * rowBytes, block)
    fields.forEach((field, i) => decodeBlock(block, rowBytes, { field, column: columns[i], row0 }))
  }
  return { cards, rows, columns, skipped }
}

interface PlacedColumn extends FitsColumn {
  offset: number
  bytes: number
  format: string
}

function layOut(columns: readonly FitsColumn[], rows: number): { columns: PlacedColumn[]; rowBytes: number } {
  let rowBytes = 0
  const placed = columns.map((column) => {
    if (column.values.length !== rows) {
      throw new RangeError(`column ${column.name} has ${column.values.length} values, the table ${rows} rows`)
    }
    const bytes = { f8: 8, f4: 4, i4: 4, str: textWidth(column) }[column.type]
    const format = { f8: '1D', f4: '1E', i4: '1J', str: `${bytes}A` }[column.type]
    const offset = rowBytes
    rowBytes += bytes
    return { ...column, offset, bytes, format }
  })
  return { columns: placed, rowBytes }
}

function textWidth(column: FitsColumn): number {
  if (column.type !== 'str') return 0
  return (column.values as readonly string[]).reduce((widest, value) => Math.max(widest, value.length), 1)
}

function writeColumn(data: Buffer, column: PlacedColumn, rowBytes: number): void {
  const { offset, bytes, type, values } = column
  for (let row = 0, at = offset; row < values.length; row += 1, at += rowBytes) {
    const value = values[row]
    if (type === 'str') data.write(String(value).replaceAll(/[^ -~]/g, '?'), at, bytes, 'latin1')
    else if (type === 'f8') data.writeDoubleBE(Number(value), at)
    else if (type === 'f4') data.writeFloatBE(Number(value), at)
    else data.writeInt32BE(Number(value), at)
  }
}

const primaryCards: FitsCard[] = [
  { key: 'SIMPLE', value: true, comment: 'conforms to FITS standard 4.0' },
  { key: 'BITPIX', value: 8 },
  { key: 'NAXIS', value: 0, comment: 'no data in the primary unit' },
  { key: 'EXTEND', value: true, comment: 'a table follows' },
]

function tableCards(layout: { columns: PlacedColumn[]; rowBytes: number }, rows: number): FitsCard[] {
  return [
    { key: 'XTENSION', value: 'BINTABLE', comment: 'binary table' },
    { key: 'BITPIX', value: 8 },
    { key: 'NAXIS', value: 2 },
    { key: 'NAXIS1', value: layout.rowBytes, comment: 'bytes a row' },
    { key: 'NAXIS2', value: rows, comment: 'rows' },
    { key: 'PCOUNT', value: 0 },
    { key: 'GCOUNT', value: 1 },
    { key: 'TFIELDS', value: layout.columns.length, comment: 'columns' },
    ...layout.columns.flatMap((column, i): FitsCard[] => [
      { key: `TTYPE${i + 1}`, value: column.name },
      { key: `TFORM${i + 1}`, value: column.format },
      ...(column.unit === undefined ? [] : [{ key: `TUNIT${i + 1}`, value: column.unit }]),
      ...(column.ucd === undefined ? [] : [{ key: `TUCD${i + 1}`, value: column.ucd }]),
      ...(column.description === undefined ? [] : [{ key: `TCOMM${i + 1}`, value: column.description }]),
    ]),
  ]
}

interface Field {
  name: string
  unit?: string
  ucd?: string
  description?: string
  letter: string
  repeat: number
  offset: number
  scale: number
  zero: number
  blank: number | undefined
}

const elementBytes: Record<string, number> = {
  L: 1,
  B: 1,
  I: 2,
  J: 4,
  K: 8,
  A: 1,
  E: 4,
  D: 8,
  C: 8,
  M: 16,
  P: 8,
  Q: 16,
}
const unread = new Set(['X', 'C', 'M', 'P', 'Q'])

function fieldsOf(
  cards: Map<string, FitsValue>,
  path: string,
  wanted: (name: string) => boolean,
): { fields: Field[]; skipped: string[] } {
  const fields: Field[] = []
  const skipped: string[] = []
  const count = naturalNumber(cards, 'TFIELDS', { path, absent: 0 })
  if (count > maxFields) throw notFits(path, `${count} columns`)
  let offset = 0
  for (let i = 1; i <= count; i += 1) {
    const name = String(cards.get(`TTYPE${i}`) ?? `column${i}`)
    const form = /^(\d*)([LXBIJKAEDCMPQ])/.exec(String(cards.get(`TFORM${i}`) ?? '').trim())
    if (form === null) throw notFits(path, `column ${name} has no valid TFORM${i}`)
    const repeat = form[1] === '' ? 1 : Number(form[1])
    const letter = form[2]
    const text = (key: string): string | undefined => cards.get(`${key}${i}`)?.toString()
    if (wanted(name) && unread.has(letter)) skipped.push(name)
    else if (wanted(name)) {
      const [unit, ucd, description] = [text('TUNIT'), text('TUCD'), text('TCOMM')]
      fields.push({
        name,
        ...(unit === undefined ? {} : { unit }),
        ...(ucd === undefined ? {} : { ucd }),
        ...(description === undefined ? {} : { description }),
        letter,
        repeat,
        offset,
        scale: Number(cards.get(`TSCAL${i}`) ?? 1),
        zero: Number(cards.get(`TZERO${i}`) ?? 0),
        blank: cards.has(`TNULL${i}`) ? Number(cards.get(`TNULL${i}`)) : undefined,
      })
    }
    offset += letter === 'X' ? Math.ceil(repeat / 8) : repeat * elementBytes[letter]
  }
  if (offset > naturalNumber(cards, 'NAXIS1', { path }))
    throw notFits(path, `its columns need ${offset} bytes a row, it has ${cards.get('NAXIS1')}`)
  return { fields, skipped }
}

function emptyColumn(field: Field, rows: number): FitsTableColumn {
  const { name, unit, ucd, description, letter, repeat } = field
  return {
    name,
    ...(unit === undefined ? {} : { unit }),
    ...(ucd === undefined ? {} : { ucd }),
    ...(description === undefined ? {} : { description }),
    repeat: letter === 'A' ? 1 : repeat,
    values: letter === 'A' ? new Array<string>(rows) : new Float64Array(rows * repeat),
  }
}

function decodeBlock(
  block: Buffer,
  rowBytes: number,
  target: { field: Field; column: FitsTableColumn; row0: number },
): void {
  const { field, column, row0 } = target
  const rows = block.length / rowBytes
  for (let row = 0; row < rows; row += 1) {
    const at = row * rowBytes + field.offset
    if (column.values instanceof Float64Array) {
      for (let k = 0; k < field.repeat; k += 1) {
        column.values[(row0 + row) * field.repeat + k] = decodeNumber(block, at + k * elementBytes[field.letter], field)
      }
    } else column.values[row0 + row] = decodeText(block, at, field.repeat)
  }
}

function decodeText(block: Buffer, at: number, bytes: number): string {
  const text = block.toString('latin1', at, at + bytes)
  const end = text.indexOf('\0')
  return (end < 0 ? text : text.slice(0, end)).trimEnd()
}

function decodeNumber(block: Buffer, at: number, field: Field): number {
  const { letter, scale, zero, blank } = field
  if (letter === 'L') return block[at] === 0x54 ? 1 : block[at] === 0x46 ? 0 : Number.NaN
  const raw = decoders[letter](block, at)
  return raw === blank ? Number.NaN : raw * scale + zero
}

const decoders: Record<string, (block: Buffer, at: number) => number> = {
  B: (block, at) => block[at],
  I: (block, at) => block.readInt16BE(at),
  J: (block, at) => block.readInt32BE(at),
  K: (block, at) => Number(block.readBigInt64BE(at)),
  E: (block, at) => block.readFloatBE(at),
  D: (block, at) => block.readDoubleBE(at),
}
