import { median, quantile } from '#runtime/numeric/statistics.ts'
import { isFlagged, type Bandpass } from '../solve/bandpass.ts'
import type { Gains } from '../solve/gains.ts'
import type { SetCheckName } from './grade.ts'
import type { Job } from '../job.ts'
import { calibratorResiduals, closureRatio, phaseSteps, type CalibratorResiduals } from '../solve/residuals.ts'
import { reducedChi2, type SolvedSet } from '../solve/solve-set.ts'
import type { FlagCounts, SurveyResults } from '../survey/survey-results.ts'

const RAD_TO_DEG = 180 / Math.PI

export interface SetNumbers extends Record<SetCheckName, number> {
  antennas: number
  antennasPresent: number
  iterationsMedian: number
  iterationsMax: number
  residuals: CalibratorResiduals
}

/** Everything about a solved set that is graded or reported, over antennas and subbands that are present. */
export function setNumbers(job: Job, solved: SolvedSet, survey: SurveyResults): SetNumbers {
  const { bandpass, gains, fits, bandpassCube, gainCube, geometry } = solved
  const { polarizations, perSubband } = job
  const channels = presentChannels(job, survey)
  const solutions = channelStatistics(bandpass, channels)
  const residuals = calibratorResiduals(gainCube, gains, geometry)
  const { rmsRad } = phaseSteps(gains)
  const middles = [...survey.bandPresent.keys()]
    .filter((band) => survey.bandPresent[band] === 1)
    .map((band) => band * perSubband + (perSubband >> 1))
  const cells = middles.flatMap((c) => Array.from({ length: polarizations }, (_, p) => c * polarizations + p))
  const ok = solvedAntennas(bandpass, gains)
  const iterations = fits.iterations.filter((count) => count > 0)
  const solves = [
    ...Array.from(fits.converged).filter((_, k) => fits.iterations[k] > 0),
    ...gains.converged.map(Number),
  ]
  return {
    bandpassFlagged: solutions.flagged,
    gainFlagged: gains.flags.reduce((n, mark) => n + (isFlagged(mark) ? 1 : 0), 0) / gains.flags.length,
    antennasSolved: ok / geometry.antennas,
    antennas: ok,
    antennasPresent: geometry.antennas,
    bandpassSnr: solutions.snr,
    gainSnr: median(Array.from(gains.snr).filter((snr) => snr > 0)),
    bandpassLowest: solutions.lowest,
    bandpassHighest: solutions.highest,
    phaseRms: residuals.phaseRmsRad * RAD_TO_DEG,
    phaseStep: rmsRad * RAD_TO_DEG,
    chi2: reducedChi2(fits),
    closure: closureRatio(bandpassCube, cells, geometry),
    calibratorFlux: Math.abs(residuals.recovered - 1),
    xyRatio: polarizationRatio(gains),
    dataFlagged: flaggedFraction(survey.counts),
    notConverged: solves.length === 0 ? 1 : solves.filter((converged) => converged === 0).length / solves.length,
    subbands: survey.bandPresent.reduce((n, present) => n + present, 0) / job.subbands,
    iterationsMedian: iterations.length === 0 ? 0 : median(iterations),
    iterationsMax: iterations.length === 0 ? 0 : iterations.reduce((a, b) => Math.max(a, b)),
    residuals,
  }
}

export function flaggedFraction({ samples, missing, known, dead, clip, channel, baseline }: FlagCounts): number {
  return samples === 0 ? 1 : (missing + known + dead + clip + channel + baseline) / samples
}

/** Antennas with a gain and some bandpass in every polarisation. */
export function solvedAntennas(bandpass: Bandpass, gains: Gains): number {
  const { antennas, channels, polarizations } = bandpass
  let count = 0
  for (let a = 0; a < antennas; a++) {
    const every = Array.from({ length: polarizations }, (_, p) => {
      if (isFlagged(gains.flags[a * polarizations + p])) return false
      for (let c = 0; c < channels; c++)
        if (!isFlagged(bandpass.flags[(a * channels + c) * polarizations + p])) return true
      return false
    })
    if (every.every(Boolean)) count++
  }
  return count
}

