import { cellElements, cellTypes, type ArrayCell, type ColumnCells, type ColumnSpec } from './column.ts'
import { bucketLayout, encodeHeader, encodeIndex, indexLinkBytes, type BucketLayout } from './standard-storage.ts'
import { StringBuckets } from './string-buckets.ts'

/** Arrays in table.f0i start on multiples of this, as casacore aligns them. */
const arrayAlignment = 8

/** Header of table.f0i: version, length of the file, a reserved word. */
const indirectHeaderBytes = 16

/** The files of the StandardStMan of a table, and what table.dat must say about it. */
export interface StandardFiles {
  /** table.f0, in pieces that follow each other. */
  file: Uint8Array[]
  /** table.f0i; absent when no column holds indirect numeric arrays. */
  indirect: Uint8Array | undefined
  columnOffsets: readonly number[]
}

/** Encodes the untiled columns of a table as a little-endian StandardStMan file; deterministic in its bytes. */
export function encodeStandard(
  columns: readonly ColumnSpec[],
  cells: readonly ColumnCells[],
  rows: number,
): StandardFiles {
  const layout = bucketLayout(columns, rows)
  const strings = new StringBuckets(layout.bucketBytes, layout.dataBuckets)
  const arrays = new IndirectArrays()
  const data = new Uint8Array(layout.dataBuckets * layout.bucketBytes)
  const view = new DataView(data.buffer)
  columns.forEach((column, index) => {
    const values = cells[index]
    for (let bucket = 0; bucket < layout.dataBuckets; bucket++) {
      const at = bucket * layout.bucketBytes + layout.columnOffsets[index]
      const row0 = bucket * layout.rowsPerBucket
      const count = Math.min(layout.rowsPerBucket, rows - row0)
      if (column.storage === 'indirect') putIndirect(view, at, { column, values, row0, count, strings, arrays })
      else putFixed(view, at, { column, values, row0, count, strings })
    }
  })
  const indirect = columns.some((column) => column.storage === 'indirect' && column.type !== 'String')
  return {
    file: assemble(layout, data, strings, encodeIndex(layout, rows, columns.length)),
    indirect: indirect ? arrays.finish() : undefined,
    columnOffsets: layout.columnOffsets,
  }
}

interface Span {
  column: ColumnSpec
  values: ColumnCells
  row0: number
  count: number
  strings: StringBuckets
}

function putFixed(view: DataView, at: number, span: Span): void {
  const { column, row0, count, strings } = span
  if (column.type === 'String') {
    const texts = span.values as readonly string[]
    for (let i = 0; i < count; i++) strings.putString(view, at + 12 * i, texts[row0 + i])
    return
  }
  const values = span.values as ArrayLike<number>
  const perRow = cellElements(column) * (column.type === 'Complex' ? 2 : 1)
  const from = row0 * perRow
  putNumbers(view, at, { type: column.type, values, from, count: count * perRow })
}

function putNumbers(
  view: DataView,
  at: number,
  run: { type: string; values: ArrayLike<number>; from: number; count: number },
): void {
  const { values, from, count } = run
  if (isStored(run.type, values)) {
    // Typed arrays of the machine are little-endian, as the file: their bytes are the cells.
    const bytes = values.subarray(from, from + count)
    new Uint8Array(view.buffer, view.byteOffset + at, bytes.byteLength).set(
      new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    )
    return
  }
  for (let i = 0; i < count; i++) {
    const value = values[from + i]
    if (run.type === 'double') view.setFloat64(at + 8 * i, value, true)
    else if (run.type === 'Int') view.setInt32(at + 4 * i, value, true)
    else if (run.type === 'Bool') {
      if (value !== 0) view.setUint8(at + (i >> 3), view.getUint8(at + (i >> 3)) | (1 << (i & 7)))
    } else view.setFloat32(at + 4 * i, value, true)
  }
}

function isStored(type: string, values: unknown): values is Float64Array | Float32Array | Int32Array {
  if (type === 'double') return values instanceof Float64Array
  if (type === 'Int') return values instanceof Int32Array
  return type !== 'Bool' && values instanceof Float32Array
}

function putIndirect(view: DataView, at: number, span: Span & { arrays: IndirectArrays }): void {
  const { column, row0, count, strings, arrays } = span
  const values = span.values as readonly (ArrayCell | undefined)[]
  for (let i = 0; i < count; i++) {
    const cell = values[row0 + i]
    if (cell === undefined) continue
    if (column.type === 'String') strings.putArray(view, at + 12 * i, cell.shape, cell.values as readonly string[])
    else view.setBigInt64(at + 8 * i, BigInt(arrays.put(column, cell)), true)
  }
}

/** The arrays of table.f0i, each as its number of axes, its shape and its values. */
class IndirectArrays {
  readonly #parts: { at: number; bytes: Uint8Array }[] = []
  #end = indirectHeaderBytes

  /** Stores an array and returns its offset in the file. */
  put(column: ColumnSpec, cell: ArrayCell): number {
    const values = cell.values as ArrayLike<number>
    const { bits } = cellTypes[column.type]
    const perElement = column.type === 'Complex' ? 2 : 1
    const dataBytes = Math.ceil((values.length * bits) / perElement / 8)
    const bytes = new Uint8Array(4 + 4 * cell.shape.length + dataBytes)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, cell.shape.length, true)
    cell.shape.forEach((length, axis) => view.setInt32(4 + 4 * axis, length, true))
    putNumbers(view, 4 + 4 * cell.shape.length, { type: column.type, values, from: 0, count: values.length })
    const at = Math.ceil(this.#end / arrayAlignment) * arrayAlignment
    this.#parts.push({ at, bytes })
    this.#end = at + bytes.length
    return at
  }

  finish(): Uint8Array {
    const file = new Uint8Array(this.#end)
    new DataView(file.buffer).setBigInt64(4, BigInt(this.#end), true)
    for (const { at, bytes } of this.#parts) file.set(bytes, at)
    return file
  }
}

/** Header, data buckets, string buckets and index buckets, in this order. */
function assemble(layout: BucketLayout, data: Uint8Array, strings: StringBuckets, index: Uint8Array): Uint8Array[] {
  const { bucketBytes } = layout
  const room = bucketBytes - indexLinkBytes
  const small = index.length <= Math.floor(room / 2)
  const indexBuckets = small ? 1 : Math.ceil(index.length / room)
  const firstIndexBucket = layout.dataBuckets + strings.buckets.length
  const buckets = firstIndexBucket + indexBuckets
  const header = {
    bucketBytes,
    buckets,
    indexBuckets,
    firstIndexBucket,
    indexOffset: small ? indexLinkBytes : 0,
    lastStringBucket: strings.buckets.length === 0 ? -1 : firstIndexBucket - 1,
    indexBytes: index.length,
  }
  const links = new Uint8Array(indexBuckets * bucketBytes)
  const view = new DataView(links.buffer)
  for (let i = 0; i < indexBuckets; i++) {
    const at = i * bucketBytes
    const next = i === indexBuckets - 1 ? -1 : firstIndexBucket + i + 1
    view.setInt32(at, next)
    view.setInt32(at + 4, next)
    links.set(index.subarray(i * room, (i + 1) * room), at + indexLinkBytes)
  }
  return [encodeHeader(header), data, ...strings.buckets, links]
}
