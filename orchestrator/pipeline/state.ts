import type { Resources, StageName, Usage } from '#runtime/stage/contract.ts'
import type { Quality, Verdict } from '#runtime/stage/quality.ts'
import type { AttemptClass } from './classify.ts'
import type { RunEvent, Slots, StepProduct, StepRef } from './events.ts'
import type { Problem } from './problem.ts'
import type { CalibrationChoice } from './solutions.ts'

export const statuses = ['planned', 'running', 'cached', 'done', 'failed', 'skipped', 'cancelled'] as const
export type Status = (typeof statuses)[number]

interface AttemptState {
  number: number
  startedAt: string
  endedAt?: string
  class?: AttemptClass
  evidence: readonly string[]
  log: string
  /** Its limits. */
  resources?: Resources
}

export interface StepState {
  stage: StageName
  key: string
  status: Status
  /** Why it has no product yet although the stage ran on this observation before. */
  miss?: string
  /** Why it waits. */
  waiting?: string
  phase?: string
  attempts: AttemptState[]
  finishedAt?: string
  /** Present once the step is done or cached. */
  product?: StepProduct
  error?: Problem
}

export interface ObservationState {
  id: string
  status: Status
  verdict: Verdict
  steps: StepState[]
  calibration?: CalibrationChoice
  error?: Problem
  quarantined: boolean
}

export interface RunState {
  run: string
  version: string
  input: string
  executor: string
  pid: number
  status: Status
  startedAt: string
  /** Time of the last event. */
  activeAt: string
  finishedAt?: string
  seconds?: number
  exitCode?: number
  slots?: Slots
  /** The command line that began it, without `contimg`. */
  command?: readonly string[]
  scan?: { files: number; observations: number; faults: number; seconds: number }
  notes: { level: 'info' | 'warn'; message: string }[]
  observations: ObservationState[]
}

/** The state of a run whose log is empty. */
export function emptyState(): RunState {
  return {
    run: '',
    version: '',
    input: '',
    executor: '',
    pid: 0,
    status: 'planned',
    startedAt: '',
    activeAt: '',
    notes: [],
    observations: [],
  }
}

/** The state of a run as the fold of its events. */
export function foldEvents(events: Iterable<RunEvent>): RunState {
  const state = emptyState()
  for (const event of events) applyEvent(state, event)
  return state
}

/** Folds one more event into a state, in place: a live run and an old log are drawn by the same code. */
export function applyEvent(state: RunState, event: RunEvent): void {
  apply(state, event)
  state.activeAt = event.at
}

function apply(state: RunState, event: RunEvent): void {
  switch (event.type) {
    case 'run.started': {
      const { run, version, input, executor, pid } = event
      if (!event.continued) Object.assign(state, emptyState())
      // What a dead process left behind as running is not running.
      for (const step of state.observations.flatMap(({ steps }) => steps))
        if (step.status === 'running') step.status = 'cancelled'
      Object.assign(state, { run, version, input, executor, pid, status: 'running', startedAt: event.at, notes: [] })
      delete state.slots
      if (event.slots !== undefined) state.slots = event.slots
      if (event.command !== undefined) state.command = event.command
      delete state.finishedAt
      delete state.exitCode
      delete state.seconds
      break
    }
    case 'run.note':
      state.notes.push({ level: event.level, message: event.message })
      break
    case 'scan.finished':
      state.scan = {
        files: event.files,
        observations: event.observations,
        faults: event.faults,
        seconds: event.seconds,
      }
      break
    case 'observation.planned':
      planObservation(state, event)
      break
    case 'observation.rejected': {
      const observation = observationOf(state, event.observation)
      Object.assign(observation, {
        status: event.status,
        error: event.error,
        quarantined: event.quarantined,
        steps: [],
      })
      break
    }
    case 'product.rejected': {
      const { observation, key } = event.step
      const step = state.observations.find(({ id }) => id === observation)?.steps.find((each) => each.key === key)
      if (step === undefined) break
      step.miss = event.why
      if (step.status !== 'done' && step.status !== 'cached') break
      step.status = 'planned'
      delete step.product
      Object.assign(observationOf(state, observation), summarise(observationOf(state, observation).steps))
      break
    }
    case 'run.finished':
      Object.assign(state, {
        status: event.status,
        exitCode: event.exitCode,
        seconds: event.seconds,
        finishedAt: event.at,
      })
      break
    default:
      applyStepEvent(state, event)
  }
}

type StepEvent = Extract<RunEvent, { step: StepRef }>

function applyStepEvent(state: RunState, event: StepEvent): void {
  const observation = observationOf(state, event.step.observation)
  const step = stepOf(observation, event.step)
  switch (event.type) {
    case 'step.reused':
      finish(step, 'cached', event)
      break
    case 'step.finished':
      finish(step, 'done', event)
      break
    case 'step.waiting':
      step.waiting = event.reason
      // An attempt that found its inputs damaged waits until they are made again.
      if (step.status === 'running') step.status = 'planned'
      break
    case 'attempt.started':
      step.status = 'running'
      delete step.waiting
      delete step.phase
      delete step.error
      step.attempts.push({
        number: event.attempt,
        startedAt: event.at,
        evidence: [],
        log: event.log,
        ...(event.resources === undefined ? {} : { resources: event.resources }),
      })
      break
    case 'step.phase':
      step.phase = event.phase
      break
    case 'attempt.ended': {
      const attempt = step.attempts.at(-1)
      if (attempt !== undefined)
        Object.assign(attempt, { endedAt: event.at, class: event.class, evidence: event.evidence })
      break
    }
    case 'step.failed':
      Object.assign(step, { status: 'failed', error: event.error, finishedAt: event.at })
      observation.quarantined ||= event.quarantined
      break
    case 'step.skipped':
      Object.assign(step, { status: 'skipped', error: event.error, finishedAt: event.at })
      break
    case 'step.cancelled':
      Object.assign(step, { status: 'cancelled', finishedAt: event.at })
      break
  }
  Object.assign(observation, summarise(observation.steps))
}

