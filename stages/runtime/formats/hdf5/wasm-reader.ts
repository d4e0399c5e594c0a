import { statSync } from 'node:fs'
import { StageError } from '#runtime/stage/errors.ts'
import type { File, H5Module, Metadata } from './h5wasm-module.ts'
import { loadH5wasm } from './h5wasm-module.ts'
import type { ElementType } from './element-type.ts'
import type { Hdf5Dataset, Hdf5File } from './file.ts'
import { cOrderRows } from './row-reader.ts'

/** Filters that are compiled into h5wasm: deflate (gzip), shuffle, fletcher32. */
const KNOWN_FILTERS = new Set([1, 2, 3])

/** HDF5 type classes (H5T_class_t). */
const CLASS = { integer: 0, float: 1, string: 3, compound: 6, enumeration: 8 } as const

/**
 * Opens a file with libhdf5 compiled to WebAssembly: every layout that libhdf5 knows. All datasets are looked at, and
 * filters that are not compiled in are refused here, because libhdf5 then hands out uninitialised memory as data.
 */
export async function openWasm(path: string, reason: string): Promise<Hdf5File> {
  const { File, module } = await loadH5wasm()
  const bytes = statSync(path).size
  const file = guarded(path, () => new File(path, 'r'))
  try {
    const datasets = new Map<string, Hdf5Dataset>()
    for (const name of guarded(path, () => module.get_names(file.file_id, '/', true))) {
      const datasetPath = name.startsWith('/') ? name : `/${name}`
      if (guarded(path, () => module.get_type(file.file_id, datasetPath)) !== module.H5G_DATASET) continue
      datasets.set(datasetPath, describe(path, datasetPath, file, module))
    }
    return wasmFile({ path, bytes, reason, file, module, datasets })
  } catch (error) {
    file.close()
    throw error
  }
}

function describe(path: string, datasetPath: string, file: File, module: H5Module): Hdf5Dataset {
  const metadata = guarded(path, () => module.get_dataset_metadata(file.file_id, datasetPath))
  const filters = guarded(path, () => module.get_dataset_filters(file.file_id, datasetPath))
  const unknown = filters.find((filter) => !KNOWN_FILTERS.has(filter.id))
  if (unknown !== undefined) {
    throw unsupported(
      `${path}: ${datasetPath} is compressed with filter ${unknown.id} (${unknown.name || 'unnamed'})`,
      'write the file again without compression or with gzip',
    )
  }
  if ((metadata.virtual_sources?.length ?? 0) > 0) throw unsupported(`${path}: ${datasetPath} is a virtual dataset`)
  return {
    path: datasetPath,
    type: elementType(metadata, `${path}: ${datasetPath}`),
    // A null dataspace, which has no elements at all, has no shape in h5wasm.
    shape: metadata.shape ?? [0],
    chunkShape: metadata.chunks ?? undefined,
    filters: filters.map((filter) => filter.id),
  }
}

function elementType(metadata: Metadata, where: string): ElementType {
  const { type, size: bytes, signed, littleEndian } = metadata
  const numeric = type === CLASS.integer || type === CLASS.float
  if (numeric && bytes > 1 && !littleEndian) throw unsupported(`${where} holds big-endian numbers`)
  if (type === CLASS.integer) return { kind: 'integer', bytes, signed }
  if (type === CLASS.float) return { kind: 'float', bytes }
  if (type === CLASS.string) return metadata.vlen ? { kind: 'text', bytes: 16 } : { kind: 'string', bytes }
  if (type === CLASS.enumeration && metadata.enum_type !== undefined)
    return { kind: 'enumeration', bytes, members: metadata.enum_type.members }
  if (type === CLASS.compound && metadata.compound_type !== undefined) {
    const members = metadata.compound_type.members.map((member) => ({
      name: member.name,
      offset: member.offset,
      type: elementType(member, `${where}.${member.name}`),
    }))
    return { kind: 'compound', bytes, members }
  }
  throw unsupported(`${where} has a type (HDF5 class ${type}) that no UVH5 file needs`)
}

interface Parts {
  path: string
  bytes: number
  reason: string
  file: File
  module: H5Module
  datasets: Map<string, Hdf5Dataset>
}

