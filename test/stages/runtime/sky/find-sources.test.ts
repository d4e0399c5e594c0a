import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '#runtime/numeric/random.ts'
import { median } from '#runtime/numeric/statistics.ts'
import { estimateBackground } from '#runtime/sky/background.ts'
import { findSources, type FoundSource } from '#runtime/sky/find-sources.ts'
import { gaussianAt, type Gaussian } from '#runtime/sky/gaussian-fit.ts'
import { correlatedNoise } from '../../validation/synthetic-field.ts'

const width = 768
const beam = { majorPixels: 9.7, minorPixels: 5.3, paRad: 0 }
const rmsJy = 2.4e-4
const limits = { seedSigma: 5, growSigma: 4, minPixels: 3, maxComponents: 5, maxIslands: 10_000, beam }

interface Truth {
  x: number
  y: number
  snr: number
}

function find(image: Float32Array): FoundSource[] {
  const { background, rms } = estimateBackground(image, width, width, { boxPixels: 143, stepPixels: 28 })
  return findSources(image, width, width, { ...limits, background, rms })
}

function add(image: Float32Array, gaussian: Gaussian): void {
  const reach = Math.ceil(3 * gaussian.majorPixels)
  for (let y = Math.max(0, Math.floor(gaussian.y) - reach); y <= Math.min(width - 1, gaussian.y + reach); y++) {
    for (let x = Math.max(0, Math.floor(gaussian.x) - reach); x <= Math.min(width - 1, gaussian.x + reach); x++) {
      image[y * width + x] += gaussianAt(gaussian, x, y)
    }
  }
}

/** Isolated points in correlated noise with S/N log-uniform between 5 and 300. */
function pointField(seed: number): { image: Float32Array; truth: Truth[] } {
  const random = createRandom(seed)
  const image = correlatedNoise({ width, beam, rmsJy }, random.fork('noise'))
  const side = 13
  const truth = Array.from({ length: side * side }, (_, k): Truth => ({
    x: ((k % side) + 0.3 + 0.4 * random.next()) * (width / side),
    y: (Math.floor(k / side) + 0.3 + 0.4 * random.next()) * (width / side),
    snr: 5 * 60 ** random.next(),
  }))
  for (const { x, y, snr } of truth) add(image, { peak: snr * rmsJy, x, y, ...beam })
  return { image, truth }
}

const nearest = (found: readonly FoundSource[], { x, y }: { x: number; y: number }): FoundSource | undefined =>
  found
    .filter((source) => Math.hypot(source.x - x, source.y - y) < 4)
    .sort((a, b) => Math.hypot(a.x - x, a.y - y) - Math.hypot(b.x - x, b.y - y))[0]

const fields = [11, 12, 13].map(pointField)
const results = fields.map(({ image, truth }) => {
  const found = find(image)
  return { found, pairs: truth.map((true_) => ({ truth: true_, found: nearest(found, true_) })) }
})
const pairs = results.flatMap((result) => result.pairs)

test('every point above 8 sigma is found, and nine of ten between 6 and 8', () => {
  const bright = pairs.filter(({ truth }) => truth.snr >= 8)
  assert.ok(bright.length > 300)
  assert.equal(bright.filter(({ found }) => found === undefined).length, 0)
  const faint = pairs.filter(({ truth }) => truth.snr >= 6 && truth.snr < 8)
  assert.ok(faint.filter(({ found }) => found !== undefined).length >= 0.85 * faint.length)
})

test('what is found was injected: no false source', () => {
  const used = new Set(pairs.map(({ found }) => found))
  const all = results.flatMap(({ found }) => found)
  assert.ok(all.filter((source) => !used.has(source)).length <= 0.01 * all.length)
})

test('peak and integrated flux densities are unbiased within 0.5 %', () => {
  const ratios = pairs.flatMap(({ truth, found }) =>
    truth.snr >= 20 && found
      ? [
          {
            peak: found.peak / (truth.snr * rmsJy),
            area: (found.majorPixels * found.minorPixels) / (beam.majorPixels * beam.minorPixels),
          },
        ]
      : [],
  )
  const peak = median(ratios.map((ratio) => ratio.peak))
  const integrated = median(ratios.map((ratio) => ratio.peak * ratio.area))
  assert.ok(Math.abs(peak - 1) < 0.005, `peak ${peak}`)
  assert.ok(Math.abs(integrated - 1) < 0.005, `integrated ${integrated}`)
})

test('positions and peaks scatter as Condon 1997 says, within 20 %', () => {
  const pulls = pairs.flatMap(({ truth, found }) => {
    if (truth.snr < 10 || found === undefined) return []
    return [
      {
        x: (found.x - truth.x) / ((0.4247 * beam.minorPixels) / truth.snr),
        y: (found.y - truth.y) / ((0.4247 * beam.majorPixels) / truth.snr),
        peak: found.peak / rmsJy - truth.snr,
      },
    ]
  })
  for (const axis of ['x', 'y', 'peak'] as const) {
    const spread = Math.sqrt(pulls.reduce((sum, pull) => sum + pull[axis] ** 2, 0) / pulls.length)
    const mean = pulls.reduce((sum, pull) => sum + pull[axis], 0) / pulls.length
    assert.ok(spread > 0.8 && spread < 1.2, `${axis}: pull ${spread}`)
    assert.ok(Math.abs(mean) < 0.2, `${axis}: bias ${mean}`)
  }
})

test('points keep the shape of the beam, and no island is split', () => {
  const bright = pairs.filter(({ truth, found }) => truth.snr > 30 && found !== undefined)
  assert.ok(bright.filter(({ found }) => found?.flags.includes('fixed-shape')).length > 0.9 * bright.length)
  assert.ok(bright.every(({ found }) => found?.components === 1))
})

