import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readFitsImage } from '#runtime/formats/fits/image.ts'
import type { Run } from '#runtime/stage/contract.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { checkPlan } from '#runtime/stage/plan-check.ts'
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
import { openVisibilities, surveyVisibilities, type VisibilitySet } from './visibilities.ts'
import { findWsclean } from './wsclean.ts'
import type { WscleanVersion } from './wsclean-arguments.ts'

/** Images calibrated visibilities with WSClean. See `imaging` for what goes in and out. */
export const run: Run<typeof imaging> = async (stage) => {
  const settings = resolveSettings(stage.params)
  const version = await stage.phase('engine', () => engineVersion(stage))
  const folder = stage.inputs.calibrated.path
  const { sets, plan } = await stage.phase('survey', async () => {
    const opened = await openSets(folder)
    const need = await checkNeed(stage, opened)
    return { sets: await surveySets(stage, opened), plan: need }
  })
  const skyModel = await readSkyModel(folder)
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
async function openSets(folder: string): Promise<VisibilitySet[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ms')).sort()
  if (names.length === 0) {
    throw new StageError('INPUT_MISSING', `${folder} holds no MeasurementSet (*.ms)`, {
      hint: 'run the calibration again',
    })
  }
  const sets: VisibilitySet[] = []
  for (const name of names) sets.push(await openVisibilities(join(folder, name)))
  return sets
}

async function surveySets(stage: Stage, opened: readonly VisibilitySet[]): Promise<SurveyedSet[]> {
  const sets: SurveyedSet[] = []
  for (const set of opened) sets.push({ set, survey: await surveyVisibilities(set, stage.signal) })
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

/** What the imaging will need, held against what it was given; from the sizes alone, before any data are read. */
async function checkNeed(stage: Stage, sets: readonly VisibilitySet[]): Promise<ReturnType<typeof imaging.plan>> {
  const [set] = sets
  const antennas = Math.max(2, ...sets.map(({ metadata }) => metadata.antennas.length))
  const baselines = (antennas * (antennas - 1)) / 2
  const averaging = Number(set?.metadata.extra['CHANAVG'] ?? 8)
  const plan = imaging.plan(stage.params, {
    antennas,
    baselines: (antennas * (antennas + 1)) / 2,
    // Rows of absent baselines do not exist: a part of an integration is as good here.
    integrations: sets.reduce((sum, { layout }) => sum + layout.rows, 0) / baselines,
    subbands: 1,
    channelsPerSubband: (set?.layout.channels ?? 0) * averaging,
    polarizations: set?.layout.polarizations ?? 2,
  })
  await checkPlan('imaging', plan, { ...stage, smaller: 'imaging.sizePixels' })
  return plan
}
