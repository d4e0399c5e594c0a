import type { Resources, StageName, StagePlan } from '#runtime/stage/contract.ts'
import type { AttemptClass } from '../pipeline/classify.ts'
import type { StepState } from '../pipeline/state.ts'
import type { AttemptRecord, Session } from './record.ts'

/** One attempt with what it used of its limits. Shares are fractions of the limit; null where one of both is not known. */
export interface AttemptReport {
  observation: string
  stage: StageName
  key: string
  number: number
  uid: string
  /** How it ended; `running` while it runs, `lost` when its process died with the orchestrator. */
  class: AttemptClass | 'running' | 'lost'
  evidence: readonly string[]
  /** Another attempt followed. */
  retried: boolean
  waited: readonly string[]
  readyAt: string
  startedAt: string
  endedAt: string
  queueSeconds: number
  wallSeconds: number
  cpuSeconds: number | null
  cpuShare: number | null
  peakMemoryBytes: number | null
  memoryShare: number | null
  peakScratchBytes: number | null
  scratchShare: number | null
  readBytes: number | null
  writtenBytes: number | null
  phases: { name: string; startedAt: string; seconds: number }[]
  limits: Resources | null
  need: StagePlan | null
  log: string
}

/** An attempt as the report tells it: its record and, when it made the product, the usage that the stage measured. */
export function describeAttempt(
  record: AttemptRecord,
  { step, live, sessions }: { step: StepState | undefined; live: boolean; sessions: readonly Session[] },
): AttemptReport {
  const session = sessions.findLast(({ startedAt }) => startedAt <= record.startedAt)
  const endedAt = Math.max(record.startedAt, record.endedAt ?? session?.endedAt ?? record.startedAt)
  // Usage is that of the attempt which made the product; of the others only the peak is known.
  const usage = record.class === 'succeeded' && step?.status === 'done' ? step.product?.usage : undefined
  const { resources, need, peakMemoryBytes } = record
  const peakMemory = usage?.peakMemoryBytes ?? peakMemoryBytes ?? null
  const peakScratch = usage?.peakScratchBytes ?? null
  const running = record.class === undefined && live && session === sessions.at(-1)
  return {
    observation: record.observation,
    stage: record.stage,
    key: record.key,
    number: record.number,
    uid: record.uid,
    class: record.class ?? (running ? 'running' : 'lost'),
    evidence: record.evidence,
    retried: record.retried,
    waited: record.waited,
    readyAt: isoTime(record.readyAt),
    startedAt: isoTime(record.startedAt),
    endedAt: isoTime(endedAt),
    queueSeconds: (record.startedAt - record.readyAt) / 1000,
    wallSeconds: (endedAt - record.startedAt) / 1000,
    cpuSeconds: usage?.cpuSeconds ?? null,
    cpuShare: share(usage?.cpuSeconds ?? null, resources && usage && resources.cpu * usage.wallSeconds),
    peakMemoryBytes: peakMemory,
    memoryShare: share(peakMemory, resources?.memoryBytes),
    peakScratchBytes: peakScratch,
    scratchShare: share(peakScratch, resources?.scratchBytes),
    readBytes: usage?.readBytes ?? null,
    writtenBytes: usage?.writtenBytes ?? null,
    phases: record.phases.map(({ name, at }, index) => ({
      name,
      startedAt: isoTime(at),
      seconds: Math.max(0, (record.phases[index + 1]?.at ?? endedAt) - at) / 1000,
    })),
    limits: resources ?? null,
    need: need ?? null,
    log: record.log,
  }
}

function share(used: number | null, limit: number | undefined): number | null {
  return used === null || limit === undefined || !(limit > 0) ? null : used / limit
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