test('an extended source gets its own shape and its integrated flux density', () => {
  const image = correlatedNoise({ width, beam, rmsJy }, createRandom(21))
  const truth = { peak: 100 * rmsJy, x: 300.3, y: 400.6, majorPixels: 16, minorPixels: 9, paRad: 0.7 }
  add(image, truth)
  const [source] = find(image)
  assert.ok(!source.flags.includes('fixed-shape'))
  assert.ok(Math.abs(source.majorPixels / 16 - 1) < 0.06 && Math.abs(source.minorPixels / 9 - 1) < 0.06)
  assert.ok(Math.abs(Math.sin(source.paRad - 0.7)) < 0.1)
  const area = (source.peak * source.majorPixels * source.minorPixels) / (truth.peak * 16 * 9)
  assert.ok(Math.abs(area - 1) < 0.06, `integrated ${area}`)
})

test('a close pair is split into its two points and flagged', () => {
  const image = correlatedNoise({ width, beam, rmsJy }, createRandom(22))
  add(image, { peak: 100 * rmsJy, x: 300, y: 400, ...beam })
  add(image, { peak: 60 * rmsJy, x: 307, y: 401, ...beam })
  const found = find(image).filter(({ x }) => x > 250 && x < 350)
  assert.equal(found.length, 2)
  assert.ok(found.every(({ flags, components }) => flags.includes('blended') && components === 2))
  assert.ok(
    Math.hypot(found[0].x - 300, found[0].y - 400) < 0.3 && Math.hypot(found[1].x - 307, found[1].y - 401) < 0.5,
  )
  assert.ok(Math.abs(found[0].peak / rmsJy - 100) < 5 && Math.abs(found[1].peak / rmsJy - 60) < 5)
})

test('a source at the edge of the valid pixels is flagged, and none is found outside', () => {
  const image = correlatedNoise({ width, beam, rmsJy }, createRandom(23))
  add(image, { peak: 50 * rmsJy, x: 400, y: 300, ...beam })
  add(image, { peak: 50 * rmsJy, x: 420, y: 500, ...beam })
  const valid = Uint8Array.from(image, (_, i) => (i % width <= 402 ? 1 : 0))
  const { background, rms } = estimateBackground(image, width, width, { boxPixels: 143, stepPixels: 28, valid })
  const found = findSources(image, width, width, { ...limits, background, rms, valid })
  assert.equal(found.length, 1)
  assert.ok(found[0].flags.includes('edge'))
})

test('a faint source beside one a hundred times brighter is flagged', () => {
  const image = correlatedNoise({ width, beam, rmsJy }, createRandom(24))
  add(image, { peak: 5000 * rmsJy, x: 300, y: 400, ...beam })
  add(image, { peak: 20 * rmsJy, x: 315, y: 400, ...beam })
  const flat = { background: new Float32Array(image.length), rms: new Float32Array(image.length).fill(rmsJy) }
  const found = findSources(image, width, width, { ...limits, ...flat })
  const faint = nearest(found, { x: 315, y: 400 })
  assert.ok(faint?.flags.includes('near-bright'))
})

test('an empty field and a blank image have no source', () => {
  assert.deepEqual(find(correlatedNoise({ width, beam, rmsJy }, createRandom(25))), [])
  assert.deepEqual(find(new Float32Array(width * width).fill(NaN)), [])
})

test('an island of thousands of beams is reported, not fitted for minutes', () => {
  const image = correlatedNoise({ width, beam, rmsJy }, createRandom(26))
  for (let y = 200; y < 500; y++) for (let x = 200; x < 500; x++) image[y * width + x] += 20 * rmsJy
  const flat = { background: new Float32Array(image.length), rms: new Float32Array(image.length).fill(rmsJy) }
  const started = performance.now()
  const found = findSources(image, width, width, { ...limits, ...flat })
  assert.ok(performance.now() - started < 2000)
  assert.ok(found[0].flags.includes('fit-failed'))
})

test('only the brightest islands are fitted when there are too many', () => {
  const { image } = fields[0]
  const { background, rms } = estimateBackground(image, width, width, { boxPixels: 143, stepPixels: 28 })
  const found = findSources(image, width, width, { ...limits, background, rms, maxIslands: 7 })
  assert.equal(found.length, 7)
  assert.ok(found[6].peak >= results[0].found[7].peak)
})

test('no fit leaves its island, whatever artefacts look like', () => {
  const random = createRandom('artefacts')
  for (let trial = 0; trial < 2; trial++) {
    const image = correlatedNoise({ width, beam, rmsJy }, random.fork(`noise ${trial}`))
    const [kx, ky] = [random.normal() * 0.3, random.normal() * 0.3]
    const scale = rmsJy * 10 ** (1 + 2 * random.next())
    const [x0, y0, reach] = [random.int(width), random.int(width), 20 + random.int(100)]
    for (let i = 0; i < image.length; i++) {
      const [dx, dy] = [(i % width) - x0, Math.floor(i / width) - y0]
      image[i] += scale * Math.cos(kx * dx + ky * dy) * Math.exp(-(dx * dx + dy * dy) / reach ** 2)
    }
    const mesh = estimateBackground(image, width, width, { boxPixels: 143, stepPixels: 28 })
    for (const { x, y, peak } of findSources(image, width, width, { ...limits, ...mesh, maxIslands: 150 })) {
      assert.ok(x >= -beam.majorPixels && x < width + beam.majorPixels, `x ${x} in trial ${trial}`)
      assert.ok(y >= -beam.majorPixels && y < width + beam.majorPixels, `y ${y} in trial ${trial}`)
      assert.ok(peak > 0)
    }
  }
})
