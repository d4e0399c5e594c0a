import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { apiVersion } from '#runtime/stage/contract.ts'
import { StageError } from '#runtime/stage/errors.ts'
import type { TimedGains } from './applied-gains.ts'
import { averageOf, type Metrics, type Observation } from '../context.ts'
import { calibration } from '../contract.ts'
import { flaggedFraction } from '../solutions/set-statistics.ts'
import type { SkyModel } from '../model/sky-model.ts'
import { writeCalibrated } from './write-calibrated.ts'

export interface OutputInput {
  gains: TimedGains
  /** What was solved on; undefined where nothing is known of the sky. */
  sky: SkyModel | undefined
  /** Keywords of the set. */
  extra: Record<string, string | number>
  history: readonly string[]
}

/** Writes the output `calibrated`: `all.ms` and `sky-model.json`. */
export async function writeOutput(context: Observation, { gains, sky, extra, history }: OutputInput): Promise<Metrics> {
  const { stage, set, job, team, survey } = context
  const directory = join(stage.outputDir, calibration.outputs.calibrated.path)
  const average = averageOf(context)
  const part = flaggedFraction(survey.counts)
  const { flagged } = await stage.phase('apply', () =>
    writeCalibrated({
      job,
      team,
      set,
      directory,
      gains,
      noise: survey.noise,
      average,
      extra: { ...extra, CHANAVG: average, FLAGFRAC: part },
      history: [...history, `flagged ${(100 * part).toFixed(2)} %, averaged ${average} channels`],
    }),
  )
  if (flagged === 1) {
    throw new StageError('DATA_UNUSABLE', 'every sample of the observation is flagged', {
      hint: 'see the flag counts in stage.log',
    })
  }
  await writeFile(join(directory, 'sky-model.json'), `${JSON.stringify(skyFile(sky), undefined, 1)}\n`)
  return { channelsAveraged: average, outputFlagged: flagged }
}

/** The sources that were solved on, strongest first, ready for `createPredictor`. */
function skyFile(sky: SkyModel | undefined): object {
  const sources =
    sky === undefined
      ? []
      : [{ ...sky.calibrator, calibrator: true }, ...sky.others.map((source) => ({ ...source, calibrator: false }))]
  return {
    apiVersion,
    calibrator: sky?.calibrator.name ?? null,
    sources: sources.toSorted((a, b) => b.apparentFluxJy - a.apparentFluxJy),
  }
}
