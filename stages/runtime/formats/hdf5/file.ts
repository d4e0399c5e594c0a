import type { ElementType } from './element-type.ts'
import { UnknownLayout } from './file-format.ts'
import { openDirect } from './direct-reader.ts'
import type { RowScratch } from './row-reader.ts'
import type { StoredRows } from './stored-rows.ts'
import { openWasm } from './wasm-reader.ts'

export interface Hdf5Dataset {
  readonly path: string
  readonly type: ElementType
  /** Empty for a scalar. */
  readonly shape: readonly number[]
  /** Undefined when contiguous. */
  readonly chunkShape: readonly number[] | undefined
  /** HDF5 filter ids, in order. */
  readonly filters: readonly number[]
}

/** An HDF5 file opened for reading. All element bytes are little-endian, in C order, as in the file. */
export interface Hdf5File {
  readonly path: string
  readonly bytes: number
  /** How it is read: at the addresses of its own index, or by libhdf5 compiled to WebAssembly. */
  readonly method: 'direct' | 'h5wasm'
  /** Why it is not read directly. */
  readonly reason: string | undefined
  /** Absolute paths of all datasets, sorted. */
  readonly paths: readonly string[]
  dataset(path: string): Hdf5Dataset | undefined
  /** Reads the chunk index of a dataset, where it is not read yet: reading rows needs no more then than their bytes. */
  prepareRows(path: string): void
  /** Fills `out` with whole rows, `row0` counted along the first axis. A scalar is one row. */
  readRows(path: string, row0: number, rows: number, out: Uint8Array): void
  /**
   * The same for a few rows of many: where the file is read directly, no more of a chunk index is read than leads to
   * them, and what is wrong in the rest of it does not show.
   */
  peekRows(path: string, row0: number, rows: number, out: Uint8Array): void
  /** The same rows as they are stored, in `scratch`: chunk by chunk where the file is read directly. */
  readStored(path: string, row0: number, rows: number, scratch: RowScratch): StoredRows
  /** The elements of a fixed or variable-length string dataset. */
  readStrings(path: string): string[]
  close(): void
}

/**
 * Opens a file directly where its layout is the plain one that the telescope's writer makes (superblock 0, version 1
 * headers and B-trees, no filters), and through h5wasm otherwise. Both give the same bytes.
 * @param options.method forces one of the two
 * @throws StageError DATA_UNREADABLE when the file is not HDF5, truncated or corrupt; DATA_UNSUPPORTED with the name
 * of the filter or type
 */
export async function openHdf5(path: string, options: { method?: 'direct' | 'h5wasm' } = {}): Promise<Hdf5File> {
  if (options.method === 'h5wasm') return openWasm(path, 'asked for')
  try {
    return openDirect(path)
  } catch (error) {
    if (!(error instanceof UnknownLayout) || options.method === 'direct') throw error
    return openWasm(path, error.message)
  }
}
