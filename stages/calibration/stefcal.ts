/**
 * Weighted sums of one cell (a channel or time bin, one polarisation) as dense antenna matrices, (n, n) C order:
 * A_ij = sum w V_ij conj(M_ij) with A_ji = conj(A_ij), W_ij = sum w |M_ij|^2, Q_ij = sum w |V_ij|^2, and the number of
 * samples N_ij. W, Q and N are symmetric; the diagonal is zero. They are sufficient statistics of
 * sum w |V_ij - g_i conj(g_j) M_ij|^2.
 */
export interface CellSums {
  readonly antennas: number
  readonly aRe: Float64Array
  readonly aIm: Float64Array
  readonly w: Float64Array
  readonly q: Float64Array
  readonly samples: Float64Array
}

export interface StefcalOptions {
  /** Complex start values (n, re/im); an antenna at zero takes no part. */
  start: Float64Array
  /** Solve for unit gains times the start's amplitudes of one: only phases move. */
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

export function createCellSums(antennas: number): CellSums {
  const square = (): Float64Array => new Float64Array(antennas * antennas)
  return { antennas, aRe: square(), aIm: square(), w: square(), q: square(), samples: square() }
}

/**
 * Gains that minimise sum w |V_ij - g_i conj(g_j) M_ij|^2 by alternating direction with averaging of every second
 * step (Salvini & Wijnholds 2014, A&A 571, A97, algorithm 1): g_i <- sum_j A_ij g_j / sum_j W_ij |g_j|^2. With
 * `phaseOnly` g_i <- z_i / |z_i|, z_i = sum_j A_ij g_j. The common phase of the start is kept; reference it afterwards.
 */
export function stefcal(sums: CellSums, options: StefcalOptions): StefcalResult {
  const n = sums.antennas
  let gains = Float64Array.from(options.start)
  let next = new Float64Array(2 * n)
  const power = new Float64Array(n)
  let change = Number.POSITIVE_INFINITY
  let iterations = 0
  while (iterations < options.maxIterations) {
    iterations++
    for (let i = 0; i < n; i++) power[i] = gains[2 * i] ** 2 + gains[2 * i + 1] ** 2
    step(sums, gains, { next, power, phaseOnly: options.phaseOnly })
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

interface Step {
  next: Float64Array
  power: Float64Array
  phaseOnly: boolean
}

function step(sums: CellSums, gains: Float64Array, { next, power, phaseOnly }: Step): void {
  const { antennas: n, aRe, aIm, w } = sums
  for (let i = 0; i < n; i++) {
    let re = 0
    let im = 0
    let norm = 0
    const row = i * n
    if (power[i] > 0) {
      for (let j = 0; j < n; j++) {
        const ar = aRe[row + j]
        const ai = aIm[row + j]
        const gr = gains[2 * j]
        const gi = gains[2 * j + 1]
        re += ar * gr - ai * gi
        im += ar * gi + ai * gr
        norm += w[row + j] * power[j]
      }
    }
    const scale = phaseOnly ? Math.hypot(re, im) : norm
    next[2 * i] = scale > 0 ? re / scale : 0
    next[2 * i + 1] = scale > 0 ? im / scale : 0
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
