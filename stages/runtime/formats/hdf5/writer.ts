import { closeSync, openSync, writeSync } from 'node:fs'
import { copyBox, padded4, strides4 } from './chunk-copy.ts'
import { encodeChunk } from './chunk-filter.ts'
import { createChunkTree, type ChunkTree } from './chunk-tree.ts'
import { drawTree, type Group, type RowDataset, type RowState } from './tree-image.ts'

/** Chunks that lie side by side are written together, at most this many bytes at once. */
const STAGING_BYTES = 1024 * 1024

/** Writes a superblock-0 HDF5 file whose row datasets grow block by block. */
export interface Hdf5Writer {
  /** Appends whole rows (C order) to a row dataset, named by its absolute path. */
  append(path: string, rows: ArrayBufferView): void
  /** Writes the indices and the head; the file is readable from here on. The tree holds final scalars if it changed. */
  close(finalTree?: Group): void
  /** Closes the descriptor and leaves an unreadable file behind. */
  abandon(): void
}

/**
 * Creates the file at once, with bounded memory: one chunk row of each dataset and the staging buffer. Chunks of
 * different datasets interleave in the order of the appends, exactly as with libhdf5 and one write per integration.
 * Synchronous, so that a worker can own several. Throws what the file system throws.
 */
export function createHdf5Writer(path: string, tree: Group): Hdf5Writer {
  const descriptor = openSync(path, 'w')
  const output = createStaging(descriptor)
  const none: RowState = { rows: 0, address: undefined }
  output.put(drawTree(tree, () => none, 0))
  const appenders = new Map<string, RowAppender>()
  for (const [datasetPath, dataset] of rowDatasets(tree, ''))
    appenders.set(
      datasetPath,
      dataset.contiguousRows === undefined
        ? createAppender(dataset, output)
        : createFiller(dataset, output, dataset.contiguousRows),
    )
  const appenderOf = (datasetPath: string): RowAppender => {
    const appender = appenders.get(datasetPath)
    if (appender === undefined) throw new RangeError(`${datasetPath} is not a row dataset of ${path}`)
    return appender
  }

  return {
    append: (datasetPath, rows) =>
      appenderOf(datasetPath).append(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength)),
    close(finalTree = tree) {
      for (const appender of appenders.values()) appender.finish()
      output.flush()
      for (const appender of appenders.values()) {
        for (const node of appender.encodeIndex()) output.putAt(node.address, node.bytes)
      }
      output.putAt(
        0,
        drawTree(finalTree, (datasetPath) => appenderOf(datasetPath).state(), output.end()),
      )
      closeSync(descriptor)
    },
    abandon: () => closeSync(descriptor),
  }
}

function* rowDatasets(group: Group, path: string): Generator<[string, RowDataset]> {
  for (const [name, child] of Object.entries(group.children)) {
    if (child.kind === 'group') yield* rowDatasets(child, `${path}/${name}`)
    else if (child.kind === 'rows') yield [`${path}/${name}`, child]
  }
}

interface Staging {
  /** Appends at the end of the file; returns the address. */
  put(bytes: Uint8Array): number
  /** Leaves zeros at the end of the file, to be filled by `putAt`. */
  reserve(bytes: number): number
  putAt(address: number, bytes: Uint8Array): void
  flush(): void
  end(): number
}

function createStaging(descriptor: number): Staging {
  const buffer = Buffer.alloc(STAGING_BYTES)
  let used = 0
  let flushed = 0
  const flush = (): void => {
    writeFully(descriptor, buffer.subarray(0, used), flushed)
    flushed += used
    used = 0
  }
  const room = (bytes: number): number => {
    if (used + bytes > STAGING_BYTES) flush()
    return flushed + used
  }
  return {
    put(bytes) {
      const address = room(bytes.length)
      if (bytes.length > STAGING_BYTES) {
        writeFully(descriptor, bytes, address)
        flushed += bytes.length
      } else {
        buffer.set(bytes, used)
        used += bytes.length
      }
      return address
    },
    reserve(bytes) {
      const address = room(Math.min(bytes, STAGING_BYTES))
      for (let left = bytes; left > 0;) {
        if (used === STAGING_BYTES) flush()
        const part = Math.min(left, STAGING_BYTES - used)
        buffer.fill(0, used, used + part)
        used += part
        left -= part
      }
      return address
    },
    putAt(address, bytes) {
      // What begins in the file and ends in the buffer is in both before it is written.
      if (address < flushed && address + bytes.length > flushed) flush()
      if (address >= flushed) buffer.set(bytes, address - flushed)
      else writeFully(descriptor, bytes, address)
    },
    flush,
    end: () => flushed + used,
  }
}

