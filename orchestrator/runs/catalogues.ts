import { randomUUID } from 'node:crypto'
import { cp, readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { hashTree } from '#runtime/stage/files.ts'
import { makeDirectory } from '#runtime/stage/filesystem.ts'
import { ownerName, thisOwner } from '#runtime/stage/owner.ts'
import { ProblemError } from '../pipeline/problem.ts'
import type { Asset } from '../pipeline/plan.ts'

/** What the orchestrator reads of a catalogue's description; the whole of it is the formats' business. */
const descriptionSchema = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/),
  version: z.string(),
  hash12: z.string().regex(/^[0-9a-f]{12}$/),
  sha256: z.string(),
  rows: z.number(),
  freqHz: z.number(),
  simulated: z.boolean(),
})
type CatalogueDescription = z.output<typeof descriptionSchema>

export interface InstalledCatalogue extends CatalogueDescription {
  /** Folder relative to the data root. */
  path: string
}

/** Imported catalogues of a data root. */
export async function listCatalogues(root: string): Promise<InstalledCatalogue[]> {
  const names = await readdir(join(root, 'catalogues')).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const found: InstalledCatalogue[] = []
  for (const name of names.filter((candidate) => candidate.includes('@')).sort()) {
    const description = await describe(join(root, 'catalogues', name)).catch(() => undefined)
    if (description !== undefined) found.push({ ...description, path: `catalogues/${name}` })
  }
  return found
}

/**
 * The catalogue that a user means, installed under the data root: a folder is copied there (once per content), a name is
 * looked up as `name@hash`, `name@` with the beginning of a hash, or `name` alone where only one has it.
 * Throws ProblemError CATALOGUE_NOT_FOUND or CATALOGUE_UNREADABLE.
 */
export async function resolveCatalogue(root: string, wanted: string): Promise<InstalledCatalogue> {
  if (wanted.startsWith('/')) return install(root, wanted)
  const all = await listCatalogues(root)
  const matching = all.filter(({ name, hash12 }) => name === wanted || `${name}@${hash12}`.startsWith(wanted))
  const [only] = matching
  if (matching.length === 1 && only !== undefined) return only
  const known = all.map(({ name, hash12 }) => `${name}@${hash12}`).join(', ')
  throw new ProblemError(
    'CATALOGUE_NOT_FOUND',
    matching.length === 0
      ? `there is no catalogue "${wanted}" under ${root}`
      : `"${wanted}" may be ${matching.map(({ path }) => path).join(' or ')}`,
    {
      hint:
        known === ''
          ? 'import one with: contimg catalogue import FILE; or give the path of its folder'
          : `there are: ${known}`,
    },
  )
}

/** The catalogue as an input of steps: its content hash enters keys. */
export async function catalogueAsset(root: string, { path, sha256 }: InstalledCatalogue): Promise<Asset> {
  const tree = await hashTree(join(root, path))
  return { identity: sha256, reference: { path, bytes: tree.bytes, sha256: tree.sha256, kind: 'catalogue' } }
}

async function install(root: string, source: string): Promise<InstalledCatalogue> {
  if ((await stat(source).catch(() => undefined))?.isDirectory() !== true) {
    throw new ProblemError('CATALOGUE_NOT_FOUND', `the catalogue folder ${source} does not exist`, {
      hint: 'give the folder that contimg simulate or contimg catalogue import wrote',
    })
  }
  const description = await describe(source)
  const path = `catalogues/${description.name}@${description.hash12}`
  const target = join(root, path)
  if ((await stat(join(target, 'catalogue.json')).catch(() => undefined)) === undefined) {
    const temporary = join(root, 'catalogues', `.install-${randomUUID()}.${ownerName(thisOwner())}`)
    await makeDirectory(join(root, 'catalogues'))
    try {
      // Copies of what links lead to, whatever that is, have no place in the data root; links to it even less.
      const links = (await readdir(source, { recursive: true, withFileTypes: true })).filter(
        (entry) => !entry.isFile() && !entry.isDirectory(),
      )
      if (links[0] !== undefined)
        throw new ProblemError(
          'CATALOGUE_UNREADABLE',
          `${join(source, links[0].name)} is a link and no part of a catalogue`,
          {
            hint: 'give a folder of files: cp -rL copies what links lead to',
          },
        )
      await cp(source, temporary, { recursive: true })
      await rm(target, { recursive: true, force: true })
      await rename(temporary, target)
    } finally {
      await rm(temporary, { recursive: true, force: true })
    }
  }
  return { ...description, path }
}

async function describe(folder: string): Promise<CatalogueDescription> {
  const file = join(folder, 'catalogue.json')
  try {
    return descriptionSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (cause) {
    throw new ProblemError('CATALOGUE_UNREADABLE', `${file} is missing or no catalogue description`, {
      hint: 'give the folder that contimg simulate or contimg catalogue import wrote',
      cause,
    })
  }
}
