import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '#runtime/numeric/random.ts'
import { estimateBackground } from '#runtime/sky/background.ts'

const width = 400
const options = { boxPixels: 100, stepPixels: 20 }

function noise(seed: number): Float32Array {
  const plane = new Float32Array(width * width)
  createRandom(seed).fillNormal(plane, 1)
  return plane
}

/** Mean and standard deviation of values. */
function moments(values: ArrayLike<number>): { mean: number; spread: number } {
  let [sum, sum2] = [0, 0]
  for (let i = 0; i < values.length; i++) {
    sum += values[i]
    sum2 += values[i] ** 2
  }
  const mean = sum / values.length
  return { mean, spread: Math.sqrt(sum2 / values.length - mean ** 2) }
}

test('the noise of a flat image is found within 1 % everywhere on average and 4 % in a single box', () => {
  const { background, rms } = estimateBackground(noise(1), width, width, options)
  const level = moments(rms)
  assert.ok(Math.abs(level.mean - 1) < 0.01, `mean ${level.mean}`)
  assert.ok(level.spread < 0.02, `spread ${level.spread}`)
  assert.ok(Math.abs(moments(background).mean) < 0.01)
  assert.ok(rms.every((value) => value > 0.9 && value < 1.1))
})

test('a slope in background and noise is followed', () => {
  const plane = noise(2)
  for (let i = 0; i < plane.length; i++) plane[i] = plane[i] * (1 + (i % width) / width) + (3 * (i % width)) / width
  const { background, rms } = estimateBackground(plane, width, width, options)
  for (const x of [100, 200, 300]) {
    const i = 200 * width + x
    assert.ok(Math.abs(background[i] - (3 * x) / width) < 0.15, `background ${background[i]} at ${x}`)
    assert.ok(Math.abs(rms[i] / (1 + x / width) - 1) < 0.06, `rms ${rms[i]} at ${x}`)
  }
})

test('bright sources hardly raise the noise: clipping takes them out', () => {
  const plane = noise(3)
  const random = createRandom(4)
  // 2 % of the pixels hold sources of 10 to 10,000 sigma.
  for (let k = 0; k < 0.02 * plane.length; k++) plane[random.int(plane.length)] += 10 ** (1 + 3 * random.next())
  const { rms, background } = estimateBackground(plane, width, width, options)
  assert.ok(moments(rms).mean < 1.03, `mean ${moments(rms).mean}`)
  assert.ok(Math.abs(moments(background).mean) < 0.04)
})

test('the result scales with the unit of the image and shifts with a constant', () => {
  const plane = noise(5)
  const scaled = plane.map((value) => 2.4e-4 * value + 1e-3)
  const a = estimateBackground(plane, width, width, options)
  const b = estimateBackground(scaled, width, width, options)
  for (let i = 0; i < plane.length; i += 997) {
    assert.ok(Math.abs(b.rms[i] / 2.4e-4 - a.rms[i]) < 0.03)
    assert.ok(Math.abs((b.background[i] - 1e-3) / 2.4e-4 - a.background[i]) < 0.05)
  }
})

test('blank and invalid pixels are never used, and boxes without pixels borrow from their neighbours', () => {
  const plane = noise(6)
  const valid = new Uint8Array(plane.length).fill(1)
  for (let y = 0; y < width; y++) {
    for (let x = 0; x < width; x++) {
      if (x < 120) plane[y * width + x] = NaN
      if (x > 280) {
        plane[y * width + x] = 1e6
        valid[y * width + x] = 0
      }
    }
  }
  const { rms, background } = estimateBackground(plane, width, width, { ...options, valid })
  assert.ok(rms.every((value) => value > 0.8 && value < 1.25))
  assert.ok(background.every((value) => Math.abs(value) < 0.2))
})

test('an image without a usable pixel gives no number', () => {
  const { background, rms } = estimateBackground(new Float32Array(100).fill(NaN), 10, 10, options)
  assert.ok(background.every(Number.isNaN))
  assert.ok(rms.every(Number.isNaN))
})

test('a constant image has that background and no noise to speak of', () => {
  const { background, rms } = estimateBackground(new Float32Array(width * width).fill(7), width, width, options)
  assert.ok(background.every((value) => Math.abs(value - 7) < 1e-4))
  assert.ok(rms.every((value) => value < 1e-4))
})

test('equal images give equal maps to the last bit', () => {
  const a = estimateBackground(noise(7), width, width, options)
  const b = estimateBackground(noise(7), width, width, options)
  assert.deepEqual(a.rms, b.rms)
  assert.deepEqual(a.background, b.background)
})
