import { openUvh5Data, type Uvh5Data } from '#runtime/formats/uvh5/data.ts'
import type { OpenData } from './blocks.ts'

/** Raw files that stay open from their first use to the end of a conversion. */
export interface HeldFiles {
  /** Opens a file, or gives the one that is open already. Those that the HDF5 library reads are not held: it takes memory for each. */
  open: OpenData
  close(): void
}

export function createHeldFiles(): HeldFiles {
  const held = new Map<string, Uvh5Data>()
  return {
    async open(path) {
      const file = held.get(path) ?? (await openUvh5Data(path))
      if (file.method !== 'direct') return file
      held.set(path, file)
      return { ...file, close: () => undefined }
    },
    close() {
      for (const file of held.values()) file.close()
      held.clear()
    },
  }
}
