import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSolutions, writeSolutions } from '#runtime/formats/solutions.ts'
import { damageBytes, damageJson } from '../damage.ts'
import { MiB, type FuzzTarget } from '../target.ts'

const PREFIX = 16
const DIGEST = 32

/** Files of solution sets, their checksum made right again: it guards against accidents only. */
export const solutions: FuzzTarget = {
  codes: ['DATA_UNUSABLE'],
  memoryBytes: 16 * MiB,
  async prepare(folder) {
    const path = join(folder, 'solutions.bin')
    await writeSolutions(path, {
      header: { observation: '20260125T222605', antennas: ['1', '2'], grade: 'good', freqHz: [1.3e9, 1.4e9] },
      arrays: {
        bandpass: { shape: [2, 2, 3, 2], values: new Float64Array(24) },
        flags: { shape: [2, 2, 3], values: new Uint8Array(12) },
      },
    })
    return {
      seeds: [{ name: 'set', bytes: readFileSync(path) }],
      named: path,
      mutate({ bytes }, random) {
        const body = bytes.subarray(0, bytes.length - DIGEST)
        const headerBytes = body.readUInt32LE(12)
        const places = [0, 8, 12, PREFIX, PREFIX + headerBytes]
        let damaged: Buffer
        if (random.int(3) > 0) {
          const header = damageJson(body.subarray(PREFIX, PREFIX + headerBytes), random)
          const prefix = Buffer.from(body.subarray(0, PREFIX))
          const padded = Buffer.alloc(Math.ceil(header.length / 8) * 8, ' ')
          header.copy(padded)
          prefix.writeUInt32LE(random.int(8) === 0 ? random.int(2 ** 32) : padded.length, 12)
          damaged = Buffer.concat([prefix, padded, body.subarray(PREFIX + headerBytes)])
        } else damaged = damageBytes(Buffer.from(body), random, { places })
        const digest = createHash('sha256').update(damaged).digest()
        if (random.int(8) === 0) digest[random.int(DIGEST)] ^= 1
        return Buffer.concat([damaged, digest])
      },
      async read({ bytes }) {
        writeFileSync(path, bytes)
        await readSolutions(path)
        return true
      },
    }
  },
}
