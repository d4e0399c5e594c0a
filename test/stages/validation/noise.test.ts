import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '#runtime/numeric/random.ts'
import { expectedFalsePeaks } from '../../../stages/validation/false-peaks.ts'
import {
  centralRms,
  confusionNoiseJy,
  expectedNoiseJy,
  histogram,
  largestRatio,
  largestValue,
  weightingLoss,
} from '../../../stages/validation/noise.ts'
import { noiseMapHistogram } from '../../../stages/validation/noise-map.ts'
import { measurePointSpread } from '../../../stages/validation/psf.ts'
import { gaussianAt } from '#runtime/sky/gaussian-fit.ts'
import { correlatedNoise } from './synthetic-field.ts'

const width = 512

/** Local maxima above a level. */
function peaks(plane: Float32Array, level: number): number {
  let count = 0
  for (let y = 1; y < width - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x
      if (plane[i] < level) continue
      const around = [1, -1, width, -width, width + 1, width - 1, -width + 1, -width - 1]
      if (around.every((step) => plane[i + step] < plane[i])) count++
    }
  }
  return count
}

test('the expected number of noise peaks is the number that noise has', () => {
  const beam = { majorPixels: 9, minorPixels: 5, paRad: 0 }
  const level = 3.2
  let [found, expected] = [0, 0]
  for (let seed = 1; seed <= 8; seed++) {
    const plane = correlatedNoise({ width, beam, rmsJy: 2e-4 }, createRandom(seed))
    const rms = new Float32Array(plane.length).fill(2e-4)
    found += peaks(plane, level * 2e-4)
    expected += expectedFalsePeaks({ plane, rms, covered: new Uint8Array(plane.length).fill(1), width }, level)
  }
  assert.ok(found > 100, `${found}`)
  assert.ok(Math.abs(found / expected - 1) < 0.2, `${found} found, ${expected} expected`)
})

test('a field of the telescope has about half a noise peak above 5 sigma', () => {
  const beam = { majorPixels: 8.8, minorPixels: 4.6, paRad: 0 }
  const plane = correlatedNoise({ width, beam, rmsJy: 1 }, createRandom(9))
  const expected = expectedFalsePeaks(
    { plane, rms: new Float32Array(plane.length).fill(1), covered: new Uint8Array(plane.length).fill(1), width },
    5,
  )
  // 72,000 beams in the field, 512^2 / 45.9 here.
  const field = (expected * 72_000 * 45.9) / plane.length
  assert.ok(field > 0.4 && field < 0.7, `${field}`)
})

test('sources and blank pixels do not change the expected number of peaks', () => {
  const beam = { majorPixels: 9, minorPixels: 5, paRad: 0 }
  const plane = correlatedNoise({ width, beam, rmsJy: 1 }, createRandom(3))
  const rms = new Float32Array(plane.length).fill(1)
  const covered = Uint8Array.from(plane, (_, i) => (i % width < 400 ? 1 : 0))
  const before = expectedFalsePeaks({ plane, rms, covered, width }, 5)
  for (let k = 0; k < 40; k++) {
    for (let y = 0; y < 12; y++)
      for (let x = 0; x < 12; x++)
        plane[(12 * k + y) * width + 9 * k + x] += 500 * Math.exp(-((x - 6) ** 2 + (y - 6) ** 2) / 9)
  }
  assert.ok(Math.abs(expectedFalsePeaks({ plane, rms, covered, width }, 5) / before - 1) < 0.05)
  assert.equal(expectedFalsePeaks({ plane, rms, covered: new Uint8Array(plane.length), width }, 5), 0)
})

test('the expected noise of 10.5 million visibilities is 0.200 mJy natural and 0.231 mJy at Briggs 0.5', () => {
  const theory = { sefdJy: 6500, channelWidthHz: 8 * 244_140.625, integrationS: 12.884901888, visibilities: 10_506_240 }
  assert.ok(Math.abs(expectedNoiseJy({ ...theory, weightingLoss: 1 }) - 2.0e-4) < 1e-6)
  assert.ok(
    Math.abs(expectedNoiseJy({ ...theory, weightingLoss: weightingLoss("Briggs'(0.5)") ?? NaN }) - 2.31e-4) < 1e-6,
  )
})

