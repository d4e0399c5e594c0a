import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openCatalogue } from '#runtime/formats/catalogue/strips.ts'
import { openMeasurementSet, type MeasurementSet } from '#runtime/formats/measurement-set/read.ts'
import { readSolutions, writeSolutions } from '#runtime/formats/solutions.ts'
import type { RankedCalibrator } from '#runtime/sky/calibrators.ts'
import { fluxAt } from '#runtime/sky/calibrators.ts'
import { DEGREE_RAD } from '#runtime/sky/constants.ts'
import { isoUtc } from '#runtime/sky/time.ts'
import type { Run, StageInput, StageOutcome, StageRun } from '#runtime/stage/contract.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { foldVerdict, quality, type Check } from '#runtime/stage/quality.ts'
import { layOutGains, unitGains } from './applied-gains.ts'
import { chooseCalibrator, fluxAnchorOf } from './choose-calibrator.ts'
import { calibration } from './contract.ts'
import { gradeSet, gradeValue, setLimits } from './grade.ts'
import type { Job } from './job.ts'
import { createModel, type ObservationModel } from './model.ts'
import { baselineLengths, channelsToAverage, timeBins } from './observation.ts'
import { prepareJob, markDirtyCells } from './prepare.ts'
import { referenceOrder } from './reference-antenna.ts'
import { solutionSetId } from './set-id.ts'
import { flaggedFraction, measuredSefd, setNumbers, solvedAntennas } from './set-statistics.ts'
import { beamCentre, buildSkyModel, MODEL_RADIUS_RAD, type SkyModel } from './sky-model.ts'
import { fromFile, judgeSet, toFile, worse, type SetHeader } from './solution-set.ts'
import { solveSet } from './solve-set.ts'
import { reasons, summarize } from './summary.ts'
import { concludeSurvey, createSurveyPass, type SurveyResults } from './survey-results.ts'
import { startWorkers, type WorkerTeam } from './workers.ts'
import { writeCalibrated } from './write-calibrated.ts'

type Stage = StageRun<typeof calibration>
type Outcome = StageOutcome<typeof calibration>
type Metrics = Outcome['metrics']

const DAY_S = 86400
const SECONDS_PER_HOUR = 3600

/** Flags, solves or takes over a solution set, applies it and averages. See `calibration` for what goes in and out. */
export const run: Run<typeof calibration> = async (stage) => {
  const { params, inputs, resources } = stage
  const set = await stage.phase('open', () => openMeasurementSet(inputs.measurementSet.path))
  checkPolarizations(set)
  const job = prepareJob(set, params)
  checkPlan(job, stage)
  const own = params.mode === 'auto' && inputs.solutions === undefined
  const calibrator = own ? chooseCalibrator(set.metadata.beam, job.freqHz, params.calibrator) : undefined
  const sky = calibrator === undefined ? undefined : await stage.phase('model', () => skyModel(stage, set, calibrator))
  const model = sky === undefined ? undefined : observationModel(set, sky, params.modelIntegrations)
  const workers = Math.max(1, Math.floor(resources.cpu))
  await using team = startWorkers(job, workers, { signal: stage.signal, progress: (progress) => stage.progress(progress) })
  const survey = await stage.phase('flag', () => surveyObservation({ stage, set, job, team, model }))
  const context: Observation = { stage, set, job, team, survey }
  if (calibrator !== undefined && sky !== undefined && model !== undefined) return await solveOwn(context, { calibrator, sky, model })
  if (params.mode === 'none' || inputs.solutions === undefined) return await averageOnly(context)
  return await applyOther(context, inputs.solutions)
}

interface Observation {
  stage: Stage
  set: MeasurementSet
  job: Job
  team: WorkerTeam
  survey: SurveyResults
}