function wasmFile({ path, bytes, reason, file, module, datasets }: Parts): Hdf5File {
  const datasetOf = (datasetPath: string): Hdf5Dataset => {
    const dataset = datasets.get(datasetPath)
    if (dataset === undefined) throw new RangeError(`${path} has no dataset ${datasetPath}`)
    return dataset
  }
  const buffer = growingBuffer(module)
  const readRows = (datasetPath: string, row0: number, rows: number, out: Uint8Array): void => {
    const { shape, type } = datasetOf(datasetPath)
    if (row0 < 0 || rows < 0 || row0 + rows > (shape[0] ?? 1))
      throw new RangeError(`rows ${row0} to ${row0 + rows} of ${shape[0] ?? 1}`)
    const needed = shape.slice(1).reduce((total, length) => total * length, rows * type.bytes)
    if (out.length < needed) throw new RangeError('the output array is too small')
    if (needed === 0) return
    const pointer = buffer.reserve(needed)
    const [count, offset, stride] = shape.length === 0 ? [null, null, null] : selection(shape, row0, rows)
    const status = guarded(path, () =>
      module.get_dataset_data(file.file_id, datasetPath, count, offset, stride, BigInt(pointer)),
    )
    if (status < 0) throw unreadable(path, `${datasetPath}: libhdf5 returned ${status}`)
    // The view is made after the call: the WebAssembly memory may have grown in it.
    out.set(module.HEAPU8.subarray(pointer, pointer + needed))
  }
  return {
    path,
    bytes,
    method: 'h5wasm',
    reason,
    paths: [...datasets.keys()].sort(),
    dataset: (datasetPath) => datasets.get(datasetPath),
    readRows,
    peekRows: readRows,
    readStored(datasetPath, row0, rows, scratch) {
      const { shape, type } = datasetOf(datasetPath)
      const rowBytes = shape.slice(1).reduce((total, length) => total * length, type.bytes)
      return cOrderRows(shape, rowBytes, (...read) => readRows(datasetPath, ...read))(row0, rows, scratch)
    },
    readStrings: (datasetPath) => {
      datasetOf(datasetPath)
      return guarded(path, () => strings(file.get(datasetPath)))
    },
    close() {
      buffer.free()
      file.close()
    },
  }
}

function selection(shape: readonly number[], row0: number, rows: number): [bigint[], bigint[], bigint[]] {
  const rest = shape.slice(1)
  return [[rows, ...rest].map(BigInt), [row0, ...rest.map(() => 0)].map(BigInt), shape.map(() => 1n)]
}

function strings(entity: unknown): string[] {
  const value = (entity as { value: unknown }).value
  const all = Array.isArray(value) ? value : [value]
  return all.map((element) => (typeof element === 'string' ? element.replace(/\0[^]*$/, '') : String(element)))
}

/** One block of WebAssembly memory, replaced by a larger one when needed; that memory never shrinks. */
function growingBuffer(module: H5Module): { reserve(bytes: number): number; free(): void } {
  let pointer = 0
  let size = 0
  const free = (): void => {
    if (pointer !== 0) module['_free'](pointer)
    pointer = 0
    size = 0
  }
  return {
    reserve(bytes) {
      if (bytes <= size) return pointer
      free()
      pointer = module['_malloc'](bytes)
      if (pointer === 0)
        throw new StageError('DATA_UNSUPPORTED', `a block of ${bytes} bytes exceeds the memory of h5wasm`)
      size = bytes
      return pointer
    },
    free,
  }
}

/** Runs a call into h5wasm and turns what it throws into our own error, with the message only. */
function guarded<T>(path: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw unreadable(
      path,
      error instanceof Error ? error.message.split('\n')[0].slice(0, 300) : String(error).slice(0, 300),
    )
  }
}

function unreadable(path: string, why: string): StageError {
  return new StageError('DATA_UNREADABLE', `${path} cannot be read: ${why}`, {
    hint: 'check the file with h5dump; copy it again from its source',
  })
}

function unsupported(message: string, hint?: string): StageError {
  return new StageError('DATA_UNSUPPORTED', message, hint === undefined ? {} : { hint })
}
