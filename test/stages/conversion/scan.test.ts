import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { fingerprint } from '#runtime/formats/uvh5/fingerprint.ts'
import { DEGREE_RAD } from '#runtime/sky/constants.ts'
import { mjdFromIso } from '#runtime/sky/time.ts'
import { scanSchema, type Scan } from '../../../stages/conversion/contract.ts'
import { scanFolder } from '../../../stages/conversion/scan.ts'
import { needsSamples } from '../../oracles/oracle.ts'
import { convert, earthOrientation, inFolder, rawObservation, writeRaw } from './raw-observation.ts'

const nowMs = Date.parse('2026-02-01T00:00:00Z')

async function scan(dir: string): Promise<Scan> {
  return scanSchema.parse(await scanFolder(dir, { nowMs, earthOrientation }))
}

test('a folder of two observations is listed whole', () =>
  inFolder(async (dir) => {
    const first = writeRaw(dir, rawObservation({ subbands: [2, 0, 1] }))
    writeRaw(dir, rawObservation({ subbands: [3, 4], startUtc: '2026-01-25T22:31:14Z', decOfDateDeg: 30 }))
    const found = await scan(dir)
    assert.deepEqual(found.faults, [])
    assert.equal(found.files, 5)
    assert.deepEqual(
      found.observations.map(({ id }) => id),
      ['20260125T222605', '20260125T223114'],
    )
    const [one] = found.observations
    assert.deepEqual(one.subbands, [0, 1, 2])
    assert.deepEqual(
      one.files.map(({ path }) => path),
      [first[1], first[2], first[0]].map((path) => basename(path)),
    )
    assert.deepEqual(
      one.files.map((file) => file.fingerprint),
      await Promise.all([first[1], first[2], first[0]].map((path) => fingerprint(path))),
    )
    assert.deepEqual(one.shape, {
      antennas: 7,
      baselines: 28,
      integrations: 5,
      subbands: 3,
      channelsPerSubband: 4,
      polarizations: 2,
    })
    assert.ok(Math.abs(one.startMjdUtc - mjdFromIso('2026-01-25T22:26:05Z')) < 1e-8)
    assert.ok(Math.abs(one.decOfDateRad / DEGREE_RAD - 16.15) < 1e-12)
    const { outcome } = await convert(first, dir)
    assert.ok(Math.abs(one.centre.raDeg - (outcome.metrics.phaseCentreRaDeg ?? 0)) < 1e-9)
    assert.ok(Math.abs(one.centre.decDeg - (outcome.metrics.phaseCentreDecDeg ?? 0)) < 1e-9)
  }))

test('a calibrator in the beam is predicted', () =>
  inFolder(async (dir) => {
    // 3C138 transits on 2026-03-06 at 02:20:27 UTC at this declination of date.
    writeRaw(dir, rawObservation({ startUtc: '2026-03-06T02:19:49Z', decOfDateDeg: 16.6655, integrations: 6 }))
    const found = await scanFolder(dir, { nowMs: Date.parse('2026-04-01'), earthOrientation })
    const [calibrator] = found.observations[0].calibrators
    assert.equal(calibrator.name, '3C138')
    assert.ok(calibrator.meanBeam > 0.99 && calibrator.separationDeg < 0.1)
    assert.equal(calibrator.fluxAnchor, 'perley-butler-2017')
  }))

test('names are not trusted: the frequencies and times of the headers count', () =>
  inFolder(async (dir) => {
    const [a, b] = writeRaw(dir, rawObservation({ subbands: [0, 1] }))
    // Labels exchanged, and stamps 18 s apart.
    renameSync(a, join(dir, '2026-01-25T22:26:23_sb01.hdf5'))
    renameSync(b, join(dir, '2026-01-25T22:26:06_sb00.hdf5'))
    const { observations, faults } = await scan(dir)
    assert.deepEqual(faults, [])
    assert.deepEqual(
      observations[0].files.map(({ path, subband }) => [path.slice(-9, -5), subband]),
      [
        ['sb01', 0],
        ['sb00', 1],
      ],
    )
    assert.equal(observations[0].warnings.length, 2)
    assert.match(observations[0].warnings[0].message, /its frequencies are those of subband 0, its name says 1/)
  }))

