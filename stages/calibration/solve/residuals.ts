import { median } from '#runtime/numeric/statistics.ts'
import { wrapPi } from '#runtime/sky/projection.ts'
import { isFlagged, type Bandpass } from './bandpass.ts'
import { cellAt, type SolveGeometry, type SumCube } from './cube.ts'
import type { Gains } from './gains.ts'

/** A baseline is an outlier when its residual exceeds this many of its errors ... */
const OUTLIER_SIGMA = 6
/** ... in more than this part of its channels. */
const OUTLIER_CHANNELS = 0.3
/** An antenna whose phase residuals scatter by more than this is an outlier, radians. */
const OUTLIER_PHASE_RAD = Math.PI / 3

/**
 * Baselines that the bandpass does not describe: |A/W - g_i conj(g_j)| sqrt(W) > 6 (times the root of the reduced
 * chi-square) in more than 30 % of the channels. Returns (baselines) polarisation bits.
 */
export function outlierBaselinesOf(
  cube: SumCube,
  bandpass: Bandpass,
  { geometry, reducedChi2 }: { geometry: SolveGeometry; reducedChi2: number },
): Uint8Array {
  const { channels, polarizations, value, flags } = bandpass
  const bad = new Uint8Array(cube.baselines)
  const limit = OUTLIER_SIGMA * Math.sqrt(Math.max(1, reducedChi2))
  for (let b = 0; b < cube.baselines; b++) {
    for (let p = 0; p < polarizations; p++) {
      if ((geometry.excluded[b] & (1 << p)) !== 0) continue
      let above = 0
      let seen = 0
      for (let c = 0; c < channels; c++) {
        const k = cellAt(cube, b, c * polarizations + p)
        const i = (geometry.antenna1[b] * channels + c) * polarizations + p
        const j = (geometry.antenna2[b] * channels + c) * polarizations + p
        if (!(cube.w[k] > 0) || isFlagged(flags[i]) || isFlagged(flags[j])) continue
        const re = value[2 * i] * value[2 * j] + value[2 * i + 1] * value[2 * j + 1]
        const im = value[2 * i + 1] * value[2 * j] - value[2 * i] * value[2 * j + 1]
        const residual = Math.hypot(cube.a[2 * k] / cube.w[k] - re, cube.a[2 * k + 1] / cube.w[k] - im)
        seen++
        if (residual * Math.sqrt(cube.w[k]) > limit) above++
      }
      if (above > OUTLIER_CHANNELS * seen) bad[b] |= 1 << p
    }
  }
  return bad
}

/**
 * Antennas whose band-averaged phase residuals on the calibrator scatter by more than 60 degrees. Returns (antennas)
 * polarisation bits.
 */
export function outlierAntennas(cube: SumCube, gains: Gains, geometry: SolveGeometry): Uint8Array {
  const { antennas, polarizations } = gains
  const sum = new Float64Array(antennas * polarizations)
  const count = new Float64Array(antennas * polarizations)
  forEachResidual(cube, gains, {
    geometry,
    visit: ({ baseline, polarization, re, im }) => {
      const phase = Math.atan2(im, re)
      for (const antenna of [geometry.antenna1[baseline], geometry.antenna2[baseline]]) {
        sum[antenna * polarizations + polarization] += phase * phase
        count[antenna * polarizations + polarization]++
      }
    },
  })
  const bad = new Uint8Array(antennas)
  for (let a = 0; a < antennas; a++) {
    for (let p = 0; p < polarizations; p++) {
      const k = a * polarizations + p
      if (count[k] > 0 && Math.sqrt(sum[k] / count[k]) > OUTLIER_PHASE_RAD) bad[a] |= 1 << p
    }
  }
  return bad
}

export interface CalibratorResiduals {
  /** Rms phase residual of band-averaged baselines and bins, radians. */
  phaseRmsRad: number
  /** Median over baselines of the corrected amplitude over the model's. */
  recovered: number
  /** Residual phases in radians for a histogram, at most `kept`. */
  phases: number[]
}

/** Residuals of the calibrator after B G G2, band-averaged, over the baselines that were solved on. */
export function calibratorResiduals(cube: SumCube, gains: Gains, geometry: SolveGeometry): CalibratorResiduals {
  const { polarizations } = gains
  let sum = 0
  const phases: number[] = []
  const total = new Float64Array(3 * cube.baselines * polarizations)
  forEachResidual(cube, gains, {
    geometry,
    visit: ({ baseline, polarization, re, im, weight }) => {
      const phase = Math.atan2(im, re)
      sum += phase * phase
      phases.push(phase)
      const k = 3 * (baseline * polarizations + polarization)
      total[k] += re
      total[k + 1] += im
      total[k + 2] += weight
    },
  })
  const ratio: number[] = []
  for (let k = 0; k < total.length; k += 3)
    if (total[k + 2] > 0) ratio.push(Math.hypot(total[k], total[k + 1]) / total[k + 2])
  return {
    phaseRmsRad: phases.length === 0 ? Number.NaN : Math.sqrt(sum / phases.length),
    recovered: median(ratio),
    phases,
  }
}

interface Residual {
  baseline: number
  polarization: number
  /** sum w V conj(g_i M) g_j, which is real and equal to `weight` for perfect gains. */
  re: number
  im: number
  weight: number
}

