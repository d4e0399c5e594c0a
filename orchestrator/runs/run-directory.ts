import { existsSync, statSync } from 'node:fs'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { writeFileAtomic } from '#runtime/stage/files.ts'
import { makeDirectory } from '#runtime/stage/filesystem.ts'
import { configIdentity, parseConfig, type RunConfig } from '../pipeline/config.ts'
import { runName, runNamePattern } from '../pipeline/names.ts'
import { ProblemError } from '../pipeline/problem.ts'
import type { RunEvent } from '../pipeline/events.ts'
import { foldEvents, type RunState } from '../pipeline/state.ts'
import { openEventLog, readEvents, type EventLog } from './event-log.ts'
import { acquireLock, isLocked, type RunLock } from './lock.ts'
import { rebuildEvents } from './rebuild.ts'
import { keepReserve, type Reserve } from './reserve.ts'

export interface OpenRun {
  name: string
  /** Relative to the data root. */
  folder: string
  log: EventLog
  lock: RunLock
  /** Room for the last events and the report. */
  reserve: Reserve
  /** The run existed already, with the same configuration. */
  continued: boolean
  /** What had to be set right in what an earlier process left. */
  repairs: string[]
}

/**
 * Makes the directory of a new run, or takes up the run of that name: its configuration must be the same in all that can
 * change a product. Throws ProblemError RUN_NAME_TAKEN or RUN_LOCKED.
 */
export async function openRun(
  config: RunConfig,
  { random, now }: { random: () => number; now: () => Date },
): Promise<OpenRun> {
  const runs = join(config.root, 'runs')
  const name = config.name ?? runName(random, (candidate) => existsSync(join(runs, candidate)))
  const folder = `runs/${name}`
  const path = join(config.root, folder)
  const configPath = join(path, 'config.yaml')
  if (existsSync(configPath)) await requireSameConfig(configPath, name, config)
  await makeDirectory(path)
  const lock = await acquireLock(join(path, 'lock'))
  try {
    // Another process may have made it meanwhile.
    const continued = existsSync(configPath)
    if (continued) await requireSameConfig(configPath, name, config)
    const lost = continued && existsSync(join(path, 'scan.json')) && !hasLog(path)
    if (!continued) await writeFileAtomic(configPath, stringify({ ...config, name }))
    const reserve = keepReserve(join(path, '.reserve'))
    const log = openEventLog(join(path, 'events.ndjson'), now, () => reserve.release())
    const repairs = [
      ...(lock.takenOverFrom === undefined ? [] : [takenOver(lock.takenOverFrom)]),
      ...(log.repaired ? ['cut off a half-written last line of the event log'] : []),
      ...(lost ? ['the event log of the earlier work on this run is lost: a new one begins here'] : []),
    ]
    return { name, folder, log, lock, reserve, continued, repairs }
  } catch (error) {
    await lock.release()
    throw error
  }
}

function takenOver(pid: number): string {
  return pid === 0
    ? 'took over from a process whose lock cannot be read any more'
    : `took over from process ${pid}, which has ended`
}

/** Names of the runs under a data root, the one that was active last first. */
export async function listRuns(root: string): Promise<string[]> {
  const names = await readdir(join(root, 'runs')).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const known = names.filter(
    (name) =>
      runNamePattern.test(name) &&
      (hasLog(join(root, 'runs', name)) || existsSync(join(root, 'runs', name, 'config.yaml'))),
  )
  const dated = known.map((name) => ({ name, at: lastTime(join(root, 'runs', name)) }))
  return dated.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : a.name < b.name ? -1 : 1)).map(({ name }) => name)
}

/**
 * The run that a user means: a name, an unambiguous beginning of one, or `@latest`, the one that was active last.
 * Throws ProblemError RUN_NOT_FOUND.
 */
export async function findRun(root: string, wanted: string): Promise<string> {
  const names = await listRuns(root)
  if (wanted === '@latest') {
    if (names[0] !== undefined) return names[0]
    throw new ProblemError('RUN_NOT_FOUND', `there are no runs under ${root}`, {
      hint: 'start one with: contimg run --input DIR',
    })
  }
  if (names.includes(wanted)) return wanted
  const matching = names.filter((name) => name.startsWith(wanted))
  if (matching.length === 1 && matching[0] !== undefined) return matching[0]
  throw new ProblemError(
    'RUN_NOT_FOUND',
    matching.length === 0 ? `there is no run "${wanted}" under ${root}` : `"${wanted}" may be ${matching.join(' or ')}`,
    {
      hint: 'list them with: contimg list',
    },
  )
}

/**
 * The state of a run from its event log, or from its products where that is lost; a run whose process died is shown as cancelled.
 */
export async function readRun(root: string, name: string): Promise<RunState> {
  const path = join(root, 'runs', name)
  // A run is called what its folder is called, whatever a log says that was copied into it.
  const state = { ...foldEvents(await readRunEvents(root, name)), run: name }
  if (state.status === 'running' && !(await isLocked(join(path, 'lock')))) {
    state.status = 'cancelled'
    for (const step of state.observations.flatMap(({ steps }) => steps))
      if (step.status === 'running') step.status = 'cancelled'
    for (const observation of state.observations) if (observation.status === 'running') observation.status = 'cancelled'
  }
  return state
}

/** The events of a run; where the log is lost, those that what is left tells of. Throws ProblemError when that cannot be read. */
export async function readRunEvents(root: string, name: string): Promise<RunEvent[]> {
  const path = join(root, 'runs', name)
  if (hasLog(path)) return readEvents(join(path, 'events.ndjson'))
  return rebuildEvents(root, { name, config: await readConfig(join(path, 'config.yaml'), root) })
}

/** Whether anything was ever written into the event log of a run, as far as can be seen. */
function hasLog(path: string): boolean {
  return (statSync(join(path, 'events.ndjson'), { throwIfNoEntry: false })?.size ?? 0) > 0
}

async function readConfig(file: string, root: string): Promise<RunConfig> {
  const text = await readFile(file, 'utf8')
  return parseConfig({
    file: { path: file, text },
    overrides: [],
    resolvePath: (relative) => join(root, relative),
  })
}

async function requireSameConfig(file: string, name: string, config: RunConfig): Promise<void> {
  const before = await readConfig(file, config.root)
  if (configIdentity(before) === configIdentity(config)) return
  throw new ProblemError('RUN_NAME_TAKEN', `the run "${name}" has another configuration`, {
    hint: `choose another --name, or none; the other configuration is in ${file}`,
  })
}

function lastTime(path: string): string {
  if (!hasLog(path)) return statSync(join(path, 'config.yaml')).mtime.toISOString()
  try {
    return readEvents(join(path, 'events.ndjson')).at(-1)?.at ?? ''
  } catch {
    // Its log is damaged: it is listed last, and says so when it is opened.
    return ''
  }
}
