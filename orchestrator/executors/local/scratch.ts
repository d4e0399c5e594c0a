import { statfs } from 'node:fs/promises'
import { join } from 'node:path'

export const SHARED_MEMORY = '/dev/shm'
/** Room that a plan's error may take. */
const MARGIN = 1.25

interface ScratchWish {
  uid: string
  scratchBytes: number
  /** What is left of the attempt's memory for files in shared memory. */
  memoryBytes: number
  disk: string
  /** The user chose the folder: no shared memory instead. */
  fixed: boolean
}

/** A folder for an attempt's scratch, which the stage makes: in shared memory where its plan fits beside its working memory, else on disk. */
export async function chooseScratch({ uid, scratchBytes, memoryBytes, disk, fixed }: ScratchWish): Promise<string> {
  const needed = scratchBytes * MARGIN
  const inMemory = !fixed && needed > 0 && needed <= memoryBytes && needed <= (await freeBytes(SHARED_MEMORY))
  return join(inMemory ? SHARED_MEMORY : disk, `contimg-${uid}`)
}

async function freeBytes(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch {
    // No shared memory on this system.
    return 0
  }
}
