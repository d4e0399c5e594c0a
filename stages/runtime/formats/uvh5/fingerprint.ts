import { createHash, type Hash } from 'node:crypto'
import { openHdf5, type Hdf5Dataset, type Hdf5File } from '../hdf5/file.ts'
import { dataShape } from './header.ts'
import { peekRows, readRows } from './values.ts'

/** Of each end of a row-indexed dataset this much enters the fingerprint. */
const END_BYTES = 64 * 1024

/**
 * What identifies a raw file in keys: sha256 over its size, its scalar and fixed-size /Header datasets (decoded,
 * little-endian, sorted by path), and the first and last 64 KiB of each row-indexed dataset of /Header and /Data. It
 * does not depend on how the file is read, chunked or compressed, except through its size.
 * @returns 64 hexadecimal digits
 */
export async function fingerprint(path: string): Promise<string> {
  const file = await openHdf5(path)
  try {
    return fingerprintOf(file)
  } finally {
    file.close()
  }
}

/** The fingerprint of an open file. */
export function fingerprintOf(file: Hdf5File): string {
  const { rows } = dataShape(file)
  const hash = createHash('sha256')
  hash.update(`${file.bytes}\n`)
  const memory = new Uint8Array(2 * END_BYTES)
  for (const path of file.paths) {
    const dataset = file.dataset(path)
    if (dataset === undefined || !/^\/(Header|Data)\//.test(path)) continue
    hash.update(`${path} ${dataset.shape.join(',')}\n`)
    if (dataset.type.kind === 'string' || dataset.type.kind === 'text')
      hash.update(JSON.stringify(file.readStrings(path)))
    else if (dataset.shape[0] === rows) hashEnds(file, dataset, hash, memory)
    else hash.update(readRows(file, dataset, 0, dataset.shape[0] ?? 1))
  }
  return hash.digest('hex')
}

function hashEnds(file: Hdf5File, dataset: Hdf5Dataset, hash: Hash, memory: Uint8Array<ArrayBuffer>): void {
  const rows = dataset.shape[0]
  const rowBytes = dataset.shape.slice(1).reduce((total, length) => total * length, dataset.type.bytes)
  const count = Math.min(rows, Math.ceil(END_BYTES / rowBytes))
  hash.update(peekRows(file, dataset, 0, count, memory).subarray(0, END_BYTES))
  hash.update(peekRows(file, dataset, rows - count, count, memory).subarray(-END_BYTES))
}
