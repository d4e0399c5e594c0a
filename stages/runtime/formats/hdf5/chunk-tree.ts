import { CHUNK_INDEX_K, UNDEFINED_ADDRESS, chunkKeyBytes, chunkNodeBytes } from './file-format.ts'

/** Of a full node that splits at the right end of the tree libhdf5 leaves this many entries behind (split ratio 0.9). */
const ENTRIES_LEFT_AT_SPLIT = Math.floor(2 * CHUNK_INDEX_K * 0.9)

interface Entry {
  /** Chunk offset in elements, one number an axis. */
  readonly offset: readonly number[]
  readonly address: number
  /** As it is stored; of an inner node, that of its first chunk. */
  readonly bytes: number
  readonly child?: Node
}

interface Node {
  address: number
  level: number
  entries: Entry[]
  left: Node | undefined
  right: Node | undefined
}

/** A version 1 B-tree of chunks that only ever grows to the right, as when rows are appended. */
export interface ChunkTree {
  /** Address of the root: fixed once the tree exists. */
  readonly rootAddress: number
  append(offset: readonly number[], address: number, bytes: number): void
  /** Every node as bytes with its place in the file. */
  encode(): { address: number; bytes: Buffer }[]
}

/**
 * Builds the index as libhdf5 does: a full rightmost node splits 57 to 7, and the root keeps its address (its old
 * content moves). So nodes lie between the chunks where the telescope's files have them.
 */
export function createChunkTree(
  chunk: { shape: readonly number[]; elementBytes: number },
  allocate: (bytes: number) => number,
): ChunkTree {
  const rank = chunk.shape.length
  const nodeBytes = chunkNodeBytes(rank)
  const nodes: Node[] = []

  const createNode = (level: number): Node => {
    const node: Node = { address: allocate(nodeBytes), level, entries: [], left: undefined, right: undefined }
    nodes.push(node)
    return node
  }
  const root = createNode(0)

  /** Adds at the right end; the new right sibling when the node had to split. */
  const insert = (node: Node, entry: Entry): Node | undefined => {
    const last = node.entries.at(-1)
    const added = node.level === 0 || last?.child === undefined ? entry : entryOf(insert(last.child, entry))
    if (added === undefined) return undefined
    if (node.entries.length < 2 * CHUNK_INDEX_K) {
      node.entries.push(added)
      return undefined
    }
    const right = createNode(node.level)
    right.entries = [...node.entries.splice(ENTRIES_LEFT_AT_SPLIT), added]
    right.left = node
    node.right = right
    return right
  }

  return {
    rootAddress: root.address,
    append(offset, address, bytes) {
      const right = insert(root, { offset: [...offset], address, bytes })
      if (right === undefined) return
      const left = createNode(root.level)
      left.entries = root.entries
      left.right = right
      right.left = left
      root.level += 1
      root.right = undefined
      root.entries = [left, right].map((child) => entryOf(child))
    },
    encode: () => nodes.map((node) => ({ address: node.address, bytes: encodeNode(node, chunk, nodeBytes) })),
  }
}

function entryOf(node: Node): Entry
function entryOf(node: Node | undefined): Entry | undefined
function entryOf(node: Node | undefined): Entry | undefined {
  return node === undefined
    ? undefined
    : { offset: node.entries[0].offset, address: node.address, bytes: node.entries[0].bytes, child: node }
}

function encodeNode(node: Node, chunk: { shape: readonly number[]; elementBytes: number }, nodeBytes: number): Buffer {
  const out = Buffer.alloc(nodeBytes)
  const rank = chunk.shape.length
  const keyBytes = chunkKeyBytes(rank)
  out.write('TREE', 'latin1')
  out[4] = 1
  out[5] = node.level
  out.writeUInt16LE(node.entries.length, 6)
  out.writeBigUInt64LE(addressOf(node.left), 8)
  out.writeBigUInt64LE(addressOf(node.right), 16)
  const writeKey = (at: number, bytes: number, offset: readonly number[], lastAxis: number): void => {
    out.writeUInt32LE(bytes, at)
    offset.forEach((value, axis) => out.writeBigUInt64LE(BigInt(value), at + 8 + 8 * axis))
    out.writeBigUInt64LE(BigInt(lastAxis), at + 8 + 8 * rank)
  }
  node.entries.forEach((entry, index) => {
    const at = 24 + index * (keyBytes + 8)
    writeKey(at, entry.bytes, entry.offset, 0)
    out.writeBigUInt64LE(BigInt(entry.address), at + keyBytes)
  })
  const end = 24 + node.entries.length * (keyBytes + 8)
  const next = node.right?.entries[0]
  if (next !== undefined) writeKey(end, next.bytes, next.offset, 0)
  else
    writeKey(
      end,
      0,
      lastOffset(node).map((value, axis) => (axis === 0 ? value : Math.max(value, chunk.shape[axis]))),
      chunk.elementBytes,
    )
  return out
}

function addressOf(node: Node | undefined): bigint {
  return node === undefined ? UNDEFINED_ADDRESS : BigInt(node.address)
}

/** Offset of the last chunk below a node. */
function lastOffset(node: Node): readonly number[] {
  const last = node.entries.at(-1)
  if (last === undefined) return []
  return last.child === undefined ? last.offset : lastOffset(last.child)
}
