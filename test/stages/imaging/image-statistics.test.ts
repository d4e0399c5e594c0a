import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '#runtime/numeric/random.ts'
import {
  confusionJy,
  peakOf,
  radiometerNoiseJy,
  residualStatistics,
  rmsInBeam,
} from '../../../stages/imaging/image-statistics.ts'

const arcsec = Math.PI / 648_000
const pixels = 200_000
const noise = new Float32Array(pixels)
createRandom(7).fillNormal(noise, 2)
const beam = Float32Array.from({ length: pixels }, (_, i) => 1 - i / pixels)

test('the statistics of Gaussian noise are its own', () => {
  const statistics = residualStatistics(noise, beam)
  assert.ok(Math.abs(statistics.rmsCentre / 2 - 1) < 0.01)
  assert.ok(Math.abs(statistics.rmsOuter / 2 - 1) < 0.01)
  assert.ok(Math.abs(statistics.skewness) < 0.03 && Math.abs(statistics.kurtosis - 3) < 0.06)
  assert.ok(statistics.highest > 7 && statistics.lowest < -7)
})

test('only pixels in the beam count, and blanks never', () => {
  const image = noise.slice()
  image.fill(Number.NaN, 0, 100)
  // Where the mean beam is below 0.2 anything may be.
  image.fill(1000, Math.ceil(0.81 * pixels))
  const { rmsCentre, highest } = residualStatistics(image, beam)
  assert.ok(Math.abs(rmsCentre / 2 - 1) < 0.01 && highest < 15)
  assert.ok(Number.isNaN(rmsInBeam(image, beam, { low: 1.1 })))
})

test('the peak is absolute, and no number where the image has none', () => {
  assert.equal(peakOf(Float32Array.of(1, -3, 2)), 3)
  assert.ok(Number.isNaN(peakOf(Float32Array.of(1, Number.NaN))))
})

test('the radiometer equation gives 0.200 mJy for a full observation of natural weight', () => {
  const sample = { sefdJy: 6500, channelWidthHz: 8 * 244_140.625, integrationS: 12.884901888 }
  const full = radiometerNoiseJy({ ...sample, effectiveSamples: (96 * 95 * 24 * 96) / 2 })
  assert.ok(Math.abs(full - 0.2e-3) < 0.001e-3)
})

test('confusion of a 68 x 37 arcsec beam is 0.11 mJy', () => {
  const jy = confusionJy(1.405e9, { majorRad: 68 * arcsec, minorRad: 37 * arcsec })
  assert.ok(Math.abs(jy - 0.11e-3) < 0.005e-3)
})
