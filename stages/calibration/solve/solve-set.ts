import {
  clipOutlierChannels,
  createBandpass,
  createBandpassFits,
  fillGaps,
  normalizeBandpass,
  type Bandpass,
  type BandpassFits,
} from './bandpass.ts'
import type { CalibrationParams } from '../contract.ts'
import type { SolveGeometry, SumCube } from './cube.ts'
import { solveGains, type Gains } from './gains.ts'
import type { Job } from '../job.ts'
import type { ObservationModel } from '../model/model.ts'
import { referencePhases } from './reference-antenna.ts'
import { outlierAntennas, outlierBaselinesOf, phaseSteps } from './residuals.ts'
import { shareFloat64, sharedFloat32, sharedFloat64, sharedUint16, sharedUint8 } from '../threads/shared-memory.ts'
import type { SurveyResults } from '../survey/survey-results.ts'
import type { WorkerTeam } from '../threads/workers.ts'

/** G2 scattering more than this about its mean is taken out of the bins before the bandpass is solved again, radians. */
const DRIFT_RAD = (0.5 * Math.PI) / 180

export interface SolveInput {
  job: Job
  team: WorkerTeam
  model: ObservationModel
  survey: SurveyResults
  bins: Int32Array
  params: CalibrationParams
  /** Reference antennas, best first. */
  order: readonly number[]
  /** (baselines) 1 for those inside the uv range. */
  inRange: Uint8Array
}

export interface SolvedSet {
  bandpass: Bandpass
  fits: BandpassFits
  gains: Gains
  geometry: SolveGeometry
  bandpassCube: SumCube
  gainCube: SumCube
  reference: number
  /** Bandpass channels clipped as outliers and filled by interpolation, all antennas. */
  clipped: number
  filled: number
  /** Baselines flagged because the solutions do not describe them. */
  outliers: number
  rounds: number
}

/**
 * Solves bandpass and gains on the calibrator. The bandpass first takes the gains as steady over the observation; when
 * the gains then drift by more than half a degree, or baselines turn out to be outliers, all is solved once more with the
 * drift taken out and the outliers left out.
 */
export async function solveSet(input: SolveInput): Promise<SolvedSet> {
  const first = await solveRound(input, undefined)
  const outliers = flagOutliers(input, first)
  const { spreadRad } = phaseSteps(first.gains)
  if (outliers === 0 && !(spreadRad > DRIFT_RAD)) return { ...first, outliers, rounds: 1 }
  const turns = spreadRad > DRIFT_RAD ? shareFloat64(first.gains.phase) : undefined
  return { ...(await solveRound(input, turns, first)), outliers, rounds: 2 }
}

type Round = Omit<SolvedSet, 'outliers' | 'rounds'> & { raw: Bandpass }

