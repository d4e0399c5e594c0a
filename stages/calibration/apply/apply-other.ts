import { join } from 'node:path'
import { readSolutions } from '#runtime/formats/solutions.ts'
import type { StageInput } from '#runtime/stage/contract.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { quality, type Check } from '#runtime/stage/quality.ts'
import { layOutGains } from './applied-gains.ts'
import { coverageCheck, dataFlaggedCheck } from '../checks.ts'
import {
  antennaNames,
  correlatorSetup,
  finite,
  flagMetrics,
  middleTime,
  setKeywords,
  type Observation,
  type Outcome,
} from '../context.ts'
import { measuredSefd, solvedAntennas } from '../solutions/set-statistics.ts'
import { fromFile, judgeSet, selectAntennas, worse, type SolutionSet } from '../solutions/solution-set.ts'
import { writeOutput } from './write-output.ts'

/** Applies a set that another observation solved: bandpass and gain, not its short phases. */
export async function applyOther(context: Observation, input: StageInput): Promise<Outcome> {
  const { stage, set, job, survey } = context
  const { metadata, rows } = set
  const solutions = await stage.phase('read-solutions', () => readSet(join(input.path, 'set.ctgs')))
  const { header } = solutions
  const names = antennaNames(context)
  const target = {
    midTimeMjdS: middleTime(job),
    decOfDateRad: metadata.beam.decOfDateRad,
    freqHz: job.freqHz,
    polarizations: metadata.stokes,
    antennas: names,
    ...correlatorSetup(set),
  }
  const { refused, doubts, ageHours, deltaDecDeg } = judgeSet(header, target, stage.params.applyWindowHours)
  if (refused.length > 0) {
    throw new StageError(
      'NO_CALIBRATOR',
      `solution set ${header.id} of ${header.observation} (${header.calibrator}) is refused: ${refused.join('; ')}`,
      {
        hint: 'give an observation of a calibrator nearer in time and declination, or use --uncalibrated',
      },
    )
  }
  const { bandpass, gains } = selectAntennas(solutions, names)
  const sefd = measuredSefd(
    job,
    { bandpass, gains },
    { noise: survey.noise, channelWidthHz: metadata.channelWidthHz, integrationS: rows.intervalS[0] },
  )
  const known = Number.isFinite(sefd.median) && !survey.noiseless
  const grade = doubts.length > 0 ? worse(header.grade, 'uncertain') : header.grade
  const laidOut = layOutGains(bandpass, gains, {
    binTimesMjdS: header.binTimesMjdS,
    timeMjdS: job.index.timeMjdS,
    antennaOf: names.map((_, a) => a),
    withPhases: false,
  })
  const written = await writeOutput(context, {
    gains: laidOut,
    sky: undefined,
    extra: {
      ...setKeywords(header, { ageHours, deltaDecDeg, grade }),
      UNCALIBR: 0,
      ...(known ? { SEFD: sefd.median } : {}),
    },
    history: [`applied solution set ${header.id} of ${header.observation} on ${header.calibrator}, grade ${grade}`],
  })
  const covered = solvedAntennas(bandpass, gains)
  const setCheck: Check = {
    name: 'solutionSet',
    verdict: grade,
    gating: true,
    blocking: false,
    value: ageHours,
    unit: 'h',
    message: `set ${header.id} of ${header.observation} on ${header.calibrator}${doubts.length > 0 ? `: ${doubts.join('; ')}` : ''}`,
  }
  return {
    outputs: ['calibrated'],
    metrics: {
      ...flagMetrics(context),
      ...written,
      uncalibrated: 0,
      ownSolutions: 0,
      antennasSolved: covered,
      solutionAgeHours: ageHours,
      ...(known
        ? { ...finite('sefdMedianJy', sefd.median), ...finite('sefdP16Jy', sefd.p16), ...finite('sefdP84Jy', sefd.p84) }
        : {}),
    },
    quality: quality([setCheck, dataFlaggedCheck(survey), coverageCheck(covered, names.length)]),
  }
}

async function readSet(path: string): Promise<SolutionSet> {
  const file = await readSolutions(path)
  try {
    return fromFile(file)
  } catch (cause) {
    throw new StageError('DATA_UNUSABLE', `the solution set ${path} does not hold what its version promises`, { cause })
  }
}