/** Solves on the observation's own calibrator; a bad set is written and not applied. */
async function solveOwn(
  context: Observation,
  { calibrator, sky, model }: { calibrator: RankedCalibrator; sky: SkyModel; model: ObservationModel },
): Promise<Outcome> {
  const { stage, set, job, team, survey } = context
  const { params, inputs, outputDir } = stage
  const names = antennaNames(context)
  const order = referenceOrder({ names, flagged: survey.antennaFlagged, dead: survey.dead, wanted: params.referenceAntennas })
  const bins = timeBins(job.index.integrations, params.binIntegrations)
  const solved = await stage.phase('solve', () =>
    solveSet({ job, team, model, survey, bins, params, order, inRange: longBaselines(context) }),
  )
  if (solved.rounds > 1) stage.log.info('solved twice', { outliers: solved.outliers })
  const numbers = setNumbers(job, solved, survey)
  const integrationS = set.rows.intervalS[0]
  const sefd = measuredSefd(job, solved, { noise: survey.noise, channelWidthHz: set.metadata.channelWidthHz, integrationS })
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
    uncalibrated: 0,
    ownSolutions: 1,
    antennasSolved: numbers.antennas,
    calibratorFluxJy: fluxAt(calibrator.source.flux, middle(job.freqHz)),
    calibratorApparentFluxJy: calibrator.apparentFluxJy,
    calibratorMeanBeam: calibrator.meanBeam,
    calibratorOffsetDeg: calibrator.separationRad / DEGREE_RAD,
    modelSources: sky.others.length,
    modelSourcesFluxJy: sky.others.reduce((sum, { apparentFluxJy }) => sum + apparentFluxJy, 0),
    bandpassSnr: numbers.bandpassSnr,
    gainSnr: numbers.gainSnr,
    bandpassFlagged: numbers.bandpassFlagged,
    gainFlagged: numbers.gainFlagged,
    iterationsMedian: numbers.iterationsMedian,
    iterationsMax: numbers.iterationsMax,
    notConverged: numbers.notConverged,
    phaseRmsDeg: numbers.phaseRms,
    ...finite('phaseStepDeg', numbers.phaseStep),
    chi2Reduced: numbers.chi2,
    ...finite('closureRatio', numbers.closure),
    calibratorRecovered: numbers.residuals.recovered,
    xyRatio: numbers.xyRatio,
    solutionAgeHours: 0,
    ...(survey.noiseless ? {} : { sefdMedianJy: sefd.median, sefdP16Jy: sefd.p16, sefdP84Jy: sefd.p84 }),
  }
  const header: SetHeader = {
    id: solutionSetId({
      contractVersion: calibration.version,
      measurementSet: inputs.measurementSet.sha256 ?? stage.key,
      catalogue: inputs.catalogue?.sha256,
      calibrator: calibrator.source.name,
      params,
    }),
    observation: stage.observation,
    calibrator: calibrator.source.name,
    calibratorRaDeg: calibrator.source.direction.raRad / DEGREE_RAD,
    calibratorDecDeg: calibrator.source.direction.decRad / DEGREE_RAD,
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
      flux: calibrator.source.flux,
      modelSources: sky.others.length,
      modelSourcesFluxJy: metrics.modelSourcesFluxJy,
      flags: reasons(survey.counts),
      solver: params,
      clippedChannels: solved.clipped,
      filledChannels: solved.filled,
      outlierBaselines: solved.outliers,
      rounds: solved.rounds,
    },
  }
  await stage.phase('write-solutions', async () => {
    const directory = join(outputDir, calibration.outputs.solutions.path)
    await mkdir(directory, { recursive: true })
    await writeSolutions(join(directory, 'set.ctgs'), toFile({ header, bandpass: solved.bandpass, gains: solved.gains }))
    const summary = summarize({
      job,
      header,
      grade,
      checks,
      solved,
      survey,
      sefdJy: sefd.sefdJy,
      residualPhases: numbers.residuals.phases,
      metrics: metrics as Record<string, number>,
      average: averageOf(context),
    })
    await writeFile(join(directory, 'summary.json'), `${JSON.stringify(summary)}\n`)
  })
  if (survey.noiseless) stage.warn('the data hold no noise: equal weights were used')
  const setCheck = gradeCheck(header.id, grade)
  if (grade === 'bad') return { outputs: ['solutions'], metrics, quality: quality([...checks, setCheck]) }
  const antennaOf = names.map((_, a) => a)
  const gains = layOutGains(solved.bandpass, solved.gains, {
    binTimesMjdS: header.binTimesMjdS,
    timeMjdS: job.index.timeMjdS,
    antennaOf,
    withPhases: true,
  })
  const written = await writeOutput(context, {
    gains,
    sky,
    extra: { ...setKeywords(header, { ageHours: 0, deltaDecDeg: 0, grade }), UNCALIBR: 0, ...(survey.noiseless ? {} : { SEFD: sefd.median }) },
    history: [`solved on ${header.calibrator}: solution set ${header.id}, grade ${grade}`],
  })
  return {
    outputs: ['solutions', 'calibrated'],
    metrics: { ...metrics, ...written },
    quality: quality([...checks, setCheck, ...jumpChecks(gains.jumps)]),
  }
}

