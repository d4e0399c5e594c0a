import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  eigenSymmetric,
  inverseSymmetric,
  pseudoInverseSymmetric,
  solveSymmetric,
} from '#runtime/numeric/linear-algebra.ts'
import { createRandom } from '#runtime/numeric/random.ts'

/** A^T A + shift for a random A: symmetric, positive definite when the shift is positive. */
function randomSymmetric(
  n: number,
  { seed, shift, rank = n }: { seed: number; shift: number; rank?: number },
): Float64Array {
  const factor = new Float64Array(rank * n)
  createRandom(seed).fillNormal(factor, 1)
  const a = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < rank; k++) a[i * n + j] += factor[k * n + i] * factor[k * n + j]
    }
    a[i * n + i] += shift
  }
  return a
}

function product(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const c = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) for (let k = 0; k < n; k++) c[i * n + j] += a[i * n + k] * b[k * n + j]
  }
  return c
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0)
}

test('solving returns what the matrix was multiplied with', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 1e6 }), (n, seed) => {
      const a = randomSymmetric(n, { seed, shift: 0.5 })
      const x = new Float64Array(n)
      createRandom(seed + 1).fillNormal(x, 1)
      const b = Float64Array.from(x, (_, i) => x.reduce((sum, value, j) => sum + a[i * n + j] * value, 0))
      assert.ok(largestDifference(solveSymmetric(a, b, n), x) < 1e-9)
    }),
  )
})

test('a singular matrix is refused', () => {
  assert.throws(() => solveSymmetric(Float64Array.of(1, 2, 2, 4), Float64Array.of(1, 1), 2), RangeError)
  assert.throws(() => solveSymmetric(Float64Array.of(1, 0, 0, -1), Float64Array.of(1, 1), 2), RangeError)
  assert.throws(() => solveSymmetric(Float64Array.of(Number.NaN), Float64Array.of(1), 1), RangeError)
})

test('the inverse times the matrix is the identity', () => {
  const n = 20
  const a = randomSymmetric(n, { seed: 5, shift: 1 })
  const identity = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0))
  assert.ok(largestDifference(product(inverseSymmetric(a, n), a, n), identity) < 1e-10)
  assert.ok(largestDifference(pseudoInverseSymmetric(a, n), inverseSymmetric(a, n)) < 1e-10)
})

test('the pseudo-inverse of a rank-deficient matrix has the Moore-Penrose properties', () => {
  const n = 12
  const a = randomSymmetric(n, { seed: 6, shift: 0, rank: 8 })
  const p = pseudoInverseSymmetric(a, n)
  assert.ok(largestDifference(product(product(a, p, n), a, n), a) < 1e-9)
  assert.ok(largestDifference(product(product(p, a, n), p, n), p) < 1e-9)
  assert.deepEqual([...pseudoInverseSymmetric(new Float64Array(4), 2)], [0, 0, 0, 0])
})

test('eigenvectors are orthonormal and rebuild the matrix, at the size of the array', () => {
  const n = 96
  const a = randomSymmetric(n, { seed: 7, shift: 0 })
  const { values, vectors } = eigenSymmetric(a, n)
  const scaled = vectors.map((value, i) => value * values[i % n])
  const transposed = Float64Array.from(vectors, (_, i) => vectors[(i % n) * n + Math.floor(i / n)])
  assert.ok(largestDifference(product(scaled, transposed, n), a) < 1e-9)
})
