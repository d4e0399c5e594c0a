import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeSolutions } from '#runtime/formats/solutions.ts'
import type { RankedCalibrator } from '#runtime/sky/calibrators.ts'
import { quality } from '#runtime/stage/quality.ts'
import { layOutGains } from '../apply/applied-gains.ts'
import { gradeCheck, jumpChecks } from '../checks.ts'
import { antennaNames, longBaselines, setKeywords, type Observation, type Outcome } from '../context.ts'
import { calibration } from '../contract.ts'
import type { ObservationModel } from '../model/model.ts'
import { timeBins } from '../observation.ts'
import { describeSet } from './own-set.ts'
import { referenceOrder } from '../solve/reference-antenna.ts'
import type { SkyModel } from '../model/sky-model.ts'
import { toFile } from './solution-set.ts'
import { solveSet } from '../solve/solve-set.ts'
import { writeOutput } from '../apply/write-output.ts'

export interface Calibrator {
  calibrator: RankedCalibrator
  sky: SkyModel
  model: ObservationModel
}

/** Solves on the observation's own calibrator and applies the set; a bad set is written and not applied. */
export async function solveOwn(context: Observation, { calibrator, sky, model }: Calibrator): Promise<Outcome> {
  const { stage, job, team, survey } = context
  const { params } = stage
  const names = antennaNames(context)
  const order = referenceOrder({
    names,
    flagged: survey.antennaFlagged,
    dead: survey.dead,
    wanted: params.referenceAntennas,
  })
  const bins = timeBins(job.index.integrations, params.binIntegrations)
  const solved = await stage.phase('solve', () =>
    solveSet({ job, team, model, survey, bins, params, order, inRange: longBaselines(context) }),
  )
  if (solved.rounds > 1) stage.log.info('solved twice', { outliers: solved.outliers })
  if (survey.noiseless) stage.warn('the data hold no noise: equal weights were used')
  const { header, grade, checks, metrics, summary, sefd } = describeSet(context, { calibrator, sky, solved, bins })
  await stage.phase('write-solutions', async () => {
    const directory = join(stage.outputDir, calibration.outputs.solutions.path)
    await mkdir(directory, { recursive: true })
    await writeSolutions(
      join(directory, 'set.ctgs'),
      toFile({ header, bandpass: solved.bandpass, gains: solved.gains }),
    )
    await writeFile(join(directory, 'summary.json'), `${JSON.stringify(summary)}\n`)
  })
  const setCheck = gradeCheck(header.id, grade)
  if (grade === 'bad') return { outputs: ['solutions'], metrics, quality: quality([...checks, setCheck]) }
  const gains = layOutGains(solved.bandpass, solved.gains, {
    binTimesMjdS: header.binTimesMjdS,
    timeMjdS: job.index.timeMjdS,
    antennaOf: names.map((_, a) => a),
    withPhases: true,
  })
  const written = await writeOutput(context, {
    gains,
    sky,
    extra: {
      ...setKeywords(header, { ageHours: 0, deltaDecDeg: 0, grade }),
      UNCALIBR: 0,
      ...(survey.noiseless ? {} : { SEFD: sefd.median }),
    },
    history: [`solved on ${header.calibrator}: solution set ${header.id}, grade ${grade}`],
  })
  return {
    outputs: ['solutions', 'calibrated'],
    metrics: { ...metrics, ...written },
    quality: quality([...checks, setCheck, ...jumpChecks(gains.jumps)]),
  }
}
