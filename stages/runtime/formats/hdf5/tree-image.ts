import type { ChunkFilter, FilterSpec } from './chunk-filter.ts'
import { filterSpec } from './chunk-filter.ts'
import type { ElementType } from './element-type.ts'
import { encodeType, text } from './element-type.ts'
import {
  GLOBAL_HEAP_BYTES,
  GROUP_INTERNAL_K,
  GROUP_LEAF_K,
  GROUP_TREE_BYTES,
  SIGNATURE,
  SUPERBLOCK_BYTES,
  SYMBOL_ENTRY_BYTES,
  SYMBOL_NODE_BYTES,
  UNDEFINED_ADDRESS,
  message,
  paddedTo8,
} from './file-format.ts'

/** A dataset written once, contiguous; `data` holds all its elements. */
export interface FixedDataset {
  readonly kind: 'fixed'
  readonly type: ElementType
  /** Empty for a scalar. */
  readonly shape: readonly number[]
  readonly data: Uint8Array
}

/** A scalar variable-length UTF-8 string, kept in the global heap. */
interface TextDataset {
  readonly kind: 'text'
  readonly value: string
}

/** Variable-length UTF-8 strings, kept in the global heap. */
interface TextsDataset {
  readonly kind: 'texts'
  readonly values: readonly string[]
}

/** A dataset that starts with no rows, is chunked, and grows along its first axis. */
export interface RowDataset {
  readonly kind: 'rows'
  readonly type: ElementType
  /** Shape of one row (the axes after the first). */
  readonly rowShape: readonly number[]
  readonly chunkShape: readonly number[]
  /** How chunks are compressed; not at all unless given. */
  readonly filter?: ChunkFilter | undefined
  /** Rows that it will have: it then lies in one piece, uncompressed, and cannot grow. */
  readonly contiguousRows?: number | undefined
}

export interface Group {
  readonly kind: 'group'
  readonly children: Readonly<Record<string, Group | FixedDataset | TextDataset | TextsDataset | RowDataset>>
}

/** What the image needs to know of a row dataset at the time it is drawn. */
export interface RowState {
  readonly rows: number
  /** Of the chunk index, or of the data where they lie in one piece. */
  readonly address: number | undefined
}

const EMPTY_HEAP_NAME_BYTES = 8
/** A local heap whose free list is empty (libhdf5's H5HL_FREE_NULL). */
const NO_FREE_BLOCK = 1n
const DATASET_HEADER_MESSAGES_BYTES = 256

/**
 * Draws the head of a superblock-0 file: superblock, groups, dataset headers, contiguous data and the global heap. Its
 * length depends only on the tree, so it is drawn first to know where chunks may start, and again when rows are known.
 */
