import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '#runtime/numeric/random.ts'
import { median } from '#runtime/numeric/statistics.ts'
import {
  createSurveyWork,
  surveyPolarization,
  type BaselineData,
  type SurveyOptions,
} from '../../../../stages/calibration/survey/survey.ts'
import { createNoiseWork, surveyNoise } from '../../../../stages/calibration/survey/survey-noise.ts'

const shape = { integrations: 8, channels: 96, polarizations: 2, perSubband: 48 }
const { integrations, channels, polarizations, perSubband } = shape

interface Case {
  baseline: BaselineData
  options: SurveyOptions
  cells: { sum: Int32Array; flagged: Int32Array }
}

/** A source of 3 Jy with noise of 1 Jy in both polarisations. */
function observe(flux = 3, sigma = 1): Case {
  const random = createRandom(11)
  const data = new Float32Array(2 * integrations * channels * polarizations)
  for (let k = 0; k < data.length; k += 2) {
    data[k] = flux + sigma * random.normal()
    data[k + 1] = sigma * random.normal()
  }
  const subbands = channels / perSubband
  const offset = Int32Array.from({ length: integrations * subbands }, (_, k) => k * perSubband * polarizations * 2)
  return {
    baseline: { data, offset, integrations, channels, polarizations, perSubband },
    options: {
      clipSigma: 7,
      knownBad: new Uint8Array(integrations * channels),
      knownBadAt: new Uint8Array(integrations),
      flags: new Uint8Array(integrations * channels),
      flagOffset: Int32Array.from({ length: integrations }, (_, t) => t * channels),
      flaggedAt: new Uint8Array(integrations),
    },
    cells: {
      sum: new Int32Array(integrations * channels * polarizations),
      flagged: new Int32Array(integrations * channels * polarizations),
    },
  }
}

function survey({ baseline, options, cells }: Case, polarization = 0) {
  return surveyPolarization(baseline, polarization, { work: createSurveyWork(), options, cells })
}

/** Position of the real part of (t, c, p). */
function at(t: number, c: number, p: number): number {
  return 2 * ((t * channels + c) * polarizations + p)
}

test('clean data are not flagged, and the median amplitude is that of the samples', () => {
  const clean = observe()
  const { medianAmplitude, threshold, missing, clip } = survey(clean)
  const amplitudes = Float64Array.from({ length: integrations * channels }, (_, k) =>
    Math.hypot(clean.baseline.data[4 * k], clean.baseline.data[4 * k + 1]),
  )
  assert.ok(Math.abs(medianAmplitude / median(amplitudes) - 1) < 2e-3)
  const deviation = 1.4826 * median(amplitudes.map((a) => Math.abs(a - median(amplitudes))))
  assert.ok(Math.abs(threshold / (median(amplitudes) + 7 * deviation) - 1) < 0.02)
  assert.deepEqual([missing, clip], [0, 0])
  assert.ok(clean.options.flags.every((bits) => bits === 0))
})

test('zeros, not-a-number, infinities and input flags are missing; strong samples are clipped; one polarisation each', () => {
  const bad = observe()
  const { data } = bad.baseline
  data[at(0, 1, 0)] = data[at(0, 1, 0) + 1] = 0
  data[at(1, 2, 0) + 1] = Number.NaN
  data[at(2, 3, 0)] = Number.POSITIVE_INFINITY
  data[at(3, 4, 0)] = 60
  data[at(4, 5, 1)] = -60
  bad.options.flags[5 * channels + 6] = 1
  bad.options.flaggedAt[5] = 1
  assert.deepEqual(pick(survey(bad, 0)), { missing: 4, clip: 1 })
  assert.deepEqual(pick(survey(bad, 1)), { missing: 0, clip: 1 })
  const flagged = [...bad.options.flags.entries()].filter(([, bits]) => bits !== 0)
  assert.deepEqual(flagged, [
    [1, 1],
    [channels + 2, 1],
    [2 * channels + 3, 1],
    [3 * channels + 4, 1],
    [4 * channels + 5, 2],
    [5 * channels + 6, 1],
  ])
  assert.equal(
    bad.cells.flagged.reduce((sum, n) => sum + n, 0),
    6,
  )
})

function pick({ missing, clip }: { missing: number; clip: number }): { missing: number; clip: number } {
  return { missing, clip }
}

test('data without noise keep their strongest samples up to 1.5 times the median', () => {
  const smooth = observe(3, 0)
  smooth.baseline.data[at(0, 0, 0)] = 4.4
  smooth.baseline.data[at(0, 1, 0)] = 4.6
  assert.equal(survey(smooth).clip, 1)
})

test('known-bad cells are left out of the statistics and are not counted as found', () => {
  const known = observe()
  for (let c = 0; c < channels; c++) {
    known.options.knownBad[2 * channels + c] = 3
    known.baseline.data[at(2, c, 0)] = 1e6
  }
  known.options.knownBadAt[2] = 1
  const { medianAmplitude, clip, missing } = survey(known)
  assert.ok(Math.abs(medianAmplitude - 3.15) < 0.1)
  assert.deepEqual([clip, missing], [0, 0])
})

test('a baseline without any data has no median and is missing whole', () => {
  const empty = observe(0, 0)
  const { medianAmplitude, missing } = survey(empty)
  assert.ok(Number.isNaN(medianAmplitude))
  assert.equal(missing, integrations * channels)
})

test('the noise is measured under a strong source whose fringes turn, without bias', () => {
  const sigma = 0.5
  const ratios: number[] = []
  const out = new Float32Array(4)
  const freqHz = Float64Array.from({ length: channels }, (_, c) => 1.4e9 + 244140.625 * c)
  for (let seed = 0; seed < 60; seed++) {
    const random = createRandom(seed)
    const { baseline, options } = observe(0, 0)
    const delayS = Float64Array.from({ length: integrations }, (_, t) => 3e-7 + 4e-10 * t)
    for (let t = 0; t < integrations; t++) {
      for (let c = 0; c < channels; c++) {
        const angle = 2 * Math.PI * freqHz[c] * delayS[t]
        for (let p = 0; p < polarizations; p++) {
          baseline.data[at(t, c, p)] = 20 * Math.cos(angle) + sigma * random.normal()
          baseline.data[at(t, c, p) + 1] = 20 * Math.sin(angle) + sigma * random.normal()
        }
      }
    }
    surveyNoise(baseline, { work: createNoiseWork(shape), options, delays: { freqHz, delayS }, out, at: 0 })
    for (const value of out) ratios.push(value / sigma)
  }
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length
  // 240 estimates of 12 % each.
  assert.ok(Math.abs(mean - 1) < 0.03, `mean ratio ${mean}`)
})