test('the loss of a weighting is known for natural and robust ones, and for no others', () => {
  assert.equal(weightingLoss('natural'), 1)
  assert.equal(weightingLoss("Briggs'(0)"), 1.38)
  assert.ok(Math.abs((weightingLoss("Briggs'(0.25)") ?? 0) - 1.2675) < 1e-9)
  assert.equal(weightingLoss("Briggs'(2)"), 1)
  assert.equal(weightingLoss("Briggs'(3)"), 1)
  for (const name of ['uniform', "Briggs'(-1)", '', 'Briggs']) assert.equal(weightingLoss(name), undefined, name)
})

test('confusion grows with the beam and falls with frequency', () => {
  const arcmin = Math.PI / 10800
  assert.ok(Math.abs(confusionNoiseJy(1e9, { major: arcmin, minor: arcmin }) - 2e-4) < 1e-12)
  assert.ok(Math.abs(confusionNoiseJy(1.405e9, { major: 1.13 * arcmin, minor: 0.62 * arcmin }) - 1.1e-4) < 5e-6)
})

test('the noise at the centre sees only the centre, and no sources', () => {
  const plane = new Float32Array(width * width)
  createRandom(5).fillNormal(plane, 1)
  const primaryBeam = Float32Array.from(plane, (_, i) => (i % width < 256 ? 0.8 : 0.3))
  for (let i = 0; i < plane.length; i++) if (i % width >= 256) plane[i] *= 50
  for (let i = 0; i < plane.length; i += 1001) plane[i] = NaN
  assert.ok(Math.abs(centralRms(plane, primaryBeam, 0.5) - 1) < 0.01)
  assert.ok(Number.isNaN(centralRms(plane, primaryBeam, 0.9)))
})

test('largest value, largest ratio and histogram count covered pixels alone', () => {
  const plane = Float32Array.of(1, -9, 5, NaN, 100)
  const covered = Uint8Array.of(1, 1, 1, 0, 0)
  assert.equal(largestValue(plane, covered), 5)
  assert.equal(largestRatio(plane, new Float32Array(5).fill(2), covered), 4.5)
  assert.equal(largestRatio(plane, new Float32Array(5).fill(2), new Uint8Array(5)), undefined)
  assert.ok(Number.isNaN(largestValue(plane, new Uint8Array(5))))
  assert.deepEqual(
    histogram(plane, Float32Array.of(1, 1, 1, 1, 0.1), { sigma: 5, beamCut: 0.5, limit: 2, bins: 4 }),
    [1, 0, 1, 1],
  )
  const bins = noiseMapHistogram(Float32Array.of(1e-4, 1e-4, 1, 2e-4, 5), Uint8Array.of(1, 1, 0, 1, 0))
  assert.equal(
    bins.reduce((sum, { count }) => sum + count, 0),
    3,
  )
  assert.ok(bins[0].low <= 1.0001e-4 && bins[bins.length - 1].high > 1.98e-4)
})

test('the widths and sidelobes of a point spread function are measured along its axes', () => {
  const cellRad = 3.4e-5
  const shape = { majorPixels: 14, minorPixels: 8, paRad: 0.4 }
  const psf = new Float32Array(128 * 128)
  for (let y = 0; y < 128; y++) {
    for (let x = 0; x < 128; x++) {
      psf[y * 128 + x] =
        gaussianAt({ peak: 1, x: 64, y: 64, ...shape }, x, y) -
        0.15 * gaussianAt({ peak: 1, x: 100, y: 64, ...shape }, x, y)
    }
  }
  const found = measurePointSpread(
    psf,
    { width: 128, height: 128, cellRad },
    { major: 14 * cellRad, minor: 8 * cellRad, paRad: 0.4 },
  )
  assert.ok(found !== undefined)
  assert.ok(
    Math.abs(found.halfPower.major / (14 * cellRad) - 1) < 0.02 &&
      Math.abs(found.halfPower.minor / (8 * cellRad) - 1) < 0.02,
  )
  assert.ok(Math.abs(found.sidelobe - 0.15) < 0.005)
  assert.equal(found.cut.major[(found.cut.major.length - 1) / 2], 1)
  assert.equal(
    measurePointSpread(new Float32Array(16), { width: 4, height: 4, cellRad }, { major: 1, minor: 1, paRad: 0 }),
    undefined,
  )
})
