import { isFlagged, solutionFlag } from './bandpass.ts'
import { createSumsFor, loadCell, type SolveGeometry, type SumCube } from './cube.ts'
import { referencePhases } from './reference-antenna.ts'
import { solveCell, type CellSolution, type SolveOptions } from './solve.ts'
import type { CellSums } from './stefcal.ts'
import { sumOfParts, withPrior } from './sums.ts'

/** Gains of one observation: G over all of it, amplitude and phase, and G2 per time bin, phase only. */
export interface Gains {
  antennas: number
  polarizations: number
  bins: number
  /** G: (antennas, polarizations, re/im). */
  value: Float64Array
  sigma: Float64Array
  snr: Float64Array
  flags: Uint8Array
  /** G2: (antennas, bins, polarizations, re/im), of modulus one. */
  phase: Float64Array
  phaseSigma: Float64Array
  phaseFlags: Uint8Array
  /** Chi-square of G per polarisation, degrees of freedom, iterations of all solves. */
  chi2: number
  degreesOfFreedom: number
  iterations: number[]
  converged: boolean[]
}

export interface GainsSolve {
  /** Cells (bins, polarizations), the bandpass taken out. */
  cube: SumCube
  geometry: SolveGeometry
  bins: number
  options: Omit<SolveOptions, 'start' | 'phaseOnly' | 'reference'>
  /** Reference antennas, best first. */
  order: readonly number[]
  minSnr: number
}

/** Alternations between G and G2; two are enough, the third proves it. */
const ROUNDS = 4
/** Radians. */
const SETTLED = 1e-9

/**
 * Solves G and G2 together: the phases of each bin with G taken out, then G over all bins with those phases taken out, so
 * that a drift inside the observation costs G no amplitude. Each antenna's G2 has mean phase zero over the bins, the
 * reference antenna's G2 is 1. See `referencePhases` for bins without the reference.
 */
export function solveGains({ cube, geometry, bins, options, order, minSnr }: GainsSolve): Gains {
  const { antennas, polarizations } = geometry
  const out = emptyGains(antennas, polarizations, bins)
  for (let p = 0; p < polarizations; p++) {
    const parts = Array.from({ length: bins }, (_, bin) => {
      const sums = createSumsFor(geometry)
      loadCell(cube, bin * polarizations + p, { geometry, out: sums })
      return sums
    })
    solvePolarization(out, p, { parts, options: { ...options, reference: order[0] }, order, minSnr })
  }
  return out
}

interface Polarization {
  parts: CellSums[]
  options: Omit<SolveOptions, 'start' | 'phaseOnly'>
  order: readonly number[]
  minSnr: number
}

function solvePolarization(out: Gains, p: number, { parts, options, order, minSnr }: Polarization): void {
  const { antennas, bins, polarizations } = out
  const phases = parts.map(() => unitGains(antennas))
  let gain = solveCell(sumOfParts(parts, phases), { ...options, phaseOnly: false })
  let solved: CellSolution[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const taken = gain
    solved = parts.map((part, bin) =>
      solveCell(withPrior(part, taken.gains), {
        ...options,
        phaseOnly: true,
        start: phases[bin],
        minAntennas: Math.min(options.minAntennas, 3),
      }),
    )
    const flags = new Uint8Array(bins * antennas)
    const value = new Float64Array(2 * bins * antennas)
    solved.forEach((solution, bin) => {
      value.set(solution.gains, 2 * bin * antennas)
      for (let a = 0; a < antennas; a++) flags[bin * antennas + a] = solution.used[a] === 1 ? 0 : solutionFlag.noData
    })
    referencePhases({ antennas, cells: bins, at: (a, bin) => bin * antennas + a, value, flags }, order)
    removeMeanPhase(value, flags, { antennas, bins, solved })
    let moved = 0
    for (let bin = 0; bin < bins; bin++) {
      for (let a = 0; a < antennas; a++) {
        const k = bin * antennas + a
        const used = !isFlagged(flags[k])
        const re = used ? value[2 * k] : 1
        const im = used ? value[2 * k + 1] : 0
        moved = Math.max(moved, Math.hypot(re - phases[bin][2 * a], im - phases[bin][2 * a + 1]))
        phases[bin][2 * a] = re
        phases[bin][2 * a + 1] = im
        const at = (a * bins + bin) * polarizations + p
        out.phaseSigma[at] = solved[bin].sigma[a]
        const weak = !(solved[bin].snr[a] >= minSnr)
        out.phaseFlags[at] =
          flags[k] |
          (weak && used ? solutionFlag.lowSnr : 0) |
          (solved[bin].converged || !used ? 0 : solutionFlag.notConverged)
      }
    }
    gain = solveCell(sumOfParts(parts, phases), { ...options, phaseOnly: false, start: gain.gains })
    if (moved < SETTLED) break
  }
  store(out, p, { gain, solved, phases, order, minSnr })
}

