import { readLength, type ByteSource } from './byte-source.ts'
import { MAX_RANK } from './chunk-copy.ts'
import { MAX_CHUNKS } from './chunk-index.ts'
import {
  GROUP_INTERNAL_K,
  GROUP_LEAF_K,
  SIGNATURE,
  SUPERBLOCK_BYTES,
  SYMBOL_ENTRY_BYTES,
  UnknownLayout,
  corrupt,
  notHdf5,
  truncated,
} from './file-format.ts'
import { readObjectHeader, type DatasetHeader, type GroupHeader } from './object-header.ts'

/** Groups below groups: UVH5 has two levels; the limit ends cycles. */
const MAX_DEPTH = 16
const MAX_OBJECTS = 4096

/** The headers of all datasets of a file of the plain layout, by absolute path. */
export function readDatasetHeaders(source: ByteSource): Map<string, DatasetHeader> {
  const datasets = new Map<string, DatasetHeader>()
  walkGroup(source, readSuperblock(source), '', datasets, new Set())
  return datasets
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
  if (sizes.join() !== [8, 8, GROUP_LEAF_K, GROUP_INTERNAL_K].join())
    throw new UnknownLayout('superblock with other sizes')
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

function walkGroup(
  source: ByteSource,
  group: GroupHeader,
  path: string,
  datasets: Map<string, DatasetHeader>,
  seen: Set<number>,
): void {
  if (path.split('/').length > MAX_DEPTH) throw corrupt(source.path, 'groups are nested without end')
  const names = readLocalHeap(source, group.heapAddress)
  for (const entry of readSymbols(source, group.treeAddress, seen)) {
    const end = names.indexOf(0, entry.nameOffset)
    if (entry.nameOffset >= names.length || end < 0)
      throw corrupt(source.path, `a name in group ${path || '/'} leaves its heap`)
    const childPath = `${path}/${names.toString('utf8', entry.nameOffset, end)}`
    if (entry.cacheType === 2) throw new UnknownLayout('symbolic link')
    if (seen.size > MAX_OBJECTS) throw corrupt(source.path, 'it holds too many objects')
    const header = readObjectHeader(source, entry.headerAddress)
    if ('treeAddress' in header) walkGroup(source, header, childPath, datasets, seen)
    else {
      checkLayout(header, `${source.path}: ${childPath}`)
      datasets.set(childPath, header)
    }
  }
}

/** What the object header alone can tell to be wrong or unknown: nothing of it may surface later. */
function checkLayout({ shape, type, layout }: DatasetHeader, where: string): void {
  if (!shape.every((length) => length <= Number.MAX_SAFE_INTEGER)) throw corrupt(where, 'its shape exceeds any file')
  if (layout.kind !== 'chunked') return
  if (shape.length > MAX_RANK) throw new UnknownLayout(`chunked dataset of ${shape.length} axes`)
  if (shape.length !== layout.chunkShape.length)
    throw corrupt(where, 'its chunks and its shape differ in their number of axes')
  if (layout.elementBytes !== type.bytes)
    throw corrupt(where, `its chunks hold elements of ${layout.elementBytes} bytes, its type has ${type.bytes}`)
  // An axis of length 0 makes the whole empty, and must not hide how long the others are.
  const chunks = shape.reduce(
    (total, length, axis) => total * Math.max(1, Math.ceil(length / layout.chunkShape[axis])),
    1,
  )
  if (!(chunks <= MAX_CHUNKS)) throw corrupt(where, `it states ${chunks} chunks`)
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
  if (head.toString('latin1', 0, 4) !== 'TREE' || head[4] !== 0)
    throw corrupt(source.path, `no group index node at byte ${address}`)
  if (count > 2 * GROUP_INTERNAL_K) throw corrupt(source.path, `a group index node states ${count} entries`)
  const body = source.read(address + 24, 8 + 16 * count)
  return Array.from({ length: count }, (_, index) => readSymbols(source, readLength(body, 8 + 16 * index), seen)).flat()
}

function readSymbolNode(source: ByteSource, address: number, count: number): Symbol[] {
  if (count > 2 * GROUP_LEAF_K) throw corrupt(source.path, `a symbol table node states ${count} entries`)
  const body = source.read(address + 8, count * SYMBOL_ENTRY_BYTES)
  return Array.from({ length: count }, (_, index) => {
    const at = index * SYMBOL_ENTRY_BYTES
    return {
      nameOffset: readLength(body, at),
      headerAddress: readLength(body, at + 8),
      cacheType: body.readUInt32LE(at + 16),
    }
  })
}
