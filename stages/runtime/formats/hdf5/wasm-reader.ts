import { statSync } from 'node:fs'
import { StageError } from '#runtime/stage/errors.ts'
import type { ElementType } from './element-type.ts'
import type { Hdf5Dataset, Hdf5File } from './file.ts'
import { MAX_CHUNKS } from './chunk-index.ts'
import { corrupt } from './file-format.ts'
import { checkGlobalHeaps } from './global-heap.ts'
import { loadH5wasm, type H5wasm, type Metadata } from './h5wasm-module.ts'
import { cOrderRows } from './row-reader.ts'

/** Filters that are compiled into h5wasm, and those that come as plugins. */
const BUILT_IN_FILTERS: ReadonlyMap<number, string> = new Map([
  [1, 'gzip'],
  [2, 'shuffle'],
  [3, 'fletcher32'],
])
const PLUGIN_FILTERS: ReadonlyMap<number, string> = new Map([
  [32_000, 'LZF'],
  [32_008, 'bitshuffle'],
])

/** HDF5 type classes (H5T_class_t). */
const CLASS = { integer: 0, float: 1, string: 3, compound: 6, enumeration: 8 } as const

const MiB = 1024 * 1024
/** libhdf5 holds a chunk up to three times while it undoes its filters. h5py chooses chunks of at most 1 MiB. */
const MAX_CHUNK_BYTES = 32 * MiB
/** A row of a telescope's file has 768 bytes. */
const MAX_ROW_BYTES = 32 * MiB
const MAX_STRINGS_BYTES = 16 * MiB
/** Rows are read in pieces of about this size, on borders of chunks. */
const PIECE_BYTES = 4 * MiB
const MAX_OBJECTS = 4096

/**
 * Opens a file with libhdf5 compiled to WebAssembly: every layout that libhdf5 knows. All datasets are looked at;
 * filters, types and sizes that it cannot read within its memory are refused here, by name.
 * @param library the instance to use; that of the thread unless given
 */
export async function openWasm(path: string, reason: string, library?: H5wasm): Promise<Hdf5File> {
  const bytes = statSync(path).size
  const h5 = library ?? (await loadH5wasm())
  const fileId = h5.run(path, (module) => module.open(path, module.H5F_ACC_RDONLY, false, -1, -1))
  try {
    const datasets = describeAll(h5, path, fileId)
    const filters = new Set([...datasets.values()].flatMap((dataset) => dataset.filters))
    if ([...filters].some((id) => PLUGIN_FILTERS.has(id)) && library === undefined) h5.usePlugins()
    return wasmFile({ path, bytes, reason, fileId, h5, datasets })
  } catch (error) {
    closeQuietly(h5, path, fileId)
    throw error
  }
}

function describeAll(h5: H5wasm, path: string, fileId: bigint): Map<string, Hdf5Dataset> {
  const names = h5
    .run(path, (module) => module.get_names(fileId, '/', true))
    .map((name) => (name.startsWith('/') ? name : `/${name}`))
  if (names.length > MAX_OBJECTS) throw corrupt(path, `it states ${names.length} objects`)
  h5.run(path, (module) => {
    for (const name of names) {
      // Looked for first: whatever asks for the kind of an object follows its links.
      if ('filename' in h5.run(path, () => module.get_external_link(fileId, name)))
        throw unsupported(`${path}: ${name} is a link to another file`)
    }
  })
  const datasets = new Map<string, Hdf5Dataset>()
  for (const name of names) {
    // One clock for all calls that a name takes.
    const dataset = h5.run(path, () => describeNamed(h5, path, fileId, name))
    if (dataset !== undefined) datasets.set(name, dataset)
  }
  return datasets
}

function describeNamed(h5: H5wasm, path: string, fileId: bigint, name: string): Hdf5Dataset | undefined {
  const kind = h5.run(path, (module) => module.get_type(fileId, name))
  return kind === h5.module.H5G_DATASET ? describe(h5, path, fileId, name) : undefined
}

function describe(h5: H5wasm, path: string, fileId: bigint, name: string): Hdf5Dataset {
  const where = `${path}: ${name}`
  const metadata = h5.run(path, (module) => module.get_dataset_metadata(fileId, name))
  const filters = h5.run(path, (module) => module.get_dataset_filters(fileId, name))
  const unknown = filters.find(({ id }) => !BUILT_IN_FILTERS.has(id) && !PLUGIN_FILTERS.has(id))
  if (unknown !== undefined) {
    const known = [...BUILT_IN_FILTERS.values(), ...PLUGIN_FILTERS.values()].join(', ')
    throw unsupported(
      `${where} is compressed with filter ${unknown.id} (${unknown.name || 'unnamed'}); known are ${known}`,
      'write the file again without compression or with gzip',
    )
  }
  if ((metadata.virtual_sources?.length ?? 0) > 0) throw unsupported(`${where} is a virtual dataset`)
  const dataset = {
    path: name,
    type: elementType(metadata, where),
    // A null dataspace has no elements: pyuvdata writes one for every None of its phase-centre catalogue.
    shape: metadata.shape ?? [0],
    chunkShape: metadata.chunks ?? undefined,
    filters: filters.map(({ id }) => id),
  }
  checkSizes(dataset, where)
  return dataset
}

