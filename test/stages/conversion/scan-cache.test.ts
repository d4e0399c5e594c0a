import assert from 'node:assert/strict'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { scanSchema, type Scan } from '../../../stages/conversion/contract.ts'
import { scanFolder } from '../../../stages/conversion/scan.ts'
import { earthOrientation, inFolder, rawObservation, writeRaw } from './raw-observation.ts'

const nowMs = Date.parse('2026-02-01T00:00:00Z')

/** Files that changed just now are not remembered: a scan that is to fill the cache waits for this. */
const SETTLED_MS = 150

interface Ground {
  input: string
  cache: string
  /** A scan, how many files it looked at, and what it noted. */
  scan: (options?: {
    nowMs?: number
    cache?: string
    threads?: number
  }) => Promise<{ found: Scan; looked: number; notes: string[] }>
}

function onGround(work: (ground: Ground) => Promise<void>): Promise<void> {
  return inFolder(async (dir) => {
    const [input, cache] = [join(dir, 'raw'), join(dir, 'cache')]
    mkdirSync(input)
    await work({
      input,
      cache,
      async scan(options = {}) {
        let looked = 0
        const notes: string[] = []
        const found = await scanFolder(input, {
          nowMs,
          earthOrientation,
          cache,
          onProgress: () => looked++,
          note: (message) => notes.push(message),
          ...options,
        })
        return { found: scanSchema.parse(found), looked, notes }
      },
    })
  })
}

test('a second scan opens no file and finds the same, faults too', () =>
  onGround(async ({ input, cache, scan }) => {
    const [, second] = writeRaw(input, rawObservation())
    truncateSync(second, 20_000)
    writeFileSync(join(input, 'other.hdf5'), 'this is not HDF5')
    await delay(SETTLED_MS)
    const first = await scan()
    assert.equal(first.looked, 4)
    const again = await scan()
    assert.deepEqual([again.looked, again.notes], [0, []])
    assert.deepEqual(again.found, first.found)
    assert.equal(again.found.observations[0].faults.length, 1)
    assert.equal(readdirSync(cache).length, 1)
  }))

test('only files whose size or times have changed are looked at again', () =>
  onGround(async ({ input, scan }) => {
    const [first] = writeRaw(input, rawObservation())
    await delay(SETTLED_MS)
    await scan()
    // The same size and the same time of modification, but another content: the change time tells.
    const { atimeMs, mtimeMs } = statSync(first)
    const bytes = readFileSync(first)
    writeFileSync(first, Buffer.concat([Buffer.from('no HDF5!'), bytes.subarray(8)]))
    utimesSync(first, atimeMs / 1000, mtimeMs / 1000)
    const { found, looked } = await scan()
    assert.equal(looked, 1)
    assert.deepEqual(found.observations[0].subbands, [1, 2])
  }))

test('a file that changed just now is not remembered', () =>
  onGround(async ({ input, scan }) => {
    const [first] = writeRaw(input, rawObservation({ subbands: [0] }))
    utimesSync(first, Date.now() / 1000 + 60, Date.now() / 1000 + 60)
    await scan()
    assert.equal((await scan()).looked, 1)
  }))

test('files that are gone leave the cache', () =>
  onGround(async ({ input, cache, scan }) => {
    const [first] = writeRaw(input, rawObservation())
    await delay(SETTLED_MS)
    await scan()
    rmSync(first)
    const { looked, found } = await scan()
    assert.deepEqual([looked, found.files], [0, 2])
    assert.ok(!readFileSync(join(cache, readdirSync(cache)[0]), 'utf8').includes(basename(first)))
  }))

