import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { readSolutions, writeSolutions } from '#runtime/formats/solutions.ts'
import { StageError } from '#runtime/stage/errors.ts'

async function inFolder<T>(work: (path: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'contimg-solutions-'))
  try {
    return await work(join(dir, 'set.ctgs'))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const content = fc.record({
  name: fc.string(),
  floats: fc.array(fc.double(), { maxLength: 20 }),
  bytes: fc.uint8Array({ maxLength: 20 }),
})

test('header and arrays come back as they were, and equal content makes equal bytes', async () => {
  await fc.assert(
    fc.asyncProperty(content, ({ name, floats, bytes }) =>
      inFolder(async (path) => {
        const header = { name, nested: { list: [1, 'two'] } }
        const arrays = {
          gains: { shape: [floats.length, 1], values: Float64Array.from(floats) },
          flags: { shape: [bytes.length], values: Uint8Array.from(bytes) },
        }
        await writeSolutions(path, { header, arrays })
        const first = readFileSync(path)
        const found = await readSolutions(path)
        assert.deepEqual(found, { header, arrays })
        await writeSolutions(path, {
          header: { nested: header.nested, name },
          arrays: { flags: arrays.flags, gains: arrays.gains },
        })
        assert.deepEqual(readFileSync(path), first)
      }),
    ),
    { numRuns: 30 },
  )
})

test('every damaged byte and every truncation is noticed', async () => {
  await inFolder(async (path) => {
    await writeSolutions(path, { header: { a: 1 }, arrays: { x: { shape: [3], values: Float64Array.of(1, 2, 3) } } })
    const whole = readFileSync(path)
    for (let k = 0; k < whole.length; k++) {
      const damaged = Buffer.from(whole)
      damaged[k] ^= 0x20
      writeFileSync(path, damaged)
      await assert.rejects(
        readSolutions(path),
        (error) => error instanceof StageError && error.code === 'DATA_UNUSABLE',
        `byte ${k}`,
      )
    }
    for (const length of [0, 8, 40, whole.length - 1]) {
      writeFileSync(path, whole)
      truncateSync(path, length)
      await assert.rejects(
        readSolutions(path),
        (error) => error instanceof StageError && error.code === 'DATA_UNUSABLE',
      )
    }
  })
})

test('an array that does not fit its shape is not written', async () => {
  const arrays = { x: { shape: [2, 2], values: Float64Array.of(1, 2, 3) } }
  await inFolder((path) => assert.rejects(writeSolutions(path, { header: {}, arrays }), /shape 2 x 2 does not hold 3/))
})