/** Applies a set that another observation solved: bandpass and gain, not its short phases. */
async function applyOther(context: Observation, input: StageInput): Promise<Outcome> {
  const { stage, set, job, survey } = context
  const { header, bandpass, gains } = await stage.phase('read-solutions', async () => {
    const path = join(input.path, 'set.ctgs')
    const file = await readSolutions(path)
    try {
      return fromFile(file)
    } catch (cause) {
      throw new StageError('DATA_UNUSABLE', `the solution set ${path} does not hold what its version promises`, { cause })
    }
  })
  const names = antennaNames(context)
  const verdict = judgeSet(
    header,
    {
      midTimeMjdS: middleTime(job),
      decOfDateRad: set.metadata.beam.decOfDateRad,
      freqHz: job.freqHz,
      polarizations: set.metadata.stokes,
      antennas: names,
      ...correlatorSetup(set),
    },
    stage.params.applyWindowHours,
  )
  if (verdict.refused.length > 0) {
    throw new StageError('NO_CALIBRATOR', `solution set ${header.id} of ${header.observation} (${header.calibrator}) is refused: ${verdict.refused.join('; ')}`, {
      hint: 'give an observation of a calibrator nearer in time and declination, or use --uncalibrated',
    })
  }
  const sefd = measuredSefd(job, reordered(), { noise: survey.noise, channelWidthHz: set.metadata.channelWidthHz, integrationS: set.rows.intervalS[0] })
  const grade = verdict.doubts.length > 0 ? worse(header.grade, 'uncertain') : header.grade
  const laidOut = layOutGains(bandpass, gains, {
    binTimesMjdS: header.binTimesMjdS,
    timeMjdS: job.index.timeMjdS,
    antennaOf: names.map((name) => header.antennas.indexOf(name)),
    withPhases: false,
  })
  const covered = names.filter((name) => header.antennas.includes(name)).length
  const written = await writeOutput(context, {
    gains: laidOut,
    sky: undefined,
    extra: {
      ...setKeywords(header, { ageHours: verdict.ageHours, deltaDecDeg: verdict.deltaDecDeg, grade }),
      UNCALIBR: 0,
      ...(Number.isFinite(sefd.median) && !survey.noiseless ? { SEFD: sefd.median } : {}),
    },
    history: [`applied solution set ${header.id} of ${header.observation} on ${header.calibrator}, grade ${grade}`],
  })
  const checks: Check[] = [
    {
      name: 'solutionSet',
      verdict: grade,
      gating: true,
      blocking: false,
      value: verdict.ageHours,
      unit: 'h',
      message: `set ${header.id} of ${header.observation} on ${header.calibrator}${verdict.doubts.length > 0 ? `: ${verdict.doubts.join('; ')}` : ''}`,
    },
    dataFlaggedCheck(survey),
    coverageCheck(covered, names.length),
  ]
  return {
    outputs: ['calibrated'],
    metrics: {
      ...flagMetrics(context),
      ...written,
      uncalibrated: 0,
      ownSolutions: 0,
      antennasSolved: Math.min(covered, solvedAntennas(bandpass, gains)),
      solutionAgeHours: verdict.ageHours,
      ...(survey.noiseless ? {} : { ...finite('sefdMedianJy', sefd.median), ...finite('sefdP16Jy', sefd.p16), ...finite('sefdP84Jy', sefd.p84) }),
    },
    quality: quality(checks),
  }

  /** The set's gains in the antenna order of the data, for the SEFD; antennas it lacks are flagged. */
  function reordered(): { bandpass: typeof bandpass; gains: typeof gains } {
    const pick = <T extends Float64Array | Uint8Array>(values: T, perAntenna: number): T => {
      const out = new (values.constructor as new (length: number) => T)(names.length * perAntenna).fill(values instanceof Uint8Array ? 1 : Number.NaN) as T
      names.forEach((name, a) => {
        const from = header.antennas.indexOf(name) * perAntenna
        if (from >= 0) out.set(values.subarray(from, from + perAntenna), a * perAntenna)
      })
      return out
    }
    const { channels, polarizations } = bandpass
    return {
      bandpass: { ...bandpass, antennas: names.length, value: pick(bandpass.value, 2 * channels * polarizations), flags: pick(bandpass.flags, channels * polarizations) },
      gains: { ...gains, antennas: names.length, value: pick(gains.value, 2 * polarizations), flags: pick(gains.flags, polarizations) },
    }
  }
}

