import { randomUUID } from 'node:crypto'
import { link, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { failpoint } from '#runtime/stage/failpoint.ts'
import { ownerName, stateOf, thisOwner, type Owner } from '#runtime/stage/owner.ts'
import { ProblemError } from '../pipeline/problem.ts'

interface Holder extends Owner {
  /** Of this taking of the lock. */
  id: string
  host: string
}

export interface RunLock {
  /** The dead process that left the lock behind, if there was one; 0 where it cannot be told. */
  takenOverFrom: number | undefined
  release(): Promise<void>
}

/**
 * Takes the lock of a run for this process; a lock of a dead process is taken over. A lock appears complete or not at all, because
 * it is a link to a file that has been written; one of a dead process is replaced by whoever links the claim to it first.
 * Throws ProblemError RUN_LOCKED.
 */
export async function acquireLock(path: string): Promise<RunLock> {
  const holder: Holder = { ...thisOwner(), id: randomUUID(), host: hostname() }
  const own = `${path}.${ownerName(holder)}.${holder.id}`
  await writeDurably(own, JSON.stringify(holder))
  try {
    const takenOverFrom = await take(path, own)
    failpoint('lock.taken')
    await sweep(path)
    return { takenOverFrom, release: () => release(path, holder.id) }
  } finally {
    await rm(own, { force: true })
  }
}

/** Whether a live process holds the lock of a run. */
export async function isLocked(path: string): Promise<boolean> {
  const holder = await readHolder(path)
  return holder !== undefined && isAlive(holder)
}

/** The process that holds the lock of a run; `here`: it is seen to run on this machine, and can be spoken to. */
export async function lockHolder(path: string): Promise<{ pid: number; host: string; here: boolean } | undefined> {
  const holder = await readHolder(path)
  if (holder === undefined || !isAlive(holder)) return undefined
  return { pid: holder.pid, host: holder.host, here: stateOf(holder) === 'running' }
}

async function take(path: string, own: string): Promise<number | undefined> {
  for (;;) {
    failpoint('lock.take.before')
    if (await linked(own, path)) return undefined
    const found = await readHolder(path)
    if (found === undefined) continue
    const claims = await claim(path, own, found)
    if (claims === undefined) continue
    // Nobody else may replace it now, but somebody may have done so before the claim was there to be taken.
    const unchanged = (await readHolder(path))?.id === found.id
    failpoint('lock.replace.before')
    if (unchanged) await rename(own, path)
    for (const name of claims) await rm(name, { force: true })
    if (unchanged) return found.pid
  }
}

/**
 * Takes the right to replace the lock of a dead process: a name that is made of the id of the lock, and can be linked once. Where
 * that was taken by a process that died since, its own claim is claimed in turn. Undefined when things changed meanwhile.
 */
async function claim(path: string, own: string, holder: Holder): Promise<string[] | undefined> {
  const claims: string[] = []
  for (let dead = holder; ;) {
    if (isAlive(dead)) throw locked(dead, path)
    const name = `${path}.after-${dead.id}`
    claims.push(name)
    if (await linked(own, name)) return claims
    const claimant = await readHolder(name)
    if (claimant === undefined) return undefined
    dead = claimant
  }
}

async function release(path: string, id: string): Promise<void> {
  failpoint('lock.release.before')
  if ((await readHolder(path))?.id === id) await rm(path, { force: true })
  failpoint('lock.release.after')
}

/** Removes what processes left that were killed while they took this lock. */
async function sweep(path: string): Promise<void> {
  const folder = dirname(path)
  for (const name of (await readdir(folder)).filter((other) => other.startsWith(`${basename(path)}.`))) {
    const holder = await readHolder(join(folder, name))
    if (holder !== undefined && !isAlive(holder)) await rm(join(folder, name), { force: true })
  }
}

async function linked(existing: string, path: string): Promise<boolean> {
  try {
    await link(existing, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx')
  await file.writeFile(text)
  await file.sync()
}

/** Who holds a lock; undefined when there is none. One that cannot be read, as after a power cut, was held by nobody that lives. */
async function readHolder(path: string): Promise<Holder | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  try {
    const { pid, started, boot, space, id, host } = JSON.parse(text) as Partial<Holder>
    if (pid !== undefined && started !== undefined && boot !== undefined && space !== undefined)
      return { pid, started, boot, space, id: id ?? 'unknown', host: host ?? '' }
  } catch {
    // As below.
  }
  return { pid: 0, started: '', boot: '', space: thisOwner().space, id: 'unknown', host: '' }
}

function isAlive(holder: Owner): boolean {
  // A process of another machine cannot be looked at: it is believed.
  return stateOf(holder) !== 'ended'
}

function locked(holder: Holder, path: string): ProblemError {
  const seen = stateOf(holder) === 'running'
  return new ProblemError('RUN_LOCKED', `process ${holder.pid} on ${holder.host} works on this run`, {
    hint: seen
      ? 'wait for it or stop it; look at the run with: contimg get'
      : `it cannot be seen from here; wait for it, or, when it has surely ended, remove ${path}`,
  })
}
