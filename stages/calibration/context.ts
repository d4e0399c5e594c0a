import type { MeasurementSet } from '#runtime/formats/measurement-set/read.ts'
import { isoUtc } from '#runtime/sky/time.ts'
import { DAY_S } from '#runtime/sky/constants.ts'
import type { StageOutcome, StageRun } from '#runtime/stage/contract.ts'
import type { calibration } from './contract.ts'
import type { Job } from './job.ts'
import { baselineLengths, channelsToAverage } from './observation.ts'
import { flaggedFraction } from './solutions/set-statistics.ts'
import type { SetHeader } from './solutions/solution-set.ts'
import { reasons } from './summary.ts'
import type { SurveyResults } from './survey/survey-results.ts'
import type { WorkerTeam } from './threads/workers.ts'

export type Stage = StageRun<typeof calibration>
export type Outcome = StageOutcome<typeof calibration>
export type Metrics = Outcome['metrics']

/** An observation after its survey, as the ways to calibrate it share it. */
export interface Observation {
  stage: Stage
  set: MeasurementSet
  job: Job
  team: WorkerTeam
  survey: SurveyResults
}

const SECONDS_PER_HOUR = 3600

/** Names of the antennas with data, in the order of the index. */
export function antennaNames({ set, job }: Pick<Observation, 'set' | 'job'>): string[] {
  return Array.from(job.index.antennas, (row) => set.metadata.antennas[row].name)
}

/** (baselines) 1 inside the uv range of the solves. */
export function longBaselines({ stage, set, job }: Pick<Observation, 'stage' | 'set' | 'job'>): Uint8Array {
  const { uvMinLambda, uvMaxLambda } = stage.params
  return Uint8Array.from(baselineLengths(job.index, set.rows.uvwM, middle(job.freqHz)), (length) =>
    length >= uvMinLambda && length <= (uvMaxLambda ?? Infinity) ? 1 : 0,
  )
}

/** Channels averaged into one. */
export function averageOf({ set, job, stage }: Pick<Observation, 'set' | 'job' | 'stage'>): number {
  return channelsToAverage(job.perSubband, set.metadata.channelWidthHz, stage.params.averageToHz)
}

/** Centre of a band, Hz. */
export function middle(freqHz: Float64Array): number {
  return 0.5 * (freqHz[0] + freqHz[freqHz.length - 1])
}

/** Middle of the observation, MJD seconds UTC. */
export function middleTime({ index }: Job): number {
  return 0.5 * (index.timeMjdS[0] + index.timeMjdS[index.integrations - 1])
}

/** Mean time of the unflagged data of each bin. */
export function binTimes({ job, survey }: Pick<Observation, 'job' | 'survey'>, bins: Int32Array): number[] {
  const { channels } = job.layout
  return Array.from({ length: bins.length - 1 }, (_, bin) => {
    let sum = 0
    let weight = 0
    for (let t = bins[bin]; t < bins[bin + 1]; t++) {
      let good = 1e-9
      for (let c = 0; c < channels; c++) good += 1 - survey.cellFraction[t * channels + c]
      sum += good * (job.index.timeMjdS[t] - job.index.timeMjdS[0])
      weight += good
    }
    return job.index.timeMjdS[0] + sum / weight
  })
}

/** Identity of the correlator's delays and fringe-stopping table, where conversion recorded it. */
export function correlatorSetup({ metadata }: MeasurementSet): { delays?: string; fringeTable?: string } {
  const { DELAYS: delays, FSTABLE: fringeTable } = metadata.extra
  return {
    ...(typeof delays === 'string' ? { delays } : {}),
    ...(typeof fringeTable === 'string' ? { fringeTable } : {}),
  }
}

/** Keywords by which every product tells what calibrated it. */
export function setKeywords(
  header: SetHeader,
  { ageHours, deltaDecDeg, grade }: { ageHours: number; deltaDecDeg: number; grade: string },
): Record<string, string | number> {
  return {
    CALDATE: isoUtc(header.midTimeMjdS / DAY_S),
    CALTBL: header.id,
    CALNAME: header.calibrator,
    CALGRADE: grade,
    CALAGEH: Math.round(ageHours * SECONDS_PER_HOUR) / SECONDS_PER_HOUR,
    CALDDEC: deltaDecDeg,
    FLUXANCH: header.fluxAnchor,
    CALINTRP: ageHours === 0 ? 'linear' : 'nearest',
  }
}

/** Metrics of the flags and of what is present. */
export function flagMetrics({ job, survey }: Pick<Observation, 'job' | 'survey'>): Metrics {
  const parts = reasons(survey.counts)
  return {
    flaggedFraction: flaggedFraction(survey.counts),
    flaggedMissing: parts['missing'] ?? 0,
    flaggedDead: parts['dead'] ?? 0,
    flaggedClip: parts['clip'] ?? 0,
    flaggedChannel: parts['channel'] ?? 0,
    flaggedBaseline: parts['baseline'] ?? 0,
    flaggedKnown: parts['known'] ?? 0,
    antennasPresent: job.index.antennas.length,
    subbandsPresent: survey.bandPresent.reduce((n, present) => n + present, 0),
  }
}

/** The metric, unless it could not be measured. */
export function finite<K extends string>(name: K, value: number): Partial<Record<K, number>> {
  return Number.isFinite(value) ? ({ [name]: value } as Record<K, number>) : {}
}
