import { randomUUID } from 'node:crypto'
import { readdir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { attemptDirectory } from '#runtime/stage/commit.ts'
import { productPath } from '../pipeline/key.ts'
import { ProblemError } from '../pipeline/problem.ts'
import type { RunState } from '../pipeline/state.ts'
import { acquireLock, type RunLock } from './lock.ts'
import { listRuns, readRun } from './run-directory.ts'

/** How the name of a folder begins that was a run; no command looks at it. */
const REMOVED = '.removed-'

interface Removable {
  /** Relative to the data root. */
  path: string
  bytes: number
}

/** What removing a run would remove, and what of it other runs use. */
export interface Removal {
  run: string
  folder: Removable
  products: Removable[]
  /** Products of the run that stay, with the runs that use them. */
  shared: (Removable & { usedBy: string[] })[]
}

/**
 * What belongs to a run alone: its folder, and the products that no other run has made, reused, planned or calibrated with.
 * Throws where the log of another run cannot be read: what it uses is then not known.
 */
export async function removalOf(root: string, name: string): Promise<Removal> {
  const own = productsOf(await readRun(root, name))
  const users = new Map<string, string[]>()
  for (const other of await listRuns(root)) {
    if (other === name) continue
    for (const product of productsOf(await readRun(root, other)))
      if (own.has(product)) users.set(product, [...(users.get(product) ?? []), other])
  }
  const products: Removal['products'] = []
  const shared: Removal['shared'] = []
  for (const path of [...own].sort()) {
    const bytes = await sizeOf(join(root, path))
    if (bytes === undefined) continue
    const usedBy = users.get(path)
    if (usedBy === undefined) products.push({ path, bytes })
    else shared.push({ path, bytes, usedBy })
  }
  const folder = `runs/${name}`
  return { run: name, folder: { path: folder, bytes: (await sizeOf(join(root, folder))) ?? 0 }, products, shared }
}

/**
 * Removes a run that nobody works on: its products first, each out of sight by one rename, then its folder, so that an
 * interrupted removal is finished by the same command. Throws ProblemError RUN_LOCKED.
 */
export async function removeRun(root: string, { folder, products }: Removal, keepProducts: boolean): Promise<void> {
  const lock = await lockOf(join(root, folder.path))
  try {
    for (const { path } of keepProducts ? [] : products) await removeProduct(root, path)
    await rename(join(root, folder.path), join(root, 'runs', `${REMOVED}${randomUUID()}`))
    // Also what an earlier removal left that was killed here.
    for (const name of (await readdir(join(root, 'runs'))).filter((other) => other.startsWith(REMOVED)))
      await rm(join(root, 'runs', name), { recursive: true, force: true })
  } finally {
    await lock.release()
  }
}

async function lockOf(folder: string): Promise<RunLock> {
  try {
    return await acquireLock(join(folder, 'lock'))
  } catch (error) {
    if (!(error instanceof ProblemError) || error.problem.code !== 'RUN_LOCKED') throw error
    throw new ProblemError('RUN_LOCKED', error.message, {
      hint: 'end it first with: contimg cancel; nothing was removed',
      cause: error,
    })
  }
}

async function removeProduct(root: string, path: string): Promise<void> {
  const product = join(root, path)
  // A name that no reader looks at, and that the next run sweeps should this process die here.
  const aside = attemptDirectory(product, randomUUID())
  await rename(product, aside)
  await rm(`${product}.key.json`, { force: true })
  await rm(aside, { recursive: true, force: true })
  for (const parent of [dirname(product), dirname(dirname(product))])
    await rmdir(parent).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'ENOENT') throw error
    })
}

/** Products that a run has made, reused, will make as it planned, or took a solution set from. */
function productsOf({ observations }: RunState): Set<string> {
  return new Set(
    observations.flatMap(({ id, steps, calibration }) => [
      ...steps.map(({ stage, key, product }) => product?.product ?? productPath({ observation: id, stage, key })),
      ...(calibration?.kind === 'set' && calibration.product !== undefined ? [calibration.product] : []),
    ]),
  )
}

/** Bytes of a file or of all files below a folder; undefined when there is nothing. */
async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
  if (found === undefined || !found.isDirectory()) return found?.size
  const sizes = await Promise.all((await readdir(path)).map((name) => sizeOf(join(path, name))))
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
}