export function drawTree(root: Group, rowState: (path: string) => RowState, endOfFile: number): Buffer {
  const pieces: { address: number; bytes: Buffer }[] = []
  let end = SUPERBLOCK_BYTES
  const allocate = (bytes: number): number => {
    const address = end
    end += bytes
    return address
  }
  const place = (bytes: Buffer): number => {
    const address = allocate(bytes.length)
    pieces.push({ address, bytes })
    return address
  }
  const texts: { value: string; index: number }[] = []
  const heapBytes = globalHeapBytes(root)
  const heapAddress = allocate(heapBytes)

  const drawGroup = (group: Group, path: string): { header: number; tree: number; heap: number } => {
    const names = Object.keys(group.children).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    const { segment, offsets } = localHeap(names)
    const header = allocate(16 + 8 + 16)
    const tree = allocate(GROUP_TREE_BYTES)
    const heap = place(heapHeader(segment.length, end + 32))
    place(segment)
    pieces.push({ address: header, bytes: objectHeader([[message.symbolTable, 0, addresses(tree, heap)]], 24) })
    const entries = names.map((name, index) => drawEntry(group.children[name], `${path}/${name}`, offsets[index]))
    const perNode = 2 * GROUP_LEAF_K
    const nodes = Array.from({ length: Math.ceil(entries.length / perNode) }, (_, index) => {
      const last = Math.min((index + 1) * perNode, entries.length) - 1
      return { address: place(symbolNode(entries.slice(index * perNode, last + 1))), key: offsets[last] }
    })
    pieces.push({ address: tree, bytes: groupTree(nodes, path) })
    return { header, tree, heap }
  }

  const drawEntry = (child: Group['children'][string], path: string, nameOffset: number): Buffer => {
    if (child.kind !== 'group') return symbolEntry(nameOffset, drawDataset(child, path))
    const group = drawGroup(child, path)
    return symbolEntry(nameOffset, group.header, group)
  }

  const drawDataset = (dataset: FixedDataset | TextDataset | TextsDataset | RowDataset, path: string): number => {
    if (dataset.kind === 'rows') return place(rowHeader(dataset, rowState(path)))
    if (dataset.kind === 'fixed')
      return place(fixedHeader(dataset.type, dataset.shape, place(Buffer.from(dataset.data)), dataset.data.length))
    const values = dataset.kind === 'text' ? [dataset.value] : dataset.values
    const references = Buffer.alloc(text.bytes * values.length)
    values.forEach((value, index) => {
      texts.push({ value, index: texts.length + 1 })
      references.writeUInt32LE(Buffer.byteLength(value), text.bytes * index)
      references.writeBigUInt64LE(BigInt(heapAddress), text.bytes * index + 4)
      references.writeUInt32LE(texts.length, text.bytes * index + 12)
    })
    return place(
      fixedHeader(text, dataset.kind === 'text' ? [] : [values.length], place(references), references.length),
    )
  }

  const top = drawGroup(root, '')
  pieces.push({ address: heapAddress, bytes: globalHeap(texts, heapBytes) })
  pieces.push({ address: 0, bytes: superblock(endOfFile, top) })
  const image = Buffer.alloc(paddedTo8(end))
  for (const piece of pieces) piece.bytes.copy(image, piece.address)
  return image
}

function superblock(endOfFile: number, root: { header: number; tree: number; heap: number }): Buffer {
  const out = Buffer.alloc(SUPERBLOCK_BYTES)
  SIGNATURE.copy(out)
  out[13] = 8
  out[14] = 8
  out.writeUInt16LE(GROUP_LEAF_K, 16)
  out.writeUInt16LE(GROUP_INTERNAL_K, 18)
  out.writeBigUInt64LE(UNDEFINED_ADDRESS, 32)
  out.writeBigUInt64LE(BigInt(endOfFile), 40)
  out.writeBigUInt64LE(UNDEFINED_ADDRESS, 48)
  symbolEntry(0, root.header, root).copy(out, 56)
  return out
}

function symbolEntry(nameOffset: number, header: number, group?: { tree: number; heap: number }): Buffer {
  const out = Buffer.alloc(SYMBOL_ENTRY_BYTES)
  out.writeBigUInt64LE(BigInt(nameOffset), 0)
  out.writeBigUInt64LE(BigInt(header), 8)
  if (group === undefined) return out
  out.writeUInt32LE(1, 16)
  addresses(group.tree, group.heap).copy(out, 24)
  return out
}

function localHeap(names: readonly string[]): { segment: Buffer; offsets: number[] } {
  const offsets: number[] = []
  let bytes = EMPTY_HEAP_NAME_BYTES
  for (const name of names) {
    offsets.push(bytes)
    bytes += paddedTo8(name.length + 1)
  }
  const segment = Buffer.alloc(bytes)
  names.forEach((name, index) => segment.write(name, offsets[index], 'latin1'))
  return { segment, offsets }
}

