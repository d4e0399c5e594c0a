import { apiVersion, type Resources, type StageName, type StagePlan, type Usage } from '#runtime/stage/contract.ts'
import type { Check, Verdict } from '#runtime/stage/quality.ts'
import type { Scan } from '../../stages/conversion/contract.ts'
import type { RunEvent } from '../pipeline/events.ts'
import type { Problem } from '../pipeline/problem.ts'
import type { CalibrationChoice } from '../pipeline/solutions.ts'
import type { ObservationState, RunState, Status, StepState } from '../pipeline/state.ts'
import { commandLine, fixCommand, quoted, resumeCommand } from '../view/commands.ts'
import { failures } from '../view/failures.ts'
import { describeAttempt, type AttemptReport } from './attempts.ts'
import { settingsOf, type Setting } from './settings.ts'
import { foldRecord, type Session } from './record.ts'
import { stageReports, type StageReport } from './usage.ts'

export interface ReportSource {
  /** Folder of the data root, as the person gave it. */
  root: string
  state: RunState
  events: readonly RunEvent[]
  /** The run's configuration and the one that nothing was set in; absent when its file is gone. */
  config?: { run: unknown; defaults: unknown }
  /** Products that are not there any more: nothing links to them. */
  gone?: ReadonlySet<string>
  /** What the input held; absent when its file is gone. */
  scan?: Scan
}

/** Everything that a report tells of a run: the content of `report.json`, and all that its page is drawn from. */
export interface RunReport {
  apiVersion: string
  run: string
  status: Status
  exitCode: number | null
  version: string
  executor: string
  input: string
  root: string
  startedAt: string
  activeAt: string
  finishedAt: string | null
  /** Wall time of all sessions together. */
  seconds: number
  cpuSeconds: number
  sessions: { startedAt: string; endedAt: string; seconds: number; pid: number; exitCode: number | null }[]
  scan: RunState['scan'] | null
  counts: {
    observations: number
    statuses: Partial<Record<Status, number>>
    verdicts: Partial<Record<Verdict, number>>
    steps: number
    ran: number
    reused: number
    attempts: number
    retries: number
  }
  problems: ProblemGroup[]
  stages: StageReport[]
  observations: ObservationReport[]
  attempts: AttemptReport[]
  notes: RunState['notes']
  settings: Setting[]
  versions: { name: string; value: string; steps: number }[]
  inputs: { observation: string; file: string; bytes: number; fingerprint: string }[]
  /** The command that was typed, where the log has it. */
  typed: string | null
  /** The command that goes on with the run. */
  resume: string
  /** The command that makes the same again. */
  command: string
}

/** More values than this of one name are no versions. */
const MOST_VERSIONS = 5
const LONGEST_VERSION = 40

/** Observations that came to nothing for the same reason. */
export interface ProblemGroup {
  code: string
  message: string
  hint: string | null
  status: Status
  /** The stage that failed; null for what never began. */
  stage: string | null
  quarantined: boolean
  /** What to type once the cause is set right. */
  command: string | null
  observations: string[]
}

export interface ObservationReport {
  id: string
  status: Status
  verdict: Verdict
  quarantined: boolean
  error: Problem | null
  calibration: CalibrationChoice | null
  /** Age of the solution set that was applied, hours. */
  solutionAgeHours: number | null
  /** Checks that keep the verdict from being good. */
  shortcomings: { stage: StageName; name: string; verdict: Verdict; message: string }[]
  /** Outputs of its steps by name, relative to the data root; of several steps the last. */
  outputs: Record<string, string>
  wallSeconds: number
  steps: StepReport[]
}

export interface StepReport {
  stage: StageName
  key: string
  status: Status
  /** Why it had to run although the stage has run on this observation before. */
  miss: string | null
  waiting: string | null
  error: Problem | null
  product: string | null
  /** The product was removed since. */
  gone: boolean
  metrics: Record<string, number>
  verdict: Verdict | null
  checks: readonly Check[]
  warnings: readonly string[]
  usage: Usage | null
  limits: Resources | null
  need: StagePlan | null
  provenance: Record<string, string>
}

