import { deflateSync } from 'node:zlib'

/** How the chunks of a dataset are stored; `unknown` is a filter that no program has. */
export type ChunkFilter = 'gzip' | 'lzf' | 'bitshuffle' | 'unknown'

/** A filter as the message of a dataset's header names it. */
export interface FilterSpec {
  readonly id: number
  readonly name: string
  /** Client data: what the decoder needs besides the bytes. */
  readonly values: readonly number[]
}

const GZIP_LEVEL = 4
/** No registered filter (The HDF Group, "Registered Filter Plugins"): ids up to 65535 are checked there. */
const UNKNOWN_FILTER = 32_990

/** @param chunkBytes bytes of a chunk as it is in memory */
export function filterSpec(filter: ChunkFilter, elementBytes: number, chunkBytes: number): FilterSpec {
  switch (filter) {
    case 'gzip':
      return { id: 1, name: 'deflate', values: [GZIP_LEVEL] }
    case 'lzf':
      // Revision of h5py's filter, version of its LZF, size of what comes out.
      return { id: 32_000, name: 'lzf', values: [4, 0x0105, chunkBytes] }
    case 'bitshuffle':
      // Major and minor version, element size, block size (0: as the chunk says), 2 for LZ4.
      return { id: 32_008, name: 'bitshuffle', values: [0, 5, elementBytes, 0, 2] }
    case 'unknown':
      return { id: UNKNOWN_FILTER, name: 'secret', values: [] }
  }
}

/** The bytes of a chunk as they are stored. */
export function encodeChunk(filter: ChunkFilter, chunk: Uint8Array, elementBytes: number): Uint8Array {
  switch (filter) {
    case 'gzip':
      return deflateSync(chunk, { level: GZIP_LEVEL })
    case 'lzf':
      return lzf(chunk)
    case 'bitshuffle':
      return bitshuffle(chunk, elementBytes)
    case 'unknown':
      return Uint8Array.from(chunk, (byte) => byte ^ 0x5a)
  }
}

const LZF_MAX_LITERALS = 32
const LZF_MAX_MATCH = 264
const LZF_MAX_OFFSET = 8192

/** LZF (M. Lehmann, liblzf): runs of literals after their count, and copies of what came before. */
function lzf(input: Uint8Array): Uint8Array {
  const out: number[] = []
  const places = new Map<number, number>()
  let literals = 0
  const flush = (end: number): void => {
    for (let start = end - literals; start < end; start += LZF_MAX_LITERALS) {
      const run = input.subarray(start, Math.min(end, start + LZF_MAX_LITERALS))
      out.push(run.length - 1, ...run)
    }
    literals = 0
  }
  for (let at = 0; at < input.length;) {
    const key = at + 2 < input.length ? (input[at] << 16) | (input[at + 1] << 8) | input[at + 2] : -1
    const before = places.get(key)
    if (key >= 0) places.set(key, at)
    if (key < 0 || before === undefined || at - before > LZF_MAX_OFFSET) {
      literals++
      at++
      continue
    }
    let length = 3
    while (length < LZF_MAX_MATCH && at + length < input.length && input[before + length] === input[at + length])
      length++
    flush(at)
    const [offset, count] = [at - before - 1, length - 2]
    if (count < 7) out.push((count << 5) | (offset >> 8), offset & 255)
    else out.push((7 << 5) | (offset >> 8), count - 7, offset & 255)
    at += length
  }
  flush(input.length)
  return Uint8Array.from(out)
}

const BITSHUFFLE_BLOCK_BYTES = 8192
const BITSHUFFLE_HEADER_BYTES = 12

/**
 * Bitshuffle with LZ4 (K. Masui et al. 2015): blocks of elements with their bits transposed, each as an LZ4 block of
 * literals alone; what does not fill eight elements stays as it is.
 */
function bitshuffle(chunk: Uint8Array, elementBytes: number): Uint8Array {
  const blockElements = Math.floor(BITSHUFFLE_BLOCK_BYTES / elementBytes / 8) * 8
  const elements = chunk.length / elementBytes
  const header = Buffer.alloc(BITSHUFFLE_HEADER_BYTES)
  header.writeBigUInt64BE(BigInt(chunk.length), 0)
  header.writeUInt32BE(blockElements * elementBytes, 8)
  const parts: Uint8Array[] = [header]
  let at = 0
  for (; elements - at >= 8;) {
    const count = Math.min(blockElements, Math.floor((elements - at) / 8) * 8)
    const block = literalLz4(
      transposeBits(chunk.subarray(at * elementBytes, (at + count) * elementBytes), elementBytes),
    )
    const length = Buffer.alloc(4)
    length.writeUInt32BE(block.length)
    parts.push(length, block)
    at += count
  }
  parts.push(chunk.subarray(at * elementBytes))
  return Buffer.concat(parts)
}

/** Row (byte b, bit k) of the result holds bit k of byte b of all elements, eight to a byte, the lowest first. */
function transposeBits(block: Uint8Array, elementBytes: number): Uint8Array {
  const elements = block.length / elementBytes
  const out = new Uint8Array(block.length)
  for (let element = 0; element < elements; element++) {
    for (let bit = 0; bit < 8 * elementBytes; bit++) {
      const set = (block[element * elementBytes + (bit >> 3)] >> (bit & 7)) & 1
      out[(bit * elements) / 8 + (element >> 3)] |= set << (element & 7)
    }
  }
  return out
}

function literalLz4(bytes: Uint8Array): Uint8Array {
  const head = [Math.min(bytes.length, 15) << 4]
  if (bytes.length >= 15) {
    let rest = bytes.length - 15
    for (; rest >= 255; rest -= 255) head.push(255)
    head.push(rest)
  }
  return Buffer.concat([Buffer.from(head), bytes])
}
