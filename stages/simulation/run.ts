import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { writeCatalogue } from '#runtime/formats/catalogue/strips.ts'
import { readEarthOrientation } from '#runtime/formats/earth-orientation.ts'
import { DEGREE_RAD } from '#runtime/sky/constants.ts'
import { StageError } from '#runtime/stage/errors.ts'
import type { Progress } from '#runtime/stage/contract.ts'
import type { ListedSource, SimulationParams } from './contract.ts'
import { awaitArrivals, spoilFiles } from './file-faults.ts'
import { heldName, incompleteName, ownNames } from './faulty-names.ts'
import { planObservation, type Observation } from './observation.ts'
import { REFERENCE_FREQ_HZ } from './sky.ts'
import { parseSourceList } from './source-list.ts'
import { writeSubband } from './subband-file.ts'
import { encodeGains, TRUTH_FILE, TRUTH_GAINS_FILE, truthOf } from './truth.ts'
import type { WorkerInput, WorkerMessage } from './subband-worker.ts'

const CATALOGUE_DIRECTORY = 'catalogue'

export interface SimulationHooks {
  /** Threads; each writes one file at a time. */
  readonly cpu: number
  readonly signal: AbortSignal
  readonly progress: (progress: Progress) => void
  /** The present, milliseconds since 1970. */
  readonly nowMs: () => number
}

export interface SimulationResult {
  readonly files: readonly string[]
  readonly bytes: number
  readonly truth: string
  readonly catalogue: string | undefined
}

/** Radius of the cone that the catalogue of the true sky covers: far beyond the primary beam. */
const CATALOGUE_RADIUS_DEG = 4

/**
 * Writes a synthetic observation into a directory: the files of its subbands, `truth.json`, and a catalogue of its true
 * sky. The same parameters give the same bytes, whatever `cpu` is.
 * @throws StageError PARAMS_INVALID, OUTPUT_EXISTS, INPUT_MISSING (source file), CANCELLED
 */
export async function simulateObservation(
  params: SimulationParams,
  outDir: string,
  hooks: SimulationHooks,
): Promise<SimulationResult> {
  const listed = await readSources(params.sources)
  const resolved = listed === undefined ? params : { ...params, sources: listed }
  const observation = planObservation(resolved, listed, readEarthOrientation())
  if (observation.files.size === 0)
    throw new StageError('PARAMS_INVALID', 'all subbands are missing: nothing would be written', {
      hint: 'leave some out of missingSubbands and of the faults',
    })
  await mkdir(outDir, { recursive: true })
  await refuseOthers(outDir, observation)
  await writeFiles(observation, outDir, hooks)
  await writeFile(join(outDir, TRUTH_GAINS_FILE), encodeGains(observation.gains))
  await writeFile(join(outDir, TRUTH_FILE), `${JSON.stringify(truthOf(observation), null, 1)}\n`)
  if (params.catalogue) await writeTrueCatalogue(join(outDir, CATALOGUE_DIRECTORY), observation)
  await cutShort(() => spoil(observation, outDir, hooks), observation, outDir)
  const there = new Set(await readdir(outDir))
  const files = [...ownNames(observation.files, observation.faults)].filter((name) => there.has(name))
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(outDir, file))).size))
  return {
    files,
    bytes: sizes.reduce((total, size) => total + size, 0),
    truth: TRUTH_FILE,
    catalogue: params.catalogue ? CATALOGUE_DIRECTORY : undefined,
  }
}

/** Faults of whole files, those that take time too. */
async function spoil(observation: Observation, outDir: string, hooks: SimulationHooks): Promise<void> {
  const arrivals = await spoilFiles(observation, outDir, hooks.nowMs())
  await awaitArrivals(arrivals, hooks)
}

/** What is held back leaves nothing behind when it is stopped. */
async function cutShort(work: () => Promise<void>, observation: Observation, outDir: string): Promise<void> {
  try {
    await work()
  } catch (error) {
    for (const name of observation.files.values()) await rm(join(outDir, heldName(name)), { force: true })
    throw error instanceof Error && error.name === 'AbortError'
      ? new StageError('CANCELLED', 'the simulation was stopped')
      : error
  }
}

