import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openUvh5Data, type Uvh5Block, type Uvh5Data } from '#runtime/formats/uvh5/data.ts'
import { fingerprint } from '#runtime/formats/uvh5/fingerprint.ts'
import { readUvh5Header } from '#runtime/formats/uvh5/header.ts'
import { createHdf5Writer } from '#runtime/formats/hdf5/writer.ts'
import { createRandom } from '#runtime/numeric/random.ts'
import { INTEGRATION_S } from '#runtime/sky/constants.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { needs, runPython } from '../../../../oracles/oracle.ts'
import { readTruth, simulate, temporaryFolder } from '../../../simulation/observation-files.ts'

const folder = temporaryFolder()
after(folder.remove)
let path = ''

before(async () => {
  const { paths } = await simulate(folder.path, { channels: 12, rfiChannels: 1 })
  path = paths[0]
})

function block(data: Uvh5Data, rows: number): Uvh5Block {
  const samples = rows * data.channels * data.polarizations
  return { vis: new Float32Array(2 * samples), flags: new Uint8Array(samples), nsamples: new Float32Array(samples) }
}

async function readAll(file: string, options: { method?: 'direct' | 'h5wasm' } = {}): Promise<Uvh5Block> {
  const data = await openUvh5Data(file, options)
  const all = block(data, data.rows)
  data.readRows(0, data.rows, all)
  data.close()
  return all
}

function rejectsWith(code: string, pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StageError)
    assert.equal(error.code, code)
    assert.match(error.message, pattern)
    assert.ok(error.hint, 'an error says how to fix it')
    return true
  }
}

test('the header holds what the observation was made of', async () => {
  const header = await readUvh5Header(path)
  const truth = readTruth(folder.path)
  assert.equal(header.dialect, 'dsa110')
  assert.equal(header.telescopeName, 'OVRO_MMA')
  assert.equal(header.phaseType, 'drift')
  assert.equal(header.phaseCentreEpoch, 'HADEC')
  assert.equal(header.haPhaseCentreRad, 0)
  assert.equal(header.integrations, 3)
  assert.equal(header.baselines, 36)
  assert.equal(header.rows, 108)
  assert.deepEqual([...header.freqHz], truth.freqHz.slice(0, 12))
  assert.ok(header.freqHz[0] > header.freqHz[11])
  assert.equal(header.channelWidthHz, 976562.5)
  assert.deepEqual([...header.polarizations], [-5, -6])
  assert.equal(header.antennaNames.length, 117)
  assert.equal(header.antennaNames[102], '103')
  assert.equal(header.antennaPositionsM.length, 351)
  assert.equal(header.integrationS[0], Math.fround(INTEGRATION_S))
  assert.deepEqual(
    [...header.timeJd].filter((_, row) => row % 36 === 0),
    truth.timeJd,
  )
  assert.ok(Math.abs((header.phaseCentreAppDecRad as number) - (truth.decOfDateDeg * Math.PI) / 180) < 1e-15)
  assert.ok(header.uvwM instanceof Float32Array)
  assert.equal(header.appliedDelaysNs?.split(' ').length, 234)
})

test('both ways of reading give the same bytes, in blocks that need not fit the chunks', async () => {
  const whole = await readAll(path, { method: 'h5wasm' })
  assert.deepEqual(await readAll(path, { method: 'direct' }), whole)
  const data = await openUvh5Data(path)
  assert.equal(data.method, 'direct')
  const samplesPerRow = data.channels * data.polarizations
  for (const rows of [1, 7, 36, 100]) {
    for (let row = 0; row < data.rows; row += rows) {
      const count = Math.min(rows, data.rows - row)
      const part = block(data, count)
      data.readRows(row, count, part)
      const [from, to] = [row * samplesPerRow, (row + count) * samplesPerRow]
      assert.deepEqual(part.vis, whole.vis.subarray(2 * from, 2 * to))
      assert.deepEqual(part.nsamples, whole.nsamples.subarray(from, to))
    }
  }
  data.close()
})

test('the fingerprint follows the content and not the name', async () => {
  const copy = join(folder.path, 'copy.bin')
  copyFileSync(path, copy)
  const print = await fingerprint(path)
  assert.match(print, /^[0-9a-f]{64}$/)
  assert.equal(await fingerprint(copy), print)
  const other = await simulate(join(folder.path, 'other'), { channels: 12, seed: 2 })
  assert.notEqual(await fingerprint(other.paths[0]), print)
})

