import type { BinSums } from './accumulate.ts'
import type { Bandpass } from './bandpass.ts'
import type { SumCube } from './cube.ts'

/** Inverse noise variance of a baseline in a subband and polarisation, raw units to the power -2. */
export type BaselineWeight = (subband: number, polarization: number) => number

export interface BandpassCells {
  sums: BinSums
  perSubband: number
  polarizations: number
  weight: BaselineWeight
  /** (polarizations, re/im): conj(p_i) p_j of phases to take out of this bin, e.g. a drift known from an earlier round. */
  turn?: Float64Array
}

/** Adds one bin of a baseline to the sums per (channel, polarisation). */
export function addBandpassCells(cube: SumCube, baseline: number, { sums, perSubband, polarizations, weight, turn }: BandpassCells): void {
  const { a, w, q, n } = sums
  for (let cell = 0; cell < cube.cells; cell++) {
    if (n[cell] === 0) continue
    const p = cell % polarizations
    const factor = weight(Math.floor((cell - p) / polarizations / perSubband), p)
    if (!(factor > 0)) continue
    const re = turn === undefined ? a[2 * cell] : a[2 * cell] * turn[2 * p] - a[2 * cell + 1] * turn[2 * p + 1]
    const im = turn === undefined ? a[2 * cell + 1] : a[2 * cell] * turn[2 * p + 1] + a[2 * cell + 1] * turn[2 * p]
    const k = baseline * cube.cells + cell
    cube.a[2 * k] += factor * re
    cube.a[2 * k + 1] += factor * im
    cube.w[k] += factor * w[cell]
    cube.q[k] += factor * q[cell]
    cube.n[k] += n[cell]
  }
}

export interface GainCells {
  sums: BinSums
  bin: number
  bandpass: Bandpass
  perSubband: number
  /** Present-antenna numbers of the baseline. */
  antenna1: number
  antenna2: number
  weight: BaselineWeight
}

/**
 * Adds one bin of a baseline to the sums per (bin, polarisation) with the bandpass taken into the model:
 * A' = sum_c A conj(B_i) B_j, W' = sum_c W |B_i|^2 |B_j|^2. Channels with a flagged or filled solution do not count.
 */
export function addGainCells(cube: SumCube, baseline: number, { sums, bin, bandpass, perSubband, antenna1, antenna2, weight }: GainCells): void {
  const { channels, polarizations, value, flags } = bandpass
  for (let p = 0; p < polarizations; p++) {
    let re = 0
    let im = 0
    let total = 0
    let power = 0
    let samples = 0
    for (let c = 0; c < channels; c++) {
      const cell = c * polarizations + p
      const i = (antenna1 * channels + c) * polarizations + p
      const j = (antenna2 * channels + c) * polarizations + p
      if (sums.n[cell] === 0 || flags[i] !== 0 || flags[j] !== 0) continue
      const factor = weight(Math.floor(c / perSubband), p)
      if (!(factor > 0)) continue
      const pr = value[2 * i] * value[2 * j] + value[2 * i + 1] * value[2 * j + 1]
      const pi = value[2 * i] * value[2 * j + 1] - value[2 * i + 1] * value[2 * j]
      re += factor * (sums.a[2 * cell] * pr - sums.a[2 * cell + 1] * pi)
      im += factor * (sums.a[2 * cell] * pi + sums.a[2 * cell + 1] * pr)
      total += factor * sums.w[cell] * (pr * pr + pi * pi)
      power += factor * sums.q[cell]
      samples += sums.n[cell]
    }
    const k = baseline * cube.cells + bin * polarizations + p
    cube.a[2 * k] = re
    cube.a[2 * k + 1] = im
    cube.w[k] = total
    cube.q[k] = power
    cube.n[k] = samples
  }
}
