import { median, SIGMA_PER_MAD, mad } from '#runtime/numeric/statistics.ts'

/** Residuals of ln sigma beyond this many robust standard deviations do not enter the fit. */
const CLIP_SIGMA = 4
/** Gauss-Seidel sweeps; the system is diagonally dominant and settles to 1e-12 in about 20. */
const SWEEPS = 60
/**
 * Noise below this part of the median amplitude is none (simulated data): with an SEFD of 6500 Jy and one channel it would
 * take a source of 260 Jy. What the differences then measure is the sky, which must not become a weight.
 */
export const NOISELESS = 0.01

export interface NoiseInput {
  antennas: number
  antenna1: ArrayLike<number>
  antenna2: ArrayLike<number>
  /** (baselines, cells) standard deviation of a real component in raw units, NaN where unknown. */
  sigma: Float32Array
  cells: number
  /** 1 for the baselines to use first (long ones, free of diffuse emission); others serve antennas without. */
  preferred: Uint8Array
  minBaselines: number
}

/**
 * Raw noise of each antenna in each cell (subband, polarisation), as a variance-like factor e with
 * sigma_ij^2 = e_i e_j: least squares of ln sigma_ij = (ln e_i + ln e_j) / 2 over the baselines, clipped once at 4 sigma,
 * corrected for the bias of the logarithm of a noisy estimate (half its variance). Returns (cells, antennas), NaN where
 * an antenna has too few baselines.
 */
export function antennaNoise(input: NoiseInput): Float64Array {
  const { antennas, sigma, cells, antenna1 } = input
  const out = new Float64Array(cells * antennas).fill(Number.NaN)
  const y = new Float64Array(antenna1.length)
  for (let cell = 0; cell < cells; cell++) {
    for (let b = 0; b < y.length; b++) {
      const value = sigma[b * cells + cell]
      y[b] = value > 0 ? Math.log(value) : Number.NaN
    }
    const first = fitLevels(y, chosen(input, y))
    const residual = residuals(y, first, input)
    const spread = SIGMA_PER_MAD * mad(residual)
    for (let b = 0; b < y.length; b++) if (Math.abs(residual[b]) > CLIP_SIGMA * spread + 1e-12) y[b] = Number.NaN
    const fit = fitLevels(y, chosen(input, y))
    const bias = variance(residuals(y, fit, input)) / 2
    for (let a = 0; a < antennas; a++) out[cell * antennas + a] = Math.exp(fit[a] + bias)
  }
  return out
}

interface Fit {
  antennas: number
  antenna1: ArrayLike<number>
  antenna2: ArrayLike<number>
  use: Uint8Array
}

/** Preferred baselines, and all of those antennas that would be left with too few. */
function chosen(input: NoiseInput, y: Float64Array): Fit {
  const { antennas, antenna1, antenna2, preferred, minBaselines } = input
  const count = new Int32Array(antennas)
  for (let b = 0; b < y.length; b++) {
    if (Number.isNaN(y[b]) || preferred[b] === 0) continue
    count[antenna1[b]]++
    count[antenna2[b]]++
  }
  const use = Uint8Array.from(y, (value, b) => {
    if (Number.isNaN(value)) return 0
    return preferred[b] === 1 || count[antenna1[b]] < minBaselines || count[antenna2[b]] < minBaselines ? 1 : 0
  })
  return { antennas, antenna1, antenna2, use }
}

/** ln e of each antenna from ln sigma = (ln e_i + ln e_j) / 2; NaN for antennas without a baseline. */
function fitLevels(y: Float64Array, { antennas, antenna1, antenna2, use }: Fit): Float64Array {
  const neighbours: number[][] = Array.from({ length: antennas }, () => [])
  const right = new Float64Array(antennas)
  for (let b = 0; b < y.length; b++) {
    if (use[b] === 0) continue
    neighbours[antenna1[b]].push(antenna2[b])
    neighbours[antenna2[b]].push(antenna1[b])
    right[antenna1[b]] += 2 * y[b]
    right[antenna2[b]] += 2 * y[b]
  }
  const start = median(y)
  const level = new Float64Array(antennas).fill(start)
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let a = 0; a < antennas; a++) {
      if (neighbours[a].length === 0) continue
      let sum = right[a]
      for (const other of neighbours[a]) sum -= level[other]
      level[a] = sum / neighbours[a].length
    }
  }
  for (let a = 0; a < antennas; a++) if (neighbours[a].length === 0) level[a] = Number.NaN
  return level
}

function residuals(y: Float64Array, level: Float64Array, { antenna1, antenna2 }: NoiseInput): Float64Array {
  return Float64Array.from(y, (value, b) => value - 0.5 * (level[antenna1[b]] + level[antenna2[b]]))
}

function variance(values: Float64Array): number {
  let sum = 0
  let n = 0
  for (const value of values) {
    if (Number.isNaN(value)) continue
    sum += value * value
    n++
  }
  return n > 0 ? sum / n : 0
}
