import type { BinSums } from './accumulate.ts'
import type { Bandpass } from '../solve/bandpass.ts'
import { cellAt, partStart, type SumCube } from '../solve/cube.ts'

export interface BandpassCells {
  sums: BinSums
  polarizations: number
  /** (subbands, polarizations) inverse noise variance of the baseline, raw units^-2; zero leaves it out. */
  weight: Float64Array
  /** (polarizations, re/im): conj(p_i) p_j of phases to take out of this bin, e.g. a drift known from an earlier round. */
  turn?: Float64Array
}

/** Adds one bin of a baseline to the sums per (channel, polarisation); the parts of the cube are subbands. */
export function addBandpassCells(
  cube: SumCube,
  baseline: number,
  { sums, polarizations, weight, turn }: BandpassCells,
): void {
  const { a, w, q, n } = sums
  for (let band = 0; band * cube.part < cube.cells; band++) {
    const shift = partStart(cube, baseline, band) - band * cube.part
    for (let p = 0; p < polarizations; p++) {
      const factor = weight[band * polarizations + p]
      if (!(factor > 0)) continue
      const cos = turn === undefined ? factor : factor * turn[2 * p]
      const sin = turn === undefined ? 0 : factor * turn[2 * p + 1]
      for (let cell = band * cube.part + p; cell < (band + 1) * cube.part; cell += polarizations) {
        const k = shift + cell
        cube.a[2 * k] += a[2 * cell] * cos - a[2 * cell + 1] * sin
        cube.a[2 * k + 1] += a[2 * cell] * sin + a[2 * cell + 1] * cos
        cube.w[k] += factor * w[cell]
        cube.q[k] += factor * q[cell]
        cube.n[k] += n[cell]
      }
    }
  }
}

export interface GainCells {
  sums: BinSums
  bin: number
  polarizations: number
  perSubband: number
  /** (channels, polarizations, re/im): conj(B_i) B_j of the baseline, zero where either is flagged or filled. */
  product: Float64Array
  /** (subbands, polarizations) inverse noise variance of the baseline, raw units^-2; zero leaves it out. */
  weight: Float64Array
}

/**
 * Sets one bin of a baseline in the sums per (bin, polarisation) with the bandpass taken into the model:
 * A' = sum_c A conj(B_i) B_j, W' = sum_c W |B_i|^2 |B_j|^2.
 */
export function setGainCells(
  cube: SumCube,
  baseline: number,
  { sums, bin, polarizations, perSubband, product, weight }: GainCells,
): void {
  const cells = product.length / 2
  for (let p = 0; p < polarizations; p++) {
    let re = 0
    let im = 0
    let total = 0
    let power = 0
    let samples = 0
    for (let cell = p; cell < cells; cell += polarizations) {
      const pr = product[2 * cell]
      const pi = product[2 * cell + 1]
      const norm = pr * pr + pi * pi
      const factor = weight[Math.floor(cell / polarizations / perSubband) * polarizations + p]
      if (norm === 0 || !(factor > 0)) continue
      re += factor * (sums.a[2 * cell] * pr - sums.a[2 * cell + 1] * pi)
      im += factor * (sums.a[2 * cell] * pi + sums.a[2 * cell + 1] * pr)
      total += factor * sums.w[cell] * norm
      power += factor * sums.q[cell]
      samples += sums.n[cell]
    }
    const k = cellAt(cube, baseline, bin * polarizations + p)
    cube.a[2 * k] = re
    cube.a[2 * k + 1] = im
    cube.w[k] = total
    cube.q[k] = power
    cube.n[k] = samples
  }
}

/** conj(B_i) B_j per (channel, polarisation), zero where a solution is flagged or filled. */
export function bandpassProduct(
  out: Float64Array,
  { channels, polarizations, value, flags }: Bandpass,
  { antenna1, antenna2 }: { antenna1: number; antenna2: number },
): void {
  const cells = channels * polarizations
  for (let cell = 0; cell < cells; cell++) {
    const i = antenna1 * cells + cell
    const j = antenna2 * cells + cell
    const use = flags[i] === 0 && flags[j] === 0
    out[2 * cell] = use ? value[2 * i] * value[2 * j] + value[2 * i + 1] * value[2 * j + 1] : 0
    out[2 * cell + 1] = use ? value[2 * i] * value[2 * j + 1] - value[2 * i + 1] * value[2 * j] : 0
  }
}
