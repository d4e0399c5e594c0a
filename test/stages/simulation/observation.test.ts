import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, test } from 'node:test'
import { openCatalogue } from '#runtime/formats/catalogue/strips.ts'
import { readEarthOrientation } from '#runtime/formats/earth-orientation.ts'
import { openUvh5Data } from '#runtime/formats/uvh5/data.ts'
import { readUvh5Header } from '#runtime/formats/uvh5/header.ts'
import { earthOrientationAt } from '#runtime/sky/earth-orientation.ts'
import { hourAngle, icrsToApparent, separation } from '#runtime/sky/frames.ts'
import { jdToMjd } from '#runtime/sky/time.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { site } from '../../../stages/simulation/array.ts'
import { planSimulation, resolveParams } from '../../../stages/simulation/contract.ts'
import { planObservation } from '../../../stages/simulation/observation.ts'
import { parseSourceList } from '../../../stages/simulation/source-list.ts'
import { readTruth, simulate, smallParams, temporaryFolder } from './observation-files.ts'

const folder = temporaryFolder()
after(folder.remove)
const table = readEarthOrientation()
const ARCSEC = Math.PI / 648000

function digest(dir: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(dir)
      .filter((name) => statSync(join(dir, name)).isFile())
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(dir, name)))
          .digest('hex'),
      ]),
  )
}

test('the same seed gives the same bytes with any number of workers; another seed gives others', async () => {
  const [one, two, three] = ['one', 'two', 'three'].map((name) => join(folder.path, name))
  await simulate(one, {}, 1)
  await simulate(two, {}, 2)
  await simulate(three, { seed: 2 }, 2)
  assert.deepEqual(digest(one), digest(two))
  assert.equal(Object.keys(digest(one)).length, 4)
  assert.notDeepEqual(dataDigests(one), dataDigests(three))
})

function dataDigests(dir: string): string[] {
  return Object.entries(digest(dir))
    .filter(([file]) => file.endsWith('.hdf5'))
    .map(([, hash]) => hash)
}

test('adding subbands leaves the others as they are', async () => {
  const few = await simulate(join(folder.path, 'few'), { subbands: [5], sources: [], calibrator: null })
  const more = await simulate(join(folder.path, 'more'), { subbands: [0, 5], sources: [], calibrator: null })
  assert.equal(few.files[0], more.files[1])
  assert.deepEqual(readFileSync(few.paths[0]), readFileSync(more.paths[1]))
})

test('the calibrator transits in the middle of the demo, near the pointing', () => {
  const demo = planObservation(resolveParams({}), undefined, table)
  assert.equal(demo.calibrator, '3C286')
  const middle = jdToMjd((demo.timeJd[0] + demo.timeJd[5]) / 2)
  const eop = earthOrientationAt(table, middle)
  const apparent = icrsToApparent(demo.sources[0].direction, middle, eop, site)
  assert.ok(Math.abs(hourAngle(apparent.raRad, middle, eop, site)) < 0.1 * ARCSEC)
  assert.ok(Math.abs(demo.decOfDateRad - (30.5 * Math.PI) / 180) < 1e-12)
  assert.ok(demo.sources[0].meanBeam > 0.95)
})

test('the demo has 20 isolated sources in the beam, each above 20 sigma in theory', () => {
  const { sources, imageNoiseJy, params } = planObservation(resolveParams({}), undefined, table)
  assert.equal(sources.length, 21)
  const others = sources.slice(1)
  for (const [index, source] of others.entries()) {
    assert.ok(source.meanBeam > 0.28)
    assert.ok(source.meanApparentJy >= params.minSnr * imageNoiseJy)
    assert.ok(source.meanApparentJy < 30 * params.minSnr * imageNoiseJy)
    assert.ok(separation(source.direction, sources[0].direction) > 700 * ARCSEC)
    for (const other of others.slice(index + 1)) assert.ok(separation(source.direction, other.direction) > 250 * ARCSEC)
  }
})

