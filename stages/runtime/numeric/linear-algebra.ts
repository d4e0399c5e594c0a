/** Jacobi rotations stop when the off-diagonal part is this small beside the diagonal. */
const JACOBI_TOLERANCE = 1e-30
const JACOBI_SWEEPS = 60
/** Eigenvalues below this fraction of the largest count as zero in a pseudo-inverse. */
const RANK_TOLERANCE = 1e-12

/**
 * Solves A x = b for a symmetric positive definite n by n matrix (C order) by Cholesky decomposition.
 * Throws a RangeError when the matrix is singular or not positive definite. Leaves its arguments alone.
 */
export function solveSymmetric(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const factor = cholesky(a, n)
  const x = Float64Array.from(b.subarray(0, n))
  substitute(factor, x, n)
  return x
}

/** Inverse of a symmetric positive definite matrix; throws a RangeError when singular. */
export function inverseSymmetric(a: Float64Array, n: number): Float64Array {
  const factor = cholesky(a, n)
  const inverse = new Float64Array(n * n)
  const column = new Float64Array(n)
  for (let j = 0; j < n; j++) {
    column.fill(0)
    column[j] = 1
    substitute(factor, column, n)
    for (let i = 0; i < n; i++) inverse[i * n + j] = column[i]!
  }
  return inverse
}

/** Moore-Penrose inverse of a symmetric matrix, from its eigenvalues; directions without weight stay zero. */
export function pseudoInverseSymmetric(a: Float64Array, n: number): Float64Array {
  const { values, vectors } = eigenSymmetric(a, n)
  let largest = 0
  for (const value of values) largest = Math.max(largest, Math.abs(value))
  const inverse = new Float64Array(n * n)
  for (let k = 0; k < n; k++) {
    if (!(Math.abs(values[k]) > RANK_TOLERANCE * n * largest)) continue
    for (let i = 0; i < n; i++) {
      const scaled = vectors[i * n + k] / values[k]
      for (let j = 0; j < n; j++) inverse[i * n + j] += scaled * vectors[j * n + k]
    }
  }
  return inverse
}

/**
 * Eigenvalues (unordered) and orthonormal eigenvectors (column k belongs to value k) of a symmetric matrix, by cyclic
 * Jacobi rotations (Golub & Van Loan 2013, section 8.5).
 */
export function eigenSymmetric(a: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const m = Float64Array.from(a.subarray(0, n * n))
  const vectors = new Float64Array(n * n)
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1
  for (let sweep = 0; sweep < JACOBI_SWEEPS; sweep++) {
    let off = 0
    let diagonal = 0
    for (let i = 0; i < n; i++) {
      diagonal += m[i * n + i] ** 2
      for (let j = i + 1; j < n; j++) off += m[i * n + j] ** 2
    }
    if (off <= JACOBI_TOLERANCE * diagonal) break
    for (let p = 0; p < n - 1; p++) for (let q = p + 1; q < n; q++) rotatePair(m, vectors, { n, p, q })
  }
  return { values: Float64Array.from({ length: n }, (_, i) => m[i * n + i]), vectors }
}

function rotatePair(m: Float64Array, vectors: Float64Array, { n, p, q }: { n: number; p: number; q: number }): void {
  const apq = m[p * n + q]
  if (apq === 0) return
  const tau = (m[q * n + q] - m[p * n + p]) / (2 * apq)
  const t = (tau >= 0 ? 1 : -1) / (Math.abs(tau) + Math.hypot(1, tau))
  const c = 1 / Math.hypot(1, t)
  const s = t * c
  for (let k = 0; k < n; k++) {
    const kp = m[k * n + p]
    const kq = m[k * n + q]
    m[k * n + p] = c * kp - s * kq
    m[k * n + q] = s * kp + c * kq
  }
  for (let k = 0; k < n; k++) {
    const pk = m[p * n + k]
    const qk = m[q * n + k]
    m[p * n + k] = c * pk - s * qk
    m[q * n + k] = s * pk + c * qk
    const vp = vectors[k * n + p]
    const vq = vectors[k * n + q]
    vectors[k * n + p] = c * vp - s * vq
    vectors[k * n + q] = s * vp + c * vq
  }
}

function cholesky(a: Float64Array, n: number): Float64Array {
  const factor = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]
      for (let k = 0; k < j; k++) sum -= factor[i * n + k] * factor[j * n + k]
      if (i !== j) factor[i * n + j] = sum / factor[j * n + j]
      else if (sum > Math.abs(a[i * n + i]) * Number.EPSILON * n) factor[i * n + i] = Math.sqrt(sum)
      else throw new RangeError(`the ${n} x ${n} matrix is singular or not positive definite (row ${i})`)
    }
  }
  return factor
}

/** Overwrites x with the solution of L L^T y = x. */
function substitute(factor: Float64Array, x: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    let sum = x[i]
    for (let k = 0; k < i; k++) sum -= factor[i * n + k] * x[k]
    x[i] = sum / factor[i * n + i]
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i]
    for (let k = i + 1; k < n; k++) sum -= factor[k * n + i] * x[k]
    x[i] = sum / factor[i * n + i]
  }
}
