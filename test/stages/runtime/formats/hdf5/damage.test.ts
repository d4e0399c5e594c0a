import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzHdf5 } from '../../../../fuzz/hdf5-run.ts'

/** Longer than the second that is allowed on a quiet machine. */
const SLOW_MS = 5000
/** The limit of libhdf5, and the program itself twice: here it also holds the library that made the files. */
const MEMORY_BYTES = 700 * 1024 * 1024

test('damaged files of old and new layouts are read or refused by our own error, through the index and by libhdf5', async () => {
  const { failures, files, read, refused, slowestMs, rssBytes } = await fuzzHdf5(1000, 'test')
  assert.deepEqual(failures, [])
  assert.equal(read + refused, files)
  assert.ok(refused > files / 4 && read > files / 10, `${refused} refused, ${read} read`)
  assert.ok(slowestMs < SLOW_MS, `${slowestMs} ms`)
  assert.ok(rssBytes < MEMORY_BYTES, `${rssBytes} bytes`)
})
