import { openHdf5, type Hdf5Dataset, type Hdf5File } from '../hdf5/file.ts'
import type { RowScratch } from '../hdf5/row-reader.ts'
import { unpackRows, type StoredRows } from '../hdf5/stored-rows.ts'
import { dataShape, type DataShape } from './header.ts'
import { decodeNumbers, peekRows, unsupported } from './values.ts'

/** Arrays to be filled, in C order (row, channel, polarisation), channels as in the file. */
export interface Uvh5Block {
  /** Real and imaginary part interleaved: rows x channels x polarisations x 2. */
  readonly vis: Float32Array
  /** 0 or 1. */
  readonly flags: Uint8Array
  readonly nsamples: Float32Array
}

/**
 * One of the three arrays of a block of rows as the file stores it: chunks of (row, channel, polarisation) in bands of
 * rows. Its place for (row of the band, channel, polarisation) is
 *
 *     start + chunk * chunkStride + row * rowStride + (channel % chunkChannels) * chunkPolarizations
 *           + polarisation % chunkPolarizations
 *
 * where chunk counts those of one row, polarisation fastest. A C-order array has one chunk.
 */
export interface StoredArray<T> extends Pick<StoredRows, 'bands'> {
  /** Valid until the next read into the same scratch. */
  readonly values: T
  /** Numbers that make up an element: 2 for a complex one. */
  readonly parts: number
  /** From one row of a chunk to the next. */
  readonly rowStride: number
  readonly chunkChannels: number
  readonly chunkPolarizations: number
  /** Whether all its elements are surely alike: then values[0] is all of them. */
  readonly uniform: boolean
}

export interface StoredBlock {
  /** Real and imaginary part interleaved: places count such pairs. */
  readonly vis: StoredArray<Float32Array>
  readonly flags: StoredArray<Uint8Array>
  readonly nsamples: StoredArray<Float32Array>
}

/** Memory for stored blocks. Files that are read in turn share one, so that it stays in the cache. */
export interface BlockScratch {
  readonly vis: RowScratch
  readonly flags: RowScratch
  readonly nsamples: RowScratch
}

/** The data arrays of one open file. Synchronous, so that a worker can own several. */
export interface Uvh5Data extends DataShape {
  readonly method: 'direct' | 'h5wasm'
  /** Why the file is not read directly. */
  readonly reason: string | undefined
  /** Reads and checks what leads to the rows, which the first reading of them would do otherwise. */
  prepare(): void
  /** Rows as stored: the fast way. */
  readStored(row0: number, rows: number, scratch: BlockScratch): StoredBlock
  /** Rows in C order. */
  readRows(row0: number, rows: number, into: Uvh5Block): void
  /** Visibilities of one row in C order, as pairs (re, im); of a chunk index only what leads there is looked at. */
  peekVis(row: number): Float32Array
  close(): void
}

export function createBlockScratch(): BlockScratch {
  const empty = (): RowScratch => ({ bytes: new Uint8Array(0) })
  return { vis: empty(), flags: empty(), nsamples: empty() }
}

/** Copies stored rows into a C-order array. */
export function unpackStored<T extends Float32Array | Uint8Array>(
  { values, bands, rowStride, chunkChannels, chunkPolarizations, parts }: StoredArray<T>,
  { channels, polarizations }: Pick<DataShape, 'channels' | 'polarizations'>,
  out: T,
): void {
  const stored = {
    bytes: bytesOf(values),
    shape: [1, channels, polarizations],
    chunkShape: [rowStride / (chunkChannels * chunkPolarizations), chunkChannels, chunkPolarizations],
    bands,
    dense: false,
  }
  unpackRows(stored, parts * values.BYTES_PER_ELEMENT, bytesOf(out))
}

/**
 * Opens /Data of a UVH5 file. visdata may be complex float32, float64 or int32, flags one byte or a boolean, nsamples
 * any number.
 * @param options.method forces one of the two ways of reading
 * @throws StageError as `readUvh5Header` does
 */
