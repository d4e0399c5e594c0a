import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ARCSEC_RAD } from '#runtime/sky/constants.ts'
import { separation } from '#runtime/sky/frames.ts'
import {
  pixelToSky,
  sinDeproject,
  sinProject,
  skyToPixel,
  wrapPi,
  wrapRa,
  type ImageWcs,
} from '#runtime/sky/projection.ts'
import { arcsec, degrees, readFixture } from './fixtures.ts'

const fixture = readFixture('pixels.json') as {
  cellArcsec: number
  referenceX: number
  referenceY: number
  pixels: { centre: [number, number]; x: number; y: number; raDeg: number; decDeg: number }[]
}

const wcsAt = (raDeg: number, decDeg: number): ImageWcs => ({
  centre: degrees(raDeg, decDeg),
  width: 4096,
  height: 2048,
  cellRad: fixture.cellArcsec * ARCSEC_RAD,
  referenceX: fixture.referenceX,
  referenceY: fixture.referenceY,
})

test('pixels and sky agree with astropy.wcs both ways', () => {
  for (const { centre, x, y, raDeg, decDeg } of fixture.pixels) {
    const wcs = wcsAt(...centre)
    assert.ok(arcsec(separation(pixelToSky(wcs, x, y), degrees(raDeg, decDeg))) < 1e-6)
    const pixel = skyToPixel(wcs, degrees(raDeg, decDeg))
    assert.ok(Math.hypot(pixel.x - x, pixel.y - y) < 1e-6)
  }
})

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true })

test('a pixel survives the trip to the sky and back', () => {
  fc.assert(
    fc.property(number(0, 360), number(-89, 90), number(0, 4096), number(0, 2048), (ra, dec, x, y) => {
      const wcs = wcsAt(ra, dec)
      const back = skyToPixel(wcs, pixelToSky(wcs, x, y))
      assert.ok(Math.hypot(back.x - x, back.y - y) < 1e-8)
    }),
  )
})

test('right ascension grows to the left and declination upwards', () => {
  const wcs = wcsAt(100, 20)
  assert.ok(skyToPixel(wcs, degrees(100.1, 20)).x < wcs.referenceX)
  assert.ok(skyToPixel(wcs, degrees(100, 20.1)).y > wcs.referenceY)
  assert.deepEqual(skyToPixel(wcs, wcs.centre), { x: wcs.referenceX, y: wcs.referenceY })
})

test('l, m and n are a unit vector, l to the east and m to the north', () => {
  const centre = degrees(359.9, 30)
  const east = sinProject(degrees(0.1, 30), centre)
  assert.ok(east.l > 0 && Math.abs(east.m) < 1e-5 && Math.abs(Math.hypot(east.l, east.m, east.n) - 1) < 1e-15)
  assert.ok(sinProject(degrees(359.9, 31), centre).m > 0)
  const back = sinDeproject(east.l, east.m, centre)
  assert.ok(separation(back, degrees(0.1, 30)) < 1e-14)
})

test('the far side of the sky has no pixel, and outside the sphere there is no sky', () => {
  assert.ok(Number.isNaN(skyToPixel(wcsAt(0, 0), degrees(180, 0)).x))
  assert.throws(() => sinDeproject(0.9, 0.9, degrees(0, 0)), RangeError)
})

test('angles wrap into their ranges', () => {
  fc.assert(
    fc.property(fc.double({ min: -1e4, max: 1e4, noNaN: true }), (angle) => {
      const ra = wrapRa(angle)
      const pi = wrapPi(angle)
      assert.ok(ra >= 0 && ra < 2 * Math.PI && pi >= -Math.PI && pi < Math.PI)
      assert.ok(Math.abs(Math.sin(ra) - Math.sin(angle)) < 1e-9 && Math.abs(Math.cos(pi) - Math.cos(angle)) < 1e-9)
    }),
  )
  assert.equal(wrapRa(-1e-20), 0)
})
