/**
 * Weighted sums of one cell (a channel or time bin, one polarisation), one entry per baseline with data: antennas i and j,
 * A = sum w V conj(M), W = sum w |M|^2, Q = sum w |V|^2 and the number of samples. They are sufficient statistics of
 * sum w |V_ij - g_i conj(g_j) M_ij|^2. The first `edges` entries count. Entries with one j next to each other are faster.
 */
export interface CellSums {
  readonly antennas: number
  edges: number
  readonly baseline: Int32Array
  readonly i: Int32Array
  readonly j: Int32Array
  readonly aRe: Float64Array
  readonly aIm: Float64Array
  readonly w: Float64Array
  readonly q: Float64Array
  readonly samples: Float64Array
}

export interface StefcalOptions {
  /** Complex start values (n, re/im); an antenna at zero takes no part. */
  start: Float64Array
  /** Only phases move: unit gains. */
  phaseOnly: boolean
  maxIterations: number
  /** Stop when the relative change of one full step falls below. */
  tolerance: number
}

export interface StefcalResult {
  /** (n, re/im) */
  gains: Float64Array
  iterations: number
  /** Last relative change, ||g_new - g_old|| / ||g_new||. */
  change: number
}

/** Sums with room for every baseline. */
export function createCellSums(antennas: number, baselines: number): CellSums {
  return {
    antennas,
    edges: 0,
    baseline: new Int32Array(baselines),
    i: new Int32Array(baselines),
    j: new Int32Array(baselines),
    aRe: new Float64Array(baselines),
    aIm: new Float64Array(baselines),
    w: new Float64Array(baselines),
    q: new Float64Array(baselines),
    samples: new Float64Array(baselines),
  }
}

/**
 * Gains that minimise sum w |V_ij - g_i conj(g_j) M_ij|^2 by alternating direction with averaging of every second
 * step (Salvini & Wijnholds 2014, A&A 571, A97, algorithm 1): g_i <- sum_j A_ij g_j / sum_j W_ij |g_j|^2 with
 * A_ji = conj(A_ij). With `phaseOnly` g_i <- z_i / |z_i|, z_i = sum_j A_ij g_j. The common phase of the start is kept;
 * reference it afterwards.
 */
export function stefcal(sums: CellSums, options: StefcalOptions): StefcalResult {
  const n = sums.antennas
  let gains = Float64Array.from(options.start)
  let next = new Float64Array(2 * n)
  const power = new Float64Array(n)
  const norm = new Float64Array(n)
  let change = Number.POSITIVE_INFINITY
  let iterations = 0
  while (iterations < options.maxIterations) {
    iterations++
    for (let i = 0; i < n; i++) power[i] = gains[2 * i] ** 2 + gains[2 * i + 1] ** 2
    accumulate(sums, gains, { next, power, norm })
    divide(next, { power, norm, phaseOnly: options.phaseOnly })
    if (iterations % 2 === 0) {
      change = relativeChange(gains, next)
      if (change <= options.tolerance) {
        gains = next
        break
      }
      average(gains, next, options.phaseOnly)
    }
    const swap = gains
    gains = next
    next = swap
  }
  return { gains, iterations, change }
}

/** next <- sum_j A_ij g_j, norm <- sum_j W_ij |g_j|^2. */
function accumulate(
  sums: CellSums,
  gains: Float64Array,
  { next, power, norm }: { next: Float64Array; power: Float64Array; norm: Float64Array },
): void {
  const { edges, i, j, aRe, aIm, w } = sums
  next.fill(0)
  norm.fill(0)
  for (let e = 0; e < edges;) {
    const b = j[e]
    const br = gains[2 * b]
    const bi = gains[2 * b + 1]
    const bPower = power[b]
    let re = 0
    let im = 0
    let total = 0
    for (; e < edges && j[e] === b; e++) {
      const a = i[e]
      const xr = aRe[e]
      const xi = aIm[e]
      const ar = gains[2 * a]
      const ai = gains[2 * a + 1]
      next[2 * a] += xr * br - xi * bi
      next[2 * a + 1] += xr * bi + xi * br
      norm[a] += w[e] * bPower
      re += xr * ar + xi * ai
      im += xr * ai - xi * ar
      total += w[e] * power[a]
    }
    next[2 * b] += re
    next[2 * b + 1] += im
    norm[b] += total
  }
}

function divide(
  next: Float64Array,
  { power, norm, phaseOnly }: { power: Float64Array; norm: Float64Array; phaseOnly: boolean },
): void {
  for (let i = 0; i < power.length; i++) {
    const scale = power[i] === 0 ? 0 : phaseOnly ? Math.hypot(next[2 * i], next[2 * i + 1]) : norm[i]
    next[2 * i] = scale > 0 ? next[2 * i] / scale : 0
    next[2 * i + 1] = scale > 0 ? next[2 * i + 1] / scale : 0
  }
}

function relativeChange(old: Float64Array, next: Float64Array): number {
  let difference = 0
  let norm = 0
  for (let k = 0; k < next.length; k++) {
    difference += (next[k] - old[k]) ** 2
    norm += next[k] ** 2
  }
  return norm > 0 ? Math.sqrt(difference / norm) : 0
}

/** next <- (next + old) / 2, brought back to the unit circle when only phases are solved. */
function average(old: Float64Array, next: Float64Array, phaseOnly: boolean): void {
  for (let k = 0; k < next.length; k += 2) {
    let re = 0.5 * (next[k] + old[k])
    let im = 0.5 * (next[k + 1] + old[k + 1])
    if (phaseOnly) {
      const length = Math.hypot(re, im)
      if (length > 0) {
        re /= length
        im /= length
      }
    }
    next[k] = re
    next[k + 1] = im
  }
}
