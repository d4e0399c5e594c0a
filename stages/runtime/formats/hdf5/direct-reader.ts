import { openByteSource, readLength, type ByteSource } from './byte-source.ts'
import { copyBox, MAX_RANK, padded4, strides4 } from './chunk-copy.ts'
import { readChunkIndex, type ChunkIndex } from './chunk-index.ts'
import type { Hdf5Dataset, Hdf5File } from './file.ts'
import {
  GROUP_INTERNAL_K,
  GROUP_LEAF_K,
  SIGNATURE,
  SUPERBLOCK_BYTES,
  SYMBOL_ENTRY_BYTES,
  UNDEFINED_ADDRESS,
  UnknownLayout,
  corrupt,
  notHdf5,
  truncated,
} from './file-format.ts'
import { readObjectHeader, type DatasetHeader, type GroupHeader } from './object-header.ts'

/** Chunks that lie side by side are read together up to this size: a buffer that fits the L2 cache. */
const READ_BYTES = 256 * 1024
/** Groups below groups: UVH5 has two levels; the limit ends cycles. */
const MAX_DEPTH = 16
const MAX_OBJECTS = 4096
const MAX_TEXT_BYTES = 1024 * 1024

/** Opens a file of the plain layout. @throws UnknownLayout when it is another one, StageError when it is corrupt */
export function openDirect(path: string): Hdf5File {
  const source = openByteSource(path)
  try {
    const root = readSuperblock(source)
    const datasets = new Map<string, DatasetHeader>()
    walkGroup(source, root, '', datasets, new Set())
    return directFile(source, datasets)
  } catch (error) {
    source.close()
    throw error
  }
}

function readSuperblock(source: ByteSource): GroupHeader {
  if (source.bytes < SIGNATURE.length || !source.read(0, SIGNATURE.length).equals(SIGNATURE)) {
    if (hasLaterSignature(source)) throw new UnknownLayout('user block')
    throw notHdf5(source.path)
  }
  if (source.bytes < SUPERBLOCK_BYTES) throw truncated(source.path, source.bytes, SUPERBLOCK_BYTES)
  const block = source.read(0, SUPERBLOCK_BYTES)
  if (block[8] !== 0) throw new UnknownLayout(`superblock version ${block[8]}`)
  const sizes = [block[13], block[14], block.readUInt16LE(16), block.readUInt16LE(18)]
  if (sizes.join() !== [8, 8, GROUP_LEAF_K, GROUP_INTERNAL_K].join()) throw new UnknownLayout('superblock with other sizes')
  if (readLength(block, 24) !== 0) throw new UnknownLayout('base address')
  const end = readLength(block, 40)
  if (end > source.bytes) throw truncated(source.path, source.bytes, end)
  const header = readObjectHeader(source, readLength(block, 64))
  if (!('treeAddress' in header)) throw corrupt(source.path, 'its root is not a group')
  return header
}

/** With a user block the signature stands at 512, 1024, 2048, ... */
function hasLaterSignature(source: ByteSource): boolean {
  for (let at = 512; at + SIGNATURE.length <= source.bytes; at *= 2) {
    if (source.read(at, SIGNATURE.length).equals(SIGNATURE)) return true
  }
  return false
}

function walkGroup(source: ByteSource, group: GroupHeader, path: string, datasets: Map<string, DatasetHeader>, seen: Set<number>): void {
  if (path.split('/').length > MAX_DEPTH) throw corrupt(source.path, 'groups are nested without end')
  const names = readLocalHeap(source, group.heapAddress)
  for (const entry of readSymbols(source, group.treeAddress, seen)) {
    const end = names.indexOf(0, entry.nameOffset)
    if (entry.nameOffset >= names.length || end < 0) throw corrupt(source.path, `a name in group ${path || '/'} leaves its heap`)
    const childPath = `${path}/${names.toString('utf8', entry.nameOffset, end)}`
    if (entry.cacheType === 2) throw new UnknownLayout('symbolic link')
    if (seen.size > MAX_OBJECTS) throw corrupt(source.path, 'it holds too many objects')
    const header = readObjectHeader(source, entry.headerAddress)
    if ('treeAddress' in header) walkGroup(source, header, childPath, datasets, seen)
    else datasets.set(childPath, header)
  }
}