function planObservation(state: RunState, event: RunEvent & { type: 'observation.planned' }): void {
  const observation = observationOf(state, event.observation)
  observation.calibration = event.calibration
  delete observation.error
  const keep = new Set(event.steps.map(({ key }) => key))
  // A replanned observation keeps what it has made; steps of the old plan that never began are forgotten.
  const made = observation.steps.filter(
    ({ key, status }) => !keep.has(key) && (status === 'done' || status === 'cached') && event.replanned !== undefined,
  )
  const planned = event.steps.map(({ stage, key, miss }): StepState => {
    const existing = event.replanned === undefined ? undefined : observation.steps.find((step) => step.key === key)
    return existing ?? { stage, key, status: 'planned', attempts: [], ...(miss === undefined ? {} : { miss }) }
  })
  const order = [...new Set([...planned, ...made].map(({ stage }) => stage))]
  observation.steps = order.flatMap((stage) => [...made, ...planned].filter((step) => step.stage === stage))
  Object.assign(observation, summarise(observation.steps))
}

function finish(step: StepState, status: 'done' | 'cached', event: { at: string } & StepProduct): void {
  const { product, outputs, metrics, quality, usage, warnings, provenance } = event
  delete step.waiting
  delete step.error
  Object.assign(step, {
    status,
    finishedAt: event.at,
    product: {
      product,
      outputs,
      metrics,
      quality,
      usage,
      warnings,
      ...(provenance === undefined ? {} : { provenance }),
    },
  })
}

function observationOf(state: RunState, id: string): ObservationState {
  let found = state.observations.find((observation) => observation.id === id)
  if (found === undefined) {
    found = { id, status: 'planned', verdict: 'not run', steps: [], quarantined: false }
    state.observations.push(found)
  }
  return found
}

function stepOf(observation: ObservationState, { stage, key }: StepRef): StepState {
  let found = observation.steps.find((step) => step.key === key && step.stage === stage)
  if (found === undefined) {
    found = { stage, key, status: 'planned', attempts: [] }
    observation.steps.push(found)
  }
  return found
}

/** Status, verdict and error of an observation from its steps. */
function summarise(steps: readonly StepState[]): Pick<ObservationState, 'status' | 'verdict'> & { error?: Problem } {
  const statuses = steps.map(({ status }) => status)
  const status = (['failed', 'cancelled', 'running', 'skipped', 'planned'] as const).find((candidate) =>
    statuses.includes(candidate),
  )
  const error = steps.find((step) => step.status === 'failed' || step.status === 'skipped')?.error
  const begun = statuses.some((candidate) => candidate === 'done' || candidate === 'cached')
  return {
    status: status === 'planned' && begun ? 'running' : (status ?? (steps.length > 0 ? 'done' : 'planned')),
    verdict: verdictOf(steps),
    ...(error === undefined ? {} : { error }),
  }
}

/**
 * The verdict of an observation: that of its validation, but bad when the last step of any stage is; without a
 * validation the worst of what ran, and `not run` when nothing did.
 */
function verdictOf(steps: readonly StepState[]): Verdict {
  const last = new Map<StageName, Quality>()
  for (const { stage, product } of steps) if (product !== undefined) last.set(stage, product.quality)
  const verdicts = [...last.values()].map(({ verdict }) => verdict)
  if (verdicts.includes('bad')) return 'bad'
  const validated = last.get('validation')
  if (validated !== undefined) return validated.verdict
  return 'not run'
}

/** Usage of all finished steps of one stage together: sums, and the peak of the peaks. Reused steps cost nothing now. */
export function stageUsage(state: RunState, stage: StageName): { steps: number; usage: Usage } | undefined {
  const used = state.observations
    .flatMap(({ steps }) => steps)
    .filter((step) => step.stage === stage && step.status === 'done')
    .flatMap(({ product }) => (product === undefined ? [] : [product.usage]))
  if (used.length === 0) return undefined
  return {
    steps: used.length,
    usage: {
      wallSeconds: sum(used, 'wallSeconds'),
      cpuSeconds: sum(used, 'cpuSeconds'),
      peakMemoryBytes: Math.max(...used.map(({ peakMemoryBytes }) => peakMemoryBytes)),
      peakScratchBytes: Math.max(...used.map(({ peakScratchBytes }) => peakScratchBytes)),
      readBytes: sum(used, 'readBytes'),
      writtenBytes: sum(used, 'writtenBytes'),
      phases: [],
    },
  }
}

function sum(usages: readonly Usage[], field: 'wallSeconds' | 'cpuSeconds' | 'readBytes' | 'writtenBytes'): number {
  return usages.reduce((total, usage) => total + usage[field], 0)
}
