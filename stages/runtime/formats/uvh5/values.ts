import { StageError } from '#runtime/stage/errors.ts'
import type { ElementType } from '../hdf5/element-type.ts'
import type { Hdf5Dataset, Hdf5File } from '../hdf5/file.ts'

/** Decodes whole datasets of one file into plain values; names the file and the dataset in every error. */
export interface HeaderValues {
  readonly has: (path: string) => boolean
  readonly shape: (path: string) => readonly number[]
  /** All elements as float64. */
  readonly numbers: (path: string) => Float64Array
  /** All elements as int32. @throws StageError DATA_UNSUPPORTED when one does not fit */
  readonly integers: (path: string) => Int32Array
  /** A scalar, or the only element of an array. */
  readonly number: (path: string) => number
  readonly string: (path: string) => string
  readonly strings: (path: string) => string[]
  /** All elements as stored, little-endian. */
  readonly bytes: (path: string) => Uint8Array<ArrayBuffer>
}

/** A header dataset larger than this is not one: 117 antennas, 24 integrations and float64 need 4 MB. */
const MAX_HEADER_DATASET_BYTES = 512 * 1024 * 1024

/** Larger arrays are given back as soon as they are decoded: a damaged header may state any size. */
const MAX_SCRATCH_BYTES = 4 * 1024 * 1024

/**
 * What is kept from file to file when many of one kind are looked at in turn: memory, by the paths of the datasets that
 * are decoded in it, and 64-bit integers, which such files have in common. Floating-point arrays that were decoded with
 * it are valid until the next file is; integers stay.
 */
export interface HeaderScratch {
  readonly memory: Map<string, Uint8Array<ArrayBuffer>>
  readonly integers: Map<string, { readonly bytes: Uint8Array<ArrayBuffer>; readonly values: Int32Array }>
  /** The arrays of integers of the latest file that make up its `antennaKey`. */
  antennas: { readonly arrays: readonly Int32Array[]; readonly key: object } | undefined
}

export function createHeaderScratch(): HeaderScratch {
  return { memory: new Map(), integers: new Map(), antennas: undefined }
}

/** The same object as for the file before while the arrays are the same. */
export function antennaKey(scratch: HeaderScratch | undefined, arrays: readonly Int32Array[]): object | undefined {
  if (scratch === undefined) return undefined
  const last = scratch.antennas
  if (last?.arrays.every((array, index) => array === arrays[index])) return last.key
  scratch.antennas = { arrays, key: {} }
  return scratch.antennas.key
}

export function headerValues(file: Hdf5File, scratch?: HeaderScratch): HeaderValues {
  const datasetOf = (path: string): Hdf5Dataset => {
    const dataset = file.dataset(path)
    if (dataset === undefined) throw missing(file.path, path)
    return dataset
  }
  const bytes = (path: string): Uint8Array<ArrayBuffer> => {
    const dataset = datasetOf(path)
    return readRows(file, dataset, 0, dataset.shape[0] ?? 1, scratch)
  }
  const numbers = (path: string): Float64Array =>
    decodeNumbers(bytes(path), datasetOf(path).type, `${file.path}: ${path}`)
  const strings = (path: string): string[] => {
    const { kind } = datasetOf(path).type
    if (kind !== 'string' && kind !== 'text') throw unsupported(`${file.path}: ${path} holds no strings`)
    return file.readStrings(path)
  }
  return {
    has: (path) => file.dataset(path) !== undefined,
    shape: (path) => datasetOf(path).shape,
    numbers,
    integers(path) {
      const { type } = datasetOf(path)
      const where = `${file.path}: ${path}`
      if (type.kind !== 'integer' || type.bytes !== 8) return integral(numbers(path), where)
      const read = bytes(path)
      const last = scratch?.integers.get(path)
      if (last !== undefined && Buffer.compare(last.bytes, read) === 0) return last.values
      const values = narrowed(read, where)
      if (scratch?.memory.get(path) === read) {
        // They stay as they are, and the next file is read into other memory.
        scratch.integers.set(path, { bytes: read, values })
        scratch.memory.delete(path)
      }
      return values
    },
    number: (path) => only(numbers(path), `${file.path}: ${path}`),
    string: (path) => only(strings(path), `${file.path}: ${path}`),
    strings,
    bytes,
  }
}