export async function openUvh5Data(path: string, options: { method?: 'direct' | 'h5wasm' } = {}): Promise<Uvh5Data> {
  const file = await openHdf5(path, options)
  try {
    const shape = dataShape(file)
    const visdata = dataset(file, 'visdata')
    const part = visPart(file)
    const vis = floatReader(file, visdata, part, 2)
    const flags = flagReader(file)
    const nsamples = floatReader(file, dataset(file, 'nsamples'), dataset(file, 'nsamples').type, 1)
    const readStored = (row0: number, rows: number, scratch: BlockScratch): StoredBlock => ({
      vis: vis(row0, rows, scratch.vis),
      flags: flags(row0, rows, scratch.flags),
      nsamples: nsamples(row0, rows, scratch.nsamples),
    })
    return {
      ...shape,
      method: file.method,
      reason: file.reason,
      prepare() {
        for (const name of ['visdata', 'flags', 'nsamples']) file.prepareRows(`/Data/${name}`)
      },
      readStored,
      readRows(row0, rows, into) {
        const block = readStored(row0, rows, createBlockScratch())
        unpackStored(block.vis, shape, into.vis)
        unpackStored(block.flags, shape, into.flags)
        unpackStored(block.nsamples, shape, into.nsamples)
      },
      peekVis: (row) => floats(peekRows(file, visdata, row, 1), part, visdata.path),
      close: () => file.close(),
    }
  } catch (error) {
    file.close()
    throw error
  }
}

function dataset(file: Hdf5File, name: string): Hdf5Dataset {
  const found = file.dataset(`/Data/${name}`)
  if (found === undefined) throw unsupported(`${file.path} has no dataset /Data/${name}`)
  return found
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

type Reader<T> = (row0: number, rows: number, scratch: RowScratch) => StoredArray<T>

/** float32 as it is, any other number rounded to it. */
function floats(bytes: Uint8Array, part: Hdf5Dataset['type'], path: string): Float32Array {
  if (part.kind === 'float' && part.bytes === 4)
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  return Float32Array.from(decodeNumbers(bytes.slice(), part, path))
}

/** The type of a real and of an imaginary part. */
function visPart(file: Hdf5File): Hdf5Dataset['type'] {
  const { type, path } = dataset(file, 'visdata')
  const members = type.kind === 'compound' ? type.members : []
  const [real, imaginary] = members
  const paired =
    members.length === 2 &&
    real.name === 'r' &&
    imaginary.name === 'i' &&
    real.offset === 0 &&
    imaginary.offset === real.type.bytes &&
    type.bytes === 2 * real.type.bytes &&
    JSON.stringify(real.type) === JSON.stringify(imaginary.type)
  if (!paired) throw unsupported(`${file.path}: ${path} is not a complex number {r, i}`)
  const part = real.type
  const known =
    (part.kind === 'float' && (part.bytes === 4 || part.bytes === 8)) || (part.kind === 'integer' && part.bytes === 4)
  if (!known) {
    throw unsupported(
      `${file.path}: ${path} is complex of ${part.kind} with ${part.bytes} bytes; float32, float64 and int32 are supported`,
    )
  }
  return part
}

function flagReader(file: Hdf5File): Reader<Uint8Array> {
  const { type, path } = dataset(file, 'flags')
  if (type.bytes !== 1 || (type.kind !== 'enumeration' && type.kind !== 'integer')) {
    throw unsupported(`${file.path}: ${path} is neither boolean nor a one-byte integer`)
  }
  return (row0, rows, scratch) => {
    const stored = file.readStored(path, row0, rows, scratch)
    return { ...placement(stored), values: stored.bytes, parts: 1, uniform: stored.dense && isUniform(stored.bytes, 1) }
  }
}

/** Reads float32 as it is, and any other number rounded to float32. @param parts numbers that make up an element */
function floatReader(
  file: Hdf5File,
  { path }: Hdf5Dataset,
  part: Hdf5Dataset['type'],
  parts: 1 | 2,
): Reader<Float32Array> {
  const numeric = part.kind === 'float' || part.kind === 'integer'
  if (!numeric) throw unsupported(`${file.path}: ${path} holds no numbers`)
  return (row0, rows, scratch) => {
    const stored = file.readStored(path, row0, rows, scratch)
    const { bytes, dense } = stored
    const values = floats(bytes, part, path)
    // Only sample counts are alike in normal files: nothing is gained by looking at visibilities.
    return { ...placement(stored), values, parts, uniform: parts === 1 && dense && isUniform(bytes, part.bytes) }
  }
}

function placement({ bands, chunkShape }: StoredRows): Omit<StoredArray<never>, 'values' | 'parts' | 'uniform'> {
  const [chunkChannels, chunkPolarizations] = chunkShape.slice(-2)
  // Older files have a spectral-window axis of length 1 before these two; a chunk may still be longer along it.
  const rowStride = chunkShape.reduce((total, length) => total * length, 1)
  return { bands, rowStride, chunkChannels, chunkPolarizations }
}

/** Whether all elements have the same bytes: the array equals itself moved by one element, found at the speed of memory. */
function isUniform(bytes: Uint8Array, elementBytes: number): boolean {
  return Buffer.compare(bytes.subarray(elementBytes), bytes.subarray(0, -elementBytes)) === 0
}
