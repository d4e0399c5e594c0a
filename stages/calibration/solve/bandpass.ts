import { mad, SIGMA_PER_MAD } from '#runtime/numeric/statistics.ts'
import { wrapPi } from '#runtime/sky/projection.ts'
import { createSumsFor, loadCell, loadPart, type SolveGeometry, type SumCube } from './cube.ts'
import { runningMedian } from '../survey/running-median.ts'
import { solveCell, type SolveOptions } from './solve.ts'

/** Why a solution is flagged. Filled channels carry their mark without being flagged. */
export const solutionFlag = { noData: 1, lowSnr: 2, notConverged: 4, outlier: 8, filled: 16, noReference: 32 } as const

/** Solution marks that make a solution unusable. */
export function isFlagged(mark: number): boolean {
  return (mark & ~solutionFlag.filled) !== 0
}

/** Bandpass solutions, (antennas, channels, polarizations). */
export interface Bandpass {
  antennas: number
  channels: number
  polarizations: number
  /** re/im */
  value: Float64Array
  sigma: Float64Array
  snr: Float64Array
  flags: Uint8Array
}

/** What each (channel, polarisation) solve reports. */
export interface BandpassFits {
  chi2: Float64Array
  degreesOfFreedom: Float64Array
  iterations: Float64Array
  converged: Uint8Array
}

export function createBandpass(antennas: number, channels: number, polarizations: number): Bandpass {
  const size = antennas * channels * polarizations
  return {
    antennas,
    channels,
    polarizations,
    value: new Float64Array(2 * size),
    sigma: new Float64Array(size),
    snr: new Float64Array(size),
    flags: new Uint8Array(size).fill(solutionFlag.noData),
  }
}

export function createBandpassFits(cells: number): BandpassFits {
  return {
    chi2: new Float64Array(cells),
    degreesOfFreedom: new Float64Array(cells),
    iterations: new Float64Array(cells),
    converged: new Uint8Array(cells),
  }
}

export interface BandpassSolve {
  cube: SumCube
  geometry: SolveGeometry
  /** Subband to solve: a part of the cube. */
  subband: number
  options: Omit<SolveOptions, 'start' | 'phaseOnly'>
  minSnr: number
  out: Bandpass
  fits: BandpassFits
}

/**
 * Solves every channel and polarisation of a subband. Each channel starts from the solution of the subband's sums, so
 * the result depends on nothing but the data of its subband.
 */
export function solveBandpass({ cube, geometry, subband, options, minSnr, out, fits }: BandpassSolve): void {
  const { antennas, polarizations } = geometry
  const sums = createSumsFor(geometry)
  for (let p = 0; p < polarizations; p++) {
    loadPart(cube, subband, { p, geometry, out: sums })
    const whole = solveCell(sums, { ...options, phaseOnly: false })
    for (let cell = subband * cube.part + p; cell < (subband + 1) * cube.part; cell += polarizations) {
      loadCell(cube, cell, { geometry, out: sums })
      const solution = solveCell(sums, {
        ...options,
        phaseOnly: false,
        ...(whole.used.includes(1) ? { start: whole.gains } : {}),
      })
      fits.chi2[cell] = solution.chi2
      fits.degreesOfFreedom[cell] = solution.degreesOfFreedom
      fits.iterations[cell] = solution.iterations
      fits.converged[cell] = solution.converged ? 1 : 0
      const channel = (cell - p) / polarizations
      for (let a = 0; a < antennas; a++) {
        const k = (a * out.channels + channel) * polarizations + p
        out.value[2 * k] = solution.gains[2 * a]
        out.value[2 * k + 1] = solution.gains[2 * a + 1]
        out.sigma[k] = solution.sigma[a]
        out.snr[k] = solution.snr[a]
        out.flags[k] = mark(solution.used[a], solution.snr[a], { converged: solution.converged, minSnr })
      }
    }
  }
}

function mark(used: number, snr: number, { converged, minSnr }: { converged: boolean; minSnr: number }): number {
  if (used === 0) return solutionFlag.noData
  return (converged ? 0 : solutionFlag.notConverged) | (snr >= minSnr ? 0 : solutionFlag.lowSnr)
}

/** A channel this far off its smoothed neighbourhood is an outlier: the larger of 5 %, 5 of its own errors, 5 robust deviations. */
const OUTLIER_FRACTION = 0.05
const OUTLIER_SIGMA = 5

/**
 * Flags bandpass channels whose amplitude departs from a running median within their subband (subband edges are real
 * steps) by more than max(5 %, 5 sigma of the channel, 5 * 1.4826 MAD of the departures of that antenna). Solver and H I
 * artefacts, not interference. Returns how many were flagged.
 */
