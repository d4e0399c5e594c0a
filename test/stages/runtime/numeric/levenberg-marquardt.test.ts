import assert from 'node:assert/strict'
import { test } from 'node:test'
import { levenbergMarquardt } from '#runtime/numeric/levenberg-marquardt.ts'
import { solveSymmetric } from '#runtime/numeric/linear-algebra.ts'
import { createRandom } from '#runtime/numeric/random.ts'

/** A Gaussian peak: amplitude, centre, width. */
const peak = (p: Float64Array, x: number): number => p[0] * Math.exp(-0.5 * ((x - p[1]) / p[2]) ** 2)

test('a fit without noise finds the parameters exactly', () => {
  const truth = Float64Array.of(3, 1.2, 0.7)
  const fit = levenbergMarquardt({
    residuals: (p, out) => out.forEach((_, i) => (out[i] = peak(p, i / 10) - peak(truth, i / 10))),
    start: Float64Array.of(1, 1, 1),
    n: 40,
  })
  assert.ok(fit.converged && fit.chi2 < 1e-18 && fit.iterations < 50)
  assert.ok(largestDifference(fit.parameters, truth) < 1e-8)
})

test('a linear fit has the parameters and the covariance of the normal equations', () => {
  // y = a + b x with unit errors on x = 0..9: covariance of [a, b] is the inverse of [[10, 45], [45, 285]].
  const y = Float64Array.from({ length: 10 }, (_, i) => 2 + 0.5 * i + (i % 2 ? 1 : -1))
  const fit = levenbergMarquardt({
    residuals: (p, out) => out.forEach((_, i) => (out[i] = p[0] + p[1] * i - y[i])),
    jacobian: (_, out) => {
      for (let i = 0; i < 10; i++) out.set([1, i], 2 * i)
    },
    start: Float64Array.of(0, 0),
    n: 10,
  })
  const determinant = 10 * 285 - 45 * 45
  const want = Float64Array.of(285 / determinant, -45 / determinant, -45 / determinant, 10 / determinant)
  assert.ok(fit.converged && largestDifference(fit.covariance, want) < 1e-12)
  const sumY = y.reduce((sum, value) => sum + value, 0)
  const sumXy = y.reduce((sum, value, i) => sum + i * value, 0)
  assert.ok(
    largestDifference(
      fit.parameters,
      solveSymmetric(Float64Array.of(10, 45, 45, 285), Float64Array.of(sumY, sumXy), 2),
    ) < 1e-8,
  )
})

test('errors of a noisy fit follow its covariance', () => {
  const truth = Float64Array.of(20, 2, 0.6)
  const random = createRandom(12)
  const pulls = new Float64Array(3)
  const trials = 200
  for (let trial = 0; trial < trials; trial++) {
    const noise = new Float64Array(40)
    random.fillNormal(noise, 1)
    const fit = levenbergMarquardt({
      residuals: (p, out) => out.forEach((_, i) => (out[i] = peak(p, i / 10) - peak(truth, i / 10) - noise[i])),
      start: Float64Array.of(15, 1.8, 0.8),
      n: 40,
    })
    assert.ok(fit.converged)
    for (let j = 0; j < 3; j++) pulls[j] += (fit.parameters[j] - truth[j]) ** 2 / fit.covariance[j * 4]
  }
  for (const pull of pulls) assert.ok(Math.abs(pull / trials - 1) < 0.5, `${pull / trials}`)
})

test('a fit that runs away says that it did not converge', () => {
  const fit = levenbergMarquardt({
    residuals: (p, out) => (out[0] = Math.exp(-p[0])),
    start: Float64Array.of(0),
    n: 1,
    maxIterations: 5,
  })
  assert.equal(fit.converged, false)
  const broken = levenbergMarquardt({ residuals: (_, out) => out.fill(Number.NaN), start: Float64Array.of(1), n: 2 })
  assert.equal(broken.converged, false)
})

test('a parameter without effect stays, with zero covariance', () => {
  const fit = levenbergMarquardt({
    residuals: (p, out) => out.forEach((_, i) => (out[i] = p[0] - i)),
    start: Float64Array.of(0, 5),
    n: 3,
  })
  assert.ok(Math.abs(fit.parameters[0] - 1) < 1e-6 && fit.parameters[1] === 5)
  assert.equal(fit.covariance[3], 0)
})

function largestDifference(a: Float64Array, b: Float64Array): number {
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0)
}