function checkSizes({ type, shape, chunkShape }: Hdf5Dataset, where: string): void {
  if (!(bytesOf(shape, type.bytes) <= Number.MAX_SAFE_INTEGER)) throw corrupt(where, 'its shape exceeds any file')
  const rowBytes = bytesOf(shape.slice(1), type.bytes)
  if (rowBytes > MAX_ROW_BYTES) throw tooLarge(where, 'a row', rowBytes, MAX_ROW_BYTES)
  if (chunkShape === undefined) return
  const chunkBytes = bytesOf(chunkShape, type.bytes)
  if (chunkBytes > MAX_CHUNK_BYTES) throw tooLarge(where, 'a chunk', chunkBytes, MAX_CHUNK_BYTES)
  const chunks = shape.reduce((total, length, axis) => total * Math.max(1, Math.ceil(length / chunkShape[axis])), 1)
  if (!(chunks <= MAX_CHUNKS)) throw corrupt(where, `it states ${chunks} chunks`)
}

function bytesOf(shape: readonly number[], elementBytes: number): number {
  return shape.reduce((total, length) => total * length, elementBytes)
}

function elementType(metadata: Metadata, where: string): ElementType {
  const { type, size: bytes, signed, littleEndian } = metadata
  const numeric = type === CLASS.integer || type === CLASS.float || type === CLASS.enumeration
  if (numeric && bytes > 1 && !littleEndian) throw unsupported(`${where} holds big-endian numbers`)
  if (type === CLASS.integer) return { kind: 'integer', bytes, signed }
  if (type === CLASS.float) return { kind: 'float', bytes }
  if (type === CLASS.string) return metadata.vlen ? { kind: 'text', bytes: 16 } : { kind: 'string', bytes }
  if (type === CLASS.enumeration && metadata.enum_type !== undefined)
    return { kind: 'enumeration', bytes, members: metadata.enum_type.members }
  if (type === CLASS.compound && metadata.compound_type !== undefined) {
    const members = metadata.compound_type.members.map((member) => {
      const inner = elementType(member, `${where}.${member.name}`)
      // It would arrive as a pointer into the library's memory.
      if (inner.kind === 'text') throw unsupported(`${where}.${member.name} is a variable-length string in a compound`)
      return { name: member.name, offset: member.offset, type: inner }
    })
    return { kind: 'compound', bytes, members }
  }
  throw unsupported(`${where} has a type (HDF5 class ${type}) that no UVH5 file needs`)
}

interface Parts {
  path: string
  bytes: number
  reason: string
  fileId: bigint
  h5: H5wasm
  datasets: Map<string, Hdf5Dataset>
}