export function clipOutlierChannels(bandpass: Bandpass, perSubband: number): number {
  const { antennas, channels, polarizations, value, sigma, flags } = bandpass
  const half = Math.max(1, perSubband >> 3)
  let clipped = 0
  for (let a = 0; a < antennas; a++) {
    for (let p = 0; p < polarizations; p++) {
      const at = (c: number): number => (a * channels + c) * polarizations + p
      const amplitude = Float64Array.from({ length: channels }, (_, c) =>
        isFlagged(flags[at(c)]) ? Number.NaN : Math.hypot(value[2 * at(c)], value[2 * at(c) + 1]),
      )
      const smooth = new Float64Array(channels)
      for (let first = 0; first < channels; first += perSubband) {
        smooth.set(runningMedian(amplitude, half, { first, end: first + perSubband }), first)
      }
      const departure = amplitude.map((value, c) => value / smooth[c] - 1)
      const spread = SIGMA_PER_MAD * mad(departure, 0)
      for (let c = 0; c < channels; c++) {
        const limit = Math.max(OUTLIER_FRACTION, OUTLIER_SIGMA * spread, (OUTLIER_SIGMA * sigma[at(c)]) / smooth[c])
        if (!(Math.abs(departure[c]) > limit)) continue
        flags[at(c)] |= solutionFlag.outlier
        clipped++
      }
    }
  }
  return clipped
}

/**
 * Divides each (antenna, polarisation) by its factor b e^(i theta), b the mean amplitude and theta the phase of the
 * sum of the unflagged channels: mean amplitude 1, phase 0. Returns the factors, (antennas, polarizations, re/im), zero
 * where nothing is unflagged.
 */
export function normalizeBandpass(bandpass: Bandpass): Float64Array {
  const { antennas, channels, polarizations, value, sigma, flags } = bandpass
  const factors = new Float64Array(2 * antennas * polarizations)
  for (let a = 0; a < antennas; a++) {
    for (let p = 0; p < polarizations; p++) {
      let amplitude = 0
      let re = 0
      let im = 0
      let n = 0
      for (let c = 0; c < channels; c++) {
        const k = (a * channels + c) * polarizations + p
        if (isFlagged(flags[k])) continue
        amplitude += Math.hypot(value[2 * k], value[2 * k + 1])
        re += value[2 * k]
        im += value[2 * k + 1]
        n++
      }
      const length = Math.hypot(re, im)
      if (n === 0 || length === 0) continue
      const mean = amplitude / n
      const factorRe = (mean * re) / length
      const factorIm = (mean * im) / length
      factors[2 * (a * polarizations + p)] = factorRe
      factors[2 * (a * polarizations + p) + 1] = factorIm
      for (let c = 0; c < channels; c++) {
        const k = (a * channels + c) * polarizations + p
        const vr = value[2 * k]
        const vi = value[2 * k + 1]
        value[2 * k] = (vr * factorRe + vi * factorIm) / (mean * mean)
        value[2 * k + 1] = (vi * factorRe - vr * factorIm) / (mean * mean)
        sigma[k] /= mean
      }
    }
  }
  return factors
}

/**
 * Fills runs of up to `longest` flagged channels between unflagged ones by linear amplitude and phase (shorter arc), marks
 * them as filled, and leaves wider gaps, the ends, and channels in `absent` subbands alone. Returns how many were filled.
 */
export function fillGaps(bandpass: Bandpass, longest: number, absent: (channel: number) => boolean): number {
  const { antennas, channels, polarizations, value, sigma, snr, flags } = bandpass
  let filled = 0
  for (let a = 0; a < antennas; a++) {
    for (let p = 0; p < polarizations; p++) {
      const at = (c: number): number => (a * channels + c) * polarizations + p
      let last = -1
      for (let c = 0; c < channels; c++) {
        if (isFlagged(flags[at(c)])) continue
        const gap = c - last - 1
        if (last >= 0 && gap > 0 && gap <= longest) {
          for (let g = last + 1; g < c; g++)
            if (!absent(g)) fill(at(g), { left: at(last), right: at(c), part: (g - last) / (c - last) })
        }
        last = c
      }
    }
  }
  return filled

  function fill(k: number, { left, right, part }: { left: number; right: number; part: number }): void {
    const amplitude = (1 - part) * amplitudeOf(left) + part * amplitudeOf(right)
    const phase = phaseOf(left) + part * wrapPi(phaseOf(right) - phaseOf(left))
    value[2 * k] = amplitude * Math.cos(phase)
    value[2 * k + 1] = amplitude * Math.sin(phase)
    sigma[k] = Math.max(sigma[left], sigma[right])
    snr[k] = Math.min(snr[left], snr[right])
    flags[k] = solutionFlag.filled
    filled++
  }

  function amplitudeOf(k: number): number {
    return Math.hypot(value[2 * k], value[2 * k + 1])
  }

  function phaseOf(k: number): number {
    return Math.atan2(value[2 * k + 1], value[2 * k])
  }
}
