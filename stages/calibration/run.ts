import { openCatalogue } from '#runtime/formats/catalogue/strips.ts'
import { openMeasurementSet, type MeasurementSet } from '#runtime/formats/measurement-set/read.ts'
import type { RankedCalibrator } from '#runtime/sky/calibrators.ts'
import type { Run } from '#runtime/stage/contract.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { checkPlan } from '#runtime/stage/plan-check.ts'
import { applyOther } from './apply/apply-other.ts'
import { averageOnly } from './apply/average-only.ts'
import { chooseCalibrator } from './model/choose-calibrator.ts'
import { antennaNames, longBaselines, type Observation, type Stage } from './context.ts'
import { calibration, MAX_WORKERS } from './contract.ts'
import type { Job } from './job.ts'
import { createModel, type ObservationModel } from './model/model.ts'
import { markDirtyCells, prepareJob } from './prepare.ts'
import { beamCentre, buildSkyModel, MODEL_RADIUS_RAD, type SkyModel } from './model/sky-model.ts'
import { solveOwn } from './solutions/solve-own.ts'
import { reasons } from './summary.ts'
import { concludeSurvey, createSurveyPass, type SurveyResults } from './survey/survey-results.ts'
import { startWorkers } from './threads/workers.ts'

/** Flags, solves or takes over a solution set, applies it and averages. See `calibration` for what goes in and out. */
export const run: Run<typeof calibration> = async (stage) => {
  const { params, inputs, resources } = stage
  const set = await stage.phase('open', () => openMeasurementSet(inputs.measurementSet.path))
  checkPolarizations(set)
  checkAntennas(stage, set)
  const job = prepareJob(set, params)
  await checkNeed(job, stage)
  const own = params.mode === 'auto' && inputs.solutions === undefined
  const calibrator = own ? chooseCalibrator(set.metadata.beam, job.freqHz, params.calibrator) : undefined
  const sky = calibrator === undefined ? undefined : await stage.phase('model', () => skyModel(stage, set, calibrator))
  const model = sky === undefined ? undefined : observationModel(set, sky, params.modelIntegrations)
  const workers = Math.max(1, Math.min(MAX_WORKERS, Math.floor(resources.cpu)))
  await using team = startWorkers(job, workers, {
    signal: stage.signal,
    progress: (progress) => stage.progress(progress),
  })
  const survey = await stage.phase('flag', () => surveyObservation({ stage, set, job, team, model }))
  const context: Observation = { stage, set, job, team, survey }
  if (calibrator !== undefined && sky !== undefined && model !== undefined) {
    return await solveOwn(context, { calibrator, sky, model })
  }
  if (params.mode === 'none' || inputs.solutions === undefined) return await averageOnly(context)
  return await applyOther(context, inputs.solutions)
}

async function surveyObservation(
  context: Omit<Observation, 'survey'> & { model: ObservationModel | undefined },
): Promise<SurveyResults> {
  const { stage, job, team, model } = context
  const { params } = stage
  const pass = createSurveyPass(job, { model, workers: team.count })
  await team.run(pass)
  const all = (1 << job.polarizations) - 1
  const survey = concludeSurvey(job, pass, {
    knownBad: Uint8Array.from(antennaNames(context), (name) => (params.badAntennas.includes(name) ? all : 0)),
    long: longBaselines(context),
    weights: params.weights,
    minBaselines: params.minBaselines,
  })
  markDirtyCells(job)
  const { badChannels, badIntegrations } = survey
  stage.log.info('flagged', { ...reasons(survey.counts), badChannels, badIntegrations })
  if (survey.droppedBands.length > 0) {
    const names = survey.droppedBands.map((band) => `${(job.freqHz[band * job.perSubband] / 1e6).toFixed(1)} MHz`)
    stage.warn(`left out subbands with more than 80 % flagged, from ${names.join(', ')}`)
  }
  if (survey.bandPresent.includes(1)) return survey
  throw new StageError('DATA_UNUSABLE', 'the measurement set holds no unflagged visibility', {
    hint: 'look at the raw data; nothing was written',
  })
}

async function skyModel(stage: Stage, { metadata }: MeasurementSet, { source }: RankedCalibrator): Promise<SkyModel> {
  const { params, inputs } = stage
  const input = {
    calibrator: source,
    spectralIndex: params.spectralIndex,
    beam: metadata.beam,
    freqHz: metadata.freqHz,
    fraction: params.modelFraction,
    most: params.modelSources,
  }
  if (inputs.catalogue === undefined) return buildSkyModel({ ...input, catalogue: [], catalogueFreqHz: 1.4e9 })
  const catalogue = await openCatalogue(inputs.catalogue.path)
  try {
    const { info } = catalogue
    return buildSkyModel({
      ...input,
      spectralIndex: info.spectralIndex ?? params.spectralIndex,
      catalogue: catalogue.cone(beamCentre(metadata.beam), MODEL_RADIUS_RAD),
      catalogueFreqHz: info.freqHz,
    })
  } finally {
    catalogue.close()
  }
}

function observationModel(
  { metadata }: MeasurementSet,
  { calibrator, others }: SkyModel,
  step: number,
): ObservationModel {
  const { phaseCentre, beam, freqHz } = metadata
  return createModel({ calibrator, others, phaseCentre, beam, freqHz, step })
}

/** casacore codes of the correlations of one feed with itself: RR, LL, XX, YY. */
const PARALLEL_HANDS = [5, 8, 9, 12]

function checkPolarizations({ metadata }: MeasurementSet): void {
  if (metadata.stokes.every((code) => PARALLEL_HANDS.includes(code))) return
  const found = `calibration handles parallel hands only (XX, YY); the measurement set has correlations ${metadata.stokes.join(', ')}`
  throw new StageError('DATA_UNUSABLE', found, { hint: 'convert the observation with two polarisations' })
}

function checkAntennas({ params }: Stage, { metadata }: MeasurementSet): void {
  for (const name of ['badAntennas', 'referenceAntennas'] as const) {
    const unknown = params[name].filter((wanted) => !metadata.antennas.some((antenna) => antenna.name === wanted))
    if (unknown.length === 0) continue
    throw new StageError(
      'PARAMS_INVALID',
      `calibration.${name} names antennas that do not exist: ${unknown.join(', ')}`,
    )
  }
}

/** Holds what the calibration will need against what it was given. */
async function checkNeed(job: Job, stage: Stage): Promise<void> {
  const plan = calibration.plan(stage.params, {
    antennas: job.index.antennas.length,
    baselines: job.index.slots,
    integrations: job.index.integrations,
    subbands: job.subbands,
    channelsPerSubband: job.perSubband,
    polarizations: job.polarizations,
  })
  await checkPlan('calibration', plan, stage)
}