interface Stored {
  gain: CellSolution
  solved: CellSolution[]
  phases: Float64Array[]
  order: readonly number[]
  minSnr: number
}

function store(out: Gains, p: number, { gain, solved, phases, order, minSnr }: Stored): void {
  const { antennas, bins, polarizations } = out
  for (let a = 0; a < antennas; a++) {
    const k = a * polarizations + p
    out.value[2 * k] = gain.gains[2 * a]
    out.value[2 * k + 1] = gain.gains[2 * a + 1]
    out.sigma[k] = gain.sigma[a]
    out.snr[k] = gain.snr[a]
    out.flags[k] =
      gain.used[a] === 0
        ? solutionFlag.noData
        : (gain.converged ? 0 : solutionFlag.notConverged) | (gain.snr[a] >= minSnr ? 0 : solutionFlag.lowSnr)
    for (let bin = 0; bin < bins; bin++) {
      const at = (a * bins + bin) * polarizations + p
      out.phase[2 * at] = phases[bin][2 * a]
      out.phase[2 * at + 1] = phases[bin][2 * a + 1]
    }
  }
  referencePhases({ antennas, cells: 1, at: (a) => a * polarizations + p, value: out.value, flags: out.flags }, order)
  out.chi2 += gain.chi2
  out.degreesOfFreedom += gain.degreesOfFreedom
  for (const { iterations, converged } of [gain, ...solved]) {
    out.iterations.push(iterations)
    out.converged.push(converged)
  }
}

/** Turns each antenna so that its mean over the bins, weighted by their information, has phase zero. */
function removeMeanPhase(
  value: Float64Array,
  flags: Uint8Array,
  { antennas, bins, solved }: { antennas: number; bins: number; solved: readonly CellSolution[] },
): void {
  for (let a = 0; a < antennas; a++) {
    let re = 0
    let im = 0
    for (let bin = 0; bin < bins; bin++) {
      const k = bin * antennas + a
      if (isFlagged(flags[k])) continue
      const weight = 1 / solved[bin].sigma[a] ** 2
      re += weight * value[2 * k]
      im += weight * value[2 * k + 1]
    }
    const length = Math.hypot(re, im)
    if (!(length > 0)) continue
    for (let bin = 0; bin < bins; bin++) {
      const k = bin * antennas + a
      const vr = value[2 * k]
      const vi = value[2 * k + 1]
      value[2 * k] = (vr * re + vi * im) / length
      value[2 * k + 1] = (vi * re - vr * im) / length
    }
  }
}

function unitGains(antennas: number): Float64Array {
  return Float64Array.from({ length: 2 * antennas }, (_, k) => (k % 2 === 0 ? 1 : 0))
}

function emptyGains(antennas: number, polarizations: number, bins: number): Gains {
  const one = antennas * polarizations
  const many = one * bins
  return {
    antennas,
    polarizations,
    bins,
    value: new Float64Array(2 * one),
    sigma: new Float64Array(one),
    snr: new Float64Array(one),
    flags: new Uint8Array(one).fill(solutionFlag.noData),
    phase: new Float64Array(2 * many),
    phaseSigma: new Float64Array(many),
    phaseFlags: new Uint8Array(many).fill(solutionFlag.noData),
    chi2: 0,
    degreesOfFreedom: 0,
    iterations: [],
    converged: [],
  }
}
