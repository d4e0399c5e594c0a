import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Snapshot } from '#runtime/stage/snapshot.ts'
import type { RunEvent, StepRef } from '../pipeline/events.ts'
import type { LiveStep } from '../pipeline/live.ts'
import { applyEvent, emptyState, type RunState } from '../pipeline/state.ts'
import { readEvents } from './event-log.ts'
import { isLocked } from './lock.ts'
import { readRun } from './run-directory.ts'

const LOOK_MS = 400

interface Watcher {
  signal: AbortSignal
  onEvent: (event: RunEvent, state: RunState) => void
  onLive: (step: StepRef, live: LiveStep) => void
}

/**
 * Follows a run that another process works on, from its event log and the snapshots of its stages, until it has ended or
 * the signal is aborted; returns its state then. The first event heard is the last one that has happened.
 */
export async function watchRun(root: string, name: string, { signal, onEvent, onLive }: Watcher): Promise<RunState> {
  const folder = join(root, 'runs', name)
  const state = emptyState()
  let heard = 0
  while (!signal.aborted) {
    // Asked before the last look, so that what was written in between is heard.
    const over = !(await isLocked(join(folder, 'lock')))
    const events = readEvents(join(folder, 'events.ndjson'))
    events.slice(heard).forEach((event, index) => {
      applyEvent(state, event)
      if (heard > 0 || index === events.length - 1) onEvent(event, state)
    })
    heard = events.length
    if (over) break
    await tellLive(root, state, onLive)
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined)
  }
  return readRun(root, name)
}

/** What running stages last said of themselves: nothing of it is in the event log. */
async function tellLive(root: string, { observations }: RunState, onLive: Watcher['onLive']): Promise<void> {
  for (const { id: observation, steps } of observations) {
    for (const { stage, key, attempts, status } of steps) {
      const log = attempts.at(-1)?.log
      if (status !== 'running' || log === undefined) continue
      const snapshot = await readSnapshot(join(root, dirname(log), 'snapshot.json'))
      if (snapshot === undefined) continue
      const { done, total, unit, memoryBytes, scratchBytes, cpus } = snapshot
      onLive(
        { observation, stage, key },
        {
          ...(done === undefined || total === undefined || unit === undefined
            ? {}
            : { progress: { done, total, unit } }),
          ...(memoryBytes === undefined || scratchBytes === undefined || cpus === undefined
            ? {}
            : { usage: { memoryBytes, scratchBytes, cpus } }),
        },
      )
    }
  }
}

async function readSnapshot(path: string): Promise<Snapshot | undefined> {
  try {
    return (JSON.parse(await readFile(path, 'utf8')) as Snapshot | null) ?? undefined
  } catch {
    // Not there yet, or being rewritten just now: the next look has it.
    return undefined
  }
}
