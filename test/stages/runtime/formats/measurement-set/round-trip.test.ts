import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { openMeasurementSet } from '#runtime/formats/measurement-set/read.ts'
import { openTiles } from '#runtime/formats/measurement-set/tiles.ts'
import { cut, sampleSet, writeSampleSet } from './sample-set.ts'

async function inFolder(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'contimg-ms-'))
  try {
    await work(dir)
  } finally {
    await rm(dir, { recursive: true })
  }
}

test('a set is read back as it was written', () =>
  inFolder(async (dir) => {
    for (const shape of [
      {},
      { weightSpectrum: false, rows: 64 },
      { polarizations: 4, rows: 1, channels: 5, tileChannels: 5 },
      { rows: 3000, channels: 8, tileChannels: 8 },
    ]) {
      const set = sampleSet({ path: join(dir, `${Object.values(shape).join('-')}.ms`), ...shape })
      await writeSampleSet(set)
      const { layout, metadata, rows } = await openMeasurementSet(set.layout.path)
      assert.deepEqual(layout, set.layout)
      assert.deepEqual(metadata, set.metadata)
      assert.deepEqual(rows, set.rows)
      const tiles = openTiles(layout, 'read')
      const data = new Float32Array(set.data.length)
      const flags = new Uint8Array(set.flags.length)
      tiles.readData(0, layout.rows, 0, layout.channels, data)
      tiles.readFlags(0, layout.rows, 0, layout.channels, flags)
      assert.deepEqual(data, set.data)
      assert.deepEqual(flags, set.flags)
      if (layout.weightSpectrum) {
        const weights = new Float32Array(set.weights.length)
        tiles.readWeights(0, layout.rows, 0, layout.channels, weights)
        assert.deepEqual(weights, set.weights)
      }
      tiles.close()
    }
  }))

/** A start and a length inside an axis. */
function range(end: number): fc.Arbitrary<[number, number]> {
  return fc
    .tuple(fc.integer({ min: 0, max: end - 1 }), fc.integer({ min: 1, max: end }))
    .map(([from, count]) => [from, Math.min(count, end - from)])
}

test('any block of rows and channels reads as the cut of the whole', () =>
  inFolder(async (dir) => {
    const set = sampleSet({ path: join(dir, 'any.ms'), channels: 20, tileChannels: 8, tileRows: 16 })
    await writeSampleSet(set)
    const tiles = openTiles(set.layout, 'read')
    fc.assert(
      fc.property(range(set.layout.rows), range(set.layout.channels), ([row, rows], [channel, channels]) => {
        const block = { row, rows, channel, channels }
        const data = new Float32Array(rows * channels * 4)
        const flags = new Uint8Array(rows * channels * 2)
        const weights = new Float32Array(rows * channels * 2)
        tiles.readData(row, rows, channel, channels, data)
        tiles.readFlags(row, rows, channel, channels, flags)
        tiles.readWeights(row, rows, channel, channels, weights)
        assert.deepEqual(data, cut(set, set.data, block))
        assert.deepEqual(flags, cut(set, set.flags, block))
        assert.deepEqual(weights, cut(set, set.weights, block))
      }),
      { numRuns: 60 },
    )
    tiles.close()
  }))

test('blocks that do not end on tile borders, or lie outside, are refused', () =>
  inFolder(async (dir) => {
    const set = sampleSet({ path: join(dir, 'refuse.ms') })
    await writeSampleSet(set)
    const tiles = openTiles(set.layout, 'write')
    const data = new Float32Array(150 * 24 * 4)
    assert.throws(() => tiles.writeData(1, 64, 0, 12, data), RangeError)
    assert.throws(() => tiles.writeData(0, 63, 0, 12, data), RangeError)
    assert.throws(() => tiles.writeData(0, 64, 0, 11, data), RangeError)
    assert.throws(() => tiles.readData(100, 51, 0, 24, data), RangeError)
    assert.throws(() => tiles.readData(0, 64, 0, 24, data.subarray(0, 100)), RangeError)
    tiles.writeData(128, 22, 12, 12, data)
    tiles.close()
  }))

test('a set is never made over an existing one', () =>
  inFolder(async (dir) => {
    const set = sampleSet({ path: join(dir, 'twice.ms'), rows: 4 })
    await writeSampleSet(set)
    await assert.rejects(writeSampleSet(set), { code: 'EEXIST' })
  }))