test('times grow by repeated addition and file names stay within the jitter of the nodes', () => {
  const { timeJd, files, params } = planObservation(resolveParams({ preset: 'full' }), undefined, table)
  assert.equal(timeJd.length, 24)
  for (let k = 1; k < 24; k++) assert.equal(timeJd[k], timeJd[k - 1] + 12.884901888 / 86400)
  assert.equal(files.size, 16)
  const startS = (jdToMjd(timeJd[0]) - 40587) * 86400 - 12.884901888 / 2
  for (const [subband, name] of files) {
    const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)_sb(\d\d)\.hdf5$/.exec(name)
    assert.ok(match)
    assert.equal(Number(match[2]), subband)
    const lateS = Date.parse(`${match[1]}Z`) / 1000 - startS
    assert.ok(lateS > -1 && lateS < 20, `${lateS}`)
  }
  const plan = planSimulation(params, 2)
  assert.ok(Math.abs(plan.bytes / 2.3256e9 - 1) < 0.01)
})

test('missing subbands are not written, dead antennas are zero, interference is where the truth says', async () => {
  const dir = join(folder.path, 'faults')
  const faults = {
    subbands: [0, 1, 2],
    missingSubbands: [1],
    deadAntennas: 2,
    rfiChannels: 1,
    rfiBursts: 1,
    channels: 12,
    sources: [],
    calibrator: null,
  }
  const { files, paths } = await simulate(dir, faults)
  assert.deepEqual(
    files.map((name) => name.slice(-9)),
    ['sb00.hdf5', 'sb02.hdf5'],
  )
  const truth = readTruth(dir)
  assert.deepEqual(truth.missingSubbands, [1])
  const { deadStations, rfiChannels, rfiBursts } = truth.corruption
  assert.deepEqual([deadStations.length, rfiChannels.length, rfiBursts.length], [2, 1, 1])
  for (const [file, subbandIndex] of [
    [paths[0], 0],
    [paths[1], 2],
  ] as const) {
    const header = await readUvh5Header(file)
    const data = await openUvh5Data(file)
    const samples = data.rows * 24
    const block = {
      vis: new Float32Array(2 * samples),
      flags: new Uint8Array(samples),
      nsamples: new Float32Array(samples),
    }
    data.readRows(0, data.rows, block)
    data.close()
    const power = { burst: [0, 0], channel: [0, 0], clean: [0, 0] }
    for (let row = 0; row < header.rows; row++) {
      const dead = [header.ant1[row], header.ant2[row]].some((antenna) => deadStations.includes(antenna + 1))
      const part = block.vis.subarray(row * 48, (row + 1) * 48)
      assert.equal(
        part.every((value) => value === 0),
        dead,
      )
      if (dead || header.ant1[row] === header.ant2[row]) continue
      const burst = Math.floor(row / header.baselines) === rfiBursts[0].integration
      for (let channel = 0; channel < 12; channel++) {
        const narrow = rfiChannels[0].channel === subbandIndex * 12 + channel
        const kind = burst ? power.burst : narrow ? power.channel : power.clean
        kind[0] += part[4 * channel] ** 2 + part[4 * channel + 1] ** 2
        kind[1] += 1
      }
    }
    assert.ok(mean(power.burst) > 20 * mean(power.clean))
    if (power.channel[1] > 0) assert.ok(mean(power.channel) > 20 * mean(power.clean))
  }
})

function mean([sum, count]: number[]): number {
  return sum / count
}

test('the catalogue beside the files holds the true sky and says that it is simulated', async () => {
  const dir = join(folder.path, 'with-catalogue')
  const { catalogue } = await simulate(dir, { catalogue: true })
  assert.equal(catalogue, 'catalogue')
  const truth = readTruth(dir)
  const opened = await openCatalogue(join(dir, 'catalogue'))
  assert.equal(opened.info.simulated, true)
  const found = opened.cone(
    { raRad: (truth.centre.raDeg * Math.PI) / 180, decRad: (truth.centre.decDeg * Math.PI) / 180 },
    0.06,
  )
  opened.close()
  assert.deepEqual(found.map((source) => source.id).sort(), truth.sources.map((source) => source.name).sort())
  for (const source of truth.sources) {
    const entry = found.find(({ id }) => id === source.name)
    assert.ok(entry && Math.abs(entry.sIntMjy - 1000 * source.fluxJy) < 1e-6)
  }
})

