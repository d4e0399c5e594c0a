import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '#runtime/numeric/random.ts'

/** Upper tail of the standard normal distribution beyond z. */
const tails: readonly [number, number][] = [
  [0.5, 0.308537539],
  [1, 0.158655254],
  [2, 0.022750132],
  [3, 0.001349898],
  [3.654, 0.000129],
  [4, 0.0000316712],
]

test('the same seed gives the same numbers, another seed others', () => {
  assert.deepEqual(numbers(7), numbers(7))
  assert.deepEqual(numbers(7), numbers('7'))
  assert.notDeepEqual(numbers(7), numbers(8))
  assert.notDeepEqual(numbers('gains'), numbers('noise'))
})

test('the stream is pinned, so that products made from a seed do not change', () => {
  const random = createRandom('pinned')
  const got = [random.next(), random.next(), random.normal(), random.normal(), random.int(1_000_000)]
  assert.deepEqual(got, [0.5559914223849773, 0.7459933790378273, -0.9619117702101673, -0.031480496690865056, 326169])
})

test('filling draws exactly what single calls draw', () => {
  const filled = new Float64Array(20000)
  createRandom(3).fillNormal(filled, 1)
  const random = createRandom(3)
  for (const value of filled) assert.equal(random.normal(), value)
  const scaled = new Float64Array(100)
  createRandom(3).fillNormal(scaled, 2.5)
  assert.deepEqual(
    [...scaled],
    [...filled.subarray(0, 100)].map((value) => value * 2.5),
  )
})

test('one long fill equals many short ones', () => {
  const whole = new Float32Array(5000)
  createRandom(4).fillNormal(whole, 1)
  const pieces = new Float32Array(5000)
  const random = createRandom(4)
  for (const [start, end] of [
    [0, 1],
    [1, 777],
    [777, 777],
    [777, 5000],
  ] as const)
    random.fillNormal(pieces.subarray(start, end), 1)
  assert.deepEqual(pieces, whole)
})

test('uniform numbers are uniform', () => {
  const random = createRandom(1)
  const n = 400_000
  const bins = new Float64Array(64)
  for (let i = 0; i < n; i++) {
    const value = random.next()
    assert.ok(value >= 0 && value < 1)
    bins[Math.floor(value * 64)]++
  }
  assertChiSquared(bins, new Float64Array(64).fill(n / 64))
})

test('integers are uniform and stay below n', () => {
  const random = createRandom(2)
  const bins = new Float64Array(7)
  for (let i = 0; i < 70000; i++) bins[random.int(7)]++
  assertChiSquared(bins, new Float64Array(7).fill(10000))
  assert.equal(random.int(1), 0)
  for (const wrong of [0, -1, 1.5, 2 ** 33]) assert.throws(() => random.int(wrong), RangeError)
})

test('normal deviates have the moments and the tails of the normal distribution', () => {
  const n = 4_000_000
  const values = new Float64Array(n)
  createRandom(1).fillNormal(values, 1)
  const moments = [0, 0, 0, 0]
  const counts = tails.map(() => 0)
  for (const x of values) {
    let power = 1
    for (let k = 0; k < 4; k++) moments[k] += power *= x
    for (let k = 0; k < tails.length; k++) if (Math.abs(x) > tails[k][0]) counts[k]++
  }
  // Five standard errors of each moment: variances 1, 2, 15, 96 over n.
  for (const [k, [want, variance]] of (
    [
      [0, 1],
      [1, 2],
      [0, 15],
      [3, 96],
    ] as const
  ).entries()) {
    assert.ok(Math.abs(moments[k] / n - want) < 5 * Math.sqrt(variance / n), `moment ${k + 1}: ${moments[k] / n}`)
  }
  for (const [k, [z, p]] of tails.entries()) {
    const expected = 2 * p * n
    assert.ok(Math.abs(counts[k] - expected) < 5 * Math.sqrt(expected), `beyond ${z}: ${counts[k]} of ${expected}`)
  }
})

test('neighbouring deviates are uncorrelated', () => {
  const values = new Float64Array(1_000_000)
  createRandom(5).fillNormal(values, 1)
  for (const lag of [1, 2, 3, 48]) {
    let sum = 0
    for (let i = lag; i < values.length; i++) sum += values[i] * values[i - lag]
    assert.ok(Math.abs(sum) / Math.sqrt(values.length) < 5, `lag ${lag}`)
  }
})

test('a fork is its own stream, whatever was drawn before it', () => {
  const parent = createRandom(9)
  const early = parent.fork('noise')
  for (let i = 0; i < 100; i++) parent.next()
  const late = parent.fork('noise')
  const other = parent.fork('gains')
  const first = Array.from({ length: 5 }, () => early.next())
  assert.deepEqual(
    Array.from({ length: 5 }, () => late.next()),
    first,
  )
  assert.notDeepEqual(
    Array.from({ length: 5 }, () => other.next()),
    first,
  )
})

test('streams of neighbouring seeds are uncorrelated', () => {
  const n = 20000
  const fill = (seed: number) => {
    const values = new Float64Array(n)
    createRandom(seed).fillNormal(values, 1)
    return values
  }
  const streams = [0, 1, 2, 3, 4, 5].map(fill)
  for (let i = 0; i < streams.length; i++) {
    for (let j = 0; j < i; j++) {
      let sum = 0
      for (let k = 0; k < n; k++) sum += streams[i][k] * streams[j][k]
      assert.ok(Math.abs(sum) / Math.sqrt(n) < 5)
    }
  }
})

function assertChiSquared(bins: Float64Array, expected: Float64Array): void {
  let chi2 = 0
  for (let i = 0; i < bins.length; i++) chi2 += (bins[i] - expected[i]) ** 2 / expected[i]
  const freedom = bins.length - 1
  assert.ok(Math.abs(chi2 - freedom) < 5 * Math.sqrt(2 * freedom), `chi2 ${chi2} for ${freedom}`)
}

function numbers(seed: number | string): number[] {
  const random = createRandom(seed)
  return [random.next(), random.normal(), random.int(1000), random.next()]
}
