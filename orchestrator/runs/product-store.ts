import { randomUUID } from 'node:crypto'
import { lstat, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { sealed, sealOf } from '#runtime/stage/checksums.ts'
import { apiVersion, stageResultSchema, type StageResult } from '#runtime/stage/contract.ts'
import { failpoint } from '#runtime/stage/failpoint.ts'
import { writeFileAtomic } from '#runtime/stage/files.ts'
import { makeDirectory } from '#runtime/stage/filesystem.ts'
import { keyDocumentSchema } from '../pipeline/key-document.ts'
import { KEY_DIGITS, productPath, type KeyParts } from '../pipeline/key.ts'
import type { KnownProduct, PlannedStep, Shelf } from '../pipeline/plan.ts'
import { gradeOfSet, type SolutionCandidate } from '../pipeline/solutions.ts'
import { pipelineStages, type PipelineStage } from '../pipeline/stages.ts'

/** How the name of a folder begins that was a product and is none any more. */
const REJECTED = '.rejected-'

export type ProductReading = { ok: true; product: string; result: StageResult } | { ok: false; why: string }

/** The document that makes a folder a product. */
export const RESULT_FILE = 'result.json'

/** The result of a product: complete, with the seal that it was committed with, and of the product in whose folder it lies. */
export async function readResult(root: string, product: string): Promise<ProductReading> {
  let json: unknown
  try {
    json = JSON.parse(await readFile(join(root, product, RESULT_FILE), 'utf8'))
  } catch (error) {
    return { ok: false, why: isAbsent(error) ? 'it has no result.json' : 'its result.json cannot be read' }
  }
  const parsed = stageResultSchema.safeParse(json)
  if (!parsed.success) return { ok: false, why: 'its result.json does not fit the contract' }
  const { data: result } = parsed
  if (result.seal === undefined) return { ok: false, why: 'its result.json has no seal: an older version made it' }
  if (result.seal !== sealOf(result)) return { ok: false, why: 'its result.json is not what was committed' }
  const [stage, key] = product.split('/').slice(-2)
  if (result.stage !== stage || result.key.slice(0, KEY_DIGITS) !== key)
    return { ok: false, why: `its result.json is that of ${result.stage} ${result.key.slice(0, KEY_DIGITS)}` }
  return { ok: true, product, result }
}

/** A product as committed: its result, with every output present and files of the promised size. */
export async function readProduct(root: string, product: string): Promise<ProductReading> {
  const reading = await readResult(root, product)
  if (!reading.ok) return reading
  for (const [name, { path, bytes }] of Object.entries(reading.result.outputs)) {
    // A product holds no links: what they lead to is not what was committed.
    const found = await lstat(join(root, product, path)).catch(() => undefined)
    if (found === undefined) return { ok: false, why: `its output ${name} (${path}) is missing` }
    if (!found.isFile() && !found.isDirectory()) return { ok: false, why: `its output ${name} (${path}) is a link` }
    if (found.isFile() && found.size !== bytes)
      return { ok: false, why: `its output ${name} (${path}) has ${found.size} bytes, not ${bytes}` }
  }
  return reading
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

/** Every product of a data root, and every one that was moved aside, relative to it. */
export async function everyProduct(root: string): Promise<{ products: string[]; rejected: string[] }> {
  const products: string[] = []
  const rejected: string[] = []
  for (const observation of await listFolder(join(root, 'products'))) {
    for (const stage of await listFolder(join(root, 'products', observation))) {
      for (const name of await listFolder(join(root, 'products', observation, stage))) {
        const path = `products/${observation}/${stage}/${name}`
        if (/^[0-9a-f]{12}$/.test(name)) products.push(path)
        if (name.startsWith(REJECTED)) rejected.push(path)
      }
    }
  }
  return { products, rejected }
}

/** Keys of what was begun in the folder of a stage: of its products, and of key files without one. */
function keysOf(names: readonly string[]): Set<string> {
  return new Set(names.flatMap((name) => /^([0-9a-f]{12})(\.key\.json)?$/.exec(name)?.[1] ?? []))
}

/** What decides a step's key, and the set it solves: written before the step starts, beside its product. */
export async function writeKeyFile(root: string, step: PlannedStep): Promise<void> {
  const path = keyFile(root, productPath(step))
  await makeDirectory(dirname(path))
  await writeFileAtomic(path, `${JSON.stringify(keyDocument(step), null, 2)}\n`)
}

/** Writes the key file of a step with a product again where it was lost or damaged: without it a set is not found. */
export async function restoreKeyFile(root: string, step: PlannedStep): Promise<void> {
  const stored = await readKeyFile(root, productPath(step))
  if (stored?.seal !== keyDocument(step).seal) await writeKeyFile(root, step)
}

function keyDocument({ key, parts, solves }: PlannedStep): KeyDocument {
  return sealed({ key, parts, ...(solves === undefined ? {} : { solution: solves }) })
}

/** Takes the key file of a step away that has no product, so that nothing is left that looks like one. */
export async function removeKeyFile(root: string, step: PlannedStep): Promise<void> {
  await rm(keyFile(root, productPath(step)), { force: true })
}

/**
 * Moves what lies in the place of a product aside, out of sight of every reader, with the reason in `rejected.json`.
 * Returns its new place, relative to the data root; undefined when there was nothing.
 */
export async function rejectProduct(
  root: string,
  product: string,
  { why, findings = [] }: { why: string; findings?: readonly { file: string; why: string }[] },
): Promise<string | undefined> {
  const aside = join(dirname(product), `${REJECTED}${basename(product)}-${randomUUID()}`)
  try {
    failpoint('reject.before')
    await rename(join(root, product), join(root, aside))
    failpoint('reject.after')
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
  const reason = { apiVersion, product, why, findings }
  // The reason is in the event log too: a full disk is no cause to stop here.
  await writeFile(join(root, aside, 'rejected.json'), `${JSON.stringify(reason, null, 2)}\n`).catch(() => undefined)
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

interface KeyDocument {
  key: string
  parts: KeyParts
  solution?: SolutionCandidate
  seal: string
}

async function readKeyFile(root: string, product: string): Promise<KeyDocument | undefined> {
  try {
    const document = JSON.parse(await readFile(keyFile(root, product), 'utf8')) as KeyDocument
    return document.seal === sealOf(document) && keyDocumentSchema.safeParse(document).success ? document : undefined
  } catch {
    // Made by another tool, lost or damaged: the product is as good, only a miss cannot be explained by it.
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