function readLocalHeap(source: ByteSource, address: number): Buffer {
  const header = source.read(address, 32)
  if (header.toString('latin1', 0, 4) !== 'HEAP') throw corrupt(source.path, `no local heap at byte ${address}`)
  return source.read(readLength(header, 24), readLength(header, 8))
}

interface Symbol {
  nameOffset: number
  headerAddress: number
  cacheType: number
}

function readSymbols(source: ByteSource, address: number, seen: Set<number>): Symbol[] {
  if (seen.has(address)) throw corrupt(source.path, 'a group refers to itself')
  seen.add(address)
  const head = source.read(address, 24)
  const count = head.readUInt16LE(6)
  if (head.toString('latin1', 0, 4) === 'SNOD') return readSymbolNode(source, address, count)
  if (head.toString('latin1', 0, 4) !== 'TREE' || head[4] !== 0) throw corrupt(source.path, `no group index node at byte ${address}`)
  if (count > 2 * GROUP_INTERNAL_K) throw corrupt(source.path, `a group index node states ${count} entries`)
  const body = source.read(address + 24, 8 + 16 * count)
  return Array.from({ length: count }, (_, index) => readSymbols(source, readLength(body, 8 + 16 * index), seen)).flat()
}

function readSymbolNode(source: ByteSource, address: number, count: number): Symbol[] {
  if (count > 2 * GROUP_LEAF_K) throw corrupt(source.path, `a symbol table node states ${count} entries`)
  const body = source.read(address + 8, count * SYMBOL_ENTRY_BYTES)
  return Array.from({ length: count }, (_, index) => {
    const at = index * SYMBOL_ENTRY_BYTES
    return { nameOffset: readLength(body, at), headerAddress: readLength(body, at + 8), cacheType: body.readUInt32LE(at + 16) }
  })
}

function directFile(source: ByteSource, datasets: Map<string, DatasetHeader>): Hdf5File {
  const readers = new Map<string, RowReader>()
  const headerOf = (path: string): DatasetHeader => {
    const header = datasets.get(path)
    if (header === undefined) throw new RangeError(`${source.path} has no dataset ${path}`)
    return header
  }
  const readerOf = (path: string): RowReader => {
    const known = readers.get(path)
    if (known !== undefined) return known
    const reader = createRowReader(source, headerOf(path))
    readers.set(path, reader)
    return reader
  }
  return {
    path: source.path,
    bytes: source.bytes,
    method: 'direct',
    reason: undefined,
    paths: [...datasets.keys()].sort(),
    dataset: (path) => describe(path, datasets.get(path)),
    readRows: (path, row0, rows, out) => readerOf(path)(row0, rows, out),
    readStrings(path) {
      const { type, shape } = headerOf(path)
      const count = shape.reduce((total, length) => total * length, 1)
      if (!(count * type.bytes <= source.bytes)) throw corrupt(source.path, `${path} states ${count} strings`)
      const bytes = Buffer.alloc(count * type.bytes)
      readerOf(path)(0, shape[0] ?? 1, bytes)
      return Array.from({ length: count }, (_, index) => {
        const element = bytes.subarray(index * type.bytes, (index + 1) * type.bytes)
        return type.kind === 'text' ? readText(source, element) : trimmed(element)
      })
    },
    close: () => source.close(),
  }
}

function describe(path: string, header: DatasetHeader | undefined): Hdf5Dataset | undefined {
  if (header === undefined) return undefined
  const chunkShape = header.layout.kind === 'chunked' ? header.layout.chunkShape : undefined
  return { path, type: header.type, shape: header.shape, chunkShape, filters: [] }
}

type RowReader = (row0: number, rows: number, out: Uint8Array) => void

function createRowReader(source: ByteSource, header: DatasetHeader): RowReader {
  const { layout, shape, type } = header
  const rowBytes = shape.slice(1).reduce((total, length) => total * length, type.bytes)
  const rowsInFile = shape[0] ?? 1
  const readAll = selectReader(source, header, rowBytes)
  return (row0, rows, out) => {
    if (row0 < 0 || rows < 0 || row0 + rows > rowsInFile) throw new RangeError(`rows ${row0} to ${row0 + rows} of ${rowsInFile}`)
    if (out.length < rows * rowBytes) throw new RangeError('the output array is too small')
    if (layout.kind !== 'chunked' && rowsInFile * rowBytes > layoutBytes(layout)) throw corrupt(source.path, 'a dataset is smaller than its shape')
    if (rows > 0) readAll(row0, rows, out)
  }
}

