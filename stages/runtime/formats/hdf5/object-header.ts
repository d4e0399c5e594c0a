import { StageError } from '#runtime/stage/errors.ts'
import { corrupt, message, UnknownLayout, UNDEFINED_ADDRESS } from './file-format.ts'
import { readLength, type ByteSource } from './byte-source.ts'
import { decodeType, type ElementType } from './element-type.ts'

/** A dataset as its object header describes it. */
export interface DatasetHeader {
  readonly type: ElementType
  readonly shape: readonly number[]
  readonly layout: Layout
}

type Layout =
  /** `address` is undefined while nothing was written: all elements are the fill value, zero. */
  | { readonly kind: 'contiguous'; readonly address: number | undefined; readonly bytes: number }
  | { readonly kind: 'compact'; readonly data: Buffer }
  | {
      readonly kind: 'chunked'
      readonly indexAddress: number | undefined
      readonly chunkShape: readonly number[]
      readonly elementBytes: number
    }

export interface GroupHeader {
  readonly treeAddress: number
  readonly heapAddress: number
}

interface Message {
  readonly type: number
  readonly data: Buffer
}

/** No object of a UVH5 file has more header messages or continuation blocks than this. */
const MAX_MESSAGES = 4096
const MAX_RANK = 32

/** Reads a version 1 object header. @throws UnknownLayout when it is of another version or kind of object */
export function readObjectHeader(source: ByteSource, address: number): GroupHeader | DatasetHeader {
  const messages = readMessages(source, address)
  const find = (type: number): Buffer | undefined => messages.find((candidate) => candidate.type === type)?.data
  const table = find(message.symbolTable)
  if (table !== undefined) {
    if (table.length < 16) throw corrupt(source.path, 'a group has a short symbol table message')
    return { treeAddress: readLength(table, 0), heapAddress: readLength(table, 8) }
  }
  if (find(message.linkInfo) !== undefined) throw new UnknownLayout('new-style group')
  if (find(message.filters) !== undefined) throw new UnknownLayout('filtered dataset')
  if (find(message.externalFiles) !== undefined)
    throw new StageError('DATA_UNSUPPORTED', `${source.path}: a dataset keeps its data in another file`)
  const [space, type, layout] = [find(message.dataspace), find(message.datatype), find(message.layout)]
  if (space === undefined || type === undefined || layout === undefined)
    throw new UnknownLayout('object that is neither group nor dataset')
  const fill = find(message.fillValue)
  if (fill !== undefined) checkFillValue(fill)
  return { type: decodeType(type), shape: decodeShape(space, source.path), layout: decodeLayout(layout, source.path) }
}

function readMessages(source: ByteSource, address: number): Message[] {
  const prefix = source.read(address, 16)
  if (prefix[0] !== 1) throw new UnknownLayout(`object header version ${prefix[0]}`)
  const count = prefix.readUInt16LE(2)
  if (count > MAX_MESSAGES) throw corrupt(source.path, `an object header states ${count} messages`)
  const blocks = [{ address: address + 16, bytes: prefix.readUInt32LE(8) }]
  const messages: Message[] = []
  for (let block = blocks.shift(); block !== undefined && messages.length < count; block = blocks.shift()) {
    const bytes = source.read(block.address, block.bytes)
    for (let at = 0; at + 8 <= bytes.length && messages.length < count;) {
      const type = bytes.readUInt16LE(at)
      const length = bytes.readUInt16LE(at + 2)
      const flags = bytes[at + 4]
      if (at + 8 + length > bytes.length) throw corrupt(source.path, 'a header message leaves its block')
      if ((flags & 2) !== 0) throw new UnknownLayout('shared header message')
      const data = bytes.subarray(at + 8, at + 8 + length)
      messages.push({ type, data })
      if (type === message.continuation) {
        if (length < 16) throw corrupt(source.path, 'a continuation message is short')
        blocks.push({ address: readLength(data, 0), bytes: readLength(data, 8) })
      }
      at += 8 + length
    }
  }
  return messages
}

function decodeShape(space: Buffer, path: string): number[] {
  if (space.length < 8) throw corrupt(path, 'a dataspace message is short')
  if (space[0] !== 1) throw new UnknownLayout(`dataspace version ${space[0]}`)
  const rank = space[1]
  if (rank > MAX_RANK || 8 + 8 * rank > space.length) throw corrupt(path, 'a dataspace message is short')
  return Array.from({ length: rank }, (_, axis) => readLength(space, 8 + 8 * axis))
}

/** Only the default fill value, zero, is known here. */
function checkFillValue(fill: Buffer): void {
  if (fill.length < 4 || fill[0] < 1 || fill[0] > 2) throw new UnknownLayout(`fill value version ${fill[0]}`)
  const stated = fill[0] === 2 && fill[3] === 0 ? 0 : fill.length >= 8 ? fill.readInt32LE(4) : 0
  if (stated > 0 && fill.subarray(8, 8 + stated).some((byte) => byte !== 0))
    throw new UnknownLayout('fill value other than zero')
}

function decodeLayout(layout: Buffer, path: string): Layout {
  if (layout[0] !== 3) throw new UnknownLayout(`data layout version ${layout[0]}`)
  const need = (bytes: number): void => {
    if (layout.length < bytes) throw corrupt(path, 'a data layout message is short')
  }
  switch (layout[1]) {
    case 0: {
      need(4)
      const bytes = layout.readUInt16LE(2)
      need(4 + bytes)
      return { kind: 'compact', data: layout.subarray(4, 4 + bytes) }
    }
    case 1:
      need(18)
      return { kind: 'contiguous', address: addressAt(layout, 2), bytes: readLength(layout, 10) }
    case 2: {
      need(11)
      const rank = layout[2] - 1
      if (rank < 1) throw corrupt(path, 'a chunked dataset has no axes')
      need(11 + 4 * (rank + 1))
      const chunkShape = Array.from({ length: rank }, (_, axis) => layout.readUInt32LE(11 + 4 * axis))
      if (chunkShape.includes(0)) throw corrupt(path, 'a chunk has a side of length 0')
      return {
        kind: 'chunked',
        indexAddress: addressAt(layout, 3),
        chunkShape,
        elementBytes: layout.readUInt32LE(11 + 4 * rank),
      }
    }
    default:
      throw new UnknownLayout(`data layout class ${layout[1]}`)
  }
}

function addressAt(bytes: Buffer, at: number): number | undefined {
  return bytes.readBigUInt64LE(at) === UNDEFINED_ADDRESS ? undefined : readLength(bytes, at)
}