function heapHeader(segmentBytes: number, segmentAddress: number): Buffer {
  const out = Buffer.alloc(32)
  out.write('HEAP', 'latin1')
  out.writeBigUInt64LE(BigInt(segmentBytes), 8)
  out.writeBigUInt64LE(NO_FREE_BLOCK, 16)
  out.writeBigUInt64LE(BigInt(segmentAddress), 24)
  return out
}

function symbolNode(entries: readonly Buffer[]): Buffer {
  const out = Buffer.alloc(SYMBOL_NODE_BYTES)
  out.write('SNOD', 'latin1')
  out[4] = 1
  out.writeUInt16LE(entries.length, 6)
  entries.forEach((entry, index) => entry.copy(out, 8 + index * SYMBOL_ENTRY_BYTES))
  return out
}

function groupTree(nodes: readonly { address: number; key: number }[], path: string): Buffer {
  if (nodes.length > 2 * GROUP_INTERNAL_K)
    throw new RangeError(`group ${path || '/'} has too many members for one index node`)
  const out = Buffer.alloc(GROUP_TREE_BYTES)
  out.write('TREE', 'latin1')
  out.writeUInt16LE(nodes.length, 6)
  out.writeBigUInt64LE(UNDEFINED_ADDRESS, 8)
  out.writeBigUInt64LE(UNDEFINED_ADDRESS, 16)
  nodes.forEach((node, index) => addresses(node.address, node.key).copy(out, 32 + 16 * index))
  return out
}

/** What all strings of a tree need, and no less than libhdf5 takes. */
function globalHeapBytes(root: Group): number {
  const needed = (group: Group): number =>
    Object.values(group.children).reduce((total, child) => {
      if (child.kind === 'group') return total + needed(child)
      const values = child.kind === 'text' ? [child.value] : child.kind === 'texts' ? child.values : []
      return values.reduce((sum, value) => sum + 16 + paddedTo8(Buffer.byteLength(value)), total)
    }, 0)
  return Math.max(GLOBAL_HEAP_BYTES, 32 + needed(root))
}

function globalHeap(texts: readonly { value: string; index: number }[], heapBytes: number): Buffer {
  const out = Buffer.alloc(heapBytes)
  out.write('GCOL', 'latin1')
  out[4] = 1
  out.writeBigUInt64LE(BigInt(heapBytes), 8)
  let at = 16
  for (const { value, index } of texts) {
    const bytes = Buffer.from(value, 'utf8')
    out.writeUInt16LE(index, at)
    out.writeUInt16LE(1, at + 2)
    out.writeBigUInt64LE(BigInt(bytes.length), at + 8)
    bytes.copy(out, at + 16)
    at += 16 + paddedTo8(bytes.length)
  }
  out.writeBigUInt64LE(BigInt(heapBytes - at), at + 8)
  return out
}

type Message = readonly [type: number, flags: number, data: Buffer]

function objectHeader(messages: readonly Message[], messageBytes: number): Buffer {
  const used = messages.reduce((total, [, , data]) => total + 8 + data.length, 0)
  const all: Message[] =
    used === messageBytes ? [...messages] : [...messages, [message.nil, 0, Buffer.alloc(messageBytes - used - 8)]]
  const out = Buffer.alloc(16 + messageBytes)
  out[0] = 1
  out.writeUInt16LE(all.length, 2)
  out.writeUInt32LE(1, 4)
  out.writeUInt32LE(messageBytes, 8)
  let at = 16
  for (const [type, flags, data] of all) {
    out.writeUInt16LE(type, at)
    out.writeUInt16LE(data.length, at + 2)
    out[at + 4] = flags
    data.copy(out, at + 8)
    at += 8 + data.length
  }
  return out
}

function fixedHeader(type: ElementType, shape: readonly number[], dataAddress: number, dataBytes: number): Buffer {
  const layout = Buffer.alloc(24)
  layout[0] = 3
  layout[1] = 1
  layout.writeBigUInt64LE(BigInt(dataAddress), 2)
  layout.writeBigUInt64LE(BigInt(dataBytes), 10)
  return datasetHeader(dataspace(shape, shape), type, { fill: [2, 2, fillTime(type), 1, 0, 0, 0, 0], layout })
}