function wasmFile({ path, bytes, reason, fileId, h5, datasets }: Parts): Hdf5File {
  const datasetOf = (name: string): Hdf5Dataset => {
    const dataset = datasets.get(name)
    if (dataset === undefined) throw new RangeError(`${path} has no dataset ${name}`)
    return dataset
  }
  const buffer = growingBuffer(h5, path)
  const readPiece = (dataset: Hdf5Dataset, row0: number, rows: number, out: Uint8Array): void => {
    const pointer = buffer.reserve(out.length)
    const [count, offset, stride] =
      dataset.shape.length === 0 ? [null, null, null] : selection(dataset.shape, row0, rows)
    const status = h5.run(
      path,
      (module) => module.get_dataset_data(fileId, dataset.path, count, offset, stride, BigInt(pointer)),
      storedBytes(dataset, row0, rows),
    )
    if (status < 0) throw corrupt(path, `${dataset.path} cannot be read (libhdf5 returned ${status})`)
    // The view is made after the call: the WebAssembly memory may have grown in it.
    out.set(h5.module.HEAPU8.subarray(pointer, pointer + out.length))
  }
  const readRows = (name: string, row0: number, rows: number, out: Uint8Array): void => {
    const dataset = datasetOf(name)
    const { shape, type } = dataset
    if (type.kind === 'text') throw new RangeError(`${name} of ${path} holds strings of variable length`)
    if (row0 < 0 || rows < 0 || row0 + rows > (shape[0] ?? 1))
      throw new RangeError(`rows ${row0} to ${row0 + rows} of ${shape[0] ?? 1}`)
    const rowBytes = bytesOf(shape.slice(1), type.bytes)
    if (out.length < rows * rowBytes) throw new RangeError('the output array is too small')
    if (rows * rowBytes === 0) return
    const unit = Math.min(dataset.chunkShape?.[0] ?? 1, Math.max(1, Math.floor(MAX_ROW_BYTES / rowBytes)))
    const pieceRows = Math.max(1, Math.floor(PIECE_BYTES / (unit * rowBytes))) * unit
    for (let row = row0; row < row0 + rows;) {
      const end = Math.min(row0 + rows, Math.floor(row / unit) * unit + pieceRows)
      readPiece(dataset, row, end - row, out.subarray((row - row0) * rowBytes, (end - row0) * rowBytes))
      row = end
    }
  }
  let heapsChecked = false
  const readTexts = (dataset: Hdf5Dataset, count: number): string[] => {
    if (!heapsChecked) checkGlobalHeaps(path)
    heapsChecked = true
    const pointer = buffer.reserve(count * POINTER_BYTES)
    h5.module.HEAPU8.fill(0, pointer, pointer + count * POINTER_BYTES)
    const status = h5.run(path, (module) =>
      module.get_dataset_data(fileId, dataset.path, null, null, null, BigInt(pointer)),
    )
    if (status < 0) throw corrupt(path, `${dataset.path} cannot be read (libhdf5 returned ${status})`)
    const { HEAPU8: heap } = h5.module
    const view = Buffer.from(heap.buffer, heap.byteOffset, heap.byteLength)
    const texts = Array.from({ length: count }, (_, index) => {
      const at = view.readUInt32LE(pointer + POINTER_BYTES * index)
      return at === 0 ? '' : textAt(view, at)
    })
    h5.run(path, (module) => module.reclaim_vlen_memory(fileId, dataset.path, '', BigInt(pointer)))
    return texts
  }
  return {
    path,
    bytes,
    method: 'h5wasm',
    reason,
    paths: [...datasets.keys()].sort(),
    dataset: (name) => datasets.get(name),
    // The library has its own index, which cannot be asked for.
    prepareRows: () => undefined,
    readRows,
    peekRows: readRows,
    readStored(name, row0, rows, scratch) {
      const { shape, type } = datasetOf(name)
      const rowBytes = bytesOf(shape.slice(1), type.bytes)
      return cOrderRows(shape, rowBytes, (...read) => readRows(name, ...read))(row0, rows, scratch)
    },
    readStrings(name) {
      const dataset = datasetOf(name)
      const { shape, type } = dataset
      const count = bytesOf(shape, 1)
      if (count * type.bytes > MAX_STRINGS_BYTES)
        throw tooLarge(`${path}: ${name}`, 'an array of strings', count * type.bytes, MAX_STRINGS_BYTES)
      if (count === 0) return []
      if (type.kind === 'text') return readTexts(dataset, count)
      const all = Buffer.alloc(count * type.bytes)
      readRows(name, 0, shape[0] ?? 1, all)
      return Array.from({ length: count }, (_, index) =>
        textAt(all.subarray(0, (index + 1) * type.bytes), index * type.bytes),
      )
    },
    close() {
      closeQuietly(h5, path, fileId, () => buffer.free())
    },
  }
}

/** Of a char * in the memory of h5wasm. */
const POINTER_BYTES = 4

/** The text from a place to the first null or the end. */
function textAt(bytes: Buffer, at: number): string {
  const end = bytes.indexOf(0, at)
  return bytes.toString('utf8', at, end < 0 ? bytes.length : end)
}

/** Bytes of the chunks that hold some rows: those are read and decoded whole. */
function storedBytes({ shape, chunkShape, type }: Hdf5Dataset, row0: number, rows: number): number {
  if (chunkShape === undefined) return bytesOf([rows, ...shape.slice(1)], type.bytes)
  const padded = shape.map((length, axis) => {
    const side = chunkShape[axis]
    const [from, to] = axis === 0 ? [row0, row0 + rows] : [0, length]
    return (Math.ceil(to / side) - Math.floor(from / side)) * side
  })
  return bytesOf(padded, type.bytes)
}

function selection(shape: readonly number[], row0: number, rows: number): [bigint[], bigint[], bigint[]] {
  const rest = shape.slice(1)
  return [[rows, ...rest].map(BigInt), [row0, ...rest.map(() => 0)].map(BigInt), shape.map(() => 1n)]
}

/** One block of WebAssembly memory, replaced by a larger one when needed. */
function growingBuffer(h5: H5wasm, path: string): { reserve(bytes: number): number; free(): void } {
  let pointer = 0
  let size = 0
  const free = (): void => {
    if (pointer !== 0) h5.module['_free'](pointer)
    pointer = 0
    size = 0
  }
  return {
    reserve(bytes) {
      if (bytes <= size) return pointer
      free()
      pointer = h5.run(path, (module) => module['_malloc'](bytes))
      if (pointer === 0)
        throw new StageError(
          'DATA_UNSUPPORTED',
          `${path}: rows of ${bytes} bytes exceed the memory of the HDF5 library`,
        )
      size = bytes
      return pointer
    },
    free,
  }
}

/** Closing gives nothing to the caller, and an unusable instance has closed its files already. */
function closeQuietly(h5: H5wasm, path: string, fileId: bigint, before: () => void = () => undefined): void {
  try {
    h5.run(path, (module) => {
      before()
      module.close_file(fileId)
    })
  } catch (error) {
    if (!(error instanceof StageError)) throw error
  }
}

function tooLarge(where: string, what: string, bytes: number, limit: number): StageError {
  return unsupported(`${where}: ${what} of ${bytes} bytes exceeds the limit of ${limit} bytes`)
}

function unsupported(message: string, hint?: string): StageError {
  return new StageError('DATA_UNSUPPORTED', message, hint === undefined ? {} : { hint })
}
