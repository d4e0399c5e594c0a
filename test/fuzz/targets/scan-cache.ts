import { mkdirSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readScanCache, writeScanCache } from '../../../stages/conversion/scan-cache.ts'
import { lookAt } from '../../../stages/conversion/scan-file.ts'
import { simulate } from '../../stages/simulation/observation-files.ts'
import { damageJson } from '../damage.ts'
import { MiB, type FuzzTarget } from '../target.ts'

/** After the simulated observation. */
const NOW_MS = Date.UTC(2027, 0, 1)

/** What is kept of an earlier scan: used where it fits a file, and as good as absent otherwise. */
export const scanCache: FuzzTarget = {
  codes: [],
  memoryBytes: 16 * MiB,
  async prepare(folder) {
    const raw = join(folder, 'raw')
    const { paths, files } = await simulate(raw)
    writeFileSync(join(raw, 'broken.hdf5'), 'not one')
    const names = [...files, 'broken.hdf5']
    for (const path of [...paths, join(raw, 'broken.hdf5')]) utimesSync(path, 1e9, 1e9)
    const looks = new Map(
      await Promise.all(
        names.map(async (name) => [name, { ...(await lookAt(raw, name, { nowMs: NOW_MS })), lasting: true }] as const),
      ),
    )
    const cache = join(folder, 'cache')
    mkdirSync(cache)
    await writeScanCache(cache, raw, looks)
    const path = join(cache, readdirSync(cache)[0])
    return {
      seeds: [{ name: 'cache', bytes: readFileSync(path) }],
      mutate: ({ bytes }, random) => damageJson(bytes, random),
      async read({ bytes }) {
        writeFileSync(path, bytes)
        const read = await readScanCache(cache, raw, NOW_MS)
        for (const name of names) read.get(name, looks.get(name)!.identity!)
        return read.problem === undefined
      },
    }
  },
}
