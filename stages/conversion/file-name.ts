import { mjdFromIso } from '#runtime/sky/time.ts'

/** What the name of a raw file says. The stamp is when that node opened the file, not the time of the data. */
export interface FileStamp {
  stampMjd: number
  label: number
}

/** Files with these endings are looked at. */
const candidatePattern = /\.(hdf5|uvh5|h5)$/i
const namePattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)_sb(\d\d)\.hdf5$/
const unfinishedPattern = /_incomplete\.hdf5$/

/** Whether a file may hold a subband: an HDF5 ending, and not being written. */
export function isCandidate(name: string): boolean {
  return candidatePattern.test(name) && !isUnfinished(name)
}

/** Whether the writer has not closed the file yet, or never did. */
export function isUnfinished(name: string): boolean {
  return unfinishedPattern.test(name)
}

/** The stamp and subband label of `YYYY-MM-DDTHH:MM:SS_sbNN.hdf5`; undefined for other names. */
export function parseFileName(name: string): FileStamp | undefined {
  const match = namePattern.exec(name)
  if (match === null) return undefined
  try {
    return { stampMjd: mjdFromIso(match[1]), label: Number(match[2]) }
  } catch {
    // Digits in the right places that are no date, such as month 13.
    return undefined
  }
}
