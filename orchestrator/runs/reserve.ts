import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs'

/** What the events of the failures of a full disk, and then the report of the run, may take. */
const RESERVE_BYTES = 1024 ** 2

/** Room that is kept for what has to be written when nothing else can be. */
export interface Reserve {
  /** Gives the room back; true the first time. */
  release(): boolean
}

/**
 * Keeps some room on the file system of a folder: a file that has no name and holds what does not compress. It is gone when it
 * is released, and with the process in any case. Throws where there is not even so much.
 */
export function keepReserve(path: string): Reserve {
  const file = openSync(path, 'w')
  let held = true
  const release = (): boolean => {
    if (!held) return false
    held = false
    closeSync(file)
    return true
  }
  try {
    unlinkSync(path)
    const bytes = randomBytes(RESERVE_BYTES)
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done)
    // Only now are its blocks taken everywhere.
    fsyncSync(file)
    return { release }
  } catch (error) {
    release()
    throw error
  }
}