async function readSources(sources: SimulationParams['sources']): Promise<ListedSource[] | undefined> {
  if (typeof sources === 'number') return undefined
  if (typeof sources !== 'string') return sources
  try {
    return parseSourceList(await readFile(sources, 'utf8'), sources)
  } catch (error) {
    if (error instanceof StageError) throw error
    throw new StageError('INPUT_MISSING', `cannot read the list of sources ${sources}`, { cause: error })
  }
}

/** Two observations in one directory would be taken for one input. */
async function refuseOthers(outDir: string, observation: Observation): Promise<void> {
  const own = ownNames(observation.files, observation.faults)
  const other = (await readdir(outDir)).find(
    (name) => name.endsWith('.hdf5') && !own.has(name) && !name.includes('_incomplete'),
  )
  if (other === undefined) return
  throw new StageError('OUTPUT_EXISTS', `${outDir} already holds ${other}, which is not part of this observation`, {
    hint: 'choose an empty directory',
  })
}

async function writeFiles(
  observation: Observation,
  dir: string,
  { cpu, signal, progress }: SimulationHooks,
): Promise<void> {
  const queue = [...observation.files.keys()]
  const total = queue.length * observation.timeJd.length
  let done = 0
  if (cpu < 2 || queue.length === 1) {
    progress({ done, total, unit: 'blocks' })
    for (const subband of queue) {
      for (const _ of writeSubband(observation, subband, dir)) {
        progress({ done: ++done, total, unit: 'blocks' })
        // Signals are heard between blocks only.
        await setImmediate()
        if (signal.aborted) throw new StageError('CANCELLED', 'the simulation was stopped')
      }
    }
    return
  }
  const workers = Array.from({ length: Math.min(Math.max(1, Math.floor(cpu)), queue.length) }, () => {
    return new Worker(new URL('subband-worker.ts', import.meta.url), {
      workerData: { observation, dir } satisfies WorkerInput,
    })
  })
  const onBlock = (): void => progress({ done: ++done, total, unit: 'blocks' })
  try {
    progress({ done, total, unit: 'blocks' })
    await Promise.all(workers.map((worker) => drain(worker, queue, { signal, onBlock })))
  } catch (error) {
    await Promise.all(workers.map((worker) => worker.terminate()))
    await Promise.all(
      [...observation.files.values()].map((name) => rm(join(dir, incompleteName(name)), { force: true })),
    )
    throw error
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

/** Feeds one worker until the queue is empty. */
function drain(
  worker: Worker,
  queue: number[],
  { signal, onBlock }: { signal: AbortSignal; onBlock: () => void },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (): void => {
      const subband = queue.shift()
      if (subband === undefined) resolve()
      else worker.postMessage(subband, [])
    }
    const cancel = (): void => reject(new StageError('CANCELLED', 'the simulation was stopped'))
    if (signal.aborted) cancel()
    signal.addEventListener('abort', cancel, { once: true })
    worker.on('error', reject)
    worker.on('message', (message: WorkerMessage) => {
      if (message.type === 'block') onBlock()
      else if (message.type === 'done') next()
      else
        reject(
          new StageError(
            message.error.code,
            message.error.message,
            message.error.hint === undefined ? {} : { hint: message.error.hint },
          ),
        )
    })
    next()
  })
}

async function writeTrueCatalogue(dir: string, observation: Observation): Promise<void> {
  const { centre, params, sources } = observation
  const about = {
    name: 'simulated',
    version: `seed-${params.seed}`,
    freqHz: REFERENCE_FREQ_HZ,
    resolutionArcsec: 0,
    simulated: true,
    coverage: {
      kind: 'cone' as const,
      raDeg: centre.raRad / DEGREE_RAD,
      decDeg: centre.decRad / DEGREE_RAD,
      radiusDeg: CATALOGUE_RADIUS_DEG,
    },
    citation: 'contimg simulate: the sources of a synthetic observation',
  }
  await writeCatalogue(
    dir,
    about,
    sources.map(({ name, direction, fluxJy }) => ({
      id: name,
      raDeg: direction.raRad / DEGREE_RAD,
      decDeg: direction.decRad / DEGREE_RAD,
      eRaArcsec: 0,
      eDecArcsec: 0,
      sIntMjy: 1000 * fluxJy,
      eSIntMjy: 0,
      sPeakMjy: 1000 * fluxJy,
      majArcsec: 0,
      minArcsec: 0,
      paDeg: 0,
      sizeIsLimit: false,
      flags: 0,
    })),
  )
}
