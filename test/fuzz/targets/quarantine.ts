import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { listQuarantine, recordQuarantine, releaseQuarantine } from '../../../orchestrator/runs/quarantine.ts'
import { damageJson } from '../damage.ts'
import { MiB, type FuzzTarget } from '../target.ts'

const observation = '20260125T222605'

/** Entries of the quarantine: listed, and put back. */
export const quarantine: FuzzTarget = {
  codes: [],
  memoryBytes: 16 * MiB,
  async prepare(folder) {
    const [root, input] = [join(folder, 'root'), join(folder, 'raw')]
    const file = `${observation}_sb00.hdf5`
    mkdirSync(input)
    writeFileSync(join(input, file), 'not one')
    const { size, mtimeMs, ctimeMs } = statSync(join(input, file))
    const identity = { bytes: size, mtimeMs, ctimeMs }
    const entry = { observation, file, code: 'DATA_UNREADABLE', message: 'not HDF5', hint: 'copy it again' }
    const about = { run: 'brave-quasar', input, at: '2026-01-25T22:30:00.000Z', stage: 'conversion' }
    await recordQuarantine(root, entry, { ...about, evidence: [{ file, fingerprint: 'a'.repeat(64) }] })
    const [{ path }] = await listQuarantine(root)
    const seed = { apiVersion: 'contimg/v1', ...entry, ...about, evidence: [{ file, ...identity }] }
    return {
      seeds: [{ name: 'entry', bytes: Buffer.from(JSON.stringify(seed)) }],
      // The input folder of an entry may be any; of its files only the sizes and times are looked at.
      allowed: ['/*'],
      mutate: ({ bytes }, random) => damageJson(bytes, random),
      async read({ bytes }) {
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, bytes)
        const [item] = await listQuarantine(root)
        if (item === undefined) return false
        if (item.path !== path) throw new Error(`the entry lies in ${item.path}`)
        await releaseQuarantine(item)
        return true
      },
    }
  },
}
