import { StageError } from '#runtime/stage/errors.ts'

/**
 * Constants of the HDF5 file format (The HDF Group, "HDF5 File Format Specification Version 3.0"), the subset that
 * libhdf5 writes by default: superblock 0, old-style groups, version 1 object headers and version 1 B-trees, with
 * 8-byte offsets and lengths.
 */
export const SIGNATURE = Buffer.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a])
export const SUPERBLOCK_BYTES = 96
export const UNDEFINED_ADDRESS = 0xffffffffffffffffn

/** Symbols per symbol table node, and children per B-tree node, of a group: twice the K values of the superblock. */
export const GROUP_LEAF_K = 4
export const GROUP_INTERNAL_K = 16
/** Half the children of a chunk B-tree node; fixed by libhdf5, not stored in superblock 0. */
export const CHUNK_INDEX_K = 32

export const SYMBOL_ENTRY_BYTES = 40
export const GROUP_TREE_BYTES = 24 + 8 * (2 * GROUP_INTERNAL_K + 1) + 8 * 2 * GROUP_INTERNAL_K
export const SYMBOL_NODE_BYTES = 8 + 2 * GROUP_LEAF_K * SYMBOL_ENTRY_BYTES
export const GLOBAL_HEAP_BYTES = 4096

export const message = {
  nil: 0x0000,
  dataspace: 0x0001,
  linkInfo: 0x0002,
  datatype: 0x0003,
  fillValue: 0x0005,
  externalFiles: 0x0007,
  layout: 0x0008,
  filters: 0x000b,
  continuation: 0x0010,
  symbolTable: 0x0011,
} as const

/** Bytes of a chunk B-tree node of a dataset with `rank` axes; its keys hold one more axis, the bytes of an element. */
export function chunkNodeBytes(rank: number): number {
  return 24 + (2 * CHUNK_INDEX_K + 1) * chunkKeyBytes(rank) + 2 * CHUNK_INDEX_K * 8
}

export function chunkKeyBytes(rank: number): number {
  return 8 + 8 * (rank + 1)
}

export function paddedTo8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8
}

/** Thrown for anything the direct reader does not know; the file is then opened with h5wasm. Never leaves this room. */
export class UnknownLayout extends Error {
  constructor(feature: string) {
    super(feature)
    this.name = 'UnknownLayout'
  }
}

/** The error for bytes that contradict the format. */
export function corrupt(path: string, what: string): StageError {
  return new StageError('DATA_UNREADABLE', `${path} is corrupt: ${what}`, {
    hint: 'copy the file again from its source and compare sizes; if it is the same there, leave this file out',
  })
}

/** The error for a file that ends before its own stated end. */
export function truncated(path: string, bytes: number, statedBytes: number): StageError {
  return new StageError(
    'DATA_UNREADABLE',
    `${path} is truncated: it has ${bytes} bytes, its superblock says ${statedBytes}`,
    {
      hint: 'the file is still being written or was copied in part: wait for the copy to end, or copy it again',
    },
  )
}

export function notHdf5(path: string): StageError {
  return new StageError('DATA_UNREADABLE', `${path} is not an HDF5 file: the HDF5 signature is missing`, {
    hint: 'give UVH5 files as the telescope writes them (YYYY-MM-DDTHH:MM:SS_sbNN.hdf5)',
  })
}
