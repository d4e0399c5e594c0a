import type { ByteSource } from './byte-source.ts'
import { CHUNK_INDEX_K, chunkKeyBytes, chunkNodeBytes, corrupt } from './file-format.ts'

/** Where each chunk of a dataset lies. */
export interface ChunkIndex {
  /** Chunks along each axis. */
  readonly grid: readonly number[]
  /** Address of each chunk in C order of the grid; NaN where it was never written. */
  readonly addresses: Float64Array
}

interface Geometry {
  readonly shape: readonly number[]
  readonly chunkShape: readonly number[]
  readonly elementBytes: number
}

/** Chunks a dataset may have: 64 times those of the largest dataset of a telescope's file. Bounds the index's memory. */
export const MAX_CHUNKS = 2 ** 21

/**
 * Reads a version 1 chunk B-tree whole. Refused as corrupt: nodes visited twice (cycles), levels that do not fall,
 * chunks outside the file or the grid, of another size, filtered, twice in the index, or overlapping each other.
 */
export function readChunkIndex(source: ByteSource, rootAddress: number | undefined, geometry: Geometry): ChunkIndex {
  const { shape, chunkShape, elementBytes } = geometry
  const grid = shape.map((length, axis) => Math.ceil(length / chunkShape[axis]))
  const chunks = grid.reduce((total, count) => total * count, 1)
  if (!(chunks <= MAX_CHUNKS)) throw corrupt(source.path, `a dataset states ${chunks} chunks`)
  const chunkBytes = chunkShape.reduce((total, length) => total * length, elementBytes)
  const addresses = new Float64Array(chunks).fill(Number.NaN)
  if (rootAddress === undefined) return { grid, addresses }

  const rank = shape.length
  const keyBytes = chunkKeyBytes(rank)
  const nodeBytes = chunkNodeBytes(rank)
  const visited = new Set<number>()
  // A telescope's file has 12,228 entries: read as words, they take half the time.
  const words = new Uint32Array(nodeBytes / 4)
  const node = Buffer.from(words.buffer)
  const lengthAt = (at: number): number => words[at >> 2] + words[(at >> 2) + 1] * 0x100000000
  let found = 0

  const position = (key: number): number => {
    let index = 0
    for (let axis = 0; axis < rank; axis++) {
      const offset = lengthAt(key + 8 + 8 * axis)
      const place = offset / chunkShape[axis]
      if (!Number.isInteger(place) || place >= grid[axis]) return -1
      index = index * grid[axis] + place
    }
    return index
  }

  const leaf = (entries: number): void => {
    for (let entry = 0, key = 24; entry < entries; entry++, key += keyBytes + 8) {
      const address = lengthAt(key + keyBytes)
      if (words[(key >> 2) + 1] !== 0) throw corrupt(source.path, 'a chunk skips filters in a dataset without filters')
      if (words[key >> 2] !== chunkBytes)
        throw corrupt(source.path, `a chunk has ${words[key >> 2]} bytes instead of ${chunkBytes}`)
      if (address + chunkBytes > source.bytes)
        throw corrupt(source.path, `a chunk lies outside the file, at byte ${address}`)
      const place = position(key)
      // A dataset that was made smaller keeps chunks beyond its shape.
      if (place < 0) continue
      if (!Number.isNaN(addresses[place])) throw corrupt(source.path, 'a chunk is listed twice')
      addresses[place] = address
      found += 1
    }
  }

  const visit = (address: number, parentLevel: number): void => {
    if (visited.has(address)) throw corrupt(source.path, 'a chunk index refers to itself')
    visited.add(address)
    if (address + 24 > source.bytes) throw corrupt(source.path, 'a chunk index node leaves the file')
    source.readInto(node.subarray(0, Math.min(nodeBytes, source.bytes - address)), address)
    if (node.toString('latin1', 0, 4) !== 'TREE' || node[4] !== 1)
      throw corrupt(source.path, `no chunk index node at byte ${address}`)
    const level = node[5]
    const entries = node.readUInt16LE(6)
    if (parentLevel >= 0 && level !== parentLevel - 1)
      throw corrupt(source.path, 'levels of a chunk index do not fall by one')
    if (entries > 2 * CHUNK_INDEX_K) throw corrupt(source.path, `a chunk index node states ${entries} entries`)
    if (address + 24 + entries * (keyBytes + 8) > source.bytes)
      throw corrupt(source.path, 'a chunk index node leaves the file')
    if (level === 0) {
      leaf(entries)
      return
    }
    const children = Array.from({ length: entries }, (_, entry) => lengthAt(24 + entry * (keyBytes + 8) + keyBytes))
    for (const child of children) visit(child, level)
  }

  visit(rootAddress, -1)
  checkOverlap(source.path, addresses, found, chunkBytes)
  return { grid, addresses }
}

function checkOverlap(path: string, addresses: Float64Array, found: number, chunkBytes: number): void {
  const whole = found === addresses.length
  const sorted = whole ? addresses.slice() : addresses.filter((address) => !Number.isNaN(address))
  // Chunks are nearly always in the order of the file, and sorting takes as long as all the rest.
  if (sorted.some((address, index) => index > 0 && address < sorted[index - 1])) sorted.sort()
  for (let index = 1; index < sorted.length; index++) {
    if (sorted[index] - sorted[index - 1] < chunkBytes)
      throw corrupt(path, `two chunks overlap at byte ${sorted[index]}`)
  }
}
