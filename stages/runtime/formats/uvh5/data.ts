import { openHdf5, type Hdf5Dataset, type Hdf5File } from '../hdf5/file.ts'
import { dataShape, type DataShape } from './header.ts'
import { decodeNumbers, unsupported } from './values.ts'

/** Arrays to be filled, in C order (row, channel, polarisation), channels as in the file. */
export interface Uvh5Block {
  /** Real and imaginary part interleaved: rows x channels x polarisations x 2. */
  readonly vis: Float32Array
  /** 0 or 1. */
  readonly flags: Uint8Array
  readonly nsamples: Float32Array
}

/** The data arrays of one open file. Synchronous, so that a worker can own several. */
export interface Uvh5Data extends DataShape {
  readonly method: 'direct' | 'h5wasm'
  /** Why the file is not read directly. */
  readonly reason: string | undefined
  /** Rows of the longest chunk: blocks that start at a multiple of it never decode a chunk twice. */
  readonly blockRows: number
  readRows(row0: number, rows: number, into: Uvh5Block): void
  close(): void
}

/** Rows in a block where the file has no chunks. */
const CONTIGUOUS_BLOCK_ROWS = 256

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
    const readVis = visReader(file)
    const readFlags = flagReader(file)
    const readSamples = sampleReader(file)
    return {
      ...shape,
      method: file.method,
      reason: file.reason,
      blockRows: Math.max(
        ...['visdata', 'flags', 'nsamples'].map((name) => dataset(file, name).chunkShape?.[0] ?? CONTIGUOUS_BLOCK_ROWS),
      ),
      readRows(row0, rows, into) {
        readVis(row0, rows, into.vis)
        readFlags(row0, rows, into.flags)
        readSamples(row0, rows, into.nsamples)
      },
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

function rowElements({ shape }: Hdf5Dataset): number {
  return shape.slice(1).reduce((total, length) => total * length, 1)
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

type Reader<T> = (row0: number, rows: number, out: T) => void

function visReader(file: Hdf5File): Reader<Float32Array> {
  const vis = dataset(file, 'visdata')
  const { type, path } = vis
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
  if (part.kind === 'float' && part.bytes === 4)
    return (row0, rows, out) => file.readRows(path, row0, rows, bytesOf(out))
  if ((part.kind !== 'float' || part.bytes !== 8) && (part.kind !== 'integer' || part.bytes !== 4)) {
    throw unsupported(
      `${file.path}: ${path} is complex of ${part.kind} with ${part.bytes} bytes; float32, float64 and int32 are supported`,
    )
  }
  return converted(file, vis, (bytes) => decodeNumbers(bytes, part, path))
}

function flagReader(file: Hdf5File): Reader<Uint8Array> {
  const { type, path } = dataset(file, 'flags')
  if (type.bytes !== 1 || (type.kind !== 'enumeration' && type.kind !== 'integer')) {
    throw unsupported(`${file.path}: ${path} is neither boolean nor a one-byte integer`)
  }
  return (row0, rows, out) => file.readRows(path, row0, rows, out)
}

function sampleReader(file: Hdf5File): Reader<Float32Array> {
  const samples = dataset(file, 'nsamples')
  const { type, path } = samples
  if (type.kind === 'float' && type.bytes === 4)
    return (row0, rows, out) => file.readRows(path, row0, rows, bytesOf(out))
  if (type.kind !== 'float' && type.kind !== 'integer') throw unsupported(`${file.path}: ${path} holds no numbers`)
  return converted(file, samples, (bytes) => decodeNumbers(bytes, type, path))
}

/** Reads elements of another type than the block's and rounds them to float32. */
function converted(
  file: Hdf5File,
  source: Hdf5Dataset,
  decode: (bytes: Uint8Array<ArrayBuffer>) => Float64Array,
): Reader<Float32Array> {
  return (row0, rows, out) => {
    const bytes = new Uint8Array(rows * rowElements(source) * source.type.bytes)
    file.readRows(source.path, row0, rows, bytes)
    out.set(decode(bytes))
  }
}
