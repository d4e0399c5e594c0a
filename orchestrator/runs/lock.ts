import { readFileSync } from 'node:fs'
import { open, readFile, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { ProblemError } from '../pipeline/problem.ts'

interface Holder {
  pid: number
  /** Start time of the process in clock ticks since boot: tells it apart from a later process of the same number. */
  started: string
  host: string
}

export interface RunLock {
  /** The dead process that left the lock behind, if there was one. */
  takenOverFrom: number | undefined
  release(): Promise<void>
}

/** Takes the lock of a run for this process; a lock of a dead process is taken over. Throws ProblemError RUN_LOCKED. */
export async function acquireLock(path: string): Promise<RunLock> {
  let takenOverFrom: number | undefined
  for (;;) {
    try {
      const file = await open(path, 'wx')
      await file.writeFile(
        JSON.stringify({ pid: process.pid, started: startOf(process.pid), host: hostname() } satisfies Holder),
      )
      await file.sync()
      await file.close()
      return { takenOverFrom, release: () => rm(path, { force: true }) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const holder = await readHolder(path)
    if (holder !== undefined && isAlive(holder)) {
      throw new ProblemError('RUN_LOCKED', `process ${holder.pid} on ${holder.host} works on this run`, {
        hint: 'wait for it or stop it; look at the run with: contimg get',
      })
    }
    takenOverFrom = holder?.pid ?? 0
    await rm(path, { force: true })
  }
}

/** Whether a live process holds the lock of a run. */
export async function isLocked(path: string): Promise<boolean> {
  const holder = await readHolder(path)
  return holder !== undefined && isAlive(holder)
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder
  } catch {
    // Gone, or written by a process that died in between: nobody holds it.
    return undefined
  }
}

function isAlive({ pid, started, host }: Holder): boolean {
  // A process of another machine cannot be looked at: it is believed.
  return host !== hostname() || (startOf(pid) !== undefined && startOf(pid) === started)
}

function startOf(pid: number): string {
  try {
    // Field 22 of stat, counted behind the command in parentheses, which may hold blanks.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? 'running'
  } catch {
    return isRunning(pid) ? 'running' : 'ended'
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
