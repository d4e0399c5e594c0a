import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { DEGREE_RAD } from '#runtime/sky/constants.ts'
import { meridianPlaceIcrs } from '#runtime/sky/frames.ts'
import { meridianVector, rotationFrame, type RotationFrame } from '#runtime/sky/phase-rotation.ts'
import { cross, dot, length, subtract, type Vec3 } from '#runtime/sky/vector.ts'
import { arcsec, direction, noOrientation, orientationOf, readFixture, site } from './fixtures.ts'

interface Rotation {
  mjd: number
  dut1S: number
  xpArcsec: number
  ypArcsec: number
  decOfDate: number
  target: [number, number]
  s1: Vec3
  v: Vec3
}

const { rotations } = readFixture('rotations.json') as { rotations: Rotation[] }

const frameOf = (row: Rotation): RotationFrame =>
  rotationFrame({
    mjdUtc: row.mjd,
    eop: orientationOf(row),
    site,
    decOfDateRad: row.decOfDate,
    target: direction(row.target),
  })

const anyBaseline = fc.tuple(
  fc.double({ min: -2700, max: 2700, noNaN: true }),
  fc.double({ min: -2700, max: 2700, noNaN: true }),
  fc.double({ min: -2700, max: 2700, noNaN: true }),
)

test("the writer's own test vector has its w", () => {
  const s0 = meridianVector(0, 0.7, -118.28299976 * DEGREE_RAD)
  const w = dot([-121.56006568, 65.41033646, 0], s0)
  assert.ok(Math.abs(w - -2.35901594e-3) < 5e-8, `${w}`)
})

test('hour angle counts west', () => {
  const s = meridianVector(0.1, 0, 0)
  assert.ok(Math.abs(s[0] - Math.cos(0.1)) < 1e-15 && Math.abs(s[1] + Math.sin(0.1)) < 1e-15 && s[2] === 0)
})

test('the target and its J2000 north agree with ERFA: 0.01 arcsec, 0.5 arcsec of turn', () => {
  for (const row of rotations) {
    const { s1, v } = frameOf(row)
    assert.ok(arcsec(length(subtract(s1, row.s1))) < 0.01)
    // 1.5 degrees off centre 0.5" of turn is 0.013".
    assert.ok(arcsec(length(subtract(v, row.v))) < 0.5)
  }
})

test('u, v and w are a right-handed orthonormal basis with w on the target', () => {
  for (const row of rotations) {
    const { u, v, w, s1 } = frameOf(row)
    assert.deepEqual(w, s1)
    for (const axis of [u, v, w]) assert.ok(Math.abs(length(axis) - 1) < 1e-14)
    assert.ok(length(subtract(cross(u, v), w)) < 1e-14)
  }
})

test('every baseline keeps its length', () => {
  fc.assert(
    fc.property(anyBaseline, fc.nat(rotations.length - 1), (b, i) => {
      const { u, v, w } = frameOf(rotations[i])
      assert.ok(Math.abs(Math.hypot(dot(b, u), dot(b, v), dot(b, w)) - length(b)) < 1e-9)
    }),
  )
})

test('v follows J2000 north: off north of date by precession, hundreds of arcsec in 2026', () => {
  const decOfDateRad = 0.28
  const mjdUtc = 61104.2
  const target = meridianPlaceIcrs(decOfDateRad, mjdUtc, noOrientation, site)
  const { v, w } = rotationFrame({ mjdUtc, eop: noOrientation, site, decOfDateRad, target })
  const eastOfDate = cross([0, 0, 1], w)
  const turn = Math.asin(dot(v, eastOfDate) / length(eastOfDate))
  // n sin(alpha) / cos(dec), n = 20.04" a year for 26.18 years; nutation and aberration add up to 20".
  const expected = (20.04 * 26.18 * Math.sin(target.raRad)) / Math.cos(target.decRad)
  assert.ok(Math.abs(arcsec(turn) + expected) < 25 || Math.abs(arcsec(turn) - expected) < 25)
  assert.ok(Math.abs(arcsec(turn)) > 100)
})

test('on the meridian place there is nothing to rotate, with polar motion too', () => {
  for (const row of rotations) {
    const eop = orientationOf(row)
    const target = meridianPlaceIcrs(row.decOfDate, row.mjd, eop, site)
    const { s0, s1 } = rotationFrame({ mjdUtc: row.mjd, eop, site, decOfDateRad: row.decOfDate, target })
    assert.ok(length(subtract(s1, s0)) < 1e-13)
  }
})

test('over an observation the path changes by no more than 28 m on the longest baseline', () => {
  const mjdMid = 61104.5
  const target = meridianPlaceIcrs(0.28, mjdMid, noOrientation, site)
  for (const sign of [-1, 1]) {
    const mjdUtc = mjdMid + (sign * 148.2) / 86400
    const { s0, s1 } = rotationFrame({ mjdUtc, eop: noOrientation, site, decOfDateRad: 0.28, target })
    const shift = length(subtract(s1, s0))
    assert.ok(shift * 2601.6 < 28.2 && shift * 2601.6 > 26, `${shift * 2601.6}`)
  }
})