function writeFully(descriptor: number, bytes: Uint8Array, address: number): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(descriptor, bytes, done, bytes.length - done, address + done)
}

interface RowAppender {
  append(rows: Uint8Array): void
  /** Puts out what is still held back. */
  finish(): void
  state(): RowState
  encodeIndex(): { address: number; bytes: Buffer }[]
}

/** One row dataset: fills its current row of chunks, which may have been written in part by the append before. */
function createAppender(dataset: RowDataset, output: Staging): RowAppender {
  const { type, rowShape, chunkShape, filter } = dataset
  const rowElements = rowShape.reduce((total, length) => total * length, 1)
  const chunkElements = chunkShape.reduce((total, length) => total * length, 1)
  const grid = rowShape.map((length, axis) => Math.ceil(length / chunkShape[axis + 1]))
  const columns = gridOffsets(grid, chunkShape.slice(1))
  const chunks = columns.map(() => new Uint8Array(chunkElements * type.bytes))
  const addresses: number[] = []
  let tree: ChunkTree | undefined
  let rows = 0

  const fill = (block: Uint8Array, blockRow: number, chunkRow: number, count: number): void => {
    columns.forEach((offset, column) => {
      const size = padded4([
        count,
        ...rowShape.map((length, axis) => Math.min(chunkShape[axis + 1], length - offset[axis])),
      ])
      const inRow = offset.reduce((total, value, axis) => total * rowShape[axis] + value, 0)
      copyBox(block, chunks[column], type.bytes, {
        count: size,
        sourceStart: blockRow * rowElements + inRow,
        sourceStride: strides4([1, ...rowShape]),
        targetStart: (chunkRow * chunkElements) / chunkShape[0],
        targetStride: strides4(chunkShape),
      })
    })
  }

  const write = (firstRow: number): void => {
    columns.forEach((offset, column) => {
      const known = addresses[column]
      if (known !== undefined) {
        output.putAt(known, chunks[column])
        return
      }
      const stored = filter === undefined ? chunks[column] : encodeChunk(filter, chunks[column], type.bytes)
      addresses[column] = output.put(stored)
      tree ??= createChunkTree({ shape: chunkShape, elementBytes: type.bytes }, (bytes) => output.reserve(bytes))
      tree.append([firstRow, ...offset], addresses[column], stored.length)
    })
  }
  // A compressed chunk has no fixed size, so it is written once: when it is full, or at the end.
  const held = filter !== undefined

  return {
    append(block) {
      const count = block.length / (rowElements * type.bytes)
      if (!Number.isInteger(count)) throw new RangeError('an append must hold whole rows')
      for (let done = 0; done < count;) {
        const chunkRow = rows % chunkShape[0]
        const taken = Math.min(chunkShape[0] - chunkRow, count - done)
        if (chunkRow === 0) for (const chunk of chunks) chunk.fill(0)
        fill(block, done, chunkRow, taken)
        if (!held || chunkRow + taken === chunkShape[0]) write(rows - chunkRow)
        if (chunkRow + taken === chunkShape[0]) addresses.length = 0
        rows += taken
        done += taken
      }
    },
    finish() {
      const chunkRow = rows % chunkShape[0]
      if (held && chunkRow > 0) write(rows - chunkRow)
    },
    state: () => ({ rows, address: tree?.rootAddress }),
    encodeIndex: () => tree?.encode() ?? [],
  }
}

/** A row dataset in one piece: its place is kept free from the beginning. */
function createFiller({ type, rowShape }: RowDataset, output: Staging, wanted: number): RowAppender {
  const rowBytes = rowShape.reduce((total, length) => total * length, type.bytes)
  const address = output.reserve(wanted * rowBytes)
  let rows = 0
  return {
    append(block) {
      const count = block.length / rowBytes
      if (!Number.isInteger(count) || rows + count > wanted) throw new RangeError('an append must hold whole rows')
      output.putAt(address + rows * rowBytes, block)
      rows += count
    },
    finish: () => undefined,
    state: () => ({ rows, address }),
    encodeIndex: () => [],
  }
}

/** Offsets of all chunks of one chunk row, in C order. */
function gridOffsets(grid: readonly number[], chunk: readonly number[]): number[][] {
  return grid.reduce<number[][]>(
    (offsets, count, axis) =>
      offsets.flatMap((offset) => Array.from({ length: count }, (_, index) => [...offset, index * chunk[axis]])),
    [[]],
  )
}