/** Flags and averages without any calibration; everything made from it is labelled. */
async function averageOnly(context: Observation): Promise<Outcome> {
  const { job, survey } = context
  const gains = unitGains({
    antennas: job.index.antennas.length,
    channels: job.layout.channels,
    integrations: job.index.integrations,
    polarizations: job.polarizations,
  })
  const written = await writeOutput(context, {
    gains,
    sky: undefined,
    extra: { UNCALIBR: 1, CALNAME: '', CALTBL: '', CALDATE: '', CALGRADE: 'not run', FLUXANCH: 'none', CALINTRP: 'none' },
    history: ['averaged without calibration'],
  })
  const checks: Check[] = [
    { name: 'calibration', verdict: 'uncertain', gating: true, blocking: false, message: 'not calibrated, as asked: fluxes are in raw units unless the data were simulated without gains' },
    dataFlaggedCheck(survey),
  ]
  return {
    outputs: ['calibrated'],
    metrics: { ...flagMetrics(context), ...written, uncalibrated: 1, ownSolutions: 0 },
    quality: quality(checks),
  }
}

interface Output {
  gains: Parameters<typeof writeCalibrated>[0]['gains']
  sky: SkyModel | undefined
  extra: Record<string, string | number>
  history: readonly string[]
}

async function writeOutput(context: Observation, { gains, sky, extra, history }: Output): Promise<Metrics> {
  const { stage, set, job, team, survey } = context
  const directory = join(stage.outputDir, calibration.outputs.calibrated.path)
  const average = averageOf(context)
  const { flagged } = await stage.phase('apply', () =>
    writeCalibrated({
      job,
      team,
      set,
      directory,
      gains,
      noise: survey.noise,
      average,
      extra: { ...extra, CHANAVG: average, FLAGFRAC: flaggedFraction(survey.counts) },
      history: [...history, `flagged ${(100 * flaggedFraction(survey.counts)).toFixed(2)} %, averaged ${average} channels`],
    }),
  )
  if (flagged === 1) throw new StageError('DATA_UNUSABLE', 'every sample of the observation is flagged', { hint: 'see the flag counts in stage.log' })
  const sources = sky === undefined ? [] : [{ ...sky.calibrator, calibrator: true }, ...sky.others.map((source) => ({ ...source, calibrator: false }))]
  const skyFile = { apiVersion: 'contimg/v1', calibrator: sky?.calibrator.name ?? null, sources: sources.toSorted((a, b) => b.apparentFluxJy - a.apparentFluxJy) }
  await writeFile(join(directory, 'sky-model.json'), `${JSON.stringify(skyFile, undefined, 1)}\n`)
  return { channelsAveraged: average, outputFlagged: flagged }
}

