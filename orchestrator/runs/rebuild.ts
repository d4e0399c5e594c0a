import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { stageContextSchema, type StageContext, type StageResult } from '#runtime/stage/contract.ts'
import { canonicalJson } from '#runtime/stage/files.ts'
import { plainName } from '#runtime/stage/relative-path.ts'
import { selection } from '../pipeline/admission.ts'
import type { RunConfig } from '../pipeline/config.ts'
import { stepProduct } from '../pipeline/context.ts'
import type { NewEvent, RunEvent } from '../pipeline/events.ts'
import { runOutcome } from '../pipeline/outcome.ts'
import type { KnownProduct } from '../pipeline/plan.ts'
import { pipelineStages, type PipelineStage } from '../pipeline/stages.ts'
import { foldEvents } from '../pipeline/state.ts'
import { listProducts, readProduct, RESULT_FILE } from './product-store.ts'

/** Said of a run whose event log is not what was written. */
const REBUILT =
  'the event log is lost: this was rebuilt from the products; when they were made, and what failed, is not known'

interface Chosen {
  product: string
  result: StageResult
  at: Date
  attempted: boolean
}

/**
 * The events that a run whose log is lost could have had, from what is left: its configuration, its scan, the contexts of its
 * attempts, and the products. Of an observation whose steps this run did not attempt itself the newest products are taken that its
 * configuration could have made.
 */
export async function rebuildEvents(
  root: string,
  { name, config }: { name: string; config: RunConfig },
): Promise<RunEvent[]> {
  const folder = join(root, 'runs', name)
  const started = await timeOf(join(folder, 'config.yaml'))
  const contexts = await readContexts(join(folder, 'attempts'))
  const scan = await readScan(join(folder, 'scan.json'))
  const selected = scan.observations.map(({ id }) => id).filter(selection(config.observations))
  const ids = [...new Set([...selected, ...contexts.map(({ observation }) => observation)])].sort()
  const { products } = await listProducts(root, ids)

  const observations = await Promise.all(
    ids.map(async (id) => {
      const own = contexts.filter(({ observation }) => observation === id)
      const known = products.filter(({ observation }) => observation === id)
      return { id, steps: await chooseProducts(root, { config, own, known }) }
    }),
  )
  const events: RunEvent[] = []
  const add = (at: Date, event: NewEvent): void => {
    // No event is older than the one before it.
    const previous = events.at(-1)?.at ?? ''
    events.push({ at: [at.toISOString(), previous].sort().at(-1) ?? '', ...event })
  }
  const version = observations.flatMap(({ steps }) => steps)[0]?.result.provenance['contimg'] ?? ''
  const { input } = config
  add(started, {
    type: 'run.started',
    run: name,
    version,
    input: input ?? '',
    executor: 'local',
    pid: 0,
    continued: false,
  })
  add(started, { type: 'run.note', level: 'warn', message: REBUILT })
  const { files, faults } = scan
  add(started, {
    type: 'scan.finished',
    files,
    observations: scan.observations.length,
    faults: faults.length,
    seconds: 0,
  })
  for (const { id, steps } of observations)
    add(started, {
      type: 'observation.planned',
      observation: id,
      calibration: { kind: 'none' },
      steps: pipelineStages.map((stage) => {
        const chosen = steps.find(({ result }) => result.stage === stage)
        return { stage, key: chosen?.result.key ?? '', cached: chosen?.attempted === false }
      }),
    })
  const made = observations.flatMap(({ id, steps }) => steps.map((step) => ({ observation: id, ...step })))
  for (const { observation, product, result, at, attempted } of made.sort((a, b) => a.at.getTime() - b.at.getTime()))
    add(at, {
      type: attempted ? 'step.finished' : 'step.reused',
      step: { observation, stage: result.stage, key: result.key },
      ...stepProduct({ product, result }),
    })
  const state = foldEvents(events)
  if (ids.length > 0 && state.observations.every(({ status }) => status === 'done')) {
    const { failOn } = config.execution
    const seconds = (Date.parse(state.activeAt) - started.getTime()) / 1000
    add(started, {
      type: 'run.finished',
      ...runOutcome(state, { failOn, interrupted: undefined }),
      seconds: Math.max(0, seconds),
    })
  }
  return events
}

/**
 * The products of one observation that the run made or used, the last stage first: what an attempt of the run was to make or was given;
 * what a later product was made from; else the newest of those with the most parameters of the configuration.
 */
async function chooseProducts(
  root: string,
  { config, own, known }: { config: RunConfig; own: readonly StageContext[]; known: readonly KnownProduct[] },
): Promise<Chosen[]> {
  const attempted = new Set(own.map(({ productDir }) => productDir))
  const given = own.flatMap(({ inputs }) => Object.values(inputs).flat())
  const used = new Set(given.map(({ path }) => path.split('/').slice(0, 4).join('/')))
  const upstream = new Set<string>()
  const chosen: Chosen[] = []
  for (const stage of pipelineStages.toReversed()) {
    const candidates = known.filter((product) => product.stage === stage)
    const certain = candidates.filter(
      ({ product, key }) => attempted.has(product) || used.has(product) || upstream.has(key),
    )
    const most = Math.max(...candidates.map((candidate) => fit(config, stage, candidate)))
    const possible = certain.length > 0 ? certain : candidates.filter((each) => fit(config, stage, each) === most)
    const readings = await Promise.all(
      possible.map(async ({ product, parts }) => {
        const [reading, at] = [await readProduct(root, product), await timeOf(join(root, product, RESULT_FILE))]
        return reading.ok ? [{ product, parts, result: reading.result, at, attempted: attempted.has(product) }] : []
      }),
    )
    const newest = readings.flat().sort((a, b) => b.at.getTime() - a.at.getTime())[0]
    if (newest === undefined) continue
    chosen.unshift(newest)
    for (const identity of Object.values(newest.parts?.inputs ?? {}).flat()) upstream.add(identity.split(':')[0] ?? '')
  }
  return chosen
}

/** How many parameters of a product are those that the configuration gives its stage; the plan sets some itself. */
function fit(config: RunConfig, stage: PipelineStage, { parts }: KnownProduct): number {
  const given = Object.entries(config[stage])
  return given.filter(([name, value]) => canonicalJson(parts?.params[name]) === canonicalJson(value)).length
}

async function readContexts(folder: string): Promise<StageContext[]> {
  const contexts: StageContext[] = []
  for (const name of await readdir(folder).catch(() => [])) {
    const parsed = stageContextSchema.safeParse(await readJson(join(folder, name, 'context.json')))
    if (parsed.success) contexts.push(parsed.data)
  }
  return contexts
}

const scanFacts = z.object({
  files: z.number().catch(0),
  observations: z.array(z.object({ id: z.string().regex(plainName) })).catch([]),
  faults: z.array(z.unknown()).catch([]),
})

/** What can be told of the scan, if anything. */
async function readScan(path: string): Promise<z.output<typeof scanFacts>> {
  return scanFacts.safeParse(await readJson(path)).data ?? { files: 0, observations: [], faults: [] }
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch {
    // Lost or damaged, as the log is: what is left has to do.
    return undefined
  }
}

async function timeOf(path: string): Promise<Date> {
  return (await stat(path).catch(() => undefined))?.mtime ?? new Date(0)
}
