import type { ByteSource } from './byte-source.ts'
import { readChunkIndex, type ChunkIndex } from './chunk-index.ts'
import { findChunks } from './chunk-lookup.ts'
import { corrupt } from './file-format.ts'
import type { DatasetHeader } from './object-header.ts'
import { unpackRows, type RowBand, type StoredRows } from './stored-rows.ts'

/** Chunks of the same rows are read whole while they hold no more than this; of larger ones only the rows asked for. */
const WHOLE_BYTES = 256 * 1024

/** Rows that go into an array of the caller are loaded in pieces of about this size. */
const PIECE_BYTES = 256 * 1024

/** Memory that stored rows are read into; it grows when it must. Files that are read in turn can share one. */
export interface RowScratch {
  bytes: Uint8Array
}

/** Reads rows of one dataset, counted along the first axis; a scalar is one row. */
export interface RowReader {
  /** Reads the chunk index, where there is one that was not read yet. */
  prepare(): void
  /** As they are stored, in `scratch`. */
  stored(row0: number, rows: number, scratch: RowScratch): StoredRows
  /** In C order into `out`. */
  read(row0: number, rows: number, out: Uint8Array): void
  /** The same, but of a chunk index that was not read yet only what leads to these rows is looked at. */
  peek(row0: number, rows: number, out: Uint8Array): void
}

/** Reads rows of a dataset at the addresses that its layout gives. A chunk index is read once, when rows are, and checked. */
export function createRowReader(source: ByteSource, header: DatasetHeader): RowReader {
  const { layout, shape, type } = header
  const rowBytes = shape.slice(1).reduce((total, length) => total * length, type.bytes)
  const rowsInFile = shape[0] ?? 1
  const check = (row0: number, rows: number): void => {
    if (row0 < 0 || rows < 0 || row0 + rows > rowsInFile)
      throw new RangeError(`rows ${row0} to ${row0 + rows} of ${rowsInFile}`)
    if (layout.kind !== 'chunked' && rowsInFile * rowBytes > layoutBytes(layout))
      throw corrupt(source.path, 'a dataset is smaller than its shape')
  }
  if (layout.kind === 'chunked') {
    const geometry = { shape, chunkShape: layout.chunkShape, elementBytes: type.bytes }
    let known: ChunkIndex | undefined
    const index = (): ChunkIndex => (known ??= readChunkIndex(source, layout.indexAddress, geometry))
    let loader: RowReader['stored'] | undefined
    const load: RowReader['stored'] = (...rows) =>
      (loader ??= chunkLoader(source, { ...geometry, index: index() }))(...rows)
    const [chunkRows] = layout.chunkShape
    // Chunks as wide as the dataset hold their rows in C order: those go straight to where they are wanted.
    const inOrder = shape.every((length, axis) => axis === 0 || length === layout.chunkShape[axis])
    const pieceRows = Math.max(1, Math.floor(PIECE_BYTES / (chunkRows * rowBytes))) * chunkRows
    const read = (row0: number, rows: number, out: Uint8Array): void => {
      check(row0, rows)
      checkTarget(out, rows * rowBytes)
      if (inOrder) return loadInOrder(source, index().addresses, { row0, rows, chunkRows, rowBytes }, out)
      const scratch = { bytes: new Uint8Array(0) }
      for (let row = row0; row < row0 + rows;) {
        // Pieces end on borders of chunks, so that none is read twice.
        const end = Math.min(row0 + rows, Math.floor(row / chunkRows) * chunkRows + pieceRows)
        unpackRows(load(row, end - row, scratch), type.bytes, out.subarray((row - row0) * rowBytes))
        row = end
      }
    }
    return {
      prepare: () => void index(),
      stored(row0, rows, scratch) {
        check(row0, rows)
        return load(row0, rows, scratch)
      },
      read,
      peek(row0, rows, out) {
        if (known !== undefined) return read(row0, rows, out)
        check(row0, rows)
        checkTarget(out, rows * rowBytes)
        if (rows === 0) return
        const first = Math.floor(row0 / chunkRows)
        const end = Math.ceil((row0 + rows) / chunkRows)
        const grid = shape.map((length, axis) => Math.ceil(length / layout.chunkShape[axis]))
        const addresses = findChunks(source, layout.indexAddress, { ...geometry, grid, first, end })
        const from = row0 - first * chunkRows
        if (inOrder) return loadInOrder(source, addresses, { row0: from, rows, chunkRows, rowBytes }, out)
        const loadFound = chunkLoader(source, { ...geometry, index: { grid, addresses } })
        unpackRows(loadFound(from, rows, { bytes: new Uint8Array(0) }), type.bytes, out)
      },
    }
  }
  const read = (row0: number, rows: number, out: Uint8Array): void => {
    check(row0, rows)
    checkTarget(out, rows * rowBytes)
    const target = out.subarray(0, rows * rowBytes)
    if (layout.kind === 'compact') target.set(layout.data.subarray(row0 * rowBytes, (row0 + rows) * rowBytes))
    else if (layout.address === undefined) target.fill(0)
    else source.readInto(target, layout.address + row0 * rowBytes)
  }
  return { prepare: () => undefined, read, peek: read, stored: cOrderRows(shape, rowBytes, read) }
}

interface RowRange {
  row0: number
  rows: number
  chunkRows: number
  rowBytes: number
}

