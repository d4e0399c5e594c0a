import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openHdf5, type Hdf5File } from '#runtime/formats/hdf5/file.ts'
import { MiB, type FuzzTarget } from '../target.ts'
import { soundFiles } from './hdf5-files.ts'
import { damageHdf5 } from './hdf5-mutation.ts'

const BLOCK_BYTES = MiB
const MAX_READ_BYTES = 8 * BLOCK_BYTES

/** HDF5 files of every layout, read whole: every other one by libhdf5 whatever its layout. */
export const hdf5: FuzzTarget = {
  // A library that runs in circles on a machine that does other things is taken for storage that does not answer.
  codes: ['DATA_UNREADABLE', 'DATA_UNSUPPORTED', 'STORAGE_FAILED'],
  // What is read, its rows and chunks as they come, and the memory of libhdf5.
  memoryBytes: 256 * MiB,
  async prepare(folder) {
    const seeds = await soundFiles(folder)
    const path = join(folder, 'damaged.h5')
    return {
      seeds,
      named: path,
      // Where the library keeps what it says about an error, and where the clock of a thread is.
      allowed: [folder, '/tmp/tmpfile_*', '/proc/*'],
      mutate: ({ bytes }, random) => damageHdf5(bytes, random),
      async read({ bytes, index }) {
        writeFileSync(path, bytes)
        const file = await openHdf5(path, Math.floor(index / seeds.length) % 2 === 0 ? {} : { method: 'h5wasm' })
        try {
          readAll(file)
        } finally {
          file.close()
        }
        return true
      },
    }
  },
}

/** All data in blocks of rows; of what claims to be large, the beginning. */
function readAll(file: Hdf5File): void {
  let left = MAX_READ_BYTES
  for (const path of file.paths) {
    const dataset = file.dataset(path)
    if (dataset === undefined) throw new Error(`${path} is listed and not there`)
    if (dataset.type.kind === 'text' || dataset.type.kind === 'string') {
      file.readStrings(path)
      continue
    }
    const rows = dataset.shape[0] ?? 1
    const rowBytes = dataset.shape.slice(1).reduce((total, length) => total * length, dataset.type.bytes)
    const blockRows = Math.max(1, Math.floor(BLOCK_BYTES / Math.max(rowBytes, 1)))
    // A caller knows the shape it wants, and does not ask for a row that it has no memory for.
    if (rowBytes > MAX_READ_BYTES) continue
    for (let row = 0; row < rows && left > 0; row += blockRows) {
      const count = Math.min(blockRows, rows - row)
      file.readRows(path, row, count, new Uint8Array(count * rowBytes))
      left -= count * rowBytes + 1024
    }
  }
}
