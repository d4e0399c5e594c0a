import { readLength, type ByteSource } from './byte-source.ts'
import { MAX_CHUNKS } from './chunk-index.ts'
import { CHUNK_INDEX_K, chunkKeyBytes, chunkNodeBytes, corrupt } from './file-format.ts'

/** Chunks of a dataset, by their place along its first axis. */
interface ChunkRange {
  readonly grid: readonly number[]
  readonly chunkShape: readonly number[]
  readonly elementBytes: number
  /** First chunk along the first axis, and the one after the last. */
  readonly first: number
  readonly end: number
}

/** Nodes that a look-up may visit: hundreds of times those that hold one range of chunks. Ends hostile trees. */
const MAX_NODES = 4096

/**
 * Addresses of a range of chunks in C order of the grid, NaN where one was never written. Only those nodes of a version
 * 1 B-tree are read whose keys say that they hold some of the range, as libhdf5 does. What is wrong elsewhere in the
 * tree does not show; `readChunkIndex` reads and checks it whole.
 */
export function findChunks(source: ByteSource, rootAddress: number | undefined, range: ChunkRange): Float64Array {
  const { grid, chunkShape, elementBytes, first, end } = range
  const rank = grid.length
  const columns = grid.slice(1).reduce((total, count) => total * count, 1)
  const chunkBytes = chunkShape.reduce((total, length) => total * length, elementBytes)
  const chunks = (end - first) * columns
  if (!(chunks <= MAX_CHUNKS)) throw corrupt(source.path, `a dataset states ${chunks} chunks`)
  const addresses = new Float64Array(chunks).fill(Number.NaN)
  if (rootAddress === undefined) return addresses
  const keyBytes = chunkKeyBytes(rank)
  const nodeBytes = chunkNodeBytes(rank)
  let nodes = 0

  const leafEntry = (node: Buffer, key: number): void => {
    const chunkRow = readLength(node, key + 8) / chunkShape[0]
    if (chunkRow < first || chunkRow >= end) return
    let place = chunkRow - first
    for (let axis = 1; axis < rank; axis++) {
      const at = readLength(node, key + 8 + 8 * axis) / chunkShape[axis]
      if (at >= grid[axis]) return
      place = place * grid[axis] + at
    }
    const address = readLength(node, key + keyBytes)
    if (!Number.isInteger(place)) throw corrupt(source.path, 'a chunk lies beside the grid of chunks')
    if (node.readUInt32LE(key + 4) !== 0)
      throw corrupt(source.path, 'a chunk skips filters in a dataset without filters')
    if (node.readUInt32LE(key) !== chunkBytes)
      throw corrupt(source.path, `a chunk has ${node.readUInt32LE(key)} bytes instead of ${chunkBytes}`)
    if (address + chunkBytes > source.bytes)
      throw corrupt(source.path, `a chunk lies outside the file, at byte ${address}`)
    if (!Number.isNaN(addresses[place])) throw corrupt(source.path, 'a chunk is listed twice')
    addresses[place] = address
  }

  const visit = (address: number, parentLevel: number): void => {
    if (++nodes > MAX_NODES) throw corrupt(source.path, 'a chunk index has no order')
    if (address + 24 > source.bytes) throw corrupt(source.path, 'a chunk index node leaves the file')
    const node = source.read(address, Math.min(nodeBytes, source.bytes - address))
    if (node.toString('latin1', 0, 4) !== 'TREE' || node[4] !== 1)
      throw corrupt(source.path, `no chunk index node at byte ${address}`)
    const level = node[5]
    const entries = node.readUInt16LE(6)
    if (parentLevel >= 0 && level !== parentLevel - 1)
      throw corrupt(source.path, 'levels of a chunk index do not fall by one')
    if (entries > 2 * CHUNK_INDEX_K) throw corrupt(source.path, `a chunk index node states ${entries} entries`)
    if (24 + entries * (keyBytes + 8) > node.length) throw corrupt(source.path, 'a chunk index node leaves the file')
    for (let entry = 0, key = 24; entry < entries; entry++, key += keyBytes + 8) {
      if (level === 0) {
        leafEntry(node, key)
        continue
      }
      // A child holds chunks from its own key up to the key of the next child.
      const from = readLength(node, key + 8)
      const to = entry + 1 < entries ? readLength(node, key + keyBytes + 16) : Infinity
      if (from < end * chunkShape[0] && to >= first * chunkShape[0]) visit(readLength(node, key + keyBytes), level)
    }
  }

  visit(rootAddress, -1)
  return addresses
}