test('a truncated file and a file without the needed datasets are refused by name', async () => {
  const cut = join(folder.path, 'cut.bin')
  copyFileSync(path, cut)
  truncateSync(cut, readFileSync(path).length - 100)
  for (const read of [readUvh5Header, fingerprint, openUvh5Data]) {
    await assert.rejects(read(cut), rejectsWith('DATA_UNREADABLE', /truncated/))
  }
  const bare = join(folder.path, 'bare.bin')
  createHdf5Writer(bare, { kind: 'group', children: { note: { kind: 'text', value: 'not UVH5' } } }).close()
  await assert.rejects(readUvh5Header(bare), rejectsWith('DATA_UNREADABLE', /has no dataset \/Data\/visdata/))
  await assert.rejects(openUvh5Data(bare), rejectsWith('DATA_UNREADABLE', /has no dataset \/Data\/visdata/))
})

test('a damaged file is read or refused by our own error, whichever way it is opened', async () => {
  const { paths } = await simulate(join(folder.path, 'damage'), { channels: 4, subbands: [0], sources: 0 })
  const good = readFileSync(paths[0])
  const random = createRandom('uvh5 damage')
  const damagedPath = join(folder.path, 'damaged.bin')
  const refused = new Set<string>()
  for (let run = 0; run < 250; run++) {
    const damaged = Buffer.from(good)
    for (let change = 0; change <= random.int(4); change++) damaged[random.int(40_000)] = random.int(256)
    writeFileSync(damagedPath, damaged)
    for (const read of [readUvh5Header, fingerprint, readSome]) {
      try {
        await read(damagedPath)
      } catch (error) {
        assert.ok(error instanceof StageError, `run ${run}: ${error instanceof Error ? error.stack : String(error)}`)
        refused.add(error.code)
      }
    }
  }
  assert.ok(refused.has('DATA_UNREADABLE'))
})

async function readSome(file: string): Promise<void> {
  const data = await openUvh5Data(file)
  try {
    const rows = Math.min(data.rows, 100)
    if (rows * data.channels * data.polarizations < 1e6) data.readRows(0, rows, block(data, rows))
  } finally {
    data.close()
  }
}

test('every layout that h5py can write of the same data is read alike', { skip: needs('h5py') }, async () => {
  const variants = runPython('uvh5-variants.py', [path, folder.path]) as string[]
  assert.ok(variants.length > 9)
  const expected = await readAll(path)
  const header = await readUvh5Header(path)
  for (const name of variants) {
    const file = join(folder.path, `${name}.hdf5`)
    if (name === 'scale-offset') {
      for (const read of [readUvh5Header, fingerprint, openUvh5Data]) {
        await assert.rejects(read(file), rejectsWith('DATA_UNSUPPORTED', /nsamples is compressed with filter 6/))
      }
      continue
    }
    const other = await readUvh5Header(file)
    const { path: _path, bytes: _bytes, ...values } = other
    const { path: _goodPath, bytes: _goodBytes, ...goodValues } = header
    assert.deepEqual(values, goodValues, name)
    const data = await readAll(file)
    if (name === 'complex-int32') assert.deepEqual(data.vis, expected.vis.map(roundHalfEven), name)
    else assert.deepEqual(data, expected, name)
    assert.match(await fingerprint(file), /^[0-9a-f]{64}$/)
  }
})

test(
  'the layouts that the fast way does not know are read through h5wasm, and say why',
  { skip: needs('h5py') },
  async () => {
    runPython('uvh5-variants.py', [path, folder.path])
    const reasons: Record<string, RegExp> = {
      latest: /superblock version/,
      'gzip-shuffle-fletcher': /filtered dataset/,
      'user-block': /user block/,
    }
    for (const [name, reason] of Object.entries(reasons)) {
      const data = await openUvh5Data(join(folder.path, `${name}.hdf5`))
      assert.equal(data.method, 'h5wasm')
      assert.match(data.reason ?? '', reason)
      data.close()
    }
    for (const name of ['contiguous', 'rank-3', 'chunked-by-bad-shapes']) {
      const data = await openUvh5Data(join(folder.path, `${name}.hdf5`))
      assert.equal(data.method, 'direct', name)
      data.close()
    }
  },
)

/** numpy's rounding; 0 without a sign, as an integer has none. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0)
  return floor + (up ? 1 : 0) + 0
}