/** The report of a run as data, a pure function of what its folder holds. */
export function buildReport({ root, state, events, config, scan, gone = new Set() }: ReportSource): RunReport {
  const record = foldRecord(events)
  const rootFlag = ` --root ${quoted(root)}`
  const live = state.status === 'running'
  const steps = state.observations.flatMap((observation) => observation.steps)
  const byId = new Map(
    state.observations.flatMap((observation) => observation.steps.map((step) => [stepId(observation.id, step), step])),
  )
  const attempts = record.attempts.map((attempt) =>
    describeAttempt(attempt, {
      step: byId.get(stepId(attempt.observation, attempt)),
      live,
      sessions: record.sessions,
    }),
  )
  const attemptsOf = Map.groupBy(attempts, ({ observation }) => observation)
  const observations = state.observations.map((observation) =>
    observationReport(observation, { attempts: attemptsOf.get(observation.id) ?? [], gone }),
  )
  const ran = new Set(attempts.map((attempt) => stepId(attempt.observation, attempt))).size
  return {
    apiVersion,
    run: state.run,
    status: state.status,
    exitCode: state.exitCode ?? null,
    version: state.version,
    executor: state.executor,
    input: state.input,
    root,
    startedAt: isoTime(record.sessions[0]?.startedAt) ?? state.startedAt,
    activeAt: state.activeAt,
    finishedAt: state.finishedAt ?? null,
    seconds: record.sessions.reduce((sum, session) => sum + sessionSeconds(session), 0),
    cpuSeconds: steps.reduce(
      (sum, { status, product }) => sum + (status === 'done' ? (product?.usage.cpuSeconds ?? 0) : 0),
      0,
    ),
    sessions: record.sessions.map((session) => ({
      startedAt: isoTime(session.startedAt) ?? '',
      endedAt: isoTime(session.endedAt) ?? '',
      seconds: sessionSeconds(session),
      pid: session.pid,
      exitCode: session.exitCode ?? null,
    })),
    scan: state.scan ?? null,
    counts: {
      observations: observations.length,
      statuses: countBy(observations.map(({ status }) => status)),
      verdicts: countBy(observations.map(({ verdict }) => verdict)),
      steps: steps.length,
      ran,
      reused: steps.filter(({ status }) => status === 'cached').length,
      attempts: attempts.length,
      retries: attempts.length - ran,
    },
    problems: problemGroups(state, rootFlag),
    stages: stageReports(observations, attempts),
    observations,
    attempts,
    notes: state.notes,
    settings: config === undefined ? [] : settingsOf(config),
    versions: versionsOf(steps),
    inputs: (scan?.observations ?? []).flatMap(({ id, files }) =>
      files.map(({ path, bytes, fingerprint }) => ({ observation: id, file: path, bytes, fingerprint })),
    ),
    typed: state.command === undefined ? null : commandLine(state.command),
    resume: resumeCommand(state, { rootFlag }),
    command: commandLine(['run', `${root}/runs/${state.run}/config.yaml`]),
  }
}

interface Surroundings {
  /** Those of the observation. */
  attempts: readonly AttemptReport[]
  gone: ReadonlySet<string>
}

function observationReport(observation: ObservationState, { attempts, gone }: Surroundings): ObservationReport {
  const { id, status, verdict, quarantined, error, calibration, steps } = observation
  const age = steps.findLast(({ product }) => product?.metrics['solutionAgeHours'] !== undefined)
  return {
    id,
    status,
    verdict,
    quarantined,
    error: error ?? null,
    calibration: calibration ?? null,
    solutionAgeHours: age?.product?.metrics['solutionAgeHours'] ?? null,
    shortcomings: steps.flatMap(({ stage, product }) =>
      (product?.quality.checks ?? [])
        .filter((check) => check.verdict === 'bad' || check.verdict === 'uncertain')
        .map(({ name, verdict: grade, message }) => ({ stage, name, verdict: grade, message })),
    ),
    outputs: Object.assign(
      {},
      ...steps.map(({ product }) => (product === undefined || gone.has(product.product) ? {} : product.outputs)),
    ) as Record<string, string>,
    wallSeconds: attempts.reduce((sum, { wallSeconds }) => sum + wallSeconds, 0),
    steps: steps.map((step) => stepReport(step, { attempts, gone })),
  }
}

function stepReport(
  { stage, key, status, miss, waiting, error, product }: StepState,
  { attempts, gone }: Surroundings,
): StepReport {
  const last = attempts.findLast((attempt) => attempt.stage === stage && attempt.key === key)
  return {
    stage,
    key,
    status,
    miss: miss ?? null,
    waiting: waiting ?? null,
    error: error ?? null,
    product: product?.product ?? null,
    gone: product !== undefined && gone.has(product.product),
    metrics: product?.metrics ?? {},
    verdict: product?.quality.verdict ?? null,
    checks: product?.quality.checks ?? [],
    warnings: product?.warnings ?? [],
    usage: product?.usage ?? null,
    limits: last?.limits ?? null,
    need: last?.need ?? null,
    provenance: product?.provenance ?? {},
  }
}

function problemGroups(state: RunState, rootFlag: string): ProblemGroup[] {
  return failures(state.observations).map(({ status, stage, problem, observations }) => ({
    code: problem.code,
    message: problem.why === undefined ? problem.message : `${problem.message}: ${problem.why}`,
    hint: problem.hint ?? null,
    status,
    stage: stage ?? null,
    quarantined: observations.some(({ quarantined }) => quarantined),
    command: fixCommand(problem, state, { rootFlag }) ?? null,
    observations: observations.map(({ id }) => id),
  }))
}

/** What differs from step to step, such as the names of raw files, is no version: it stays with the steps. */
function versionsOf(steps: readonly StepState[]): RunReport['versions'] {
  const found = new Map<string, Map<string, number>>()
  for (const { product } of steps) {
    for (const [name, value] of Object.entries(product?.provenance ?? {})) {
      if (name.includes('.') || value.length > LONGEST_VERSION) continue
      const values = found.get(name) ?? new Map<string, number>()
      found.set(name, values.set(value, (values.get(value) ?? 0) + 1))
    }
  }
  return [...found].flatMap(([name, values]) =>
    values.size > MOST_VERSIONS ? [] : [...values].map(([value, count]) => ({ name, value, steps: count })),
  )
}

function stepId(observation: string, { stage, key }: { stage: StageName; key: string }): string {
  return `${observation} ${stage} ${key}`
}

function countBy<T extends string>(values: readonly T[]): Partial<Record<T, number>> {
  const counts: Partial<Record<T, number>> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

function sessionSeconds({ startedAt, endedAt }: Session): number {
  return (endedAt - startedAt) / 1000
}

function isoTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString()
}