export interface SefdNumbers {
  /** (antennas, polarizations), NaN where unknown. */
  sefdJy: Float64Array
  median: number
  p16: number
  p84: number
}

/** SEFD_i = e_i sqrt(2 dnu tau) / |g_i|^2, per antenna and polarisation: the median over subbands. */
export function measuredSefd(
  job: Job,
  { bandpass, gains }: { bandpass: Bandpass; gains: Gains },
  { noise, channelWidthHz, integrationS }: { noise: Float64Array; channelWidthHz: number; integrationS: number },
): SefdNumbers {
  const { antennas, channels, polarizations, value, flags } = bandpass
  const samples = Math.sqrt(2 * channelWidthHz * integrationS)
  const sefdJy = new Float64Array(antennas * polarizations).fill(Number.NaN)
  for (let a = 0; a < antennas; a++) {
    for (let p = 0; p < polarizations; p++) {
      const k = a * polarizations + p
      if (isFlagged(gains.flags[k])) continue
      const power = gains.value[2 * k] ** 2 + gains.value[2 * k + 1] ** 2
      const values: number[] = []
      for (let band = 0; band < job.subbands; band++) {
        let sum = 0
        let n = 0
        for (let c = band * job.perSubband; c < (band + 1) * job.perSubband; c++) {
          const b = (a * channels + c) * polarizations + p
          if (isFlagged(flags[b])) continue
          sum += value[2 * b] ** 2 + value[2 * b + 1] ** 2
          n++
        }
        if (n > 0) values.push((noise[(band * polarizations + p) * antennas + a] * samples) / (power * (sum / n)))
      }
      sefdJy[k] = median(values)
    }
  }
  return { sefdJy, median: median(sefdJy), p16: quantile(sefdJy, 0.16), p84: quantile(sefdJy, 0.84) }
}

function presentChannels(job: Job, survey: SurveyResults): number[] {
  return Array.from({ length: job.layout.channels }, (_, c) => c).filter(
    (c) => survey.bandPresent[Math.floor(c / job.perSubband)] === 1,
  )
}

function channelStatistics(
  bandpass: Bandpass,
  channels: readonly number[],
): { flagged: number; snr: number; lowest: number; highest: number } {
  const { antennas, polarizations, value, flags, snr } = bandpass
  let flagged = 0
  let lowest = Infinity
  let highest = 0
  const ratios: number[] = []
  for (let a = 0; a < antennas; a++) {
    for (const c of channels) {
      for (let p = 0; p < polarizations; p++) {
        const k = (a * bandpass.channels + c) * polarizations + p
        if (snr[k] > 0) ratios.push(snr[k])
        if (isFlagged(flags[k])) {
          flagged++
          continue
        }
        const amplitude = Math.hypot(value[2 * k], value[2 * k + 1])
        lowest = Math.min(lowest, amplitude)
        highest = Math.max(highest, amplitude)
      }
    }
  }
  const total = antennas * channels.length * polarizations
  return { flagged: total === 0 ? 1 : flagged / total, snr: median(ratios), lowest, highest }
}

/** Median gain amplitude ratio of the first to the last polarisation; 1 with a single one. */
function polarizationRatio({ antennas, polarizations, value, flags }: Gains): number {
  const ratios: number[] = []
  for (let a = 0; a < antennas; a++) {
    const x = a * polarizations
    const y = x + polarizations - 1
    if (isFlagged(flags[x]) || isFlagged(flags[y])) continue
    ratios.push(Math.hypot(value[2 * x], value[2 * x + 1]) / Math.hypot(value[2 * y], value[2 * y + 1]))
  }
  return median(ratios)
}