async function solveRound(
  { job, team, model, survey, bins, params, order, inRange }: SolveInput,
  turns: Float64Array | undefined,
  reuse?: Round,
): Promise<Round> {
  const { index, polarizations, perSubband, layout } = job
  const all = (1 << polarizations) - 1
  const geometry: SolveGeometry = {
    antennas: index.antennas.length,
    antenna1: index.antenna1,
    antenna2: index.antenna2,
    polarizations,
    excluded: Uint8Array.from(job.baselineFlags, (bits, b) => (inRange[b] === 1 ? bits : all)),
  }
  const bandpassCube =
    reuse === undefined
      ? sharedCube(index.baselines, { cells: layout.channels * polarizations, part: perSubband * polarizations })
      : emptied(reuse.bandpassCube)
  await team.run({ kind: 'bandpass-sums', model, bins, inRange, noise: survey.noise, turns, cube: bandpassCube })
  const options = {
    reference: order[0],
    minBaselines: params.minBaselines,
    minAntennas: params.minAntennas,
    maxIterations: params.maxIterations,
    tolerance: params.tolerance,
    acceptTolerance: params.acceptTolerance,
    absoluteWeights: !survey.noiseless && params.weights === 'measured',
  }
  const bandpass = shared(createBandpass(geometry.antennas, layout.channels, polarizations))
  const fits = sharedFits(createBandpassFits(layout.channels * polarizations))
  await team.run({
    kind: 'bandpass-solve',
    cube: bandpassCube,
    geometry,
    options,
    minSnr: params.minSnrBandpass,
    out: bandpass,
    fits,
  })
  let reference = order[0]
  for (let p = 0; p < polarizations; p++) {
    const axis = {
      antennas: geometry.antennas,
      cells: layout.channels,
      at: (a: number, c: number) => (a * layout.channels + c) * polarizations + p,
      value: bandpass.value,
      flags: bandpass.flags,
    }
    reference = referencePhases(axis, order).reference
  }
  const clipped = clipOutlierChannels(bandpass, perSubband)
  const raw: Bandpass = { ...bandpass, value: bandpass.value.slice() }
  normalizeBandpass(bandpass)
  const filled = fillGaps(bandpass, params.fillGapChannels, (c) => survey.bandPresent[Math.floor(c / perSubband)] === 0)
  const binCount = bins.length - 1
  const gainCube =
    reuse === undefined ? sharedGainCube(index.baselines, binCount * polarizations) : emptied(reuse.gainCube)
  await team.run({ kind: 'gain-sums', model, bins, inRange, noise: survey.noise, bandpass, cube: gainCube })
  const gains = solveGains({ cube: gainCube, geometry, bins: binCount, options, order, minSnr: params.minSnrGain })
  return { bandpass, fits, gains, geometry, bandpassCube, gainCube, reference, clipped, filled, raw }
}

/** Flags baselines and antennas that the solutions do not describe, for good. Returns how many (baseline, polarisation). */
function flagOutliers(
  { job, survey }: SolveInput,
  { bandpassCube, raw, fits, gainCube, gains, geometry }: Round,
): number {
  const bad = outlierBaselinesOf(bandpassCube, raw, { geometry, reducedChi2: reducedChi2(fits) })
  const antennas = outlierAntennas(gainCube, gains, geometry)
  let count = 0
  for (let b = 0; b < bad.length; b++) {
    const bits = bad[b] | antennas[job.index.antenna1[b]] | antennas[job.index.antenna2[b]]
    for (let p = 0; p < job.polarizations; p++) if ((bits & ~job.baselineFlags[b] & (1 << p)) !== 0) count++
    job.baselineFlags[b] |= bits
  }
  const perBaseline = (survey.counts.samples / (job.index.baselines * job.polarizations)) | 0
  survey.counts.baseline += count * perBaseline
  return count
}

/** Chi-square per degree of freedom of all bandpass solves together. */
export function reducedChi2({ chi2, degreesOfFreedom }: BandpassFits): number {
  const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0)
  return sum(chi2) / sum(degreesOfFreedom)
}

function sharedCube(baselines: number, { cells, part }: { cells: number; part: number }): SumCube {
  const size = baselines * cells
  return {
    baselines,
    cells,
    part,
    a: sharedFloat32(2 * size),
    w: sharedFloat32(size),
    q: sharedFloat32(size),
    n: sharedUint16(size),
  }
}

function sharedGainCube(baselines: number, cells: number): SumCube {
  const size = baselines * cells
  return {
    baselines,
    cells,
    part: cells,
    a: sharedFloat64(2 * size),
    w: sharedFloat64(size),
    q: sharedFloat64(size),
    n: sharedFloat64(size),
  }
}

function emptied(cube: SumCube): SumCube {
  for (const values of [cube.a, cube.w, cube.q, cube.n]) values.fill(0)
  return cube
}

function shared(bandpass: Bandpass): Bandpass {
  const flags = sharedUint8(bandpass.flags.length)
  flags.set(bandpass.flags)
  return {
    ...bandpass,
    value: shareFloat64(bandpass.value),
    sigma: shareFloat64(bandpass.sigma),
    snr: shareFloat64(bandpass.snr),
    flags,
  }
}

function sharedFits(fits: BandpassFits): BandpassFits {
  return {
    chi2: shareFloat64(fits.chi2),
    degreesOfFreedom: shareFloat64(fits.degreesOfFreedom),
    iterations: shareFloat64(fits.iterations),
    converged: sharedUint8(fits.converged.length),
  }
}
