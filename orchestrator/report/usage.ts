import type { StageName } from '#runtime/stage/contract.ts'
import { pipelineStages } from '../pipeline/stages.ts'
import type { AttemptReport } from './attempts.ts'
import type { ObservationReport } from './model.ts'

/** Half, largest and sum of what the steps of a stage used. */
export interface Spread {
  median: number
  max: number
  sum: number
}

/** What one stage used in this run. Reused steps used nothing now. */
export interface StageReport {
  stage: StageName
  steps: number
  reused: number
  attempts: number
  retries: number
  queueSeconds: Spread | null
  wallSeconds: Spread | null
  cpuSeconds: Spread | null
  /** CPU time over wall time and cores. */
  cpuShare: Spread | null
  peakMemoryBytes: Spread | null
  memoryShare: Spread | null
  peakScratchBytes: Spread | null
  scratchShare: Spread | null
  readBytes: Spread | null
  writtenBytes: Spread | null
  /** The largest limits that its attempts had. */
  cpuLimit: number | null
  memoryLimitBytes: number | null
  scratchLimitBytes: number | null
  /** Memory with which these steps would have run: the larger of what they planned and the peak with a margin. */
  enoughMemoryBytes: number | null
  /** Wall and CPU time of its phases in all steps together, in the order of the first. */
  phases: { name: string; wallSeconds: number; cpuSeconds: number }[]
}

/** Peaks differ from run to run by less than this. */
const MEMORY_MARGIN = 1.25
const MEMORY_STEP_BYTES = 64 * 2 ** 20

/** Usage of the stages that had something to do. */
export function stageReports(
  observations: readonly ObservationReport[],
  attempts: readonly AttemptReport[],
): StageReport[] {
  return pipelineStages.flatMap((stage) => {
    const steps = observations.flatMap((observation) => observation.steps).filter((step) => step.stage === stage)
    const tried = attempts.filter((attempt) => attempt.stage === stage)
    if (steps.length === 0 && tried.length === 0) return []
    const of = (value: (attempt: AttemptReport) => number | null): Spread | null => spread(tried.map(value))
    const largest = (value: (attempt: AttemptReport) => number | undefined): number | null =>
      spread(tried.map((attempt) => value(attempt) ?? null))?.max ?? null
    const peakMemoryBytes = of((attempt) => attempt.peakMemoryBytes)
    const needed = largest(({ need }) => need?.workingBytes)
    return [
      {
        stage,
        steps: steps.length,
        reused: steps.filter(({ status }) => status === 'cached').length,
        attempts: tried.length,
        retries: tried.length - new Set(tried.map(({ observation, key }) => `${observation} ${key}`)).size,
        queueSeconds: of(({ number, queueSeconds }) => (number === 1 ? queueSeconds : null)),
        wallSeconds: of(({ wallSeconds }) => wallSeconds),
        cpuSeconds: of(({ cpuSeconds }) => cpuSeconds),
        cpuShare: of(({ cpuShare }) => cpuShare),
        peakMemoryBytes,
        memoryShare: of(({ memoryShare }) => memoryShare),
        peakScratchBytes: of(({ peakScratchBytes }) => peakScratchBytes),
        scratchShare: of(({ scratchShare }) => scratchShare),
        readBytes: of(({ readBytes }) => readBytes),
        writtenBytes: of(({ writtenBytes }) => writtenBytes),
        cpuLimit: largest(({ limits }) => limits?.cpu),
        memoryLimitBytes: largest(({ limits }) => limits?.memoryBytes),
        scratchLimitBytes: largest(({ limits }) => limits?.scratchBytes),
        enoughMemoryBytes:
          peakMemoryBytes === null ? null : roundUp(Math.max(peakMemoryBytes.max * MEMORY_MARGIN, needed ?? 0)),
        phases: phasesOf(steps),
      },
    ]
  })
}

function phasesOf(steps: readonly ObservationReport['steps'][number][]): StageReport['phases'] {
  const phases = new Map<string, StageReport['phases'][number]>()
  for (const { status, usage } of steps) {
    if (status !== 'done') continue
    for (const { name, wallSeconds, cpuSeconds } of usage?.phases ?? []) {
      const sum = phases.get(name) ?? { name, wallSeconds: 0, cpuSeconds: 0 }
      sum.wallSeconds += wallSeconds
      sum.cpuSeconds += cpuSeconds
      phases.set(name, sum)
    }
  }
  return [...phases.values()]
}

function spread(values: readonly (number | null)[]): Spread | null {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b)
  if (known.length === 0) return null
  const middle = known.length / 2
  const low = known[Math.ceil(middle) - 1] ?? 0
  const high = known[Math.floor(middle)] ?? 0
  return { median: (low + high) / 2, max: known.at(-1) ?? 0, sum: known.reduce((sum, value) => sum + value, 0) }
}

function roundUp(amount: number): number {
  return Math.ceil(amount / MEMORY_STEP_BYTES) * MEMORY_STEP_BYTES
}
