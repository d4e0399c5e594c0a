import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { hashTree } from '#runtime/stage/files.ts'
import type { Check } from '#runtime/stage/quality.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { convert, inFolder, rawObservation, writeRaw } from './raw-observation.ts'

/** Stations of the arms, whose coordinates follow a rule that the published table has to 7 digits. */
const order = [20, 3, 70, 101, 12]

type Row = [name: string, latitudeDeg: number, longitudeDeg: number, elevation: string]

function surveyed(): Row[] {
  return order.map((station): Row => {
    const name = `DSA-${String(station).padStart(3, '0')}`
    return station > 51
      ? [name, 37.2334531 + 7.7968e-5 * (station - 52), -118.2834051, '1182.6']
      : [name, 37.2333752, -118.2856408 + 6.48e-5 * (station - 1), '1182.6']
  })
}

/** The verdict and the checks of a conversion with a table of these rows. */
async function convertWith(
  rows: Row[] | undefined,
): Promise<{ verdict: string; check: Check | undefined; sha256: string }> {
  return inFolder(async (dir) => {
    const stationTable = join(dir, 'stations.csv')
    const lines = (rows ?? []).map(([name, lat, lon, elevation]) => [name, lat.toFixed(7), lon.toFixed(7), elevation])
    writeFileSync(stationTable, ['Station Number,Latitude,Longitude,Elevation (meters)', ...lines].join('\n'))
    mkdirSync(join(dir, 'out'))
    const paths = writeRaw(dir, rawObservation({ order }))
    const { outcome, path } = await convert(paths, join(dir, 'out'), rows === undefined ? {} : { stationTable })
    assert.equal(outcome.provenance?.['stationTable'] === undefined, rows === undefined)
    return {
      verdict: outcome.quality.verdict,
      check: outcome.quality.checks.find(({ name }) => name === 'station-table'),
      sha256: (await hashTree(path)).sha256,
    }
  })
}

test('without a station table there is no such check', async () => {
  assert.equal((await convertWith(undefined)).check, undefined)
})

test('antennas within 5 cm of the table are good, and the set is the same to the byte', async () => {
  const rows = surveyed()
  rows[2][3] = '1182.64'
  const { verdict, check, sha256 } = await convertWith(rows)
  assert.equal(verdict, 'good')
  assert.equal(check?.verdict, 'good')
  assert.equal(check.n, 5)
  // 4 cm up, and what the seventh digit of a degree leaves open.
  assert.ok(Math.abs((check.value ?? 0) - 0.04) < 0.005, String(check.value))
  assert.equal(sha256, (await convertWith(undefined)).sha256)
})

test('an antenna 10 cm from its station is bad, blocks, and is named', async () => {
  const rows = surveyed()
  rows[2][3] = '1182.7'
  const { verdict, check } = await convertWith(rows)
  assert.equal(verdict, 'bad')
  assert.deepEqual([check?.verdict, check?.gating, check?.blocking], ['bad', true, true])
  assert.match(check?.message ?? '', /: 70 by 0\.1\d* m \(of 5 antennas\)$/)
})

test('a station that the table lacks, or has without an elevation, makes it uncertain and is named', async () => {
  const rows = surveyed().filter(([name]) => name !== 'DSA-101')
  rows[1][3] = ''
  const { verdict, check } = await convertWith([...rows, ['DSA-044', 37.2, -118.28, '']])
  assert.equal(verdict, 'uncertain')
  assert.equal(check?.verdict, 'uncertain')
  assert.equal(check.n, 3)
  assert.match(check.message, /not in the table: 101; without an elevation there: 3$/)
})

test('a table in which nothing can be compared is uncertain, not good', async () => {
  const { check } = await convertWith([['DSA-044', 37.2, -118.28, '1182.6']])
  assert.equal(check?.verdict, 'uncertain')
  assert.equal(check.value, undefined)
  assert.match(check.message, /no antenna could be held against .*: 3, 12, 20, 70, 101$/)
})

test('a table that is none ends the conversion before anything is read', async () => {
  await assert.rejects(
    convertWith([]),
    (error) => error instanceof StageError && error.code === 'PARAMS_INVALID' && /lists no station/.test(error.message),
  )
})
