import { median } from '#runtime/numeric/statistics.ts'
import { stefcal, type CellSums } from './stefcal.ts'

export interface SolveOptions {
  /** Start values (n, re/im); without them they come from the data of the cell. */
  start?: Float64Array
  /** Row of the antenna whose baselines give the start phases. */
  reference: number
  phaseOnly: boolean
  minBaselines: number
  minAntennas: number
  maxIterations: number
  tolerance: number
  /** A solution whose last change is above this is not converged. */
  acceptTolerance: number
  /** The weights are 1/sigma^2 in known units: errors are never smaller than they say. */
  absoluteWeights: boolean
}

/** One solved cell. Antennas without a solution have gain 0, error NaN and S/N 0. */
export interface CellSolution {
  /** (n, re/im) */
  gains: Float64Array
  /** 1-sigma error of each real component. */
  sigma: Float64Array
  snr: Float64Array
  /** 1 where the antenna took part. */
  used: Uint8Array
  chi2: number
  degreesOfFreedom: number
  iterations: number
  converged: boolean
}

/**
 * Solves one cell: drops antennas with fewer than `minBaselines` weighted baselines until that is stable, refuses with
 * fewer than `minAntennas`, runs StEFCal, and gives errors sigma_i^2 = max(1, chi2_red) / sum_j W_ij |g_j|^2 (the
 * diagonal of the Fisher matrix). Modifies `sums`: rows of dropped antennas are cleared.
 */
export function solveCell(sums: CellSums, options: SolveOptions): CellSolution {
  const n = sums.antennas
  const used = dropWeakAntennas(sums, options.minBaselines)
  const count = used.reduce((total, value) => total + value, 0)
  if (count < options.minAntennas) return unsolved(n)
  let start = options.start === undefined ? startValues(sums, used, options) : startFrom(options.start, sums, { used, options })
  let result = stefcal(sums, { ...options, start })
  if (result.change > options.tolerance && options.start !== undefined) {
    start = startValues(sums, used, options)
    const again = stefcal(sums, { ...options, start })
    if (again.change < result.change) result = again
  }
  const { gains, iterations, change } = result
  const fit = chiSquare(sums, gains)
  const parameters = (options.phaseOnly ? 1 : 2) * count - 1
  const degreesOfFreedom = 2 * fit.samples - parameters
  const reduced = degreesOfFreedom > 0 ? fit.chi2 / degreesOfFreedom : Number.NaN
  const inflation = options.absoluteWeights ? Math.max(1, reduced) : Math.max(reduced, Number.MIN_VALUE)
  const { sigma, snr } = errors(sums, gains, inflation)
  return { gains, sigma, snr, used, chi2: fit.chi2, degreesOfFreedom, iterations, converged: change <= options.acceptTolerance }
}

/**
 * Start values from the data: phases arg A_ir from the reference antenna r, for antennas without that baseline through
 * their strongest assigned neighbour; amplitudes d_i / sqrt(median d), d_i = median_j |A_ij| / W_ij.
 */
export function startValues(sums: CellSums, used: Uint8Array, options: { reference: number; phaseOnly: boolean }): Float64Array {
  const n = sums.antennas
  const phase = new Float64Array(n)
  const assigned = new Uint8Array(n)
  const reference = used[options.reference] === 1 ? options.reference : used.indexOf(1)
  assigned[reference] = 1
  for (let i = 0; i < n; i++) assignPhase(sums, i, reference)
  for (let round = 0; round < n; round++) {
    let best = { strength: 0, i: -1, j: -1 }
    for (let i = 0; i < n; i++) {
      if (assigned[i] === 1 || used[i] === 0) continue
      for (let j = 0; j < n; j++) {
        if (assigned[j] === 0) continue
        const strength = Math.hypot(sums.aRe[i * n + j], sums.aIm[i * n + j])
        if (strength > best.strength) best = { strength, i, j }
      }
    }
    if (best.i < 0) break
    assignPhase(sums, best.i, best.j)
  }
  const level = new Float64Array(n)
  for (let i = 0; i < n; i++) level[i] = used[i] === 1 ? medianAmplitude(sums, i) : Number.NaN
  const root = Math.sqrt(median(level))
  const start = new Float64Array(2 * n)
  for (let i = 0; i < n; i++) {
    if (used[i] === 0) continue
    const amplitude = options.phaseOnly ? 1 : level[i] / root
    start[2 * i] = amplitude * Math.cos(phase[i])
    start[2 * i + 1] = amplitude * Math.sin(phase[i])
  }
  return start

  function assignPhase(sum: CellSums, i: number, j: number): void {
    if (assigned[i] === 1 || used[i] === 0 || sum.w[i * n + j] === 0) return
    phase[i] = Math.atan2(sum.aIm[i * n + j], sum.aRe[i * n + j]) + phase[j]
    assigned[i] = 1
  }
}