test('lists of sources come as JSON and as CSV, with errors that name the value', () => {
  const expected = [{ name: 'A', raDeg: 10, decDeg: 20, fluxJy: 1.5, spectralIndex: -0.7 }]
  assert.deepEqual(parseSourceList('[{"name":"A","raDeg":10,"decDeg":20,"fluxJy":1.5}]', 'a.json'), expected)
  assert.deepEqual(
    parseSourceList('# mine\nname, raDeg,decDeg,fluxJy,spectralIndex\nA,10,20,1.5,-0.7\n', 'a.csv'),
    expected,
  )
  assert.throws(
    () => parseSourceList('raDeg,decDeg,fluxJy\n10,abc,1\n', 'a.csv'),
    (error: unknown) => error instanceof StageError && /a\.csv.*decDeg/s.test(error.message),
  )
})

test('a folder that holds another observation and an unknown calibrator are refused', async () => {
  const dir = join(folder.path, 'occupied')
  mkdirSync(dir)
  writeFileSync(join(dir, '2026-01-01T00:00:00_sb00.hdf5'), '')
  await assert.rejects(
    simulate(dir),
    (error: unknown) => error instanceof StageError && /already holds/.test(error.message),
  )
  await assert.rejects(
    simulate(join(folder.path, 'x'), { calibrator: '3C999' }),
    (error: unknown) => error instanceof StageError && /3C286/.test(error.hint ?? ''),
  )
  await assert.rejects(
    simulate(join(folder.path, 'x'), { sources: '/nowhere/list.csv' }),
    (error: unknown) => error instanceof StageError && error.code === 'INPUT_MISSING',
  )
})

const main = fileURLToPath(new URL('../../../stages/simulation/main.ts', import.meta.url))

function runMain(
  args: readonly string[],
  onLine: (line: Record<string, unknown>, kill: () => void) => void = () => undefined,
): Promise<{ code: number | null; lines: Record<string, unknown>[] }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines: Record<string, unknown>[] = []
    let rest = ''
    child.stdout.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split('\n')
      rest = parts.pop() ?? ''
      for (const part of parts) {
        const line = JSON.parse(part) as Record<string, unknown>
        lines.push(line)
        onLine(line, () => child.kill('SIGTERM'))
      }
    })
    child.on('close', (code) => resolve({ code, lines }))
  })
}

test('the command writes progress and a result as lines of JSON, and refuses wrong parameters with 64', async () => {
  const file = join(folder.path, 'params.json')
  const dir = join(folder.path, 'command')
  writeFileSync(file, JSON.stringify(smallParams))
  const { code, lines } = await runMain(['--params', file, '--out', dir])
  assert.equal(code, 0)
  assert.deepEqual(lines.at(-2), { type: 'progress', done: 6, total: 6, unit: 'blocks' })
  const { type, files } = lines.at(-1) as { type: string; files: string[] }
  assert.equal(type, 'result')
  for (const name of files) assert.ok(existsSync(join(dir, name)))

  writeFileSync(file, JSON.stringify({ channels: 7 }))
  const wrong = await runMain(['--params', file, '--out', dir])
  assert.equal(wrong.code, 64)
  assert.match(String(wrong.lines[0]['message']), /channels/)
})

test('a stopped simulation ends with 75 and leaves nothing that looks like a file of the telescope', async () => {
  const file = join(folder.path, 'long.json')
  const dir = join(folder.path, 'stopped')
  writeFileSync(file, JSON.stringify({ integrations: 200, subbands: [0, 1], sources: 0 }))
  const { code, lines } = await runMain(['--params', file, '--out', dir], (line, kill) => {
    if (line['done'] === 3) kill()
  })
  assert.equal(code, 75)
  assert.equal(lines.at(-1)?.['code'], 'CANCELLED')
  assert.deepEqual(readdirSync(dir), [])
})
