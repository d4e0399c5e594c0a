import { pseudoInverseSymmetric, solveSymmetric } from './linear-algebra.ts'

export interface LeastSquaresProblem {
  /** Writes the `n` residuals (already divided by their sigmas) for the parameters `p`. */
  residuals(p: Float64Array, out: Float64Array): void
  /** Writes d residual_i / d p_j at `out[i * parameters + j]`; central differences are used without it. */
  jacobian?(p: Float64Array, out: Float64Array): void
  start: Float64Array
  /** Number of residuals. */
  n: number
  maxIterations?: number
}

export interface LeastSquaresFit {
  parameters: Float64Array
  /** Inverse of J^T J at the solution (parameters by parameters): the covariance when residuals have unit variance. */
  covariance: Float64Array
  /** Sum of squared residuals. */
  chi2: number
  iterations: number
  converged: boolean
}

const START_DAMPING = 1e-3
const LARGEST_DAMPING = 1e12
/** Relative changes of chi2 and of the scaled step below which the fit has converged. */
const CHI2_TOLERANCE = 1e-12
const STEP_TOLERANCE = 1e-10
const DEFAULT_ITERATIONS = 100

/** Minimises the sum of squared residuals (Levenberg 1944, Marquardt 1963; damping scaled by the diagonal). */
export function levenbergMarquardt(problem: LeastSquaresProblem): LeastSquaresFit {
  const { n, start, maxIterations = DEFAULT_ITERATIONS } = problem
  const count = start.length
  const jacobian = new Float64Array(n * count)
  const residuals = new Float64Array(n)
  const trial = new Float64Array(n)
  let p = Float64Array.from(start)
  problem.residuals(p, residuals)
  let chi2 = sumOfSquares(residuals)
  let damping = START_DAMPING
  let converged = false
  let iterations = 0
  while (!converged && iterations < maxIterations && Number.isFinite(chi2)) {
    iterations++
    fillJacobian(problem, p, jacobian)
    const { normal, gradient } = normalEquations(jacobian, residuals, { n, count })
    let improved = false
    while (!improved && !converged && damping <= LARGEST_DAMPING) {
      const step = dampedStep(normal, gradient, damping)
      const next = step && p.map((value, i) => value - step[i])
      if (next) problem.residuals(next, trial)
      const nextChi2 = next ? sumOfSquares(trial) : Number.NaN
      if (step && next && nextChi2 <= chi2) {
        converged = chi2 - nextChi2 <= CHI2_TOLERANCE * chi2 || stepIsSmall(step, next)
        improved = true
        p = next
        chi2 = nextChi2
        residuals.set(trial)
        damping = Math.max(damping / 10, 1e-15)
      } else {
        converged = step !== undefined && stepIsSmall(step, p)
        damping *= 10
      }
    }
    if (!improved) break
  }
  fillJacobian(problem, p, jacobian)
  const { normal } = normalEquations(jacobian, residuals, { n, count })
  return { parameters: p, covariance: pseudoInverseScaled(normal, count), chi2, iterations, converged }
}

function fillJacobian(problem: LeastSquaresProblem, p: Float64Array, jacobian: Float64Array): void {
  if (problem.jacobian) {
    problem.jacobian(p, jacobian)
    return
  }
  const { n } = problem
  const count = p.length
  const probe = Float64Array.from(p)
  const above = new Float64Array(n)
  const below = new Float64Array(n)
  for (let j = 0; j < count; j++) {
    const h = Math.cbrt(Number.EPSILON) * Math.max(Math.abs(p[j]), 1e-3)
    probe[j] = p[j] + h
    problem.residuals(probe, above)
    probe[j] = p[j] - h
    problem.residuals(probe, below)
    probe[j] = p[j]!
    for (let i = 0; i < n; i++) jacobian[i * count + j] = (above[i] - below[i]) / (2 * h)
  }
}

function normalEquations(
  jacobian: Float64Array,
  residuals: Float64Array,
  { n, count }: { n: number; count: number },
): { normal: Float64Array; gradient: Float64Array } {
  const normal = new Float64Array(count * count)
  const gradient = new Float64Array(count)
  for (let i = 0; i < n; i++) {
    const row = i * count
    for (let j = 0; j < count; j++) {
      const value = jacobian[row + j]
      gradient[j] += value * residuals[i]
      for (let k = 0; k <= j; k++) normal[j * count + k] += value * jacobian[row + k]
    }
  }
  for (let j = 0; j < count; j++) for (let k = 0; k < j; k++) normal[k * count + j] = normal[j * count + k]!
  return { normal, gradient }
}

function dampedStep(normal: Float64Array, gradient: Float64Array, damping: number): Float64Array | undefined {
  const count = gradient.length
  const damped = Float64Array.from(normal)
  // A parameter without effect has a zero row: with a unit diagonal it takes no step.
  for (let j = 0; j < count; j++) damped[j * count + j] = damped[j * count + j] * (1 + damping) || 1
  try {
    return solveSymmetric(damped, gradient, count)
  } catch (error) {
    // Not yet positive definite: more damping is the answer, and the caller gives it.
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function stepIsSmall(step: Float64Array, p: Float64Array): boolean {
  return step.every((value, i) => Math.abs(value) <= STEP_TOLERANCE * (Math.abs(p[i]) + STEP_TOLERANCE))
}

/** Pseudo-inverse after scaling to unit diagonal, so that units of the parameters do not decide the rank. */
function pseudoInverseScaled(normal: Float64Array, count: number): Float64Array {
  const scale = Float64Array.from({ length: count }, (_, j) => 1 / Math.sqrt(normal[j * count + j] || 1))
  const scaled = normal.map((value, i) => value * scale[Math.floor(i / count)] * scale[i % count])
  return pseudoInverseSymmetric(scaled, count).map(
    (value, i) => value * scale[Math.floor(i / count)] * scale[i % count],
  )
}

function sumOfSquares(values: Float64Array): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i]
  return sum
}
