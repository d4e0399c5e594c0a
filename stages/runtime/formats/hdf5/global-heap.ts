import { openByteSource, readLength, type ByteSource } from './byte-source.ts'
import { corrupt } from './file-format.ts'

const SIGNATURE = Buffer.from('GCOL')
const HEADER_BYTES = 16
/** The smallest collection that libhdf5 makes or accepts. */
const MIN_COLLECTION_BYTES = 4096
const BLOCK_BYTES = 4 * 1024 * 1024

/**
 * Looks at every global heap collection of a file, where the variable-length strings are. libhdf5 2.0 never ends on
 * one whose free space (object 0) has the length 0, so a file must pass here before libhdf5 reads such strings from it.
 * @throws StageError DATA_UNREADABLE
 */
export function checkGlobalHeaps(path: string): void {
  const source = openByteSource(path)
  try {
    const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, source.bytes))
    for (let start = 0; start + HEADER_BYTES <= source.bytes; start += BLOCK_BYTES - SIGNATURE.length) {
      const bytes = block.subarray(0, Math.min(BLOCK_BYTES, source.bytes - start))
      source.readInto(bytes, start)
      for (let at = bytes.indexOf(SIGNATURE); at >= 0; at = bytes.indexOf(SIGNATURE, at + 1))
        checkCollection(source, start + at)
    }
  } finally {
    source.close()
  }
}

function checkCollection(source: ByteSource, address: number): void {
  if (address + HEADER_BYTES > source.bytes) return
  const header = source.read(address, HEADER_BYTES)
  const length = readLength(header, 8)
  // Lengths are 32-bit numbers in WebAssembly, where a longer one loses its upper half.
  const seen = length % 2 ** 32
  // Anything else is not a collection, or one that libhdf5 refuses by itself.
  if (header[4] !== 1 || seen < MIN_COLLECTION_BYTES || address + seen > source.bytes) return
  if (seen !== length) throw corrupt(source.path, `the global heap at byte ${address} states ${length} bytes`)
  const heap = source.read(address, length)
  for (let at = HEADER_BYTES; at + HEADER_BYTES <= length;) {
    const stated = readLength(heap, at + 8)
    const bytes = heap.readUInt16LE(at) === 0 ? stated : HEADER_BYTES + Math.ceil(stated / 8) * 8
    if (bytes < HEADER_BYTES || at + bytes > length)
      throw corrupt(source.path, `an object of the global heap at byte ${address} states ${stated} bytes`)
    at += bytes
  }
}
