import { mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stageResultSchema, type StageResult } from '#runtime/stage/contract.ts'
import { writeFileAtomic } from '#runtime/stage/files.ts'
import { productPath, type KeyParts } from '../pipeline/key.ts'
import type { KnownProduct, PlannedStep, Shelf } from '../pipeline/plan.ts'
import { gradeOfSet, type SolutionCandidate } from '../pipeline/solutions.ts'
import { pipelineStages, type PipelineStage } from '../pipeline/stages.ts'

export type ProductReading = { ok: true; product: string; result: StageResult } | { ok: false; why: string }

/** A product as committed: its result, with every output present and files of the promised size. */
export async function readProduct(root: string, product: string): Promise<ProductReading> {
  const folder = join(root, product)
  let json: unknown
  try {
    json = JSON.parse(await readFile(join(folder, 'result.json'), 'utf8'))
  } catch (error) {
    return { ok: false, why: isAbsent(error) ? 'it has no result.json' : 'its result.json cannot be read' }
  }
  const parsed = stageResultSchema.safeParse(json)
  if (!parsed.success) return { ok: false, why: 'its result.json does not fit the contract' }
  for (const [name, { path, bytes }] of Object.entries(parsed.data.outputs)) {
    const found = await stat(join(folder, path)).catch(() => undefined)
    if (found === undefined) return { ok: false, why: `its output ${name} (${path}) is missing` }
    if (found.isFile() && found.size !== bytes)
      return { ok: false, why: `its output ${name} (${path}) has ${found.size} bytes, not ${bytes}` }
  }
  return { ok: true, product, result: parsed.data }
}

/**
 * What the planner may reuse: all products of the given observations, and of every observation the calibration products
 * that hold a solution set. Of the given observations also what was made once and is no product, with the reason.
 */
export async function listProducts(root: string, observations: readonly string[]): Promise<Shelf> {
  const wanted = new Set(observations)
  const products: KnownProduct[] = []
  const unusable = new Map<string, string>()
  for (const observation of await listFolder(join(root, 'products'))) {
    for (const stage of wanted.has(observation) ? pipelineStages : (['calibration'] as const)) {
      const names = await listFolder(join(root, 'products', observation, stage))
      for (const name of keysOf(names)) {
        const product = `products/${observation}/${stage}/${name}`
        const known = await knownProduct(root, { observation, stage, product })
        if (!known.ok) unusable.set(product, names.includes(name) ? known.why : 'it was removed, or never finished')
        else if (wanted.has(observation) || known.product.solution !== undefined) products.push(known.product)
      }
    }
  }
  return { products, unusable }
}

/** Keys of what was begun in the folder of a stage: of its products, and of key files without one. */
function keysOf(names: readonly string[]): Set<string> {
  return new Set(names.flatMap((name) => /^([0-9a-f]{12})(\.key\.json)?$/.exec(name)?.[1] ?? []))
}

/** What decides a step's key, and the set it solves: written before the step starts, beside its product. */
export async function writeKeyFile(
  root: string,
  { observation, stage, key, parts, solves }: PlannedStep,
): Promise<void> {
  const path = keyFile(root, productPath({ observation, stage, key }))
  await mkdir(dirname(path), { recursive: true })
  await writeFileAtomic(
    path,
    `${JSON.stringify({ key, parts, ...(solves === undefined ? {} : { solution: solves }) }, null, 2)}\n`,
  )
}

/** Takes the key file of a step away that has no product, so that nothing is left that looks like one. */
export async function removeKeyFile(root: string, step: PlannedStep): Promise<void> {
  await rm(keyFile(root, productPath(step)), { force: true })
}

/**
 * Makes room for a step that has no usable product: whatever lies in its place is moved aside, out of sight of every
 * reader, and its new name is returned.
 */
export async function moveAside(root: string, product: string, uid: string): Promise<string | undefined> {
  const folder = join(root, product)
  if ((await stat(folder).catch(() => undefined)) === undefined) return undefined
  const aside = join(dirname(folder), `.rejected-${product.split('/').at(-1)}-${uid}`)
  await rename(folder, aside)
  return aside
}

async function knownProduct(
  root: string,
  { observation, stage, product }: { observation: string; stage: PipelineStage; product: string },
): Promise<{ ok: true; product: KnownProduct } | { ok: false; why: string }> {
  const reading = await readProduct(root, product)
  if (!reading.ok) return reading
  const { key, quality, outputs } = reading.result
  const stored = await readKeyFile(root, product)
  const known: KnownProduct = {
    observation,
    stage,
    key,
    product,
    quality,
    outputs: Object.keys(outputs),
    ...(stored?.key === key ? { parts: stored.parts } : {}),
  }
  if (stored?.solution !== undefined && stored.key === key && 'solutions' in outputs) {
    known.solution = { ...stored.solution, product, grade: gradeOfSet(quality) }
  }
  return { ok: true, product: known }
}

async function readKeyFile(
  root: string,
  product: string,
): Promise<{ key: string; parts: KeyParts; solution?: SolutionCandidate } | undefined> {
  try {
    return JSON.parse(await readFile(keyFile(root, product), 'utf8')) as {
      key: string
      parts: KeyParts
      solution?: SolutionCandidate
    }
  } catch {
    // Made by another tool, or lost: the product is as good, only a miss cannot be explained by it.
    return undefined
  }
}

function keyFile(root: string, product: string): string {
  return join(root, `${product}.key.json`)
}

async function listFolder(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort()
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}

function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ENOTDIR'
}