function forEachResidual(
  cube: SumCube,
  gains: Gains,
  { geometry, visit }: { geometry: SolveGeometry; visit: (residual: Residual) => void },
): void {
  const { polarizations, bins } = gains
  for (let b = 0; b < cube.baselines; b++) {
    for (let bin = 0; bin < bins; bin++) {
      for (let p = 0; p < polarizations; p++) {
        const k = cellAt(cube, b, bin * polarizations + p)
        if (!(cube.w[k] > 0) || (geometry.excluded[b] & (1 << p)) !== 0) continue
        const gi = totalOf(gains, geometry.antenna1[b], { bin, p })
        const gj = totalOf(gains, geometry.antenna2[b], { bin, p })
        if (gi === undefined || gj === undefined) continue
        const pr = gi[0] * gj[0] + gi[1] * gj[1]
        const pi = gi[0] * gj[1] - gi[1] * gj[0]
        visit({
          baseline: b,
          polarization: p,
          re: cube.a[2 * k] * pr - cube.a[2 * k + 1] * pi,
          im: cube.a[2 * k] * pi + cube.a[2 * k + 1] * pr,
          weight: cube.w[k] * (pr * pr + pi * pi),
        })
      }
    }
  }
}

/** G times G2 of an antenna in a bin; undefined where flagged. */
function totalOf(gains: Gains, antenna: number, { bin, p }: { bin: number; p: number }): [number, number] | undefined {
  const k = antenna * gains.polarizations + p
  const k2 = (antenna * gains.bins + bin) * gains.polarizations + p
  if (isFlagged(gains.flags[k]) || isFlagged(gains.phaseFlags[k2])) return undefined
  const [a, b] = [gains.value[2 * k], gains.value[2 * k + 1]]
  const [c, d] = [gains.phase[2 * k2], gains.phase[2 * k2 + 1]]
  return [a * c - b * d, a * d + b * c]
}

/** Rms step of G2 between neighbouring bins, radians, and its mean thermal variance; NaN with one bin. */
export function phaseSteps({ antennas, bins, polarizations, phase, phaseFlags, phaseSigma }: Gains): {
  rmsRad: number
  spreadRad: number
} {
  let steps = 0
  let stepSum = 0
  let spread = 0
  let count = 0
  for (let a = 0; a < antennas; a++) {
    for (let p = 0; p < polarizations; p++) {
      let previous = Number.NaN
      for (let bin = 0; bin < bins; bin++) {
        const k = (a * bins + bin) * polarizations + p
        if (isFlagged(phaseFlags[k])) continue
        const angle = Math.atan2(phase[2 * k + 1], phase[2 * k])
        spread += angle * angle - phaseSigma[k] ** 2
        count++
        if (!Number.isNaN(previous)) {
          stepSum += wrapPi(angle - previous) ** 2
          steps++
        }
        previous = angle
      }
    }
  }
  return {
    rmsRad: steps > 0 ? Math.sqrt(stepSum / steps) : Number.NaN,
    spreadRad: count > 0 ? Math.sqrt(Math.max(0, spread / count)) : 0,
  }
}

/** Triangles looked at in each cell. */
const TRIANGLES = 2000

/**
 * Rms of the closure phases of single cells over their thermal expectation sqrt(sum of 1 / (W |V|^2)): free of gains, so it
 * tells whether the model and the data are of one kind. Triangles (i, i + a, i + a + b) in a fixed order over the antennas.
 */
export function closureRatio(cube: SumCube, cells: readonly number[], geometry: SolveGeometry): number {
  const { antennas: n, antenna1, antenna2, polarizations, excluded } = geometry
  const of = new Int32Array(n * n).fill(-1)
  for (let b = 0; b < cube.baselines; b++) of[antenna1[b] * n + antenna2[b]] = of[antenna2[b] * n + antenna1[b]] = b
  let sum = 0
  let count = 0
  for (const cell of cells) {
    const bit = 1 << (cell % polarizations)
    let seen = 0
    for (let a = 1; a < n && seen < TRIANGLES; a += 2) {
      for (let i = 0; i < n && seen < TRIANGLES; i++) {
        const j = (i + a) % n
        const k = (i + 2 * a + 1) % n
        if (i === j || j === k || i === k) continue
        const [ij, jk, ki] = [leg(i, j), leg(j, k), leg(k, i)]
        if (ij === undefined || jk === undefined || ki === undefined) continue
        const phase = wrapPi(ij.phase + jk.phase + ki.phase)
        sum += (phase * phase) / (ij.variance + jk.variance + ki.variance)
        seen++
      }
    }
    count += seen

    function leg(i: number, j: number): { phase: number; variance: number } | undefined {
      const b = of[i * n + j]
      if (b < 0 || (excluded[b] & bit) !== 0) return undefined
      const at = cellAt(cube, b, cell)
      const amplitude = Math.hypot(cube.a[2 * at], cube.a[2 * at + 1])
      if (!(cube.w[at] > 0) || amplitude === 0) return undefined
      const phase = Math.atan2(cube.a[2 * at + 1], cube.a[2 * at])
      // A has variance W per component, so its phase has W / |A|^2.
      return { phase: antenna1[b] === i ? phase : -phase, variance: cube.w[at] / amplitude ** 2 }
    }
  }
  return count > 0 ? Math.sqrt(sum / count) : Number.NaN
}
