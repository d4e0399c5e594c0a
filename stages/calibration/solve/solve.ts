import { median } from '#runtime/numeric/statistics.ts'
import { stefcal, type CellSums } from './stefcal.ts'

export interface SolveOptions {
  /** Start values (n, re/im); without them they come from the data of the cell. */
  start?: Float64Array
  /** Antenna whose baselines give the start phases. */
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
 * diagonal of the Fisher matrix). Modifies `sums`: baselines of dropped antennas are removed.
 */
export function solveCell(sums: CellSums, options: SolveOptions): CellSolution {
  const used = dropWeakAntennas(sums, options.minBaselines)
  const count = used.reduce((total, value) => total + value, 0)
  if (count < options.minAntennas) return unsolved(sums.antennas)
  const start =
    options.start === undefined ? startValues(sums, used, options) : completed(options.start, sums, { used, options })
  let result = stefcal(sums, { ...options, start })
  if (result.change > options.tolerance && options.start !== undefined) {
    const again = stefcal(sums, { ...options, start: startValues(sums, used, options) })
    if (again.change < result.change) result = again
  }
  const { gains, iterations, change } = result
  const fit = chiSquare(sums, gains)
  const parameters = (options.phaseOnly ? 1 : 2) * count - 1
  const degreesOfFreedom = 2 * fit.samples - parameters
  const reduced = degreesOfFreedom > 0 ? fit.chi2 / degreesOfFreedom : Number.NaN
  const inflation = options.absoluteWeights ? Math.max(1, reduced) : Math.max(reduced, Number.MIN_VALUE)
  const { sigma, snr } = errors(sums, gains, inflation)
  return {
    gains,
    sigma,
    snr,
    used,
    chi2: fit.chi2,
    degreesOfFreedom,
    iterations,
    converged: change <= options.acceptTolerance,
  }
}

/**
 * Start values from the data: phases arg A_ir from the reference antenna r, for antennas without that baseline through
 * their strongest assigned neighbour; amplitudes d_i / sqrt(median d), d_i = median_j |A_ij| / W_ij.
 */
function startValues(
  sums: CellSums,
  used: Uint8Array,
  options: { reference: number; phaseOnly: boolean },
): Float64Array {
  const n = sums.antennas
  const reference = used[options.reference] === 1 ? options.reference : used.indexOf(1)
  const phase = startPhases(sums, reference)
  const levels: number[][] = Array.from({ length: n }, () => [])
  for (let e = 0; e < sums.edges; e++) {
    const level = Math.hypot(sums.aRe[e], sums.aIm[e]) / sums.w[e]
    levels[sums.i[e]].push(level)
    levels[sums.j[e]].push(level)
  }
  const level = Float64Array.from(levels, (values) => median(values))
  const root = Math.sqrt(median(level))
  const start = new Float64Array(2 * n)
  for (let i = 0; i < n; i++) {
    if (used[i] === 0) continue
    const amplitude = options.phaseOnly ? 1 : level[i] / root
    start[2 * i] = amplitude * Math.cos(phase[i])
    start[2 * i + 1] = amplitude * Math.sin(phase[i])
  }
  return start
}

/** Phases along the baselines of the reference, then along the strongest baseline to any antenna that has one. */
function startPhases({ antennas, edges, i, j, aRe, aIm }: CellSums, reference: number): Float64Array {
  const phase = new Float64Array(antennas)
  const assigned = new Uint8Array(antennas)
  assigned[reference] = 1
  for (let e = 0; e < edges; e++) if (i[e] === reference || j[e] === reference) assign(e)
  for (let round = 0; round < antennas; round++) {
    let best = -1
    let strength = 0
    for (let e = 0; e < edges; e++) {
      if (assigned[i[e]] === assigned[j[e]]) continue
      const value = Math.hypot(aRe[e], aIm[e])
      if (value <= strength) continue
      strength = value
      best = e
    }
    if (best < 0) break
    assign(best)
  }
  return phase

  function assign(e: number): void {
    const own = Math.atan2(aIm[e], aRe[e])
    if (assigned[i[e]] === 0) phase[i[e]] = phase[j[e]] + own
    else if (assigned[j[e]] === 0) phase[j[e]] = phase[i[e]] - own
    assigned[i[e]] = assigned[j[e]] = 1
  }
}

