import type { ByteSource } from './byte-source.ts'
import { copyBox, padded4, strides4 } from './chunk-copy.ts'
import { readChunkIndex, type ChunkIndex } from './chunk-index.ts'
import { corrupt } from './file-format.ts'
import type { DatasetHeader } from './object-header.ts'

/** Chunks that lie side by side are read together up to this size: a buffer that fits the L2 cache. */
const READ_BYTES = 256 * 1024

/** Fills `out` with whole rows, counted along the first axis; a scalar is one row. */
export type RowReader = (row0: number, rows: number, out: Uint8Array) => void

/** Reads rows of a dataset at the addresses that its layout gives. A chunk index is read here, once, and checked. */
export function createRowReader(source: ByteSource, header: DatasetHeader): RowReader {
  const { layout, shape, type } = header
  const rowBytes = shape.slice(1).reduce((total, length) => total * length, type.bytes)
  const rowsInFile = shape[0] ?? 1
  const readAll = selectReader(source, header, rowBytes)
  return (row0, rows, out) => {
    if (row0 < 0 || rows < 0 || row0 + rows > rowsInFile)
      throw new RangeError(`rows ${row0} to ${row0 + rows} of ${rowsInFile}`)
    if (out.length < rows * rowBytes) throw new RangeError('the output array is too small')
    if (layout.kind !== 'chunked' && rowsInFile * rowBytes > layoutBytes(layout))
      throw corrupt(source.path, 'a dataset is smaller than its shape')
    if (rows > 0) readAll(row0, rows, out)
  }
}

function layoutBytes(layout: { kind: 'compact'; data: Buffer } | { kind: 'contiguous'; bytes: number }): number {
  return layout.kind === 'compact' ? layout.data.length : layout.bytes
}

function selectReader(source: ByteSource, header: DatasetHeader, rowBytes: number): RowReader {
  const { layout, shape, type } = header
  if (layout.kind === 'compact')
    return (row0, rows, out) => out.set(layout.data.subarray(row0 * rowBytes, (row0 + rows) * rowBytes))
  if (layout.kind === 'contiguous') {
    return (row0, rows, out) => {
      const target = out.subarray(0, rows * rowBytes)
      if (layout.address === undefined) target.fill(0)
      else source.readInto(target, layout.address + row0 * rowBytes)
    }
  }
  const index = readChunkIndex(source, layout.indexAddress, {
    shape,
    chunkShape: layout.chunkShape,
    elementBytes: type.bytes,
  })
  return createChunkReader(source, { shape, chunkShape: layout.chunkShape, elementBytes: type.bytes, index })
}

interface Chunked {
  shape: readonly number[]
  chunkShape: readonly number[]
  elementBytes: number
  index: ChunkIndex
}

/**
 * Reads all chunks that hold the same rows together where the buffer takes them, those that lie side by side in one go.
 * Rows of one value (flags, nsamples) are filled, others copied chunk by chunk.
 */
function createChunkReader(source: ByteSource, { shape, chunkShape, elementBytes, index }: Chunked): RowReader {
  const chunkBytes = chunkShape.reduce((total, length) => total * length, elementBytes)
  const rowBytes = shape.slice(1).reduce((total, length) => total * length, elementBytes)
  const columns = index.grid.slice(1).reduce((total, count) => total * count, 1)
  const buffer = new Uint8Array(Math.max(READ_BYTES, chunkBytes))
  const together = Math.min(columns, Math.floor(buffer.length / chunkBytes))
  const place = chunkPlacement(shape, chunkShape, elementBytes, index.grid)

  const load = (first: number, count: number): Uint8Array => {
    for (let done = 0; done < count;) {
      const address = index.addresses[first + done]
      let run = 1
      while (done + run < count && index.addresses[first + done + run] === address + run * chunkBytes) run++
      const target = buffer.subarray(done * chunkBytes, (done + run) * chunkBytes)
      if (Number.isNaN(address)) target.fill(0)
      else source.readInto(target, address)
      done += run
    }
    return buffer.subarray(0, count * chunkBytes)
  }

  return (row0, rows, out) => {
    const lastRow = Math.ceil((row0 + rows) / chunkShape[0])
    for (let chunkRow = Math.floor(row0 / chunkShape[0]); chunkRow < lastRow; chunkRow++) {
      for (let column = 0; column < columns; column += together) {
        const count = Math.min(together, columns - column)
        const loaded = load(chunkRow * columns + column, count)
        const from = Math.max(chunkRow * chunkShape[0], row0) - row0
        const to = Math.min((chunkRow + 1) * chunkShape[0], row0 + rows) - row0
        if (count === columns && fillUniform(loaded, out.subarray(from * rowBytes, to * rowBytes), elementBytes))
          continue
        for (let k = 0; k < count; k++) {
          const chunk = loaded.subarray(k * chunkBytes, (k + 1) * chunkBytes)
          place(chunk, chunkRow * columns + column + k, row0, rows, out)
        }
      }
    }
  }
}

/** Fills `target` when all elements of `source` are alike: all its bytes, or all its words where an element is one or more. */
function fillUniform(source: Uint8Array, target: Uint8Array, elementBytes: number): boolean {
  if (source.byteLength % 4 !== 0) return false
  const words = new Int32Array(source.buffer, source.byteOffset, source.byteLength >> 2)
  const [first] = words
  for (let index = 1; index < words.length; index++) if (words[index] !== first) return false
  const sameBytes = first === Math.imul(first & 0xff, 0x01010101)
  if (sameBytes) target.fill(first & 0xff)
  else if (elementBytes % 4 !== 0 || target.byteOffset % 4 !== 0) return false
  else new Int32Array(target.buffer, target.byteOffset, target.byteLength >> 2).fill(first)
  return true
}

type Placement = (chunk: Uint8Array, number: number, row0: number, rows: number, out: Uint8Array) => void

function chunkPlacement(
  shape: readonly number[],
  chunkShape: readonly number[],
  elementBytes: number,
  grid: readonly number[],
): Placement {
  const [, g1, g2, g3] = padded4(grid)
  const [, l1, l2, l3] = padded4(shape)
  const [c0, c1, c2, c3] = padded4(chunkShape)
  const sourceStride = strides4(chunkShape)
  const targetStride = strides4(shape)
  return (chunk, number, row0, rows, out) => {
    const o3 = (number % g3) * c3
    const o2 = (Math.floor(number / g3) % g2) * c2
    const o1 = (Math.floor(number / (g3 * g2)) % g1) * c1
    const o0 = Math.floor(number / (g3 * g2 * g1)) * c0
    const from = Math.max(o0, row0)
    const to = Math.min(o0 + c0, row0 + rows)
    copyBox(chunk, out, elementBytes, {
      count: [to - from, Math.min(c1, l1 - o1), Math.min(c2, l2 - o2), Math.min(c3, l3 - o3)],
      sourceStart: (from - o0) * sourceStride[0],
      sourceStride,
      targetStart: (from - row0) * targetStride[0] + o1 * targetStride[1] + o2 * targetStride[2] + o3,
      targetStride,
    })
  }
}