async function surveyObservation({ stage, set, job, team, model }: Omit<Observation, 'survey'> & { model: ObservationModel | undefined }): Promise<SurveyResults> {
  const { params } = stage
  const pass = createSurveyPass(job, { model, workers: team.count })
  await team.run(pass)
  const all = (1 << job.polarizations) - 1
  const names = antennaNames({ set, job })
  const unknown = params.badAntennas.filter((name) => !set.metadata.antennas.some((antenna) => antenna.name === name))
  if (unknown.length > 0) throw new StageError('PARAMS_INVALID', `calibration.badAntennas names antennas that do not exist: ${unknown.join(', ')}`)
  const survey = concludeSurvey(job, pass, {
    knownBad: Uint8Array.from(names, (name) => (params.badAntennas.includes(name) ? all : 0)),
    long: longBaselines({ stage, set, job }),
    weights: params.weights,
    minBaselines: params.minBaselines,
  })
  markDirtyCells(job)
  stage.log.info('flagged', { ...reasons(survey.counts), badChannels: survey.badChannels, badIntegrations: survey.badIntegrations })
  if (!survey.bandPresent.includes(1)) throw new StageError('DATA_UNUSABLE', 'the measurement set holds no unflagged visibility', { hint: 'look at the raw data; nothing was written' })
  return survey
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
    const entries = catalogue.cone(beamCentre(metadata.beam), MODEL_RADIUS_RAD)
    const spectralIndex = catalogue.info.spectralIndex ?? params.spectralIndex
    return buildSkyModel({ ...input, spectralIndex, catalogue: entries, catalogueFreqHz: catalogue.info.freqHz })
  } finally {
    catalogue.close()
  }
}

function observationModel({ metadata }: MeasurementSet, { calibrator, others }: SkyModel, step: number): ObservationModel {
  return createModel({ calibrator, others, phaseCentre: metadata.phaseCentre, beam: metadata.beam, freqHz: metadata.freqHz, step })
}

/** casacore codes of the correlations of one feed with itself: RR, LL, XX, YY. */
const PARALLEL_HANDS = [5, 8, 9, 12]

function checkPolarizations({ metadata }: MeasurementSet): void {
  if (metadata.stokes.every((code) => PARALLEL_HANDS.includes(code))) return
  throw new StageError('DATA_UNUSABLE', `calibration handles parallel hands only (XX, YY); the measurement set has correlations ${metadata.stokes.join(', ')}`, {
    hint: 'convert the observation with two polarisations',
  })
}

function checkPlan(job: Job, { params, resources }: Stage): void {
  const plan = calibration.plan(params, {
    antennas: job.index.antennas.length,
    baselines: job.index.slots,
    integrations: job.index.integrations,
    subbands: job.subbands,
    channelsPerSubband: job.perSubband,
    polarizations: job.polarizations,
  })
  if (plan.workingBytes <= resources.memoryBytes) return
  throw new StageError('PLAN_TOO_LARGE', `calibration needs ${mebibytes(plan.workingBytes)} MiB of memory, the limit is ${mebibytes(resources.memoryBytes)} MiB`, {
    hint: 'raise execution.stages.calibration.memoryBytes',
  })
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 1048576)
}

function antennaNames({ set, job }: Pick<Observation, 'set' | 'job'>): string[] {
  return Array.from(job.index.antennas, (row) => set.metadata.antennas[row].name)
}

/** (baselines) 1 inside the uv range of the solves. */
function longBaselines({ stage, set, job }: Pick<Observation, 'stage' | 'set' | 'job'>): Uint8Array {
  const { uvMinLambda, uvMaxLambda } = stage.params
  return Uint8Array.from(baselineLengths(job.index, set.rows.uvwM, middle(job.freqHz)), (length) =>
    length >= uvMinLambda && length <= (uvMaxLambda ?? Infinity) ? 1 : 0,
  )
}

function averageOf({ set, job, stage }: Pick<Observation, 'set' | 'job' | 'stage'>): number {
  return channelsToAverage(job.perSubband, set.metadata.channelWidthHz, stage.params.averageToHz)
}

