import type { cellTypes } from './column.ts'
import { cellElements, type ArrayCell, type ColumnCells, type ColumnSpec } from './column.ts'
import { decodeHeader, decodeIndex, headerBytes, indexLinkBytes } from './standard-storage.ts'
import { readStringArrayCell, readStringCell } from './string-buckets.ts'

/** Decodes one column of a StandardStMan file: the inverse of `encodeStandard`. */
export interface StandardReader {
  column(spec: ColumnSpec, offset: number): ColumnCells
}

/** Opens the bytes of table.f0 and table.f0i of a table with `rows` rows. */
export function openStandard(file: Uint8Array, indirect: Uint8Array | undefined, rows: number): StandardReader {
  const header = decodeHeader(file)
  const bucket = (index: number): Uint8Array => {
    const at = headerBytes + index * header.bucketBytes
    if (index < 0 || at + header.bucketBytes > file.length) throw new Error(`bucket ${index} lies outside table.f0`)
    return file.subarray(at, at + header.bucketBytes)
  }
  const index = decodeIndex(indexBytes(header, bucket))
  return {
    column(spec, offset) {
      const out = emptyCells(spec, rows)
      let row0 = 0
      index.buckets.forEach((number, i) => {
        const count = index.lastRows[i] + 1 - row0
        const bytes = bucket(number)
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        readSpan(view, offset, { spec, out, row0, count, bucket, indirect })
        row0 += count
      })
      return out
    },
  }
}

function indexBytes(header: ReturnType<typeof decodeHeader>, bucket: (index: number) => Uint8Array): Uint8Array {
  const out = new Uint8Array(header.indexBytes)
  let number = header.firstIndexBucket
  let done = 0
  while (done < out.length) {
    const bytes = bucket(number)
    const start = Math.max(header.indexOffset, indexLinkBytes)
    const part = bytes.subarray(start, start + out.length - done)
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
  bucket: (index: number) => Uint8Array
  indirect: Uint8Array | undefined
}

function readSpan(view: DataView, at: number, span: ReadSpan): void {
  const { spec, row0, count, bucket } = span
  if (spec.storage === 'indirect') {
    const out = span.out as (ArrayCell | undefined)[]
    for (let i = 0; i < count; i++) {
      out[row0 + i] =
        spec.type === 'String' ? readStringArrayCell(view, at + 12 * i, bucket) : readArray(view, at + 8 * i, span)
    }
  } else if (spec.type === 'String') {
    const out = span.out as string[]
    for (let i = 0; i < count; i++) out[row0 + i] = readStringCell(view, at + 12 * i, bucket)
  } else {
    const perRow = cellElements(spec) * (spec.type === 'Complex' ? 2 : 1)
    readNumbers(view, at, { type: spec.type, out: span.out as Float64Array, to: row0 * perRow, count: count * perRow })
  }
}

function readArray(view: DataView, at: number, { spec, indirect }: ReadSpan): ArrayCell | undefined {
  const offset = Number(view.getBigInt64(at, true))
  if (offset === 0) return undefined
  if (indirect === undefined) throw new Error('table.f0i is missing')
  const file = new DataView(indirect.buffer, indirect.byteOffset, indirect.byteLength)
  const dimensions = file.getUint32(offset, true)
  const shape = Array.from({ length: dimensions }, (_, axis) => file.getInt32(offset + 4 + 4 * axis, true))
  const elements = shape.reduce((product, length) => product * length, 1)
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
    const cells = new Uint8Array(view.buffer, view.byteOffset + at, bytes)
    new Uint8Array(out.buffer, out.byteOffset + to * out.BYTES_PER_ELEMENT, bytes).set(cells)
    return
  }
  for (let i = 0; i < count; i++) out[to + i] = (view.getUint8(at + (i >> 3)) >> (i & 7)) & 1
}
