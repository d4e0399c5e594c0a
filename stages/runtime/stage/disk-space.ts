import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StageError } from './errors.ts'

/** A folder that is written to, as a person knows it. */
export interface StoragePlace {
  /** `the data root`, `the scratch folder`. */
  name: string
  path: string
  /** What is planned to be written there. */
  plannedBytes?: number
  /** What to do when there is no room. */
  fix: string
}

/** With less than this nothing can be written that is worth it. */
const FULL_BYTES = 1024 ** 2
/** What to do when there is no room for scratch. */
export const SCRATCH_FIX = 'free some space there, or choose another folder with CONTIMG_SCRATCH'
const AGAIN = 'then run the same command again: finished steps are reused'

/** DISK_FULL that says where, how much is free and how much is needed. */
export class DiskFullError extends StageError {
  constructor(message: string, options: { hint: string; cause?: unknown }) {
    super('DISK_FULL', message, options)
    this.name = 'DiskFullError'
  }
}

/** The place that is full, undefined when all have room; to be asked before anything is cleaned up. */
export async function fullPlace(places: readonly StoragePlace[]): Promise<StoragePlace | undefined> {
  const [least] = await byFreeBytes(places)
  return least !== undefined && least.freeBytes < FULL_BYTES ? least.place : undefined
}

/** What a failed write means: the place that its path lies in, else the one with the least room. */
export async function explainNoSpace(cause: unknown, places: readonly StoragePlace[]): Promise<DiskFullError> {
  const { path, dest } = (cause ?? {}) as NodeJS.ErrnoException & { dest?: string }
  const written = dest ?? path
  const known = places.filter((place) => written?.startsWith(place.path))
  const elsewhere = { name: 'the folder', path: dirname(written ?? '.'), fix: 'free some space there' }
  const [found] = await byFreeBytes(written === undefined ? places : known.length > 0 ? known : [elsewhere])
  if (found === undefined) return new DiskFullError(String(cause), { hint: `free some space, ${AGAIN}`, cause })
  return noRoom(found, cause)
}

/** Throws DISK_FULL for a place with less room than is planned for it. */
export async function checkRoom(places: readonly StoragePlace[]): Promise<void> {
  for (const found of await byFreeBytes(places))
    if (found.freeBytes < (found.place.plannedBytes ?? 0)) throw noRoom(found, undefined)
}

/** `1.5 GiB` of a number of bytes, in MiB where that is less than one. */
export function sizeText(bytes: number): string {
  return bytes < 1024 ** 3 ? `${(bytes / 1024 ** 2).toFixed(1)} MiB` : `${(bytes / 1024 ** 3).toFixed(1)} GiB`
}

interface Measured {
  place: StoragePlace
  freeBytes: number
  totalBytes: number
}

function noRoom({ place, freeBytes, totalBytes }: Measured, cause: unknown): DiskFullError {
  const { name, path, plannedBytes } = place
  const need = plannedBytes === undefined || plannedBytes === 0 ? '' : `; ${sizeText(plannedBytes)} are needed`
  const free = `${sizeText(freeBytes)} of ${sizeText(totalBytes)} are free${need}`
  const message = `no space left on ${name} ${path}: ${free}`
  return new DiskFullError(message, { hint: `${place.fix}, ${AGAIN}`, ...(cause === undefined ? {} : { cause }) })
}

/** The places with their room, the least first. */
async function byFreeBytes(places: readonly StoragePlace[]): Promise<Measured[]> {
  const measured = await Promise.all(places.map(async (place) => ({ place, ...(await roomOf(place.path)) })))
  return measured.sort((a, b) => a.freeBytes - b.freeBytes)
}

/** Room at a path, or at the nearest folder above it that exists. */
async function roomOf(path: string): Promise<Pick<Measured, 'freeBytes' | 'totalBytes'>> {
  try {
    const { bavail, blocks, bsize } = await statfs(path)
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error
    return roomOf(dirname(path))
  }
}
