import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEGREE_RAD, DISH_DIAMETER_M, SPEED_OF_LIGHT_M_S } from '#runtime/sky/constants.ts'
import { airyPower, airyTable, beamPower, beamScale, meanBeam, type BeamTrack } from '#runtime/sky/beam.ts'
import { besselJ1OverX } from '#runtime/sky/bessel.ts'
import { meridianPlaceIcrs } from '#runtime/sky/frames.ts'
import { degrees, noOrientation, readFixture, site } from './fixtures.ts'

const { values } = readFixture('bessel.json') as { values: [number, number][] }

/** 24 integrations of an observation at an apparent declination. */
function trackAt(decDeg: number): BeamTrack {
  const times = Array.from({ length: 24 }, (_, k) => 61104.3 + ((k - 11.5) * 12.884901888) / 86400)
  const centres = times.map((mjd) => meridianPlaceIcrs(decDeg * DEGREE_RAD, mjd, noOrientation, site))
  return {
    timeMjdS: Float64Array.from(times, (mjd) => mjd * 86400),
    raRad: Float64Array.from(centres, (centre) => centre.raRad),
    decRad: Float64Array.from(centres, (centre) => centre.decRad),
    decOfDateRad: decDeg * DEGREE_RAD,
  }
}

function middleOf(track: BeamTrack): { raRad: number; decRad: number } {
  return { raRad: (track.raRad[11] + track.raRad[12]) / 2, decRad: (track.decRad[11] + track.decRad[12]) / 2 }
}

test('J1(x)/x agrees with scipy to 2e-13', () => {
  for (const [x, want] of values) assert.ok(Math.abs(besselJ1OverX(x) - want) < 2e-13, `${x}`)
  assert.equal(besselJ1OverX(0), 0.5)
})

test('the beam has the tabulated power', () => {
  const offsets = [0.5, 1, 1.36, 1.5, 2, 2.5]
  const table: [number, number[]][] = [
    [1311.387e6, [0.925, 0.727, 0.546, 0.474, 0.245, 0.088]],
    [1405.015e6, [0.914, 0.692, 0.496, 0.421, 0.191, 0.053]],
    [1498.643e6, [0.903, 0.657, 0.447, 0.369, 0.145, 0.028]],
  ]
  for (const [freqHz, powers] of table) {
    for (const [i, want] of powers.entries()) {
      assert.ok(Math.abs(airyPower(offsets[i] * DEGREE_RAD, freqHz) - want) < 6e-4, `${freqHz} ${offsets[i]}`)
    }
  }
})

test('half power, first null and first sidelobe are where Airy puts them', () => {
  for (const [freqHz, fwhmDeg, nullDeg] of [
    [1311.387e6, 2.899, 3.44],
    [1405.015e6, 2.706, 3.21],
    [1498.643e6, 2.537, 3.01],
  ] as const) {
    assert.ok(Math.abs(airyPower((fwhmDeg / 2) * DEGREE_RAD, freqHz) - 0.5) < 1e-3)
    assert.ok(airyPower(nullDeg * DEGREE_RAD, freqHz) < 1e-5)
    const lambdaOverD = SPEED_OF_LIGHT_M_S / freqHz / DISH_DIAMETER_M
    assert.ok(Math.abs(airyPower(Math.asin((1.029 * lambdaOverD) / 2), freqHz) - 0.5) < 1e-3)
    assert.ok(airyPower(Math.asin(1.21967 * lambdaOverD), freqHz) < 1e-9)
    assert.ok(Math.abs(airyPower(Math.asin(1.6347 * lambdaOverD), freqHz) - 0.0175) < 1e-4)
  }
  assert.equal(airyPower(0, 1.4e9), 1)
  assert.equal(airyPower(2, 1.4e9), 0)
})

test('the table follows the function to 2e-8 everywhere', () => {
  const table = airyTable()
  const freqHz = 1e10
  for (let xSquared = 0; xSquared < 400; xSquared += 0.0173) {
    const thetaRad = Math.asin(Math.sqrt(xSquared) / beamScale(freqHz))
    assert.ok(Math.abs(table(xSquared) - airyPower(thetaRad, freqHz)) < 2e-8, `${xSquared}`)
  }
  assert.equal(table(0), 1)
})

test('the drift of the sky lowers the mean beam as tabulated', () => {
  for (const [decDeg, want] of [
    [0, 0.953],
    [16, 0.956],
    [37, 0.969],
    [54, 0.984],
  ] as const) {
    const track = trackAt(decDeg)
    const got = meanBeam(track, middleOf(track), [1405.015e6])
    assert.ok(Math.abs(got - want) < 1.5e-3, `${decDeg}: ${got}`)
  }
})

test('the mean beam is elongated east-west', () => {
  const track = trackAt(16)
  const centre = middleOf(track)
  // Direct sums of scipy.special.j1 over 24 centres 193.8" apart and 768 channels.
  const freqsHz = Array.from({ length: 96 }, (_, c) => 1312.24e6 + c * 1.953125e6)
  const north = meanBeam(track, { raRad: centre.raRad, decRad: centre.decRad + DEGREE_RAD }, freqsHz)
  const east = meanBeam(
    track,
    { raRad: centre.raRad + DEGREE_RAD / Math.cos(centre.decRad), decRad: centre.decRad },
    freqsHz,
  )
  assert.ok(Math.abs(north - 0.6593) < 5e-4 && Math.abs(east - 0.6794) < 5e-4, `${north} ${east}`)
})

test('each integration has its own beam centre', () => {
  const track = trackAt(16)
  const first = { raRad: track.raRad[0], decRad: track.decRad[0] }
  assert.equal(beamPower(track, 0, first, 1.4e9), 1)
  assert.ok(beamPower(track, 23, first, 1.4e9) < 0.65)
  assert.ok(beamPower(track, 5, degrees(0, -60), 1.4e9) < 1e-2)
})
