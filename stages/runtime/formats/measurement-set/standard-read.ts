import type { cellTypes } from './column.ts'
import { bitsPerRow, cellElements, type ArrayCell, type ColumnCells, type ColumnSpec } from './column.ts'
import { decodeHeader, decodeIndex, headerBytes, indexLinkBytes } from './standard-storage.ts'
import { readStringArrayCell, readStringCell, type Buckets } from './string-buckets.ts'
import { TableFault } from './unreadable.ts'

/** Decodes one column of a StandardStMan file: the inverse of `encodeStandard`. */
export interface StandardReader {
  column(spec: ColumnSpec, offset: number): ColumnCells
}

/** Opens the bytes of table.f0 and table.f0i of a table with `rows` rows. */
export function openStandard(file: Uint8Array, indirect: Uint8Array | undefined, rows: number): StandardReader {
  const header = decodeHeader(file)
  const buckets: Buckets = {
    bytes: file.length,
    get(index) {
      const at = headerBytes + index * header.bucketBytes
      if (index < 0 || at + header.bucketBytes > file.length)
        throw new TableFault(`bucket ${index} lies outside table.f0`)
      return file.subarray(at, at + header.bucketBytes)
    },
  }
  const index = decodeIndex(indexBytes(header, buckets))
  return {
    column(spec, offset) {
      // Every cell lies in the file: a claim of more rows or larger cells gets no memory.
      if (rows * bitsPerRow(spec) > 8 * file.length)
        throw new TableFault(`${rows} rows of ${spec.name} do not fit into table.f0`)
      const out = emptyCells(spec, rows)
      let row0 = 0
      index.buckets.forEach((number, i) => {
        const count = index.lastRows[i] + 1 - row0
        if (!(count >= 0 && row0 + count <= rows)) throw new TableFault(`the index of table.f0 leaves its ${rows} rows`)
        const bytes = buckets.get(number)
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        readSpan(view, offset, { spec, out, row0, count, buckets, indirect })
        row0 += count
      })
      if (row0 !== rows) throw new TableFault(`the index of table.f0 has ${row0} of ${rows} rows`)
      return out
    },
  }
}

function indexBytes(header: ReturnType<typeof decodeHeader>, buckets: Buckets): Uint8Array {
  if (header.indexBytes > buckets.bytes) throw new TableFault('the index of table.f0 is longer than the file')
  const out = new Uint8Array(header.indexBytes)
  let number = header.firstIndexBucket
  let done = 0
  while (done < out.length) {
    const bytes = buckets.get(number)
    const start = Math.max(header.indexOffset, indexLinkBytes)
    const part = bytes.subarray(start, start + out.length - done)
    if (part.length === 0) throw new TableFault(`the index of table.f0 leaves bucket ${number}`)
    out.set(part, done)
    done += part.length
    number = new DataView(bytes.buffer, bytes.byteOffset).getInt32(4)
  }
  return out
}

function emptyCells(spec: ColumnSpec, rows: number): ColumnCells {
  if (spec.storage === 'indirect') return Array.from<ArrayCell | undefined>({ length: rows })
  if (spec.type === 'String') return Array.from({ length: rows }, () => '')
  return newNumbers(spec, rows * cellElements(spec))
}

function newNumbers(spec: ColumnSpec, elements: number): Float64Array | Float32Array | Int32Array | Uint8Array {
  if (spec.type === 'double') return new Float64Array(elements)
  if (spec.type === 'Int') return new Int32Array(elements)
  if (spec.type === 'Bool') return new Uint8Array(elements)
  return new Float32Array(spec.type === 'Complex' ? 2 * elements : elements)
}

interface ReadSpan {
  spec: ColumnSpec
  out: ColumnCells
  row0: number
  count: number
  buckets: Buckets
  indirect: Uint8Array | undefined
}

function readSpan(view: DataView, at: number, span: ReadSpan): void {
  const { spec, row0, count, buckets } = span
  if (spec.storage === 'indirect') {
    const out = span.out as (ArrayCell | undefined)[]
    for (let i = 0; i < count; i++) {
      out[row0 + i] =
        spec.type === 'String' ? readStringArrayCell(view, at + 12 * i, buckets) : readArray(view, at + 8 * i, span)
    }
  } else if (spec.type === 'String') {
    const out = span.out as string[]
    for (let i = 0; i < count; i++) out[row0 + i] = readStringCell(view, at + 12 * i, buckets)
  } else {
    const perRow = cellElements(spec) * (spec.type === 'Complex' ? 2 : 1)
    readNumbers(view, at, { type: spec.type, out: span.out as Float64Array, to: row0 * perRow, count: count * perRow })
  }
}

function readArray(view: DataView, at: number, { spec, indirect }: ReadSpan): ArrayCell | undefined {
  // Nearly all cells are undefined: no need for a BigInt each.
  if (view.getUint32(at, true) === 0 && view.getUint32(at + 4, true) === 0) return undefined
  const offset = Number(view.getBigInt64(at, true))
  if (indirect === undefined) throw new TableFault('table.f0i is missing')
  const file = new DataView(indirect.buffer, indirect.byteOffset, indirect.byteLength)
  const dimensions = file.getUint32(offset, true)
  const shape = Array.from({ length: dimensions }, (_, axis) => file.getInt32(offset + 4 + 4 * axis, true))
  const elements = shape.reduce((product, length) => product * length, 1)
  if (!(elements >= 0 && elements <= 8 * indirect.length))
    throw new TableFault(`a cell of ${spec.name} has the shape ${shape.join(' x ')}`)
  const values = newNumbers(spec, elements)
  readNumbers(file, offset + 4 + 4 * dimensions, { type: spec.type, out: values, to: 0, count: values.length })
  return { shape, values }
}

function readNumbers(
  view: DataView,
  at: number,
  run: {
    type: keyof typeof cellTypes
    out: Float64Array | Float32Array | Int32Array | Uint8Array
    to: number
    count: number
  },
): void {
  const { out, to, count } = run
  if (run.type !== 'Bool') {
    // Cells are little-endian, as typed arrays of the machine.
    const bytes = count * out.BYTES_PER_ELEMENT
    if (!(at >= 0 && at + bytes <= view.byteLength)) throw new TableFault('cells lie outside of their bucket')
    const cells = new Uint8Array(view.buffer, view.byteOffset + at, bytes)
    new Uint8Array(out.buffer, out.byteOffset + to * out.BYTES_PER_ELEMENT, bytes).set(cells)
    return
  }
  for (let i = 0; i < count; i++) out[to + i] = (view.getUint8(at + (i >> 3)) >> (i & 7)) & 1
}