/** chi2 = sum_{i<j} Q_ij - 2 Re(conj(g_i) g_j A_ij) + |g_i|^2 |g_j|^2 W_ij over the baselines of solved antennas. */
export function chiSquare(sums: CellSums, gains: Float64Array): { chi2: number; samples: number } {
  const n = sums.antennas
  let chi2 = 0
  let samples = 0
  for (let i = 0; i < n; i++) {
    const gir = gains[2 * i]
    const gii = gains[2 * i + 1]
    if (gir === 0 && gii === 0) continue
    for (let j = i + 1; j < n; j++) {
      const k = i * n + j
      const gjr = gains[2 * j]
      const gji = gains[2 * j + 1]
      if (sums.w[k] === 0 || (gjr === 0 && gji === 0)) continue
      const pr = gir * gjr + gii * gji
      const pi = gir * gji - gii * gjr
      chi2 += sums.q[k] - 2 * (pr * sums.aRe[k] - pi * sums.aIm[k]) + (pr * pr + pi * pi) * sums.w[k]
      samples += sums.samples[k]
    }
  }
  return { chi2, samples }
}

function errors(sums: CellSums, gains: Float64Array, inflation: number): { sigma: Float64Array; snr: Float64Array } {
  const n = sums.antennas
  const sigma = new Float64Array(n).fill(Number.NaN)
  const snr = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    let fisher = 0
    for (let j = 0; j < n; j++) fisher += sums.w[i * n + j] * (gains[2 * j] ** 2 + gains[2 * j + 1] ** 2)
    const amplitude = Math.hypot(gains[2 * i], gains[2 * i + 1])
    if (fisher <= 0 || amplitude === 0) continue
    sigma[i] = Math.sqrt(inflation / fisher)
    snr[i] = amplitude / sigma[i]
  }
  return { sigma, snr }
}

function dropWeakAntennas(sums: CellSums, minBaselines: number): Uint8Array {
  const n = sums.antennas
  const used = new Uint8Array(n).fill(1)
  for (let changed = true; changed; ) {
    changed = false
    for (let i = 0; i < n; i++) {
      if (used[i] === 0) continue
      let baselines = 0
      for (let j = 0; j < n; j++) if (sums.w[i * n + j] > 0) baselines++
      if (baselines >= Math.max(1, minBaselines)) continue
      used[i] = 0
      changed = true
      clearAntenna(sums, i)
    }
  }
  return used
}

function clearAntenna(sums: CellSums, i: number): void {
  const n = sums.antennas
  for (const matrix of [sums.aRe, sums.aIm, sums.w, sums.q, sums.samples]) {
    for (let j = 0; j < n; j++) {
      matrix[i * n + j] = 0
      matrix[j * n + i] = 0
    }
  }
}

/** A given start with the antennas it lacks filled in from the data. */
function startFrom(
  given: Float64Array,
  sums: CellSums,
  { used, options }: { used: Uint8Array; options: { reference: number; phaseOnly: boolean } },
): Float64Array {
  const start = Float64Array.from(given)
  let own: Float64Array | undefined
  for (let i = 0; i < sums.antennas; i++) {
    const empty = given[2 * i] === 0 && given[2 * i + 1] === 0
    if (used[i] === 0) start[2 * i] = start[2 * i + 1] = 0
    else if (empty) {
      own ??= startValues(sums, used, options)
      start[2 * i] = own[2 * i]
      start[2 * i + 1] = own[2 * i + 1]
    }
  }
  return start
}

function medianAmplitude(sums: CellSums, i: number): number {
  const n = sums.antennas
  const values: number[] = []
  for (let j = 0; j < n; j++) {
    const weight = sums.w[i * n + j]
    if (weight > 0) values.push(Math.hypot(sums.aRe[i * n + j], sums.aIm[i * n + j]) / weight)
  }
  return median(values)
}

function unsolved(n: number): CellSolution {
  return {
    gains: new Float64Array(2 * n),
    sigma: new Float64Array(n).fill(Number.NaN),
    snr: new Float64Array(n),
    used: new Uint8Array(n),
    chi2: 0,
    degreesOfFreedom: 0,
    iterations: 0,
    converged: false,
  }
}
