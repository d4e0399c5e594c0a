import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { separation, type Direction } from '#runtime/sky/frames.ts'
import { matchCatalogue, neighbours, offset, type Placed } from '#runtime/sky/match.ts'

const DEG = Math.PI / 180
const ARCSEC = DEG / 3600

const at = (raDeg: number, decDeg: number): Placed => ({
  direction: { raRad: raDeg * DEG, decRad: decDeg * DEG },
  sigmaRad: ARCSEC,
})
const options = { maxRadiusRad: 18 * ARCSEC, radiusRad: () => 10 * ARCSEC }

test('sources on both sides of 0 h are neighbours', () => {
  const matches = matchCatalogue([at(359.9995, 10)], [at(0.0005, 10)], options)
  assert.equal(matches.length, 1)
  // 3.6 arcsec of right ascension, 3.55 on the sky, and ours lies to the west.
  assert.ok(Math.abs(matches[0].offsetRaRad / ARCSEC + 3.6 * Math.cos(10 * DEG)) < 1e-3)
})

test('near the pole right ascension means little and distance much', () => {
  const matches = matchCatalogue([at(10, 89.9995)], [at(190, 89.9995), at(10, 89.99)], options)
  assert.deepEqual(
    matches.map(({ theirs }) => theirs),
    [0],
  )
  assert.ok(Math.abs(matches[0].separationRad / ARCSEC - 3.6) < 0.01)
})

test('the offset in right ascension is shortened by cos dec', () => {
  const { offsetRaRad, offsetDecRad } = offset(at(10.001, 60).direction, at(10, 60.0002).direction)
  assert.ok(Math.abs(offsetRaRad / ARCSEC - 1.8) < 1e-3)
  assert.ok(Math.abs(offsetDecRad / ARCSEC + 0.72) < 1e-9)
})

test('only mutual nearest neighbours are a pair', () => {
  const ours = [at(10, 0), at(10 + 6 / 3600, 0)]
  const theirs = [at(10 + 5 / 3600, 0)]
  assert.deepEqual(
    matchCatalogue(ours, theirs, options).map(({ ours: i, theirs: j }) => [i, j]),
    [[1, 0]],
  )
})

test('a pair wider than its own radius is none, though it is within the largest', () => {
  assert.equal(matchCatalogue([at(10, 0)], [at(10 + 12 / 3600, 0)], options).length, 0)
  assert.equal(
    matchCatalogue([at(10, 0)], [at(10 + 12 / 3600, 0)], { ...options, radiusRad: () => 15 * ARCSEC }).length,
    1,
  )
})

test('coincident positions have distance 0, not NaN', () => {
  const [match] = matchCatalogue([at(123.456, -45.6)], [at(123.456, -45.6)], options)
  assert.equal(match.separationRad, 0)
})

test('empty lists give no pairs', () => {
  assert.deepEqual(matchCatalogue([], [at(1, 1)], options), [])
  assert.deepEqual(matchCatalogue([at(1, 1)], [], options), [])
})

test('neighbours are those of a search over all pairs, anywhere on the sky', () => {
  const direction = fc.record({
    raRad: fc.double({ min: 0, max: 2 * Math.PI, noNaN: true }),
    decRad: fc.double({ min: -Math.PI / 2, max: Math.PI / 2, noNaN: true }),
  })
  fc.assert(
    fc.property(
      fc.array(direction, { maxLength: 40 }),
      fc.array(direction, { maxLength: 40 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (centres: Direction[], points: Direction[], radius) => {
        const found = neighbours(centres, points, radius)
        centres.forEach((centre, i) => {
          const expected = points.flatMap((point, k) => (separation(centre, point) <= radius ? [k] : []))
          assert.deepEqual(
            found[i].toSorted((a, b) => a - b),
            expected,
          )
        })
      },
    ),
  )
})
