import type { Resources, StageName, StagePlan } from '#runtime/stage/contract.ts'
import type { AttemptClass } from '../pipeline/classify.ts'
import type { RunEvent, StepRef } from '../pipeline/events.ts'

/** One attempt as the log tells it. Times are milliseconds of the epoch, never running back. */
export interface AttemptRecord {
  observation: string
  stage: StageName
  key: string
  number: number
  uid: string
  /** When the step could have begun: after its observation was planned and the step before it was over. */
  readyAt: number
  startedAt: number
  /** Absent while it runs, and when its process was lost. */
  endedAt?: number
  class?: AttemptClass
  evidence: readonly string[]
  /** Another attempt followed. */
  retried: boolean
  /** Why it had to wait, where that was said. */
  waited: readonly string[]
  phases: { name: string; at: number }[]
  log: string
  resources?: Resources
  need?: StagePlan
  peakMemoryBytes?: number
}

/** The work of one process on the run. */
export interface Session {
  pid: number
  startedAt: number
  endedAt: number
  /** How the process ended the run; absent when it died or runs still. */
  exitCode?: number
}

export interface RunRecord {
  sessions: Session[]
  attempts: AttemptRecord[]
}

/** Attempts and sessions as the fold of a run's events: what the state of the run forgets and a report shows. */
export function foldRecord(events: Iterable<RunEvent>): RunRecord {
  const sessions: Session[] = []
  const attempts: AttemptRecord[] = []
  const ready = new Map<string, number>()
  const reasons = new Map<string, string[]>()
  const current = new Map<string, AttemptRecord>()
  let now = 0
  for (const event of events) {
    // A clock that was set back must not make a time negative.
    now = Math.max(now, timeOf(event.at) ?? now)
    const session = sessions.at(-1)
    // What was between two sessions belongs to neither.
    if (session !== undefined && event.type !== 'run.started') session.endedAt = now
    switch (event.type) {
      case 'run.started':
        if (!event.continued) {
          attempts.length = 0
          sessions.length = 0
        }
        sessions.push({ pid: event.pid, startedAt: now, endedAt: now })
        current.clear()
        break
      case 'run.finished':
        if (session !== undefined) session.exitCode = event.exitCode
        break
      case 'observation.planned':
        ready.set(event.observation, now)
        break
      case 'step.waiting': {
        const said = reasons.get(stepId(event.step)) ?? []
        if (!said.includes(event.reason)) reasons.set(stepId(event.step), [...said, event.reason])
        break
      }
      case 'attempt.started': {
        const { step, attempt, uid, log, resources, need } = event
        const record: AttemptRecord = {
          ...step,
          number: attempt,
          uid,
          readyAt: Math.min(now, Math.max(ready.get(step.observation) ?? now, session?.startedAt ?? 0)),
          startedAt: now,
          evidence: [],
          retried: false,
          waited: reasons.get(stepId(step)) ?? [],
          phases: [],
          log,
          ...(resources === undefined ? {} : { resources }),
          ...(need === undefined ? {} : { need }),
        }
        reasons.delete(stepId(step))
        attempts.push(record)
        current.set(stepId(step), record)
        break
      }
      case 'step.phase':
        current.get(stepId(event.step))?.phases.push({ name: event.phase, at: now })
        break
      case 'attempt.ended': {
        const record = current.get(stepId(event.step))
        if (record !== undefined) {
          const { evidence, retry: retried, peakMemoryBytes } = event
          Object.assign(record, { endedAt: now, class: event.class, evidence, retried })
          if (peakMemoryBytes !== undefined) record.peakMemoryBytes = peakMemoryBytes
        }
        ready.set(event.step.observation, now)
        break
      }
      case 'step.finished':
      case 'step.reused':
        ready.set(event.step.observation, now)
        break
      default:
    }
  }
  return { sessions, attempts }
}

function timeOf(at: string): number | undefined {
  const time = Date.parse(at)
  return Number.isNaN(time) ? undefined : time
}

function stepId({ observation, stage, key }: StepRef): string {
  return `${observation} ${stage} ${key}`
}