/** chi2 = sum Q_ij - 2 Re(conj(g_i) g_j A_ij) + |g_i|^2 |g_j|^2 W_ij over the baselines of solved antennas. */
function chiSquare(
  { edges, i, j, aRe, aIm, w, q, samples }: CellSums,
  gains: Float64Array,
): { chi2: number; samples: number } {
  let chi2 = 0
  let count = 0
  for (let e = 0; e < edges; e++) {
    const [a, b] = [2 * i[e], 2 * j[e]]
    const pr = gains[a] * gains[b] + gains[a + 1] * gains[b + 1]
    const pi = gains[a] * gains[b + 1] - gains[a + 1] * gains[b]
    if (pr === 0 && pi === 0) continue
    chi2 += q[e] - 2 * (pr * aRe[e] - pi * aIm[e]) + (pr * pr + pi * pi) * w[e]
    count += samples[e]
  }
  return { chi2, samples: count }
}

function errors(
  { antennas, edges, i, j, w }: CellSums,
  gains: Float64Array,
  inflation: number,
): { sigma: Float64Array; snr: Float64Array } {
  const fisher = new Float64Array(antennas)
  for (let e = 0; e < edges; e++) {
    const [a, b] = [2 * i[e], 2 * j[e]]
    fisher[i[e]] += w[e] * (gains[b] ** 2 + gains[b + 1] ** 2)
    fisher[j[e]] += w[e] * (gains[a] ** 2 + gains[a + 1] ** 2)
  }
  const sigma = new Float64Array(antennas).fill(Number.NaN)
  const snr = new Float64Array(antennas)
  for (let a = 0; a < antennas; a++) {
    const amplitude = Math.hypot(gains[2 * a], gains[2 * a + 1])
    if (fisher[a] <= 0 || amplitude === 0) continue
    sigma[a] = Math.sqrt(inflation / fisher[a])
    snr[a] = amplitude / sigma[a]
  }
  return { sigma, snr }
}

function dropWeakAntennas(sums: CellSums, minBaselines: number): Uint8Array {
  const used = new Uint8Array(sums.antennas).fill(1)
  for (let changed = true; changed;) {
    const count = new Int32Array(sums.antennas)
    for (let e = 0; e < sums.edges; e++) {
      count[sums.i[e]]++
      count[sums.j[e]]++
    }
    changed = false
    for (let a = 0; a < sums.antennas; a++) {
      if (used[a] === 0 || count[a] >= Math.max(1, minBaselines)) continue
      used[a] = 0
      changed = true
    }
    if (changed) keepEdges(sums, (e) => used[sums.i[e]] === 1 && used[sums.j[e]] === 1)
  }
  return used
}

function keepEdges(sums: CellSums, keep: (edge: number) => boolean): void {
  const { baseline, i, j, aRe, aIm, w, q, samples } = sums
  let kept = 0
  for (let e = 0; e < sums.edges; e++) {
    if (!keep(e)) continue
    for (const values of [baseline, i, j, aRe, aIm, w, q, samples]) values[kept] = values[e]
    kept++
  }
  sums.edges = kept
}

/** A given start with the antennas it lacks filled in from the data, and without those that take no part. */
function completed(
  given: Float64Array,
  sums: CellSums,
  { used, options }: { used: Uint8Array; options: { reference: number; phaseOnly: boolean } },
): Float64Array {
  const start = Float64Array.from(given)
  let own: Float64Array | undefined
  for (let a = 0; a < sums.antennas; a++) {
    const empty = given[2 * a] === 0 && given[2 * a + 1] === 0
    if (used[a] === 0) start[2 * a] = start[2 * a + 1] = 0
    else if (empty) {
      own ??= startValues(sums, used, options)
      start[2 * a] = own[2 * a]
      start[2 * a + 1] = own[2 * a + 1]
    }
  }
  return start
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
