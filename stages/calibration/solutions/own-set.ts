import { fluxAt, type RankedCalibrator } from '#runtime/sky/calibrators.ts'
import { DEGREE_RAD } from '#runtime/sky/constants.ts'
import { foldVerdict, type Check, type Verdict } from '#runtime/stage/quality.ts'
import { noCatalogueCheck, sefdCheck } from '../checks.ts'
import { fluxAnchorOf } from '../model/choose-calibrator.ts'
import {
  antennaNames,
  averageOf,
  binTimes,
  correlatorSetup,
  finite,
  flagMetrics,
  middle,
  middleTime,
  type Metrics,
  type Observation,
} from '../context.ts'
import { calibration } from '../contract.ts'
import { gradeSet } from './grade.ts'
import { solutionSetId } from './set-id.ts'
import { measuredSefd, setNumbers, type SefdNumbers, type SetNumbers } from './set-statistics.ts'
import type { SkyModel } from '../model/sky-model.ts'
import type { SetHeader } from './solution-set.ts'
import type { SolvedSet } from '../solve/solve-set.ts'
import { reasons, summarize } from '../summary.ts'

export interface OwnSet {
  header: SetHeader
  grade: Verdict
  checks: Check[]
  metrics: Metrics
  summary: object
  sefd: SefdNumbers
}

export interface SolvedOn {
  calibrator: RankedCalibrator
  sky: SkyModel
  solved: SolvedSet
  bins: Int32Array
}

/** Grades a solved set and describes it: the header of its file, the metrics, the data of its plots. */
export function describeSet(context: Observation, { calibrator, sky, solved, bins }: SolvedOn): OwnSet {
  const { stage, set, job, survey } = context
  const { params, inputs } = stage
  const numbers = setNumbers(job, solved, survey)
  const sefd = measuredSefd(job, solved, {
    noise: survey.noise,
    channelWidthHz: set.metadata.channelWidthHz,
    integrationS: set.rows.intervalS[0],
  })
  const checks: Check[] = gradeSet({
    ...numbers,
    calibrator: calibrator.source.name,
    fluxAnchor: fluxAnchorOf(calibrator),
    meanBeam: calibrator.meanBeam,
    apparentFluxJy: calibrator.apparentFluxJy,
    rule: calibrator.rule,
    noiseless: survey.noiseless,
  })
  if (inputs.catalogue === undefined) checks.push(noCatalogueCheck())
  if (!survey.noiseless && params.weights === 'measured') checks.push(sefdCheck(sefd.median, params.sefdJy))
  const grade = foldVerdict(checks)
  const metrics: Metrics = {
    ...flagMetrics(context),
    ...calibratorMetrics(job.freqHz, calibrator, sky),
    ...solutionMetrics(numbers),
    uncalibrated: 0,
    ownSolutions: 1,
    solutionAgeHours: 0,
    ...(survey.noiseless ? {} : { sefdMedianJy: sefd.median, sefdP16Jy: sefd.p16, sefdP84Jy: sefd.p84 }),
  }
  const header = setHeader(context, { calibrator, sky, solved, bins, grade })
  const summary = summarize({
    job,
    header,
    grade,
    checks,
    solved,
    survey,
    sefdJy: sefd.sefdJy,
    residualPhases: numbers.residuals.phases,
    metrics: metrics,
    average: averageOf(context),
  })
  return { header, grade, checks, metrics, summary, sefd }
}

function setHeader(
  context: Observation,
  { calibrator, sky, solved, bins, grade }: SolvedOn & { grade: Verdict },
): SetHeader {
  const { stage, set, job, survey } = context
  const { params, inputs } = stage
  const names = antennaNames(context)
  const { source } = calibrator
  return {
    id: solutionSetId({
      contractVersion: calibration.version,
      measurementSet: inputs.measurementSet.sha256 ?? stage.key,
      catalogue: inputs.catalogue?.sha256,
      calibrator: source.name,
      params,
    }),
    observation: stage.observation,
    calibrator: source.name,
    calibratorRaDeg: source.direction.raRad / DEGREE_RAD,
    calibratorDecDeg: source.direction.decRad / DEGREE_RAD,
    meanBeam: calibrator.meanBeam,
    apparentFluxJy: calibrator.apparentFluxJy,
    fluxAnchor: fluxAnchorOf(calibrator),
    midTimeMjdS: middleTime(job),
    decOfDateDeg: set.metadata.beam.decOfDateRad / DEGREE_RAD,
    antennas: names,
    referenceAntenna: names[solved.reference],
    polarizations: [...set.metadata.stokes],
    freqFirstHz: job.freqHz[0],
    freqStepHz: job.freqHz.length > 1 ? job.freqHz[1] - job.freqHz[0] : set.metadata.channelWidthHz,
    channels: job.freqHz.length,
    binTimesMjdS: binTimes(context, bins),
    grade,
    ...correlatorSetup(set),
    provenance: {
      contractVersion: calibration.version,
      measurementSet: inputs.measurementSet.sha256 ?? null,
      catalogue: inputs.catalogue?.sha256 ?? null,
      flux: source.flux,
      modelSources: sky.others.length,
      modelSourcesFluxJy: apparentSum(sky),
      flags: reasons(survey.counts),
      solver: params,
      clippedChannels: solved.clipped,
      filledChannels: solved.filled,
      outlierBaselines: solved.outliers,
      rounds: solved.rounds,
    },
  }
}

function calibratorMetrics(freqHz: Float64Array, calibrator: RankedCalibrator, sky: SkyModel): Metrics {
  return {
    calibratorFluxJy: fluxAt(calibrator.source.flux, middle(freqHz)),
    calibratorApparentFluxJy: calibrator.apparentFluxJy,
    calibratorMeanBeam: calibrator.meanBeam,
    calibratorOffsetDeg: calibrator.separationRad / DEGREE_RAD,
    modelSources: sky.others.length,
    modelSourcesFluxJy: apparentSum(sky),
  }
}

function apparentSum({ others }: SkyModel): number {
  return others.reduce((sum, { apparentFluxJy }) => sum + apparentFluxJy, 0)
}

function solutionMetrics(numbers: SetNumbers): Metrics {
  return {
    antennasSolved: numbers.antennas,
    ...finite('bandpassSnr', numbers.bandpassSnr),
    ...finite('gainSnr', numbers.gainSnr),
    bandpassFlagged: numbers.bandpassFlagged,
    gainFlagged: numbers.gainFlagged,
    iterationsMedian: numbers.iterationsMedian,
    iterationsMax: numbers.iterationsMax,
    notConverged: numbers.notConverged,
    ...finite('phaseRmsDeg', numbers.phaseRms),
    ...finite('phaseStepDeg', numbers.phaseStep),
    ...finite('chi2Reduced', numbers.chi2),
    ...finite('closureRatio', numbers.closure),
    ...finite('calibratorRecovered', numbers.residuals.recovered),
    ...finite('xyRatio', numbers.xyRatio),
  }
}
