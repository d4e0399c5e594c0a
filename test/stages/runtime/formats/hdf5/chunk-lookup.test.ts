import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import * as fc from 'fast-check'
import { int64 } from '#runtime/formats/hdf5/element-type.ts'
import { openHdf5 } from '#runtime/formats/hdf5/file.ts'
import { createHdf5Writer } from '#runtime/formats/hdf5/writer.ts'
import { temporaryFolder } from '../../../simulation/observation-files.ts'

const folder = temporaryFolder()
after(folder.remove)

/** Indices of up to three levels, with one and with several columns of chunks. */
const layout = fc.record({
  columns: fc.integer({ min: 1, max: 6 }),
  chunkColumns: fc.integer({ min: 1, max: 6 }),
  chunkRows: fc.integer({ min: 1, max: 3 }),
  rows: fc.integer({ min: 1, max: 4000 }),
  reads: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 30 })), {
    minLength: 4,
  }),
})

test('a few rows are the same, whether the chunk index is read whole or only what leads to them', async () => {
  let file = 0
  await fc.assert(
    fc.asyncProperty(layout, async ({ columns, chunkColumns, chunkRows, rows, reads }) => {
      const path = join(folder.path, `${file++}.h5`)
      const writer = createHdf5Writer(path, {
        kind: 'group',
        children: { data: { kind: 'rows', type: int64, rowShape: [columns], chunkShape: [chunkRows, chunkColumns] } },
      })
      const content = BigInt64Array.from({ length: rows * columns }, (_, index) => BigInt(index))
      writer.append('/data', content)
      writer.close()
      const opened = await openHdf5(path, { method: 'direct' })
      try {
        for (const [place, wanted] of reads) {
          const row0 = Math.min(rows - 1, Math.floor(place * rows))
          const count = Math.min(wanted, rows - row0)
          const out = new BigInt64Array(count * columns)
          opened.peekRows('/data', row0, count, new Uint8Array(out.buffer))
          assert.deepEqual(out, content.slice(row0 * columns, (row0 + count) * columns))
        }
      } finally {
        opened.close()
      }
    }),
    { numRuns: 40 },
  )
})
