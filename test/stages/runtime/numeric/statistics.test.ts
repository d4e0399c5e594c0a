import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createRandom } from '#runtime/numeric/random.ts'
import { clippedStatistics, mad, mean, median, quantile, robustSigma, wilson } from '#runtime/numeric/statistics.ts'

const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true })

test('the median is the middle of the sorted values', () => {
  fc.assert(
    fc.property(fc.array(finite, { minLength: 1, maxLength: 200 }), (values) => {
      const sorted = values.toSorted((a, b) => a - b)
      const half = sorted.length >> 1
      const want = sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
      assert.ok(Math.abs(median(values) - want) <= 1e-9 * Math.max(1, Math.abs(want)))
    }),
  )
})

test('quantiles interpolate between order statistics', () => {
  fc.assert(
    fc.property(
      fc.array(finite, { minLength: 1, maxLength: 100 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, q) => {
        const sorted = values.toSorted((a, b) => a - b)
        const position = q * (sorted.length - 1)
        const k = Math.floor(position)
        const want = sorted[k] + (position - k) * ((sorted[k + 1] ?? sorted[k]) - sorted[k])
        assert.ok(Math.abs(quantile(values, q) - want) <= 1e-9 * Math.max(1, Math.abs(want)))
      },
    ),
  )
  assert.equal(quantile([3, 1, 2], 0), 1)
  assert.equal(quantile([3, 1, 2], 1), 3)
  assert.throws(() => quantile([1], 1.5), RangeError)
})

test('NaN are skipped, nothing gives NaN, and the input stays as it was', () => {
  const values = Float32Array.of(3, Number.NaN, 1, 2)
  assert.equal(median(values), 2)
  assert.equal(mean(values), 2)
  assert.deepEqual([...values], [3, Number.NaN, 1, 2])
  for (const statistic of [median, mean, mad, robustSigma]) assert.ok(Number.isNaN(statistic([Number.NaN])))
  assert.ok(Number.isNaN(median([])))
})

test('many equal values do not slow the selection', () => {
  assert.equal(median(new Float32Array(1_000_000).fill(4)), 4)
})

test('the median absolute deviation is about the median or a given centre', () => {
  assert.equal(mad([1, 2, 3, 4, 100]), 1)
  assert.equal(mad([1, 2, 3], 0), 2)
})

test('robust sigma finds the spread under outliers', () => {
  const values = new Float64Array(100_000)
  createRandom(11).fillNormal(values, 3)
  values.fill(1e6, 0, 5000)
  assert.ok(Math.abs(robustSigma(values) / 3 - 1) < 0.08)
  const clipped = clippedStatistics(values, { sigma: 4, rounds: 10 })
  assert.ok(Math.abs(clipped.sigma / 3 - 1) < 0.01 && Math.abs(clipped.median) < 0.05)
  assert.ok(clipped.n <= 95_000 && clipped.n > 94_900)
})

test('clipping stops after its rounds and keeps constant data', () => {
  assert.deepEqual(clippedStatistics([1, 1, 1], { sigma: 3, rounds: 5 }), { median: 1, sigma: 0, n: 3 })
  const once = clippedStatistics([0, 1, 2, 3, 1000], { sigma: 3, rounds: 0 })
  assert.equal(once.n, 5)
})

test('the Wilson interval holds the proportion and stays within [0, 1]', () => {
  const { low, high } = wilson(95, 100)
  assert.ok(Math.abs(low - 0.923405) < 1e-4 && Math.abs(high - 0.967684) < 1e-4, `${low} ${high}`)
  const all = wilson(10, 10, 1.96)
  assert.ok(Math.abs(all.low - 0.72246) < 1e-4 && all.high === 1)
  assert.deepEqual(wilson(0, 0), { low: 0, high: 1 })
})
