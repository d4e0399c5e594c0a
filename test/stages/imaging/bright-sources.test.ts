import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '#runtime/numeric/random.ts'
import type { BeamTrack } from '#runtime/sky/beam.ts'
import { fluxAt, type SkySource } from '#runtime/sky/calibrators.ts'
import { separation } from '#runtime/sky/frames.ts'
import { createPredictor } from '#runtime/sky/predict.ts'
import { createBrightFit, type VisibilityBlock, type VisibilityFrame } from '../../../stages/imaging/bright-sources.ts'
import { degree, pointSource } from './calibrated-set.ts'

const integrations = 6
const rows = 1200
const channels = 12
const arcsec = degree / 3600

const beam: BeamTrack = {
  timeMjdS: Float64Array.from({ length: integrations }, (_, k) => k * 50),
  raRad: Float64Array.from({ length: integrations }, (_, k) => (202.7845 + 0.2 * (k - 2.5)) * degree),
  decRad: new Float64Array(integrations).fill(16.15 * degree),
  decOfDateRad: 16.15 * degree,
}
const frame: VisibilityFrame = {
  phaseCentre: { raRad: 202.7845 * degree, decRad: 16.15 * degree },
  beam,
  freqHz: Float64Array.from({ length: channels }, (_, c) => 1.32e9 + c * 15e6),
}

/** Visibilities on baselines up to 2 km, with noise. */
function observe(sources: readonly SkySource[], noiseJy: number): VisibilityBlock {
  const random = createRandom('bright')
  const uvwM = Float64Array.from({ length: 3 * rows }, () => 2000 * (random.next() - 0.5))
  const integration = Int32Array.from({ length: rows }, (_, r) => r % integrations)
  const stokesI = new Float32Array(rows * channels * 2)
  createPredictor({ ...frame, sources }).predict(0, rows, uvwM, integration, stokesI)
  for (let i = 0; i < stokesI.length; i += 1) stokesI[i] += noiseJy * random.normal()
  return { rows, uvwM, integration, stokesI, weight: new Float32Array(rows * channels).fill(1) }
}

function fit(start: readonly SkySource[], block: VisibilityBlock, steps: number): SkySource[] {
  let sources = [...start]
  for (let k = 0; k < steps; k += 1) {
    const step = createBrightFit(sources, frame)
    step.add(block)
    sources = step.solve(10 * arcsec)
  }
  return sources
}

const truth = [
  pointSource(0.4, -0.3, 2.5, { index: -1.2 }),
  pointSource(-1.1, 0.6, 1, { index: 0.2 }),
  pointSource(0.1, 0.9, 0.6),
]
/** Off by 4 arcsec, by a tenth of the flux density, and with the usual spectral index. */
const start = [
  pointSource(0.4 + 4 / 3600, -0.3, 2.2),
  pointSource(-1.1, 0.6 - 4 / 3600, 1.1),
  pointSource(0.1 + 3 / 3600, 0.9 + 3 / 3600, 0.66),
]

test('flux density, spectral index and position of drifting sources are found again without noise', () => {
  const found = fit(start, observe(truth, 0), 20)
  found.forEach((source, i) => {
    assert.ok(separation(source.direction, truth[i].direction) < 1e-3 * arcsec)
    for (const f of frame.freqHz) assert.ok(Math.abs(fluxAt(source.flux, f) / fluxAt(truth[i].flux, f) - 1) < 1e-4)
  })
})

test('with noise they are found within it', () => {
  const noise = 0.3
  const found = fit(start, observe(truth, noise), 10)
  const sigmaFlux = noise / Math.sqrt(rows * channels)
  found.forEach((source, i) => {
    const expected = fluxAt(truth[i].flux, 1.4e9)
    // The beam lowers what the source shows: its error grows with the inverse.
    assert.ok(Math.abs(fluxAt(source.flux, 1.4e9) - expected) < (5 * sigmaFlux) / 0.4, `source ${i}`)
    assert.ok(separation(source.direction, truth[i].direction) < 2 * arcsec)
  })
})

test('chi-square falls from step to step to that of the noise', () => {
  const block = observe(truth, 0.3)
  const chi2 = [0, 1, 2, 6].map((steps) => {
    const last = createBrightFit(fit(start, block, steps), frame)
    last.add(block)
    return last.chi2()
  })
  assert.ok(chi2[0] > chi2[1] && chi2[1] > chi2[2] && chi2[2] >= chi2[3])
  assert.ok(Math.abs(chi2[3] / (2 * rows * channels * 0.09) - 1) < 0.03)
})

test('flagged samples have no say', () => {
  const block = observe(truth, 0)
  for (let i = 0; i < rows * channels; i += 7) {
    block.weight[i] = 0
    block.stokesI[2 * i] = 1e6
  }
  const found = fit(start, block, 20)
  found.forEach((source, i) => assert.ok(separation(source.direction, truth[i].direction) < 1e-3 * arcsec))
})

test('a step moves no source further than it may', () => {
  const block = observe(truth, 0)
  const far = [pointSource(0.4 + 25 / 3600, -0.3, 2.5)]
  const step = createBrightFit(far, frame)
  step.add(block)
  const [moved] = step.solve(2 * arcsec)
  assert.ok(separation(moved.direction, far[0].direction) < 2.001 * arcsec)
})