function layoutBytes(layout: { kind: 'compact'; data: Buffer } | { kind: 'contiguous'; bytes: number }): number {
  return layout.kind === 'compact' ? layout.data.length : layout.bytes
}

function selectReader(source: ByteSource, header: DatasetHeader, rowBytes: number): RowReader {
  const { layout, shape, type } = header
  if (layout.kind === 'compact') return (row0, rows, out) => out.set(layout.data.subarray(row0 * rowBytes, (row0 + rows) * rowBytes))
  if (layout.kind === 'contiguous') {
    return (row0, rows, out) => {
      const target = out.subarray(0, rows * rowBytes)
      if (layout.address === undefined) target.fill(0)
      else source.readInto(target, layout.address + row0 * rowBytes)
    }
  }
  if (shape.length !== layout.chunkShape.length) throw corrupt(source.path, 'chunks and shape differ in their number of axes')
  if (shape.length > MAX_RANK) throw new UnknownLayout(`chunked dataset of ${shape.length} axes`)
  const index = readChunkIndex(source, layout.indexAddress, { shape, chunkShape: layout.chunkShape, elementBytes: type.bytes })
  return createChunkReader(source, { shape, chunkShape: layout.chunkShape, elementBytes: type.bytes, index })
}

interface Chunked {
  shape: readonly number[]
  chunkShape: readonly number[]
  elementBytes: number
  index: ChunkIndex
}

/** Reads runs of chunks that lie side by side in one go, then copies each chunk's part of the rows. */
function createChunkReader(source: ByteSource, { shape, chunkShape, elementBytes, index }: Chunked): RowReader {
  const chunkBytes = chunkShape.reduce((total, length) => total * length, elementBytes)
  const columns = index.grid.slice(1).reduce((total, count) => total * count, 1)
  const buffer = new Uint8Array(Math.max(READ_BYTES, chunkBytes))
  const perRead = Math.floor(buffer.length / chunkBytes)
  const place = chunkPlacement(shape, chunkShape, elementBytes, index.grid)

  return (row0, rows, out) => {
    const first = Math.floor(row0 / chunkShape[0]) * columns
    const last = Math.ceil((row0 + rows) / chunkShape[0]) * columns
    for (let chunk = first; chunk < last; ) {
      const address = index.addresses[chunk]
      let run = 1
      if (Number.isNaN(address)) buffer.fill(0, 0, chunkBytes)
      else {
        while (run < perRead && chunk + run < last && index.addresses[chunk + run] === address + run * chunkBytes) run++
        source.readInto(buffer.subarray(0, run * chunkBytes), address)
      }
      for (let k = 0; k < run; k++) place(buffer.subarray(k * chunkBytes, (k + 1) * chunkBytes), chunk + k, row0, rows, out)
      chunk += run
    }
  }
}

type Placement = (chunk: Uint8Array, number: number, row0: number, rows: number, out: Uint8Array) => void

function chunkPlacement(shape: readonly number[], chunkShape: readonly number[], elementBytes: number, grid: readonly number[]): Placement {
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

/** A fixed string ends at its first null (null-terminated and null-padded alike). */
function trimmed(element: Buffer): string {
  const end = element.indexOf(0)
  return element.toString('utf8', 0, end < 0 ? element.length : end)
}

/** A variable-length string: length, address of a global heap collection, index of the object in it. */
function readText(source: ByteSource, reference: Buffer): string {
  const length = reference.readUInt32LE(0)
  if (length === 0 || reference.readBigUInt64LE(4) === UNDEFINED_ADDRESS) return ''
  const address = readLength(reference, 4)
  const head = source.read(address, 16)
  const heapBytes = readLength(head, 8)
  if (head.toString('latin1', 0, 4) !== 'GCOL' || length > MAX_TEXT_BYTES) throw corrupt(source.path, 'a variable-length string points nowhere')
  const heap = source.read(address, heapBytes)
  const wanted = reference.readUInt32LE(12)
  for (let at = 16; at + 16 <= heap.length; ) {
    const index = heap.readUInt16LE(at)
    const bytes = readLength(heap, at + 8)
    if (index === wanted && length <= bytes && at + 16 + bytes <= heap.length) return heap.toString('utf8', at + 16, at + 16 + length)
    if (index === 0) break
    at += 16 + Math.ceil(bytes / 8) * 8
  }
  throw corrupt(source.path, 'a variable-length string points nowhere')
}
