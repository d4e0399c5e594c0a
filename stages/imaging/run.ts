import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readFitsImage } from '#runtime/formats/fits/image.ts'
import type { Run } from '#runtime/stage/contract.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { quality } from '#runtime/stage/quality.ts'
import type { SkySource } from '#runtime/sky/calibrators.ts'
import { imaging } from './contract.ts'
import { createEngine, type Stage } from './engine.ts'
import { imageObservation } from './image-observation.ts'
import type { SurveyedSet } from './peel.ts'
import { resolveSettings } from './presets.ts'
import { writeProducts } from './products.ts'
import { parseSkyModel } from './sky-model.ts'
import { summarize } from './summary.ts'
import { openVisibilities, surveyVisibilities } from './visibilities.ts'
import { findWsclean } from './wsclean.ts'
import type { WscleanVersion } from './wsclean-arguments.ts'

/** Images calibrated visibilities with WSClean. See `imaging` for what goes in and out. */
export const run: Run<typeof imaging> = async (stage) => {
  const settings = resolveSettings(stage.params)
  const version = await stage.phase('engine', () => engineVersion(stage))
  const folder = stage.inputs.calibrated.path
  const sets = await stage.phase('survey', () => openSets(stage, folder))
  const skyModel = await readSkyModel(folder)
  const plan = checkPlan(stage, sets)
  const engine = createEngine(stage, { version, settings, plannedSeconds: plan.seconds })
  const imaged = await imageObservation(stage, { engine, sets, skyModel })
  const summary = await stage.phase('beam and noise', async () => {
    const { data: noise } = await readFitsImage(imaged.noisePath)
    return summarize(stage, { imaged, noise, sets, settings })
  })
  await stage.phase('write', () =>
    writeProducts(stage, { planes: summary.planes, facts: summary.facts, steps: summary.steps }),
  )
  return {
    outputs: Object.keys(imaging.outputs) as (keyof typeof imaging.outputs)[],
    metrics: summary.metrics,
    quality: quality(summary.checks),
    provenance: { wsclean: version.text },
  }
}

async function engineVersion({ params, signal }: Stage): Promise<WscleanVersion> {
  const version = await findWsclean(signal)
  if (params.wscleanVersion !== '' && params.wscleanVersion !== version.text) {
    throw new StageError(
      'PARAMS_INVALID',
      `the step was planned for WSClean ${params.wscleanVersion}, here is ${version.text}`,
      {
        hint: 'plan again where the stage runs, so that the key tells the version that made the image',
      },
    )
  }
  return version
}

/** The MeasurementSets of a calibrated product: every directory named *.ms in it. */
async function openSets(stage: Stage, folder: string): Promise<SurveyedSet[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ms')).sort()
  if (names.length === 0) {
    throw new StageError('INPUT_MISSING', `${folder} holds no MeasurementSet (*.ms)`, {
      hint: 'run the calibration again',
    })
  }
  const sets: SurveyedSet[] = []
  for (const name of names) {
    const set = await openVisibilities(join(folder, name))
    sets.push({ set, survey: await surveyVisibilities(set, stage.signal) })
  }
  if (sets.every(({ survey }) => survey.weights.every((weight) => weight === 0))) {
    throw new StageError('DATA_UNUSABLE', 'every visibility is flagged: there is nothing to image', {
      hint: 'look at the flag counts of the calibration',
    })
  }
  return sets
}

async function readSkyModel(folder: string): Promise<SkySource[]> {
  try {
    return parseSkyModel(await readFile(join(folder, 'sky-model.json'), 'utf8'))
  } catch (error) {
    // Calibrated elsewhere or not at all: bright sources are then found in the image.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function checkPlan({ params, resources }: Stage, sets: readonly SurveyedSet[]): ReturnType<typeof imaging.plan> {
  const [{ set, survey }] = sets
  const antennas = Math.max(...sets.map((each) => each.survey.antennas))
  const averaging = Number(set.metadata.extra['CHANAVG'] ?? 8)
  const plan = imaging.plan(params, {
    antennas,
    baselines: (antennas * (antennas + 1)) / 2,
    integrations: survey.integrations,
    subbands: 1,
    channelsPerSubband: set.layout.channels * averaging,
    polarizations: set.layout.polarizations,
  })
  const mebibytes = (bytes: number): number => Math.ceil(bytes / 1_048_576)
  if (plan.workingBytes > resources.memoryBytes) {
    throw new StageError(
      'PLAN_TOO_LARGE',
      `imaging needs ${mebibytes(plan.workingBytes)} MiB of memory, the limit is ${mebibytes(resources.memoryBytes)} MiB`,
      { hint: 'raise execution.stages.imaging.resources.memory, or lower imaging.sizePixels' },
    )
  }
  return plan
}