test('a bad file among good ones is a fault of their observation and counts as missing', () =>
  inFolder(async (dir) => {
    const [, second] = writeRaw(dir, rawObservation())
    for (const [damage, code] of [
      [() => writeFileSync(second, 'this is not HDF5'), 'DATA_UNREADABLE'],
      [() => writeFileSync(second, ''), 'DATA_UNREADABLE'],
      [() => writeRaw(dir, rawObservation()) && truncateSync(second, 20_000), 'DATA_UNREADABLE'],
      [() => writeRaw(dir, rawObservation()) && truncateSync(second, 60), 'DATA_UNREADABLE'],
      [
        () => mkdirSync(second.replace('_sb01', '_sb09')) ?? (rmSync(second), symlinkSync('nowhere', second)),
        'DATA_UNREADABLE',
      ],
    ] as const) {
      damage()
      const { observations, faults, files } = await scan(dir)
      assert.deepEqual(faults, [])
      assert.equal(files, 3)
      assert.deepEqual(
        observations.map(({ subbands }) => subbands),
        [[0, 2]],
      )
      const [fault] = observations[0].faults
      assert.equal(observations[0].faults.length, 1)
      assert.equal(fault.file, basename(second))
      assert.equal(fault.code, code)
      assert.ok(fault.message.length > 10 && fault.hint.length > 10)
    }
  }))

test('files of which none can be read are kept together by their names', () =>
  inFolder(async (dir) => {
    for (const name of ['22:26:05_sb00', '22:26:07_sb01', '22:27:20_sb02', '22:31:14_sb00']) {
      writeFileSync(join(dir, `2026-01-25T${name}.hdf5`), 'this is not HDF5')
    }
    writeFileSync(join(dir, 'other.hdf5'), 'this is not HDF5')
    const { faults } = await scan(dir)
    const ids = ['20260125T222605', '20260125T222605', '20260125T222605', '20260125T223114', undefined]
    assert.deepEqual(
      faults.map(({ observation }) => observation),
      ids,
    )
    assert.match(faults[0].message, /^it is not an HDF5 file/)
  }))

test('a file whose header is implausible is a fault, with the observation it seems to belong to', () =>
  inFolder(async (dir) => {
    writeRaw(dir, rawObservation({ subbands: [0, 1] }))
    const fallback = rawObservation({ subbands: [2] })
    fallback.timesJd = fallback.timesJd.map((jd) => jd - fallback.timesJd[0] + 2455000.5)
    writeRaw(dir, fallback)
    const { observations } = await scan(dir)
    assert.deepEqual(observations[0].subbands, [0, 1])
    assert.equal(observations[0].faults[0].code, 'DATA_IMPLAUSIBLE')
    assert.match(observations[0].faults[0].message, /time_array starts at MJD 55000/)
  }))

test('a file far from the time of its name, and one from the future, are refused', () =>
  inFolder(async (dir) => {
    const [path] = writeRaw(dir, rawObservation({ subbands: [0] }))
    renameSync(path, join(dir, '2026-01-25T23:26:05_sb00.hdf5'))
    writeRaw(dir, rawObservation({ subbands: [1], startUtc: '2026-02-01T02:00:00Z' }))
    const { observations, faults } = await scan(dir)
    assert.deepEqual(observations, [])
    assert.match(faults[0].message, /more than 600 s from the stamp/)
    assert.match(faults[1].message, /in the future/)
    assert.ok(faults.every(({ code }) => code === 'DATA_IMPLAUSIBLE'))
  }))

test('a member that disagrees with the others is left out', () =>
  inFolder(async (dir) => {
    const raw = rawObservation()
    const file = raw.subbands.get(1)
    assert.ok(file)
    file.spec = { ...file.spec, decOfDateRad: 0.3 }
    writeRaw(dir, raw)
    const [{ subbands, faults }] = (await scan(dir)).observations
    assert.deepEqual(subbands, [0, 2])
    assert.match(faults[0].message, /phase_center_app_dec of its header differ/)
  }))

test('an identical copy is not used, different files of one subband refuse each other', () =>
  inFolder(async (dir) => {
    const [first] = writeRaw(dir, rawObservation())
    const copy = first.replace('22:26:05', '22:26:09')
    copyFileSync(first, copy)
    const same = await scan(dir)
    assert.deepEqual(same.observations[0].subbands, [0, 1, 2])
    assert.match(same.observations[0].warnings[0].message, /an identical copy of/)
    const other = rawObservation({ subbands: [0] }, 2)
    writeRaw(dir, other)
    const different = await scan(dir)
    assert.deepEqual(different.observations[0].subbands, [1, 2])
    assert.equal(different.observations[0].faults.length, 2)
    assert.match(different.observations[0].faults[0].hint, /keep the right one/)
  }))

