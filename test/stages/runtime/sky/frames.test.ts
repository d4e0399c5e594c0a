import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { readEarthOrientation } from '#runtime/formats/earth-orientation.ts'
import { DAY_S, DEGREE_RAD } from '#runtime/sky/constants.ts'
import {
  apparentToIcrs,
  hourAngle,
  icrsToApparent,
  meanDirection,
  meridianPlaceIcrs,
  polarMotion,
  separation,
  siteItrf,
  toDirection,
} from '#runtime/sky/frames.ts'
import { earthOrientationAt, gast, jdToMjd, last } from '#runtime/sky/time.ts'
import { length } from '#runtime/sky/vector.ts'
import { needsSamples } from '../../../oracles/oracle.ts'
import { arcsec, degrees, direction, noOrientation, orientationOf, readFixture, site } from './fixtures.ts'

interface Place {
  mjd: number
  dut1S: number
  xpArcsec: number
  ypArcsec: number
  ra: number
  dec: number
  apparent: [number, number]
  sunDeg: number
}

const { places } = readFixture('apparent-places.json') as { places: Place[] }
const { rotations } = readFixture('rotations.json') as {
  rotations: (Omit<Place, 'apparent'> & { decOfDate: number; centre: [number, number] })[]
}

const anyDirection = fc.record({
  raRad: fc.double({ min: 0, max: 2 * Math.PI, maxExcluded: true, noNaN: true }),
  decRad: fc.double({ min: -Math.PI / 2, max: Math.PI / 2, noNaN: true }),
})
const anyMjd = fc.double({ min: 58849, max: 64693, noNaN: true })

test('apparent places agree with ERFA within 0.01 arcsec from 2020 to 2035', () => {
  assert.ok(places.length >= 400)
  for (const place of places) {
    const got = icrsToApparent({ raRad: place.ra, decRad: place.dec }, place.mjd, orientationOf(place), site)
    const error = arcsec(separation(got, direction(place.apparent)))
    assert.ok(error < 0.01, `${error}" at MJD ${place.mjd}, ra ${place.ra}, dec ${place.dec}`)
  }
})

test('apparent to ICRS agrees with ERFA within 0.01 arcsec', () => {
  for (const place of places) {
    const got = apparentToIcrs(direction(place.apparent), place.mjd, orientationOf(place), site)
    const error = arcsec(separation(got, { raRad: place.ra, decRad: place.dec }))
    assert.ok(error < 0.01, `${error}" at MJD ${place.mjd}`)
  }
})

test('going to the apparent place and back returns the same direction', () => {
  fc.assert(
    fc.property(anyDirection, anyMjd, (icrs, mjd) => {
      const there = icrsToApparent(icrs, mjd, noOrientation, site)
      assert.ok(separation(apparentToIcrs(there, mjd, noOrientation, site), icrs) < 1e-14)
    }),
  )
})

test('the ICRS place of the meridian agrees with ERFA within 0.01 arcsec', () => {
  for (const row of rotations) {
    const got = meridianPlaceIcrs(row.decOfDate, row.mjd, orientationOf(row), site)
    assert.ok(arcsec(separation(got, direction(row.centre))) < 0.01)
  }
})

test('the sample observations are centred where their independent generator says', { skip: needsSamples() }, () => {
  const table = readEarthOrientation()
  for (const sample of ['tile-small', 'calibrator-small']) {
    const truth = JSON.parse(readFileSync(`${process.env['CONTIMG_SAMPLES']}/${sample}/truth.json`, 'utf8')) as {
      header: { jd_first: number; jd_last: number; dec_app_deg: number }
      centre_icrs_deg: [number, number]
    }
    const mjd = jdToMjd((truth.header.jd_first + truth.header.jd_last) / 2)
    const got = meridianPlaceIcrs(truth.header.dec_app_deg * DEGREE_RAD, mjd, earthOrientationAt(table, mjd), site)
    const error = arcsec(separation(got, degrees(...truth.centre_icrs_deg)))
    assert.ok(error < 0.02, `${sample}: ${error}"`)
  }
})

test('the meridian drifts 193.8 arcsec of right ascension in one integration', () => {
  const before = meridianPlaceIcrs(0.28, 61000.5, noOrientation, site)
  const after = meridianPlaceIcrs(0.28, 61000.5 + 12.884901888 / DAY_S, noOrientation, site)
  const driftArcsec = arcsec(after.raRad - before.raRad)
  assert.ok(Math.abs(driftArcsec - 193.8) < 0.1, `${driftArcsec}`)
})

test('the hour angle is the sidereal time less the right ascension, west positive', () => {
  const lst = last(61000.3, noOrientation, site.longitudeRad)
  assert.ok(Math.abs(hourAngle(lst - 0.1, 61000.3, noOrientation, site) - 0.1) < 1e-12)
  assert.ok(Math.abs(hourAngle(lst + 3, 61000.3, noOrientation, site) + 3) < 1e-12)
  assert.ok(Math.abs(gast(61000.3, noOrientation) + site.longitudeRad - lst) % (2 * Math.PI) < 1e-12)
})

test('the array centre in ITRF is the published one', () => {
  const [x, y, z] = siteItrf(site)
  assert.ok(Math.abs(x - -2409555.93) < 0.01 && Math.abs(y - -4478213.62) < 0.01 && Math.abs(z - 3838767.46) < 0.01)
})

test('polar motion turns by xp and yp and keeps lengths', () => {
  const eop = { dut1S: 0, xpArcsec: 0.1, ypArcsec: 0.4, extrapolated: false }
  const pole = polarMotion([0, 0, 1], eop)
  assert.ok(Math.abs(arcsec(pole[0]) - 0.1) < 1e-9 && Math.abs(arcsec(pole[1]) + 0.4) < 1e-9)
  assert.ok(Math.abs(length(polarMotion([0.6, 0, 0.8], eop)) - 1) < 1e-15)
})

test('the mean of right ascensions 359.9 and 0.1 degrees is 0', () => {
  const mean = meanDirection([degrees(359.9, 10), degrees(0.1, 10)])
  assert.ok(separation(mean, degrees(0, 10)) < 1e-5)
  assert.ok(Math.sin(mean.raRad) ** 2 < 1e-28 && Math.cos(mean.raRad) > 0)
})

test('opposite directions have no mean', () => {
  assert.throws(() => meanDirection([degrees(10, 20), degrees(190, -20)]), RangeError)
  assert.throws(() => meanDirection([]), RangeError)
})

test('separation holds for the smallest and the largest angles', () => {
  for (const tiny of [1e-12, 1e-9, 1e-6]) {
    assert.ok(Math.abs(separation({ raRad: 1, decRad: 0.3 }, { raRad: 1, decRad: 0.3 + tiny }) / tiny - 1) < 1e-3)
    assert.ok(Math.abs(separation({ raRad: 0, decRad: 0 }, { raRad: tiny, decRad: 0 }) / tiny - 1) < 1e-12)
  }
  assert.equal(separation(degrees(12, 34), degrees(12, 34)), 0)
  assert.ok(Math.abs(separation(degrees(0, 0), degrees(180, 1e-7)) - (Math.PI - (1e-7 * Math.PI) / 180)) < 1e-14)
  assert.ok(Math.abs(separation(degrees(350, 0), degrees(10, 0)) - (20 * Math.PI) / 180) < 1e-15)
})

test('a vector and its direction name the same place', () => {
  const { raRad, decRad } = toDirection([0, -2, 0])
  assert.ok(Math.abs(raRad - 1.5 * Math.PI) < 1e-15 && decRad === 0)
})