test('a cache that is torn, foreign or of other code is not used, is said so, and is replaced', () =>
  onGround(async ({ input, cache, scan }) => {
    writeRaw(input, rawObservation())
    await delay(SETTLED_MS)
    const { found } = await scan()
    const path = join(cache, readdirSync(cache)[0])
    const text = readFileSync(path, 'utf8')
    const content = JSON.parse(text) as { files: Record<string, { common: number }>; code: string; folder: string }
    const dangling = structuredClone(content)
    for (const file of Object.values(dangling.files)) file.common = 7
    for (const [damaged, why] of [
      [text.slice(0, text.length / 2), /torn/],
      ['', /torn/],
      ['null', /does not hold what it should/],
      ['{"files":{}}', /does not hold what it should/],
      [text.replace('"channels":4', '"channels":"4"'), /does not hold what it should/],
      [JSON.stringify({ ...content, extra: 1 }), /does not hold what it should/],
      [JSON.stringify(dangling), /does not hold what it should/],
      [JSON.stringify({ ...content, code: 'other' }), /another version/],
      [JSON.stringify({ ...content, folder: '/elsewhere' }), /another folder/],
    ] as const) {
      writeFileSync(path, damaged)
      const anew = await scan()
      assert.equal(anew.looked, 3, damaged.slice(0, 80))
      assert.match(anew.notes.join(), why)
      assert.deepEqual(anew.found, found)
      assert.equal(readFileSync(path, 'utf8'), text)
    }
  }))

test('a cache that cannot be written or read costs a note and nothing else', () =>
  onGround(async ({ input, cache, scan }) => {
    writeRaw(input, rawObservation())
    await delay(SETTLED_MS)
    const path = `${cache}-file`
    writeFileSync(path, '')
    const { found, notes } = await scan({ cache: path })
    assert.equal(found.observations.length, 1)
    assert.match(notes.join(), /cannot be written .* the next scan takes as long/)
  }))

test('what lies in the future is looked at again when it is time', () =>
  onGround(async ({ input, scan }) => {
    writeRaw(input, rawObservation({ subbands: [0] }))
    await delay(SETTLED_MS)
    const early = Date.parse('2026-01-25T20:00:00Z')
    assert.match((await scan({ nowMs: early })).found.faults[0].message, /in the future/)
    assert.deepEqual((await scan()).found.observations[0].subbands, [0])
    // A clock that was set back makes it future data again.
    const back = await scan({ nowMs: early })
    assert.match(back.found.faults[0].message, /in the future/)
  }))

test('scans at the same time do each other no harm', () =>
  onGround(async ({ input, cache, scan }) => {
    writeRaw(input, rawObservation())
    await delay(SETTLED_MS)
    const all = await Promise.all(Array.from({ length: 8 }, () => scan()))
    for (const { found } of all) assert.deepEqual(found, all[0].found)
    assert.equal(readdirSync(cache).length, 1)
    assert.equal((await scan()).looked, 0)
  }))

test('what was found in a folder that was replaced is forgotten', () =>
  onGround(async ({ input, cache, scan }) => {
    writeRaw(input, rawObservation())
    await delay(SETTLED_MS)
    await scan()
    renameSync(input, `${input}-old`)
    mkdirSync(input)
    assert.deepEqual((await scan()).found.observations, [])
    assert.equal(readdirSync(cache).length, 1)
  }))

test('threads find the same as one, in files of any kind', () =>
  onGround(async ({ input, cache, scan }) => {
    const paths = writeRaw(input, rawObservation({ subbands: [0, 1, 2, 3] }))
    // Enough for several threads: copies under other stamps, some of them damaged.
    for (let k = 0; k < 96; k++) {
      const stamp = new Date(Date.parse('2026-01-25T22:26:10Z') + 1000 * k).toISOString().slice(0, 19)
      const copy = join(input, `${stamp}_sb${String(k % 4).padStart(2, '0')}.hdf5`)
      copyFileSync(paths[k % 4], copy)
      if (k % 5 === 0) truncateSync(copy, 1000 * k)
      if (k % 7 === 0) chmodSync(copy, 0o000)
    }
    const one = await scan({ threads: 1 })
    const four = await scan({ threads: 4, cache: `${cache}-of-four` })
    assert.equal(four.looked, 100)
    assert.deepEqual(four.found, one.found)
    assert.ok(four.found.observations[0].faults.length > 15)
  }))
