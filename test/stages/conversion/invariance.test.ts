import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { hashFile, hashTree } from '#runtime/stage/files.ts'
import { convert, inFolder, rawObservation, reversePairs, writeRaw, type ConvertOptions } from './raw-observation.ts'

/** Converts into a new folder and returns the hash of all bytes of the set. */
async function converted(
  dir: string,
  paths: readonly string[],
  options: ConvertOptions & { name: string },
): Promise<string> {
  const out = join(dir, options.name)
  mkdirSync(out)
  return (await hashTree((await convert(paths, out, options)).path)).sha256
}

test('any order of input files and any number of workers give the same bytes', () =>
  inFolder(async (dir) => {
    // 1,120 rows: three blocks, the last one short of a tile.
    const raw = rawObservation({ integrations: 40 })
    const expect = { subbands: [0, 1, 2], integrations: 40 }
    const paths = writeRaw(dir, raw)
    const first = await converted(dir, paths, { expect, cpu: 1, name: 'first' })
    let count = 0
    const shuffled = fc.shuffledSubarray(paths, { minLength: paths.length })
    await fc.assert(
      fc.asyncProperty(shuffled, fc.integer({ min: 1, max: 4 }), async (order, cpu) => {
        assert.equal(await converted(dir, order, { expect, cpu, name: String(count++) }), first)
      }),
      { numRuns: 8 },
    )
  }))

for (const polarizations of [
  [-5, -6],
  [-5, -7, -8, -6],
]) {
  test(`reversing any subset of the pairs changes no byte of the samples and rows: ${polarizations.length} correlations`, () =>
    inFolder(async (dir) => {
      const raw = rawObservation({ polarizations, integrations: 3, subbands: [4] })
      const options = { expect: { subbands: [4], integrations: 3 } }
      const [{ spec, nsamples, flags, vis }] = raw.subbands.values()
      // Whatever a sample can be: flagged, incomplete, zero, not finite.
      flags[17] = 1
      nsamples[40] = 50
      vis.set([0, 0, Number.NaN, 1], 90)
      const baselines = spec.ant1.length
      let count = 0
      const hash = async (reversed: readonly number[]): Promise<string> => {
        const folder = join(dir, `case ${count++}`)
        mkdirSync(folder)
        const changed = reversePairs(raw, new Set(reversed))
        const { path } = await convert(writeRaw(folder, changed), folder, options)
        // The fingerprint of the changed file stands in HISTORY and seeds nothing else.
        const parts = await Promise.all(
          ['table.f0', 'table.f1_TSM0', 'table.f2_TSM0', 'table.f3_TSM0'].map((file) => hashFile(join(path, file))),
        )
        return parts.map(({ sha256 }) => sha256).join()
      }
      const plain = await hash([])
      assert.equal(await hash(Array.from({ length: baselines }, (_, i) => i)), plain)
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 0, max: baselines - 1 })), async (reversed) => {
          assert.equal(await hash(reversed), plain)
        }),
        { numRuns: 12 },
      )
    }))
}