function middle(freqHz: Float64Array): number {
  return 0.5 * (freqHz[0] + freqHz[freqHz.length - 1])
}

function middleTime({ index }: Job): number {
  return 0.5 * (index.timeMjdS[0] + index.timeMjdS[index.integrations - 1])
}

/** Mean time of the unflagged data of each bin. */
function binTimes({ job, survey }: Pick<Observation, 'job' | 'survey'>, bins: Int32Array): number[] {
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

function correlatorSetup({ metadata }: MeasurementSet): { delays?: string; fringeTable?: string } {
  const { DELAYS: delays, FSTABLE: fringeTable } = metadata.extra
  return {
    ...(typeof delays === 'string' ? { delays } : {}),
    ...(typeof fringeTable === 'string' ? { fringeTable } : {}),
  }
}

function setKeywords(header: SetHeader, { ageHours, deltaDecDeg, grade }: { ageHours: number; deltaDecDeg: number; grade: string }): Record<string, string | number> {
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

function flagMetrics({ job, survey }: Pick<Observation, 'job' | 'survey'>): Metrics {
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

function finite<K extends string>(name: K, value: number): Partial<Record<K, number>> {
  return Number.isFinite(value) ? ({ [name]: value } as Record<K, number>) : {}
}

function dataFlaggedCheck({ counts }: SurveyResults): Check {
  const value = flaggedFraction(counts)
  const { good, uncertain, title } = setLimits.dataFlagged
  return {
    name: 'dataFlagged',
    verdict: gradeValue(value, good, uncertain),
    gating: true,
    blocking: false,
    value,
    unit: '1',
    limits: { good: `<= ${good[1]}`, uncertain: `<= ${uncertain[1]}` },
    message: `${title}: ${(100 * value).toFixed(2)} %`,
  }
}

function coverageCheck(covered: number, present: number): Check {
  const { good, uncertain } = setLimits.antennasSolved
  const value = covered / present
  return {
    name: 'antennasSolved',
    verdict: gradeValue(value, good, uncertain),
    gating: true,
    blocking: false,
    value,
    unit: '1',
    limits: { good: `>= ${good[0]}`, uncertain: `>= ${uncertain[0]}` },
    message: `${covered} of ${present} antennas are in the solution set`,
  }
}

/** The set as a whole; a bad one keeps the observation from being imaged. */
function gradeCheck(id: string, grade: Check['verdict']): Check {
  const message = grade === 'bad' ? `solution set ${id} is bad: it is kept and not applied` : `solution set ${id} is ${grade}`
  return { name: 'solutionSet', verdict: grade, gating: true, blocking: grade === 'bad', message }
}

function noCatalogueCheck(): Check {
  return {
    name: 'skyModel',
    verdict: 'not run',
    gating: false,
    blocking: false,
    message: 'no catalogue: other sources in the beam are not in the model, gains are less precise',
  }
}

/** Measured over expected SEFD beyond which something is unlike the telescope. */
const SEFD_RANGE = [0.5, 2] as const

function sefdCheck(measuredJy: number, expectedJy: number): Check {
  const ratio = measuredJy / expectedJy
  const good = ratio >= SEFD_RANGE[0] && ratio <= SEFD_RANGE[1]
  return {
    name: 'sefd',
    verdict: Number.isFinite(ratio) ? (good ? 'good' : 'uncertain') : 'not run',
    gating: false,
    blocking: false,
    ...(Number.isFinite(measuredJy) ? { value: measuredJy, unit: 'Jy' } : {}),
    limits: { good: `${SEFD_RANGE[0]} to ${SEFD_RANGE[1]} of ${expectedJy} Jy` },
    message: `system equivalent flux density ${measuredJy.toFixed(0)} Jy, expected ${expectedJy} Jy`,
  }
}

function jumpChecks(jumps: number): Check[] {
  if (jumps === 0) return []
  return [{ name: 'phaseJumps', verdict: 'uncertain', gating: true, blocking: false, value: jumps, unit: '1', message: `${jumps} phases lie between solutions more than 90 degrees apart: the nearer one was used` }]
}
