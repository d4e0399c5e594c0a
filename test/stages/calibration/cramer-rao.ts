import { inverseSymmetric } from '#runtime/numeric/linear-algebra.ts'

/**
 * Cramer-Rao covariances of one cell: x_ij = |g_i|^2 |g_j|^2 sum |M|^2 / sigma^2 (sigma per component), Fisher matrix of
 * ln-amplitudes F_ii = sum_j x_ij, F_ij = +x_ij, of phases F_ij = -x_ij. The common phase is fixed by a constant added to
 * the phase matrix, which no difference of phases feels.
 */
export function cramerRao(x: Float64Array, antennas: number): { amplitude: Float64Array; phase: Float64Array } {
  const amplitude = Float64Array.from(x)
  const phase = Float64Array.from(x, (value) => -value)
  for (let i = 0; i < antennas; i++) {
    let sum = 0
    for (let j = 0; j < antennas; j++) if (j !== i) sum += x[i * antennas + j]
    amplitude[i * antennas + i] = sum
    phase[i * antennas + i] = sum
  }
  const level = phase[0] / antennas
  for (let k = 0; k < phase.length; k++) phase[k] += level
  return { amplitude: inverseSymmetric(amplitude, antennas), phase: inverseSymmetric(phase, antennas) }
}

/** Mean squares of the errors of g_i conj(g_j) in units of their Cramer-Rao variance, over pairs; amplitude and phase. */
export interface PairErrors {
  amplitude: number
  phase: number
  pairs: number
  /** Sum of amplitude errors, and of 1: the mean scale error. */
  bias: number
}

export function createPairErrors(): PairErrors {
  return { amplitude: 0, phase: 0, pairs: 0, bias: 0 }
}

/** Adds the pairs of a cell: `ratio` holds measured over true gain of each antenna (re, im), NaN where there is none. */
export function addPairErrors(
  sum: PairErrors,
  ratio: Float64Array,
  { amplitude, phase }: { amplitude: Float64Array; phase: Float64Array },
): void {
  const n = ratio.length / 2
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const re = ratio[2 * i] * ratio[2 * j] + ratio[2 * i + 1] * ratio[2 * j + 1]
      const im = ratio[2 * i + 1] * ratio[2 * j] - ratio[2 * i] * ratio[2 * j + 1]
      if (Number.isNaN(re)) continue
      const logAmplitude = Math.log(Math.hypot(re, im))
      const angle = Math.atan2(im, re)
      const [ii, jj, ij] = [i * n + i, j * n + j, i * n + j]
      sum.amplitude += logAmplitude ** 2 / (amplitude[ii] + amplitude[jj] + 2 * amplitude[ij])
      sum.phase += angle ** 2 / (phase[ii] + phase[jj] - 2 * phase[ij])
      sum.bias += logAmplitude
      sum.pairs++
    }
  }
}
