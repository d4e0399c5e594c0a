import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fuzz } from './run.ts'
import { targets } from './targets.ts'

/** Inputs of a thousandth; `node test/fuzz/main.ts` reads as many as one wants. */
const COUNT = 2
/** Fewest of a target. */
const FEWEST = 80
/** The limit of libhdf5, and the program itself. */
const MEMORY_BYTES = 700 * 2 ** 20

test('what no parser may do is found out, one input after another', async (t) => {
  const keepIn = mkdtempSync(join(tmpdir(), 'contimg-fuzz-test-'))
  t.after(() => rmSync(keepIn, { recursive: true }))
  const module = new URL('broken-target.ts', import.meta.url).href
  const { failures, inputs } = await fuzz('broken', 9, 'test', { module, keepIn, hangMs: 1000 })
  assert.equal(inputs, 9)
  const found = failures.map(({ error, kept }) => [readFileSync(kept, 'utf8'), error.slice(0, 40)])
  // Whichever comes first.
  const heap = found.find(([name]) => name === 'heap')
  assert.match(heap?.[1] ?? '', /^(the worker died|busy for)/)
  assert.deepEqual(
    found.filter((one) => one !== heap).sort((a, b) => (a[0] < b[0] ? -1 : 1)),
    [
      ['another code', 'not an error of ours (INTERNAL): StageEr'],
      ['foreign', 'not an error of ours: TypeError: the fil'],
      ['hang', 'busy for 1000 ms'],
      ['memory', '33554432 bytes of arrays were asked for'],
      ['nameless', 'a message that names no file: damaged'],
      ['outside', 'a path outside of the root was used: /et'],
    ],
  )
})

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
