import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StageError } from '#runtime/stage/errors.ts'
import { parseSkyModel } from '../../../stages/imaging/sky-model.ts'
import { nearestStrongSource, sunAltitude } from '../../../stages/imaging/strong-sources.ts'
import { degree, pointSource } from './calibrated-set.ts'

test('the sources of a sky model are read, further members are let be', () => {
  const source = { ...pointSource(0, 0, 15), calibrator: true, apparentFluxJy: 14 }
  const [read] = parseSkyModel(JSON.stringify({ apiVersion: 'contimg/v1', calibrator: '3C286', sources: [source] }))
  assert.deepEqual(read.direction, source.direction)
  assert.deepEqual(read.flux, source.flux)
})

test('what is no sky model is refused', () => {
  for (const text of ['{', '{}', '{"sources":[{"name":"x"}]}']) {
    assert.throws(
      () => parseSkyModel(text),
      (error) => error instanceof StageError && error.code === 'INPUT_CHANGED',
    )
  }
})

test('the nearest of the strongest sources is told with its distance', () => {
  const near = nearestStrongSource({ raRad: 299 * degree, decRad: 43 * degree })
  assert.equal(near.name, 'Cyg A')
  assert.ok(near.separationDeg > 2 && near.separationDeg < 3)
})

test('the altitude of the Sun agrees with astropy', () => {
  // astropy 5.2 get_sun in AltAz without refraction, OVRO (-118.283, 37.2334), at these MJD: see the table.
  const site = [-2_409_555.93, -4_478_213.62, 3_838_767.46] as const
  for (const [mjd, altitudeDeg] of [
    [61_100.0, 19.277],
    [61_200.35, -29.366],
    [62_000.8, 63.812],
  ] as const) {
    assert.ok(Math.abs(sunAltitude(mjd, site) - altitudeDeg) < 0.1, `${sunAltitude(mjd, site)}`)
  }
})