test('a node that dropped buffers shows by its shift of whole integrations', () =>
  inFolder(async (dir) => {
    writeRaw(dir, rawObservation({ subbands: [0, 1] }))
    const late = rawObservation({ subbands: [2] })
    late.timesJd = late.timesJd.map((jd) => jd + (2 * 12.884901888) / 86400)
    writeRaw(dir, late)
    const { observations } = await scan(dir)
    assert.deepEqual(
      observations.map(({ subbands }) => subbands),
      [[0, 1], [2]],
    )
    assert.match(observations[1].warnings[0].message, /2 whole integrations after, as when a node drops buffers/)
  }))

test('two groups that start in the same second are both refused', () =>
  inFolder(async (dir) => {
    writeRaw(dir, rawObservation({ subbands: [0, 1] }))
    const other = rawObservation({ subbands: [2] })
    other.timesJd = other.timesJd.map((jd) => jd + 0.2 / 86400)
    writeRaw(dir, other)
    const { observations, faults } = await scan(dir)
    assert.deepEqual(observations, [])
    assert.equal(faults.length, 3)
    assert.ok(faults.every(({ observation }) => observation === '20260125T222605'))
  }))

test('files that are being written are left alone, and named when they are old', () =>
  inFolder(async (dir) => {
    const [path] = writeRaw(dir, rawObservation({ subbands: [0] }))
    const unfinished = path.replace('.hdf5', '_incomplete.hdf5')
    writeFileSync(unfinished, 'half')
    writeFileSync(join(dir, 'notes.txt'), 'not a raw file')
    utimesSync(unfinished, nowMs / 1000, nowMs / 1000)
    const fresh = await scan(dir)
    assert.deepEqual([fresh.files, fresh.warnings.length, fresh.faults.length], [1, 0, 0])
    utimesSync(unfinished, nowMs / 1000 - 7200, nowMs / 1000 - 7200)
    assert.match((await scan(dir)).warnings[0].message, /not closed by its writer/)
  }))

test('an empty folder has nothing in it, a missing one is an error', () =>
  inFolder(async (dir) => {
    const empty = await scan(dir)
    assert.deepEqual([empty.files, empty.observations, empty.faults], [0, [], []])
    await assert.rejects(scan(join(dir, 'nowhere')), { code: 'INPUT_MISSING' })
  }))

test('the entrypoint writes the scan to a file or to standard output', () =>
  inFolder(async (dir) => {
    writeRaw(dir, rawObservation({ subbands: [0] }))
    const main = fileURLToPath(new URL('../../../stages/conversion/main.ts', import.meta.url))
    const call = (...args: string[]) => spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
    const out = join(dir, 'scan.json')
    const expect = '{"subbands":[0,1],"integrations":24}'
    const written = call('--scan', dir, '--out', out, '--expect', expect)
    assert.deepEqual([written.status, written.stdout], [0, ''])
    const found = scanSchema.parse(JSON.parse(readFileSync(out, 'utf8')))
    assert.deepEqual(
      found.observations[0].warnings.map(({ message }) => message),
      ['subband 01 is absent', '5 of 24 integrations'],
    )
    assert.equal(scanSchema.parse(JSON.parse(call('--scan', dir).stdout)).files, 1)
    const missing = call('--scan', join(dir, 'nowhere'))
    assert.equal(missing.status, 66)
    assert.match(missing.stderr, /INPUT_MISSING/)
    assert.equal(call('--scan', dir, '--expect', 'nonsense').status, 64)
  }))

test('the sample observations are found whole', { skip: needsSamples() }, async () => {
  const samples = process.env['CONTIMG_SAMPLES'] ?? ''
  for (const name of ['tile-small', 'calibrator-small']) {
    const found = await scanFolder(join(samples, name), { nowMs: Date.parse('2026-12-01'), earthOrientation })
    const truth = JSON.parse(readFileSync(join(samples, name, 'truth.json'), 'utf8')) as {
      centre_icrs_deg: [number, number]
    }
    assert.deepEqual([found.faults, found.warnings], [[], []])
    const [observation] = found.observations
    assert.deepEqual(observation.subbands, [0, 1, 2, 3])
    const { raDeg, decDeg } = observation.centre
    const offset = Math.hypot(
      (raDeg - truth.centre_icrs_deg[0]) * Math.cos(decDeg * DEGREE_RAD),
      decDeg - truth.centre_icrs_deg[1],
    )
    assert.ok(3600 * offset < 0.1, `${3600 * offset} arcsec`)
  }
})
