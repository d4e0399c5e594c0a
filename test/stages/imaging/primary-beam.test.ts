import assert from 'node:assert/strict'
import { test } from 'node:test'
import { airyPower, type BeamTrack } from '#runtime/sky/beam.ts'
import { separation } from '#runtime/sky/frames.ts'
import { pixelToSky, type ImageWcs } from '#runtime/sky/projection.ts'
import { createRandom } from '#runtime/numeric/random.ts'
import {
  createBeamResponse,
  meanBeamCentre,
  primaryBeamImage,
  type BeamWeights,
} from '../../../stages/imaging/primary-beam.ts'

const degree = Math.PI / 180
const integrations = 24
const channels = 12

/** A beam that drifts for 24 integrations about a place, at constant declination. */
function drifting(raDeg: number, decDeg: number, weights?: Float64Array): BeamWeights {
  const rateRadS = (2 * Math.PI * 1.00273790935) / 86_400
  const track: BeamTrack = {
    timeMjdS: Float64Array.from({ length: integrations }, (_, k) => 5.279e9 + k * 12.884901888),
    raRad: Float64Array.from(
      { length: integrations },
      (_, k) => (raDeg * degree + (k - (integrations - 1) / 2) * 12.884901888 * rateRadS + 2 * Math.PI) % (2 * Math.PI),
    ),
    decRad: new Float64Array(integrations).fill(decDeg * degree),
    decOfDateRad: decDeg * degree,
  }
  const freqHz = Float64Array.from({ length: channels }, (_, c) => 1311.265259e6 + ((c + 0.5) * 187.5e6) / channels)
  return { track, freqHz, weights: weights ?? new Float64Array(integrations * channels).fill(1), diameterM: 4.65 }
}

function wcsAt(raDeg: number, decDeg: number, size = 1024, cellArcsec = 14): ImageWcs {
  return {
    centre: { raRad: raDeg * degree, decRad: decDeg * degree },
    width: size,
    height: size,
    cellRad: (cellArcsec / 3600) * degree,
    referenceX: size / 2,
    referenceY: size / 2,
  }
}

/** Direct integration, by separations on the sphere. */
function integrate({ track, freqHz, weights }: BeamWeights, wcs: ImageWcs, x: number, y: number): number {
  const direction = pixelToSky(wcs, x, y)
  let [sum, total] = [0, 0]
  for (let k = 0; k < track.raRad.length; k += 1) {
    const theta = separation({ raRad: track.raRad[k], decRad: track.decRad[k] }, direction)
    for (let c = 0; c < freqHz.length; c += 1) {
      sum += weights[k * freqHz.length + c] * airyPower(theta, freqHz[c], 4.65)
      total += weights[k * freqHz.length + c]
    }
  }
  return sum / total
}

for (const [name, raDeg, decDeg] of [
  ['at declination +16', 202.78, 16.15],
  ['across right ascension 0h', 0.1, 37],
  ['near the pole', 10, 86],
  ['in the south', 120, -20],
] as const) {
  test(`the beam image agrees with direct integration to 1e-4 ${name}`, () => {
    const beam = drifting(raDeg, decDeg)
    const wcs = wcsAt(raDeg, decDeg)
    const image = primaryBeamImage(wcs, [beam])
    const random = createRandom(1)
    for (let n = 0; n < 200; n += 1) {
      const [x, y] = [random.int(wcs.width), random.int(wcs.height)]
      const difference = Math.abs(image[y * wcs.width + x] - integrate(beam, wcs, x, y))
      assert.ok(difference < 1e-4, `${difference} at ${x}, ${y}`)
    }
  })
}

test('the accuracy holds for large pixels, small ones and images that are no multiple of the grid', () => {
  const beam = drifting(202.78, 16.15)
  for (const [size, cell] of [
    [130, 112],
    [333, 40],
    [600, 3],
  ] as const) {
    const wcs = wcsAt(202.78, 16.15, size, cell)
    const image = primaryBeamImage(wcs, [beam])
    for (const [x, y] of [
      [0, 0],
      [size - 1, size - 1],
      [size - 1, 0],
      [7, size - 2],
      [size >> 1, size >> 1],
    ]) {
      assert.ok(Math.abs(image[y * size + x] - integrate(beam, wcs, x, y)) < 1e-4)
    }
  }
})

test('drift lowers the centre and stretches the beam from east to west', () => {
  const response = createBeamResponse([drifting(202.78, 16.15)])
  const wcs = wcsAt(202.78, 16.15)
  const offset = 3600 / 14
  const centre = response(wcs, 512, 512)
  assert.ok(Math.abs(centre - 0.956) < 0.001, `${centre}`)
  assert.ok(Math.abs(response(wcs, 512 - offset, 512) - 0.682) < 0.004)
  assert.ok(Math.abs(response(wcs, 512, 512 + offset) - 0.662) < 0.004)
})

test('flagged data do not count: with the upper half of the band gone the beam is wider', () => {
  const weights = new Float64Array(integrations * channels)
  for (let i = 0; i < weights.length; i += 1) weights[i] = i % channels < channels / 2 ? 1 : 0
  const half = drifting(202.78, 16.15, weights)
  const wcs = wcsAt(202.78, 16.15)
  const [x, y] = [512 + 257, 512]
  const wide = createBeamResponse([half])(wcs, x, y)
  assert.ok(wide > createBeamResponse([drifting(202.78, 16.15)])(wcs, x, y) + 0.005)
  assert.ok(Math.abs(wide - integrate(half, wcs, x, y)) < 1e-6)
})

test('two sets with different channels weigh as one', () => {
  const whole = drifting(202.78, 16.15)
  const split = (from: number, to: number): BeamWeights => ({
    ...whole,
    freqHz: whole.freqHz.slice(from, to),
    weights: new Float64Array(integrations * (to - from)).fill(1),
  })
  const wcs = wcsAt(202.78, 16.15)
  const together = createBeamResponse([split(0, 5), split(5, channels)])(wcs, 300, 700)
  assert.ok(Math.abs(together - createBeamResponse([whole])(wcs, 300, 700)) < 1e-12)
})

test('the mean beam centre is right across 0h', () => {
  const { raRad, decRad } = meanBeamCentre([drifting(0.01, 37)])
  assert.ok(Math.abs(raRad / degree - 0.01) < 1e-6)
  assert.ok(Math.abs(decRad / degree - 37) < 0.01)
})