function rowHeader(dataset: RowDataset, state: RowState): Buffer {
  const { type, rowShape, contiguousRows, filter } = dataset
  if (contiguousRows !== undefined) {
    const shape = [contiguousRows, ...rowShape]
    return fixedHeader(
      type,
      shape,
      state.address ?? 0,
      shape.reduce((total, length) => total * length, type.bytes),
    )
  }
  const rank = dataset.chunkShape.length
  const layout = Buffer.alloc(paddedTo8(11 + 4 * (rank + 1)))
  layout[0] = 3
  layout[1] = 2
  layout[2] = rank + 1
  layout.writeBigUInt64LE(state.address === undefined ? UNDEFINED_ADDRESS : BigInt(state.address), 3)
  ;[...dataset.chunkShape, type.bytes].forEach((length, axis) => layout.writeUInt32LE(length, 11 + 4 * axis))
  const space = dataspace([state.rows, ...rowShape], [undefined, ...rowShape])
  const chunkBytes = dataset.chunkShape.reduce((total, length) => total * length, type.bytes)
  const filters = filter === undefined ? undefined : filterMessage(filterSpec(filter, type.bytes, chunkBytes))
  return datasetHeader(space, type, { fill: [2, 3, 0, 1, 0, 0, 0, 0], layout, filters })
}

/** A pipeline of one filter, version 1. */
function filterMessage({ id, name, values }: FilterSpec): Buffer {
  const nameBytes = paddedTo8(name.length + 1)
  const out = Buffer.alloc(16 + nameBytes + 4 * (values.length + (values.length % 2)))
  out[0] = 1
  out[1] = 1
  out.writeUInt16LE(id, 8)
  out.writeUInt16LE(nameBytes, 10)
  out.writeUInt16LE(values.length, 14)
  out.write(name, 16, 'latin1')
  values.forEach((value, index) => out.writeUInt32LE(value, 16 + nameBytes + 4 * index))
  return out
}

/** libhdf5 writes the fill value of variable-length data at allocation (0), of other contiguous data if set (2). */
function fillTime(type: ElementType): number {
  return type.kind === 'text' ? 0 : 2
}

/** Fill value (version 2): allocation time, time of writing, default value. */
function datasetHeader(
  space: Buffer,
  type: ElementType,
  { fill, layout, filters }: { fill: readonly number[]; layout: Buffer; filters?: Buffer | undefined },
): Buffer {
  const messages: Message[] = [
    [message.dataspace, 0, space],
    [message.datatype, 1, encodeType(type)],
    [message.fillValue, 1, Buffer.from(fill)],
    [message.layout, 0, layout],
    ...(filters === undefined ? [] : [[message.filters, 1, filters] as const]),
  ]
  const used = messages.reduce((total, [, , data]) => total + 8 + data.length, 0)
  return objectHeader(messages, Math.max(used, DATASET_HEADER_MESSAGES_BYTES))
}

function dataspace(shape: readonly number[], maxShape: readonly (number | undefined)[]): Buffer {
  const out = Buffer.alloc(8 + 16 * shape.length)
  out[0] = 1
  out[1] = shape.length
  out[2] = shape.length === 0 ? 0 : 1
  shape.forEach((length, axis) => out.writeBigUInt64LE(BigInt(length), 8 + 8 * axis))
  maxShape.forEach((length, axis) => {
    out.writeBigUInt64LE(length === undefined ? UNDEFINED_ADDRESS : BigInt(length), 8 + 8 * (shape.length + axis))
  })
  return out
}

function addresses(first: number, second: number): Buffer {
  const out = Buffer.alloc(16)
  out.writeBigUInt64LE(BigInt(first), 0)
  out.writeBigUInt64LE(BigInt(second), 8)
  return out
}
