import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { readEarthOrientation } from '#runtime/formats/earth-orientation.ts'
import {
  earthOrientationAt,
  era,
  gast,
  gmst,
  isoUtc,
  jdToMjd,
  last,
  mjdFromIso,
  mjdToJd,
  mjdUtcToTt,
  observationId,
  taiMinusUtcS,
} from '#runtime/sky/time.ts'
import { wrapPi } from '#runtime/sky/projection.ts'
import { arcsec, noOrientation, readFixture } from './fixtures.ts'

const { times, orientation } = readFixture('times.json') as {
  times: { mjd: number; dut1S: number; era: number; gmst: number; gast: number; ttMinusUtcS: number }[]
  orientation: { mjd: number; dut1S: number; xpArcsec: number; ypArcsec: number }[]
}

const difference = (got: number, want: number) => Math.abs(arcsec(wrapPi(got - want)))

test('sidereal times agree with ERFA: ERA and GMST to 0.1 mas, GAST to 2 mas', () => {
  for (const row of times) {
    const mjdUt1 = row.mjd + row.dut1S / 86400
    assert.ok(difference(era(mjdUt1), row.era) < 1e-4)
    assert.ok(difference(gmst(mjdUt1, mjdUtcToTt(row.mjd)), row.gmst) < 1e-4)
    assert.ok(difference(gast(row.mjd, { ...noOrientation, dut1S: row.dut1S }), row.gast) < 2e-3)
  }
})

test('TT - UTC follows the leap seconds', () => {
  for (const row of times) assert.ok(Math.abs((mjdUtcToTt(row.mjd) - row.mjd) * 86400 - row.ttMinusUtcS) < 1e-5)
  assert.equal(taiMinusUtcS(57753.999), 36)
  assert.equal(taiMinusUtcS(57754), 37)
  assert.throws(() => taiMinusUtcS(40000), RangeError)
})

test('local sidereal time is Greenwich time plus the east longitude', () => {
  const west = last(61000, noOrientation, -0.5)
  assert.ok(Math.abs(wrapPi(gast(61000, noOrientation) - 0.5 - west)) < 1e-14)
})

test('the shipped Earth-orientation table agrees with astropy', () => {
  const table = readEarthOrientation()
  assert.match(table.sha256, /^[0-9a-f]{64}$/)
  assert.match(table.source, /IERS/)
  for (const row of orientation) {
    const got = earthOrientationAt(table, row.mjd)
    assert.ok(Math.abs(got.dut1S - row.dut1S) < 2e-6 && !got.extrapolated)
    assert.ok(Math.abs(got.xpArcsec - row.xpArcsec) < 2e-5 && Math.abs(got.ypArcsec - row.ypArcsec) < 2e-5)
  }
})

test('past its ends the table gives its outermost values and says so', () => {
  const table = { source: 't', firstMjd: 60000, dut1S: [0.1, 0.2, 0.4], xpArcsec: [1, 2, 3], ypArcsec: [0, 0, 1] }
  assert.deepEqual(earthOrientationAt(table, 59000), { dut1S: 0.1, xpArcsec: 1, ypArcsec: 0, extrapolated: true })
  assert.deepEqual(earthOrientationAt(table, 60009), { dut1S: 0.4, xpArcsec: 3, ypArcsec: 1, extrapolated: true })
  assert.deepEqual(earthOrientationAt(table, 60002), { dut1S: 0.4, xpArcsec: 3, ypArcsec: 1, extrapolated: false })
  assert.throws(() => earthOrientationAt(table, Number.NaN), RangeError)
  assert.throws(() => earthOrientationAt({ ...table, dut1S: [] }, 60000), RangeError)
})

test('UT1 - UTC is not smeared across a leap second', () => {
  const table = {
    source: 't',
    firstMjd: 60000,
    dut1S: [-0.5, -0.502, 0.496, 0.494],
    xpArcsec: [0, 0, 0, 0],
    ypArcsec: [0, 0, 0, 0],
  }
  assert.ok(Math.abs(earthOrientationAt(table, 60001.5).dut1S - -0.503) < 1e-12)
  assert.ok(Math.abs(earthOrientationAt(table, 60002).dut1S - 0.496) < 1e-12)
  assert.ok(Math.abs(earthOrientationAt(table, 60001.999999).dut1S - -0.504) < 1e-8)
})

test('MJD, JD and ISO times convert into each other', () => {
  assert.equal(jdToMjd(2461104.5), 61104)
  assert.equal(mjdToJd(61104), 2461104.5)
  assert.equal(isoUtc(61104), '2026-03-05T00:00:00.000Z')
  assert.equal(mjdFromIso('2026-03-05'), 61104)
  assert.equal(mjdFromIso('2026-03-05T12:00:00'), 61104.5)
  assert.equal(mjdFromIso('2026-03-05 12:00Z'), 61104.5)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 86400000 * 365 * 20 }), (ms) => {
      const mjd = 58849 + ms / 86400000
      assert.ok(Math.abs(mjdFromIso(isoUtc(mjd)) - mjd) < 1e-10)
    }),
  )
  for (const wrong of ['', '2026', '2026-13-01', '2026-03-05T12:00:61', '2026-03-05T25:00', 'now']) {
    assert.throws(() => mjdFromIso(wrong), RangeError, wrong)
  }
})

test('an observation is named by the second nearest its leading edge', () => {
  assert.equal(observationId(mjdFromIso('2026-01-25T22:26:04.6')), '20260125T222605')
  assert.equal(observationId(mjdFromIso('2026-01-25T22:26:05.4')), '20260125T222605')
  assert.equal(observationId(mjdFromIso('2026-12-31T23:59:59.7')), '20270101T000000')
})

test('a time beyond the calendar is told as its MJD', () => {
  for (const mjd of [1e300, -1e300, 1e9]) assert.equal(isoUtc(mjd), `MJD ${mjd}`)
  assert.equal(isoUtc(40587), '1970-01-01T00:00:00.000Z')
})
