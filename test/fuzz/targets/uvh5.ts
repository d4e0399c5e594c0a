import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createBlockScratch, openUvh5Data } from '#runtime/formats/uvh5/data.ts'
import { lookAt } from '../../../stages/conversion/scan-file.ts'
import { isFault } from '../../../stages/conversion/scan-look.ts'
import { simulate } from '../../stages/simulation/observation-files.ts'
import { MiB, type FuzzTarget } from '../target.ts'
import { damageHdf5 } from './hdf5-mutation.ts'

/** After the simulated observation. */
const NOW_MS = Date.UTC(2027, 0, 1)

/** Subband files of the telescope's layout: what the scan makes of one, and its data where it is usable. */
export const uvh5: FuzzTarget = {
  codes: ['DATA_UNREADABLE', 'DATA_UNSUPPORTED', 'STORAGE_FAILED'],
  memoryBytes: 256 * MiB,
  async prepare(folder) {
    const { paths, files } = await simulate(join(folder, 'sound'), { subbands: [5] })
    const path = join(folder, files[0])
    return {
      seeds: [{ name: 'subband', bytes: readFileSync(paths[0]) }],
      allowed: [folder, '/tmp/tmpfile_*', '/proc/*'],
      mutate: ({ bytes }, random) => damageHdf5(bytes, random),
      async read({ bytes }) {
        writeFileSync(path, bytes)
        utimesSync(path, 1e9, 1e9)
        const { found } = await lookAt(folder, files[0], { nowMs: NOW_MS })
        if (isFault(found)) return false
        const data = await openUvh5Data(path)
        try {
          data.readStored(0, found.rows, createBlockScratch())
        } finally {
          data.close()
        }
        return true
      },
    }
  },
}
