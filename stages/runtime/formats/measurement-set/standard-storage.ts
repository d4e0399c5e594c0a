import { AipsReader, AipsWriter } from './aips-io.ts'
import { bitsPerRow, type ColumnSpec } from './column.ts'
import { TableFault } from './unreadable.ts'

/** Bytes before the first bucket of a StandardStMan file. */
export const headerBytes = 512

/** casacore refuses buckets below 128 bytes; its string buckets want room for more than one string. */
const minBucketBytes = 512

/** Rows of a bucket. casacore itself stays below 32 kB a bucket; larger ones read without complaint and are fewer. */
const maxBucketRows = 1024

/** Links in front of every index bucket. */
export const indexLinkBytes = 8

/** Where the cells of a StandardStMan file lie: rows in buckets, and inside a bucket one column after the other. */
export interface BucketLayout {
  bucketBytes: number
  rowsPerBucket: number
  dataBuckets: number
  /** Byte offset of each column inside a bucket. */
  columnOffsets: number[]
  columnBytes: number[]
}

export function bucketLayout(columns: readonly ColumnSpec[], rows: number): BucketLayout {
  const rowsPerBucket = Math.min(maxBucketRows, Math.max(rows, 1))
  const columnBytes = columns.map((column) => Math.ceil((rowsPerBucket * bitsPerRow(column)) / 8))
  const columnOffsets: number[] = []
  let used = 0
  for (const bytes of columnBytes) {
    columnOffsets.push(used)
    used += bytes
  }
  const bucketBytes = Math.max(used, minBucketBytes)
  return { bucketBytes, rowsPerBucket, dataBuckets: Math.ceil(rows / rowsPerBucket), columnOffsets, columnBytes }
}

/** The facts in the header of a StandardStMan file that are needed to find its buckets and its index. */
export interface StandardHeader {
  bucketBytes: number
  buckets: number
  indexBuckets: number
  firstIndexBucket: number
  /** Offset of an index that fits half a bucket, else 0: it then fills whole buckets. */
  indexOffset: number
  lastStringBucket: number
  indexBytes: number
}

export function encodeHeader(header: StandardHeader): Uint8Array {
  const out = new AipsWriter('little')
  out.object('StandardStMan', 3, () => {
    out.bool(false)
    out.uint(header.bucketBytes)
    out.uint(header.buckets)
    out.uint(2)
    out.uint(0)
    out.int(-1)
    out.uint(header.indexBuckets)
    out.int(header.firstIndexBucket)
    out.uint(header.indexOffset)
    out.int(header.lastStringBucket)
    out.uint(header.indexBytes)
    out.uint(1)
  })
  const bytes = new Uint8Array(headerBytes)
  bytes.set(out.finish())
  return bytes
}

export function decodeHeader(bytes: Uint8Array): StandardHeader {
  const from = new AipsReader(bytes.subarray(0, headerBytes), 'little')
  return from.object('StandardStMan', (version) => {
    if (version !== 3 || from.bool())
      throw new TableFault('StandardStMan file of a big-endian table: not written by contimg')
    const bucketBytes = from.uint()
    const buckets = from.uint()
    from.uint()
    from.uint()
    from.int()
    const indexBuckets = from.uint()
    const firstIndexBucket = from.int()
    const indexOffset = from.uint()
    const lastStringBucket = from.int()
    const indexBytes = from.uint()
    from.uint()
    return { bucketBytes, buckets, indexBuckets, firstIndexBucket, indexOffset, lastStringBucket, indexBytes }
  })
}

/** The index of a file whose data buckets are filled one after the other: last row and number of each bucket. */
export function encodeIndex(layout: BucketLayout, rows: number, columns: number): Uint8Array {
  const out = new AipsWriter('little')
  const numbers = Array.from({ length: layout.dataBuckets }, (_, bucket) => bucket)
  out.object('SSMIndex', 1, () => {
    out.uint(layout.dataBuckets)
    out.uint(layout.rowsPerBucket)
    out.int(columns)
    out.object('SimpleOrderedMap', 1, () => {
      out.int(0)
      out.uint(0)
      out.uint(1)
    })
    out.block(numbers.map((bucket) => Math.min((bucket + 1) * layout.rowsPerBucket, rows) - 1))
    out.block(numbers)
  })
  return out.finish()
}

export function decodeIndex(bytes: Uint8Array): { rowsPerBucket: number; lastRows: number[]; buckets: number[] } {
  const from = new AipsReader(bytes, 'little')
  return from.object('SSMIndex', () => {
    const used = from.uint()
    const rowsPerBucket = from.uint()
    from.int()
    from.object('SimpleOrderedMap', () => {
      from.int()
      const entries = from.uint()
      from.uint()
      for (let entry = 0; entry < entries; entry++) from.raw(8)
    })
    const lastRows = from.block().slice(0, used)
    const buckets = from.block().slice(0, used)
    return { rowsPerBucket, lastRows, buckets }
  })
}
