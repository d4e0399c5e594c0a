import type { AttemptReport } from './attempts.ts'

type Cell = string | number | boolean | null | undefined

/** The columns of `trace.tsv`, in order. Times are UTC, durations seconds, sizes bytes, shares fractions of the limit. */
export const traceColumns = {
  observation: { help: 'observation', value: ({ observation }) => observation },
  stage: { help: 'stage', value: ({ stage }) => stage },
  key: { help: 'key of the step', value: ({ key }) => key },
  attempt: { help: 'number of the attempt, from 1', value: ({ number }) => number },
  uid: { help: 'unique id of the attempt', value: ({ uid }) => uid },
  class: {
    help: 'how it ended: `succeeded`, `app` (an error of the stage), `oom`, `disrupted` and so on; `running`; `lost` with the process of the run',
    value: (attempt) => attempt.class,
  },
  retried: { help: '`true` when another attempt followed', value: ({ retried }) => retried },
  ready_at: {
    help: 'when its observation was planned and the step before it was over',
    value: ({ readyAt }) => readyAt,
  },
  started_at: { help: 'when it began', value: ({ startedAt }) => startedAt },
  ended_at: { help: 'when it ended, or was last heard of', value: ({ endedAt }) => endedAt },
  queue_s: { help: 'from ready to begun', value: ({ queueSeconds }) => queueSeconds },
  wall_s: { help: 'from begun to ended', value: ({ wallSeconds }) => wallSeconds },
  cpu_s: { help: 'CPU time of its processes', value: ({ cpuSeconds }) => cpuSeconds },
  cpu_limit: { help: 'cores it was given', value: ({ limits }) => limits?.cpu },
  cpu_share: { help: 'CPU time over wall time and cores', value: ({ cpuShare }) => cpuShare },
  peak_memory_bytes: { help: 'peak resident memory of its processes', value: ({ peakMemoryBytes }) => peakMemoryBytes },
  planned_memory_bytes: { help: 'memory its plan asked for', value: ({ need }) => need?.workingBytes },
  memory_limit_bytes: { help: 'memory it was given', value: ({ limits }) => limits?.memoryBytes },
  memory_share: { help: 'peak over limit', value: ({ memoryShare }) => memoryShare },
  peak_scratch_bytes: { help: 'peak of its scratch folder', value: ({ peakScratchBytes }) => peakScratchBytes },
  planned_scratch_bytes: { help: 'scratch space its plan asked for', value: ({ need }) => need?.scratchBytes },
  scratch_limit_bytes: { help: 'scratch space it was given', value: ({ limits }) => limits?.scratchBytes },
  scratch_share: { help: 'peak over limit', value: ({ scratchShare }) => scratchShare },
  read_bytes: { help: 'bytes read', value: ({ readBytes }) => readBytes },
  written_bytes: { help: 'bytes written', value: ({ writtenBytes }) => writtenBytes },
  phases: {
    help: 'its phases with their seconds, `name=1.2` joined by `;`',
    value: ({ phases }) => phases.map(({ name, seconds }) => `${name}=${seconds}`).join(';'),
  },
  log: { help: 'its log, relative to the data root', value: ({ log }) => log },
  evidence: { help: 'why its end was classified so', value: ({ evidence }) => evidence.join('; ') },
} as const satisfies Record<string, { help: string; value: (attempt: AttemptReport) => Cell }>

/** A row per attempt, tabs between the columns, the first line names them; what is not known is empty. */
export function traceTable(attempts: readonly AttemptReport[]): string {
  const columns = Object.values(traceColumns)
  const rows = attempts.map((attempt) => columns.map(({ value }) => cell(value(attempt))).join('\t'))
  return `${[Object.keys(traceColumns).join('\t'), ...rows].join('\n')}\n`
}

/** Text without anything that would end a cell or a row. */
function cell(value: Cell): string {
  return value === null || value === undefined ? '' : String(value).replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
}
