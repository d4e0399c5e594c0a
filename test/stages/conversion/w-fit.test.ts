import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '#runtime/numeric/random.ts'
import { ARCSEC_RAD, DEGREE_RAD } from '#runtime/sky/constants.ts'
import { meridianVector } from '#runtime/sky/phase-rotation.ts'
import { baselineRows, activeStations, stationPositions } from '../../../stages/simulation/array.ts'
import { fitW } from '../../../stages/conversion/w-fit.ts'

const longitudeRad = -118.283 * DEGREE_RAD

function baselines(): Float64Array {
  const positions = stationPositions()
  const { ant1, ant2 } = baselineRows(activeStations())
  return Float64Array.from({ length: 3 * ant1.length }, (_, i) => {
    const [row, axis] = [Math.floor(i / 3), i % 3]
    return positions[3 * ant1[row] + axis] - positions[3 * ant2[row] + axis]
  })
}

function wOf(baselineM: Float64Array, decRad: number, longitude: number): Float64Array {
  const s = meridianVector(0, decRad, longitude)
  return Float64Array.from({ length: baselineM.length / 3 }, (_, i) =>
    Math.fround(baselineM[3 * i] * s[0] + baselineM[3 * i + 1] * s[1] + baselineM[3 * i + 2] * s[2]),
  )
}

test('the direction of float32 w coordinates is found to a milliarcsecond', () => {
  const baselineM = baselines()
  const random = createRandom(3)
  for (let trial = 0; trial < 10; trial++) {
    const decRad = (-30 + 110 * random.next()) * DEGREE_RAD
    const truth = {
      longitudeRad: longitudeRad + 30 * ARCSEC_RAD * random.normal(),
      decRad: decRad + 300 * ARCSEC_RAD * random.normal(),
    }
    const fit = fitW(baselineM, wOf(baselineM, truth.decRad, truth.longitudeRad), { longitudeRad, decRad })
    assert.ok(Math.abs(fit.decRad - truth.decRad) < 1e-3 * ARCSEC_RAD)
    assert.ok(Math.abs(fit.longitudeRad - truth.longitudeRad) * Math.cos(decRad) < 1e-3 * ARCSEC_RAD)
    const offset = Math.hypot(truth.decRad - decRad, (truth.longitudeRad - longitudeRad) * Math.cos(decRad))
    assert.ok(Math.abs(fit.offsetRad - offset) < 0.1 * ARCSEC_RAD)
    assert.ok(fit.fittedResidualM < 2e-4)
    assert.ok(fit.headerResidualM > fit.fittedResidualM)
  }
})

test("the w of the writer's own test vector is b . s(0, dec) on this meridian", () => {
  // dsa110-meridian-fs, tests/test_config.yaml: baseline 24-10 at declination 0.7 rad.
  const s = meridianVector(0, 0.7, longitudeRad)
  const w = -121.56006568 * s[0] + 65.41033646 * s[1]
  assert.ok(Math.abs(w - -2.35901594e-3) < 1e-6, String(w))
})
