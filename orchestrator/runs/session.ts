import { rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { failpoint } from '#runtime/stage/failpoint.ts'
import { writeFileAtomic } from '#runtime/stage/files.ts'
import type { Scan } from '../../stages/conversion/contract.ts'
import type { Executor } from '../executors/executor.ts'
import { admit } from '../pipeline/admission.ts'
import type { RunConfig } from '../pipeline/config.ts'
import type { NewEvent, RunEvent, StepRef } from '../pipeline/events.ts'
import type { LiveStep } from '../pipeline/live.ts'
import { runOutcome } from '../pipeline/outcome.ts'
import type { PlanInput } from '../pipeline/plan.ts'
import { stepSlots, type Machine } from '../pipeline/resources.ts'
import { applyEvent, emptyState, foldEvents, type RunState } from '../pipeline/state.ts'
import { conduct } from './conductor.ts'
import { recordQuarantine, sweepQuarantine } from './quarantine.ts'
import { explainRoom } from './room.ts'
import { openRun } from './run-directory.ts'
import { readEvents } from './event-log.ts'
import { sweep, sweptNote } from './sweep.ts'

export interface SessionOptions {
  config: RunConfig
  version: string
  scan: Scan
  scanSeconds: number
  assets: PlanInput['assets']
  engines: PlanInput['engines']
  notes: readonly { level: 'info' | 'warn'; message: string }[]
  machine: Machine
  /** Products of the stages that are to run are made again, although they exist. */
  fresh?: boolean
  /** Ids of the observations to work on now; default: all that the configuration selects. */
  observations?: readonly string[]
  /** Makes the executor for a run's folder (relative to the data root). */
  executor: (runFolder: string) => Executor
  now: () => Date
  random: () => number
  /** Aborted with the exit code (130, 143) as its reason. */
  signal: AbortSignal
  /** The command line that begins the run, without `contimg`. */
  command?: readonly string[]
  /** Called with every event and the state after it. */
  onEvent: (event: RunEvent, state: RunState) => void
  /** Called with what is known of a running step for the moment. */
  onLive: (step: StepRef, live: LiveStep) => void
}

/**
 * One process's work on a run, from opening its directory to its last event. Throws ProblemError before the run begins, and
 * DISK_FULL when not even its events find room.
 */
export async function runSession(options: SessionOptions): Promise<RunState> {
  try {
    return await work(options)
  } catch (error) {
    throw await explainRoom(error, options.config.root)
  }
}

async function work(options: SessionOptions): Promise<RunState> {
  const { scan, now, signal } = options
  const run = await openRun(options.config, options)
  const config =
    options.observations === undefined ? options.config : { ...options.config, observations: [...options.observations] }
  const state: RunState = emptyState()
  const path = join(config.root, run.folder)
  if (run.continued) Object.assign(state, foldEvents(readEvents(join(path, 'events.ndjson'))))
  const emit = (event: NewEvent): void => {
    const stamped = run.log.append(event)
    applyEvent(state, stamped)
    options.onEvent(stamped, state)
  }
  const started = performance.now()
  const about = (): { run: string; input: string; at: string } => ({
    run: run.name,
    input: scan.input,
    at: now().toISOString(),
  })
  try {
    const executor = options.executor(run.folder)
    const { version } = options
    emit({
      type: 'run.started',
      run: run.name,
      version,
      input: scan.input,
      executor: executor.name,
      pid: process.pid,
      continued: run.continued,
      slots: stepSlots(options),
      ...(options.command === undefined ? {} : { command: options.command }),
    })
    for (const message of run.repairs) emit({ type: 'run.note', level: 'warn', message })
    for (const note of options.notes) emit({ type: 'run.note', ...note })
    const scratchFolders = [...executor.scratchFolders, tmpdir()]
    const swept = sweptNote(await sweep(config.root, { scratchFolders, nowMs: now().getTime() }))
    if (swept !== undefined) emit({ type: 'run.note', level: 'info', message: swept })
    await writeFileAtomic(join(path, 'scan.json'), `${JSON.stringify(scan, null, 2)}\n`)
    const faults =
      scan.faults.length + scan.observations.reduce((sum, observation) => sum + observation.faults.length, 0)
    emit({
      type: 'scan.finished',
      files: scan.files,
      observations: scan.observations.length,
      faults,
      seconds: options.scanSeconds,
    })

    for (const { file, observation, state: now } of await sweepQuarantine(config.root, scan)) {
      const why =
        now === 'set aside' ? 'nothing is wrong with it any more' : `it was ${now === 'gone' ? 'removed' : 'replaced'}`
      emit({ type: 'run.note', level: 'info', message: `${observation}: ${file} is no longer set aside: ${why}` })
    }
    const { rejected, quarantined, unused } = admit(scan, config)
    for (const { observation, file, message } of unused)
      emit({ type: 'run.note', level: 'warn', message: `${observation}: ${file} is not used: ${message}` })
    for (const entry of quarantined) {
      await recordQuarantine(config.root, entry, { ...about(), evidence: [{ file: entry.file }] })
      if (rejected.some(({ id }) => id === entry.observation)) continue
      emit({
        type: 'run.note',
        level: 'warn',
        message: `${entry.observation}: ${entry.file} is set aside: ${entry.message} [${entry.code}]`,
      })
    }
    for (const { id, status, problem } of rejected) {
      const asideFiles = quarantined.some(({ observation }) => observation === id)
      emit({ type: 'observation.rejected', observation: id, status, error: problem, quarantined: asideFiles })
    }
    await conduct({
      ...options,
      config,
      run: run.name,
      planInput: { config, scan, assets: options.assets, engines: options.engines, fresh: options.fresh === true },
      executor,
      state,
      emit,
      async quarantine({ observation, stage }, { code, message, hint }) {
        const files = scan.observations.find(({ id }) => id === observation)?.files ?? []
        const named = files.filter(({ path }) => message.includes(path))
        const [only] = named
        const file = named.length === 1 && only !== undefined ? only.path : observation
        const evidence = (named.length === 1 ? named : files).map(({ path, fingerprint }) => ({
          file: path,
          fingerprint,
        }))
        const entry = { observation, file, code, message, ...(hint === undefined ? {} : { hint }) }
        await recordQuarantine(config.root, entry, { ...about(), stage, evidence })
      },
    })
    const interrupted = signal.aborted ? Number(signal.reason) : undefined
    const seconds = Math.round(performance.now() - started) / 1000
    emit({ type: 'run.finished', ...runOutcome(state, { failOn: config.execution.failOn, interrupted }), seconds })
    return state
  } finally {
    run.log.close()
    run.reserve.release()
    await run.lock.release()
    failpoint('session.closed')
    // Attempts with scratch on the data root's disk leave the folder behind; another run may be using it still.
    await rmdir(join(config.root, '.scratch')).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTEMPTY') throw error
    })
  }
}
