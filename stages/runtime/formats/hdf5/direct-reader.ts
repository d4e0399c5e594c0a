import { openByteSource, readLength, type ByteSource } from './byte-source.ts'
import type { Hdf5Dataset, Hdf5File } from './file.ts'
import { corrupt, UNDEFINED_ADDRESS } from './file-format.ts'
import { readDatasetHeaders } from './group-walk.ts'
import type { DatasetHeader } from './object-header.ts'
import { createRowReader, type RowReader } from './row-reader.ts'

const MAX_TEXT_BYTES = 1024 * 1024

/** Opens a file of the plain layout. @throws UnknownLayout when it is another one, StageError when it is corrupt */
export function openDirect(path: string): Hdf5File {
  const source = openByteSource(path)
  try {
    return directFile(source, readDatasetHeaders(source))
  } catch (error) {
    source.close()
    throw error
  }
}

function directFile(source: ByteSource, datasets: Map<string, DatasetHeader>): Hdf5File {
  const readers = new Map<string, RowReader>()
  const described = new Map([...datasets].map(([path, header]) => [path, describe(path, header)]))
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
    dataset: (path) => described.get(path),
    prepareRows: (path) => readerOf(path).prepare(),
    readRows: (path, row0, rows, out) => readerOf(path).read(row0, rows, out),
    peekRows: (path, row0, rows, out) => readerOf(path).peek(row0, rows, out),
    readStored: (path, row0, rows, scratch) => readerOf(path).stored(row0, rows, scratch),
    readStrings(path) {
      const { type, shape } = headerOf(path)
      const count = shape.reduce((total, length) => total * length, 1)
      if (!(count * type.bytes <= source.bytes)) throw corrupt(source.path, `${path} states ${count} strings`)
      const bytes = Buffer.alloc(count * type.bytes)
      readerOf(path).read(0, shape[0] ?? 1, bytes)
      return Array.from({ length: count }, (_, index) => {
        const element = bytes.subarray(index * type.bytes, (index + 1) * type.bytes)
        return type.kind === 'text' ? readText(source, element) : trimmed(element)
      })
    },
    close: () => source.close(),
  }
}

function describe(path: string, header: DatasetHeader): Hdf5Dataset {
  const chunkShape = header.layout.kind === 'chunked' ? header.layout.chunkShape : undefined
  return { path, type: header.type, shape: header.shape, chunkShape, filters: [] }
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
  if (head.toString('latin1', 0, 4) !== 'GCOL' || length > MAX_TEXT_BYTES)
    throw corrupt(source.path, 'a variable-length string points nowhere')
  const heap = source.read(address, heapBytes)
  const wanted = reference.readUInt32LE(12)
  for (let at = 16; at + 16 <= heap.length;) {
    const index = heap.readUInt16LE(at)
    const bytes = readLength(heap, at + 8)
    if (index === wanted && length <= bytes && at + 16 + bytes <= heap.length)
      return trimmed(heap.subarray(at + 16, at + 16 + length))
    if (index === 0) break
    at += 16 + Math.ceil(bytes / 8) * 8
  }
  throw corrupt(source.path, 'a variable-length string points nowhere')
}