/** Rows of a dataset as stored, little-endian. @throws StageError DATA_UNREADABLE for a shape no header has */
export function readRows(
  file: Hdf5File,
  dataset: Hdf5Dataset,
  row0: number,
  rows: number,
  scratch?: HeaderScratch,
): Uint8Array<ArrayBuffer> {
  const out = rowBuffer(file, dataset, rows, scratch)
  file.readRows(dataset.path, row0, rows, out)
  return out
}

/**
 * The same for a few rows of a large dataset: of its chunk index only what leads to them is read.
 * @param memory where it is large enough, what is returned lies in it
 */
export function peekRows(
  file: Hdf5File,
  dataset: Hdf5Dataset,
  row0: number,
  rows: number,
  memory?: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const size = rowsSize(file, dataset, rows)
  const out = memory !== undefined && size <= memory.length ? memory.subarray(0, size) : new Uint8Array(size)
  file.peekRows(dataset.path, row0, rows, out)
  return out
}

function rowBuffer(
  file: Hdf5File,
  dataset: Hdf5Dataset,
  rows: number,
  scratch?: HeaderScratch,
): Uint8Array<ArrayBuffer> {
  const size = rowsSize(file, dataset, rows)
  const known = scratch?.memory.get(dataset.path)
  if (known?.length === size) return known
  const made = new Uint8Array(size)
  if (size <= MAX_SCRATCH_BYTES) scratch?.memory.set(dataset.path, made)
  return made
}

function rowsSize(file: Hdf5File, dataset: Hdf5Dataset, rows: number): number {
  const size = dataset.shape.slice(1).reduce((total, length) => total * length, rows * dataset.type.bytes)
  if (!(size <= MAX_HEADER_DATASET_BYTES)) throw unreadable(file.path, `${dataset.path} states ${size} bytes`)
  return size
}

/** Little-endian numbers of any width as float64; int64 beyond 2^53 lose bits. */
export function decodeNumbers(bytes: Uint8Array<ArrayBuffer>, type: ElementType, where: string): Float64Array {
  const { buffer } = bytes
  if (type.kind === 'float' && type.bytes === 8) return new Float64Array(buffer)
  if (type.kind === 'float' && type.bytes === 4) return Float64Array.from(new Float32Array(buffer))
  if (type.kind === 'integer' || type.kind === 'enumeration') {
    const signed = type.kind === 'enumeration' || type.signed
    switch (type.bytes) {
      case 1:
        return Float64Array.from(signed ? new Int8Array(buffer) : new Uint8Array(buffer))
      case 2:
        return Float64Array.from(signed ? new Int16Array(buffer) : new Uint16Array(buffer))
      case 4:
        return Float64Array.from(signed ? new Int32Array(buffer) : new Uint32Array(buffer))
      case 8:
        return Float64Array.from(signed ? new BigInt64Array(buffer) : new BigUint64Array(buffer), Number)
    }
  }
  throw unsupported(`${where} holds no numbers`)
}

/** int64 to int32 by words, which is much faster than through BigInt. */
function narrowed(bytes: Uint8Array<ArrayBuffer>, where: string): Int32Array {
  const words = new Int32Array(bytes.buffer)
  const out = new Int32Array(words.length / 2)
  let beyond = 0
  for (let index = 0, word = 0; index < out.length; index++, word += 2) {
    const low = words[word]
    beyond |= words[word + 1] ^ (low >> 31)
    out[index] = low
  }
  if (beyond !== 0) throw unsupported(`${where} holds an integer beyond 32 bits`)
  return out
}

function integral(values: Float64Array, where: string): Int32Array {
  const out = Int32Array.from(values)
  if (out.some((value, index) => value !== values[index]))
    throw unsupported(`${where} holds values that are not 32-bit integers`)
  return out
}

function only<T>(values: ArrayLike<T>, where: string): T {
  if (values.length !== 1) throw unsupported(`${where} has ${values.length} elements instead of one`)
  return values[0]
}

export function missing(path: string, dataset: string): StageError {
  return new StageError('DATA_UNREADABLE', `${path} has no dataset ${dataset}`, {
    hint: 'it is not a UVH5 file, or it was never closed by its writer: list it with h5dump -H',
  })
}

export function unreadable(path: string, what: string): StageError {
  return new StageError('DATA_UNREADABLE', `${path}: ${what}`, {
    hint: 'copy the file again from its source, or leave it out',
  })
}

export function unsupported(message: string): StageError {
  return new StageError('DATA_UNSUPPORTED', message, {
    hint: 'write the file again as the UVH5 memo describes, for example with pyuvdata',
  })
}
