import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzz } from './run.ts'
import { targets } from './targets.ts'

/** Inputs of a thousandth; `node test/fuzz/main.ts` reads as many as one wants. */
const COUNT = 2
/** Fewest of a target. */
const FEWEST = 80
/** The limit of libhdf5, and the program itself. */
const MEMORY_BYTES = 700 * 2 ** 20

for (const [name, { share }] of Object.entries(targets)) {
  test(`damaged input of ${name} is read or refused by an error of ours, within its memory and its folder`, async () => {
    const { failures, inputs, read, refused, rss } = await fuzz(name, Math.max(FEWEST, COUNT * share), 'test')
    assert.deepEqual(failures, [])
    assert.equal(read + refused, inputs)
    assert.ok(refused > inputs / 20, `only ${refused} of ${inputs} were refused`)
    assert.ok(read > 0 || name === 'scan-cache', 'none was read')
    assert.ok(rss < MEMORY_BYTES, `${rss} bytes`)
  })
}
