import { lstat, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { failpoint } from '#runtime/stage/failpoint.ts'
import { ownerIn, stateOf } from '#runtime/stage/owner.ts'

/** What a process leaves that cannot be looked at from here is taken for dead after so long; no step runs for a day. */
const UNKNOWN_AFTER_MS = 24 * 3600 * 1000
/** How the name of a folder begins that is being removed. */
const DOOMED = '.doomed-'

/** Where processes leave things that are not products, by the folder and how names in it begin or end. */
const ATTEMPT = /^\.attempt-/
const TEMPORARY = /^\.[^/]*\.tmp$/
export const SCRATCH = /^contimg-(scan-)?[0-9a-f]{8}-[0-9a-f]{4}-/
const OTHERS = /^\.(doomed|install)-/

export interface Swept {
  attempts: number
  scratch: number
  files: number
}

/**
 * Removes what ended processes left under a data root and in scratch folders: attempt directories, scratch, half-written files.
 * What belongs to a running process is spared, and what cannot be told for a day. A directory is renamed before it is emptied, so
 * that an attempt that is about to be committed is committed whole or not at all.
 */
export async function sweep(
  root: string,
  { scratchFolders, nowMs }: { scratchFolders: readonly string[]; nowMs: number },
): Promise<Swept> {
  const swept: Swept = { attempts: 0, scratch: 0, files: 0 }
  const clear = (folder: string, pattern: RegExp): Promise<number> =>
    sweepFolder(folder, (name) => pattern.test(name), nowMs)
  for (const folder of await matching(root, 'products/*/*')) {
    swept.attempts += await clear(join(root, folder), ATTEMPT)
    swept.files += (await clear(join(root, folder), TEMPORARY)) + (await clear(join(root, folder), OTHERS))
  }
  for (const folder of scratchFolders) {
    swept.scratch += await clear(folder, SCRATCH)
    await clear(folder, OTHERS)
  }
  const documents = ['.', 'catalogues', 'earth-orientation', 'station-tables', 'cache/scan']
  for (const pattern of ['cache/verified/*/*', 'quarantine/*', 'runs/*', 'runs/*/attempts/*'])
    documents.push(...(await matching(root, pattern)))
  for (const folder of documents)
    swept.files += (await clear(join(root, folder), TEMPORARY)) + (await clear(join(root, folder), OTHERS))
  return swept
}

/** Removes what ended processes left in one folder, of the names that are chosen; returns how much. */
export async function sweepFolder(folder: string, choose: (name: string) => boolean, nowMs: number): Promise<number> {
  let count = 0
  for (const name of (await names(folder)).filter(choose)) if (await removeDead(folder, name, nowMs)) count++
  return count
}

/** What was removed, as a sentence; undefined when nothing was. */
export function sweptNote({ attempts, scratch, files }: Swept): string | undefined {
  const parts = [
    counted(attempts, 'unfinished product'),
    counted(scratch, 'scratch folder'),
    counted(files, 'half-written file'),
  ].filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : `removed what ended processes had left: ${parts.join(', ')}`
}

async function removeDead(folder: string, name: string, nowMs: number): Promise<boolean> {
  const path = join(folder, name)
  if (!(await isDead(path, name, nowMs))) return false
  const doomed = join(folder, name.startsWith(DOOMED) ? name : `${DOOMED}${name}`)
  try {
    failpoint('sweep.before', name.startsWith('.attempt-') ? 'attempt' : 'other')
    if (doomed !== path) await rename(path, doomed)
    await rm(doomed, { recursive: true, force: true })
    failpoint('sweep.after')
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // Another process was faster, or it is not ours to remove (scratch in a folder that users share).
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EPERM') return false
    throw error
  }
}

async function isDead(path: string, name: string, nowMs: number): Promise<boolean> {
  const owner = ownerIn(name)
  const state = owner === undefined ? 'unknown' : stateOf(owner)
  if (state !== 'unknown') return state === 'ended'
  const found = await lstat(path).catch(() => undefined)
  return found !== undefined && nowMs - found.mtimeMs > UNKNOWN_AFTER_MS
}

/** Folders below a root by a pattern in which `*` stands for any name. */
async function matching(root: string, pattern: string): Promise<string[]> {
  let found = ['.']
  for (const part of pattern.split('/')) {
    const next: string[] = []
    for (const folder of found)
      for (const name of part === '*' ? await names(join(root, folder)) : [part]) next.push(`${folder}/${name}`)
    found = next
  }
  return found
}

async function names(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'EACCES') return []
    throw error
  })
}

function counted(count: number, what: string): string | undefined {
  return count === 0 ? undefined : `${count} ${what}${count === 1 ? '' : 's'}`
}