/** Rows of a dataset whose grid of chunks has one column. @param addresses of the chunks, by their place in the grid */
function loadInOrder(
  source: ByteSource,
  addresses: Float64Array,
  { row0, rows, chunkRows, rowBytes }: RowRange,
  out: Uint8Array,
): void {
  const reads = createReadQueue(source)
  for (let row = row0; row < row0 + rows;) {
    const chunk = Math.floor(row / chunkRows)
    const end = Math.min(row0 + rows, (chunk + 1) * chunkRows)
    const at = (row - row0) * rowBytes
    const bytes = (end - row) * rowBytes
    // A chunk that was never written holds the fill value, zero.
    if (Number.isNaN(addresses[chunk])) out.fill(0, at, at + bytes)
    else reads.add(out, { at, bytes, address: addresses[chunk] + (row - chunk * chunkRows) * rowBytes })
    row = end
  }
  reads.flush(out)
}

/** Stored rows of a dataset that can only be read in C order. */
export function cOrderRows(
  shape: readonly number[],
  rowBytes: number,
  read: (row0: number, rows: number, out: Uint8Array) => void,
): RowReader['stored'] {
  return (row0, rows, scratch) => {
    const bytes = reserve(scratch, rows * rowBytes)
    read(row0, rows, bytes)
    return {
      bytes,
      shape: shape.slice(1),
      chunkShape: shape.slice(1),
      bands: [{ row: 0, rows, start: 0, chunkStride: 0 }],
      dense: true,
    }
  }
}

function reserve(scratch: RowScratch, bytes: number): Uint8Array {
  if (scratch.bytes.length < bytes) scratch.bytes = new Uint8Array(bytes)
  return scratch.bytes.subarray(0, bytes)
}

function checkTarget(out: Uint8Array, bytes: number): void {
  if (out.length < bytes) throw new RangeError('the output array is too small')
}

function layoutBytes(layout: { kind: 'compact'; data: Buffer } | { kind: 'contiguous'; bytes: number }): number {
  return layout.kind === 'compact' ? layout.data.length : layout.bytes
}

interface Chunked {
  shape: readonly number[]
  chunkShape: readonly number[]
  elementBytes: number
  index: ChunkIndex
}

/**
 * Loads all chunks that hold the rows asked for into one buffer, in C order of the grid. What lies side by side in the
 * file comes with one read: the telescope's writer appends integration after integration, so that is most of a block.
 */
function chunkLoader(source: ByteSource, { shape, chunkShape, elementBytes, index }: Chunked): RowReader['stored'] {
  const [chunkRows] = chunkShape
  const rowElements = chunkShape.slice(1).reduce((total, length) => total * length, 1)
  const columns = index.grid.slice(1).reduce((total, count) => total * count, 1)
  const unpadded = shape.every((length, axis) => axis === 0 || length % chunkShape[axis] === 0)
  const wholeChunks = chunkRows * rowElements * elementBytes * columns <= WHOLE_BYTES
  const reads = createReadQueue(source)

  return (row0, rows, scratch) => {
    const bands: RowBand[] = []
    let elements = 0
    let foreign = false
    const first = Math.floor(row0 / chunkRows)
    const end = Math.ceil((row0 + rows) / chunkRows)
    const spans: { chunkRow: number; skipped: number; loaded: number; start: number }[] = []
    for (let chunkRow = first; chunkRow < end; chunkRow++) {
      const from = Math.max(row0 - chunkRow * chunkRows, 0)
      const to = Math.min(row0 + rows - chunkRow * chunkRows, chunkRows)
      const whole = wholeChunks || (from === 0 && to === chunkRows)
      const skipped = whole ? 0 : from
      const loaded = whole ? chunkRows : to - from
      bands.push({
        row: chunkRow * chunkRows + from - row0,
        rows: to - from,
        start: elements + (from - skipped) * rowElements,
        chunkStride: loaded * rowElements,
      })
      foreign ||= loaded !== to - from
      spans.push({ chunkRow, skipped, loaded, start: elements })
      elements += loaded * rowElements * columns
    }
    const buffer = reserve(scratch, elements * elementBytes)
    for (const { chunkRow, skipped, loaded, start } of spans) {
      const bytes = loaded * rowElements * elementBytes
      for (let column = 0; column < columns; column++) {
        const at = start * elementBytes + column * bytes
        const address = index.addresses[chunkRow * columns + column]
        // A chunk that was never written holds the fill value, zero.
        if (Number.isNaN(address)) buffer.fill(0, at, at + bytes)
        else reads.add(buffer, { at, bytes, address: address + skipped * rowElements * elementBytes })
      }
    }
    reads.flush(buffer)
    return {
      bytes: buffer,
      shape: shape.slice(1),
      chunkShape: chunkShape.slice(1),
      bands,
      dense: unpadded && !foreign,
    }
  }
}

/** One read of a file: `bytes` from `address` to the place `at` of the buffer. */
interface FileRead {
  at: number
  bytes: number
  address: number
}

/** Joins reads that follow each other both in the file and in the buffer. */
function createReadQueue(source: ByteSource): {
  add(buffer: Uint8Array, next: FileRead): void
  flush(buffer: Uint8Array): void
} {
  let at = 0
  let bytes = 0
  let address = 0
  const flush = (buffer: Uint8Array): void => {
    if (bytes > 0) source.readInto(buffer.subarray(at, at + bytes), address)
    bytes = 0
  }
  return {
    flush,
    add(buffer, next) {
      if (next.at === at + bytes && next.address === address + bytes) {
        bytes += next.bytes
        return
      }
      flush(buffer)
      ;({ at, bytes, address } = next)
    },
  }
}
