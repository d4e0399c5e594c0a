import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { createRandom } from '#runtime/numeric/random.ts'
import { guessChunkShape } from '#runtime/formats/hdf5/chunk-shape.ts'
import { boolean, complex64, float32, float64, int64 } from '#runtime/formats/hdf5/element-type.ts'
import { openHdf5, type Hdf5File } from '#runtime/formats/hdf5/file.ts'
import type { Group } from '#runtime/formats/hdf5/tree-image.ts'
import { createHdf5Writer } from '#runtime/formats/hdf5/writer.ts'
import { temporaryFolder } from '../../../simulation/observation-files.ts'

const folder = temporaryFolder()
after(folder.remove)

const types = { boolean, complex64, float32, float64, int64 }

/** Any row dataset: one to four axes, chunks that need not divide the shape, appends of any length. */
const layout = fc
  .record({
    type: fc.constantFrom(...(Object.keys(types) as (keyof typeof types)[])),
    row: fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 3 }),
    chunkRows: fc.integer({ min: 1, max: 40 }),
    chunkFactors: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 3, maxLength: 3 }),
    appends: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 }),
    reads: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })), {
      minLength: 1,
      maxLength: 6,
    }),
    /** Period of the content in bytes; 0 for random bytes. Rows of one value are read in a way of their own. */
    period: fc.constantFrom(0, 0, 1, 2, 4, 8),
    seed: fc.nat(),
  })
  .map(({ row, chunkRows, chunkFactors, ...rest }) => ({
    ...rest,
    row,
    chunkShape: [chunkRows, ...row.map((length, axis) => Math.min(length, chunkFactors[axis]))],
  }))

function read(file: Hdf5File, path: string, row0: number, rows: number): Uint8Array {
  const dataset = file.dataset(path)
  assert.ok(dataset)
  const bytes = dataset.shape.slice(1).reduce((total, length) => total * length, rows * dataset.type.bytes)
  const out = new Uint8Array(bytes)
  file.readRows(path, row0, rows, out)
  return out
}

test('what is appended in blocks of any length is read back, directly and through h5wasm, in any range of rows', async () => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(layout, async ({ type: name, row, chunkShape, appends, reads, period, seed }) => {
      const type = types[name]
      const path = join(folder.path, `any-${run++}.h5`)
      const rowBytes = row.reduce((total, length) => total * length, type.bytes)
      const random = createRandom(seed)
      const rows = appends.reduce((total, count) => total + count, 0)
      const draw = (): number => (name === 'boolean' ? random.int(2) : random.int(256))
      const pattern = Array.from({ length: period }, draw)
      const content = Uint8Array.from({ length: rows * rowBytes }, (_, at) => pattern[at % period] ?? draw())
      const other = Uint8Array.from({ length: 8 * rows }, () => random.int(256))
      const writer = createHdf5Writer(path, {
        kind: 'group',
        children: {
          data: { kind: 'rows', type, rowShape: row, chunkShape },
          other: { kind: 'rows', type: int64, rowShape: [], chunkShape: [16] },
        },
      })
      let done = 0
      for (const count of appends) {
        writer.append('/data', content.subarray(done * rowBytes, (done + count) * rowBytes))
        writer.append('/other', other.subarray(done * 8, (done + count) * 8))
        done += count
      }
      writer.close()

      const direct = await openHdf5(path, { method: 'direct' })
      const wasm = await openHdf5(path, { method: 'h5wasm' })
      for (const dataset of ['/data', '/other']) assert.deepEqual(direct.dataset(dataset), wasm.dataset(dataset))
      for (const file of [direct, wasm]) {
        assert.deepEqual(read(file, '/data', 0, rows), content)
        assert.deepEqual(read(file, '/other', 0, rows), other)
        for (const [from, length] of reads) {
          const row0 = Math.floor(from * rows)
          const count = Math.floor(length * (rows - row0))
          assert.deepEqual(
            read(file, '/data', row0, count),
            content.subarray(row0 * rowBytes, (row0 + count) * rowBytes),
          )
        }
        file.close()
      }
    }),
    { numRuns: 100 },
  )
})

test('chunks of one word whose bytes differ are not taken for rows of one value', async () => {
  const path = join(folder.path, 'word.h5')
  const writer = createHdf5Writer(path, {
    kind: 'group',
    children: { data: { kind: 'rows', type: boolean, rowShape: [2], chunkShape: [2, 1] } },
  })
  const content = Uint8Array.of(0, 1, 0, 1, 1, 0, 1, 0)
  writer.append('/data', content)
  writer.close()
  const file = await openHdf5(path, { method: 'direct' })
  assert.deepEqual(read(file, '/data', 0, 4), content)
  file.close()
})

test('a chunk index of three levels is written and read', async () => {
  const path = join(folder.path, 'deep.h5')
  const rows = 57 * 57 + 200
  const writer = createHdf5Writer(path, {
    kind: 'group',
    children: { data: { kind: 'rows', type: int64, rowShape: [], chunkShape: [1] } },
  })
  const content = BigInt64Array.from({ length: rows }, (_, index) => BigInt(index))
  writer.append('/data', content)
  writer.close()
  for (const method of ['direct', 'h5wasm'] as const) {
    const file = await openHdf5(path, { method })
    assert.deepEqual(new BigInt64Array(read(file, '/data', 0, rows).buffer as ArrayBuffer), content)
    file.close()
  }
})

test('strings, scalars and groups of many members are read back', async () => {
  const path = join(folder.path, 'strings.h5')
  const many = Object.fromEntries(
    Array.from({ length: 200 }, (_, index) => [
      `number-${index}`,
      { kind: 'fixed' as const, type: float64, shape: [], data: new Uint8Array(Float64Array.of(index).buffer) },
    ]),
  )
  const tree: Group = {
    kind: 'group',
    children: {
      text: { kind: 'text', value: 'HADEC' },
      accents: { kind: 'text', value: 'Señor Ω' },
      empty: { kind: 'text', value: '' },
      fixed: {
        kind: 'fixed',
        type: { kind: 'string', bytes: 4 },
        shape: [3],
        data: Buffer.from('1\0\x00022\0\x003333', 'latin1'),
      },
      numbers: { kind: 'group', children: many },
    },
  }
  createHdf5Writer(path, tree).close()
  for (const method of ['direct', 'h5wasm'] as const) {
    const file = await openHdf5(path, { method })
    assert.equal(file.paths.length, 204)
    assert.deepEqual(file.readStrings('/text'), ['HADEC'])
    assert.deepEqual(file.readStrings('/accents'), ['Señor Ω'])
    assert.deepEqual(file.readStrings('/empty'), [''])
    assert.deepEqual(file.readStrings('/fixed'), ['1', '22', '3333'])
    for (const index of [0, 9, 137, 199]) {
      assert.equal(new Float64Array(read(file, `/numbers/number-${index}`, 0, 1).buffer as ArrayBuffer)[0], index)
    }
    file.close()
  }
})

test('chunk shapes are those that h5py chooses for the telescope', () => {
  assert.deepEqual(guessChunkShape([0, 1, 48, 2], 8), [128, 1, 12, 1])
  assert.deepEqual(guessChunkShape([0, 1, 48, 2], 1), [256, 1, 24, 1])
  assert.deepEqual(guessChunkShape([0, 1, 48, 2], 4), [256, 1, 12, 1])
  assert.deepEqual(guessChunkShape([0, 3], 4), [512, 3])
  assert.deepEqual(guessChunkShape([0], 8), [1024])
})
