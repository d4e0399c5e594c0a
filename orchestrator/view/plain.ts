import type { Problem } from '../pipeline/problem.ts'
import type { RunEvent, StepRef } from '../pipeline/events.ts'
import { liveName, type LiveStep, type LiveSteps } from '../pipeline/live.ts'
import type { RunState, StepState } from '../pipeline/state.ts'
import { fixCommand, type CommandContext } from './commands.ts'
import { occurrence } from './failures.ts'
import { bytes, count, duration, enumeration, glyph, span, type Style } from './format.ts'
import { problemLines } from './problem.ts'

interface PlainOptions extends Style, CommandContext {
  root: string
  /** Also what only a developer wants to know: phases. */
  verbose?: boolean
  /** The state is drawn below: only messages, no transitions. */
  drawn?: boolean
  /** Texts are broken at this width. */
  columns?: number
}

/** Progress without a live screen: the lines for one event, given the state after it. */
export function plainLines(event: RunEvent, state: RunState, options: PlainOptions): string[] {
  const when = duration((Date.parse(event.at) - Date.parse(state.startedAt)) / 1000).padStart(5)
  if (options.drawn === true && !isMessage(event)) return []
  const lines = eventLines(event, state, {
    ...options,
    ...(options.columns === undefined ? {} : { columns: options.columns - when.length - 2 }),
  })
  return lines.map((line, index) => (index === 0 ? `${when}  ${line}` : `${' '.repeat(when.length)}  ${line}`))
}

/** Whether an event is worth a line beside a drawn state. */
function isMessage(event: RunEvent): boolean {
  switch (event.type) {
    case 'observation.planned':
      return event.replanned !== undefined
    case 'attempt.ended':
      return event.retry
    case 'run.started':
    case 'run.note':
    case 'scan.finished':
    case 'observation.rejected':
    case 'step.failed':
      return true
    default:
      return false
  }
}

/** So many equal failures have a line each. */
const LISTED_ALIKE = 3

/** One line a minute that says what runs now, when nothing else has been said. */
export function heartbeat(state: RunState, { now, live }: { now: number; live: LiveSteps }): string | undefined {
  const running = state.observations.flatMap(({ id, steps }) =>
    steps.filter(({ status }) => status === 'running').map((step) => ({ id, step })),
  )
  if (running.length === 0) return undefined
  const when = duration((now - Date.parse(state.startedAt)) / 1000).padStart(5)
  const parts = running.map(
    ({ id, step }) =>
      `${id} ${step.stage} ${progressText(step, live.get(liveName({ observation: id, ...step })))}for ${span(elapsed(step, now))}`,
  )
  return `${when}  running: ${parts.join('; ')}`
}

function eventLines(event: RunEvent, state: RunState, options: PlainOptions): string[] {
  switch (event.type) {
    case 'run.started':
      return [`${event.run}${event.continued ? ' (continued)' : ''}  input ${event.input}  data root ${options.root}`]
    case 'run.note':
      return [event.level === 'warn' ? `${glyph('note', options)} ${event.message}` : event.message]
    case 'scan.finished':
      return [
        `found ${count(event.observations, 'observation')} in ${count(event.files, 'file')}` +
          `${event.faults === 0 ? '' : `, ${count(event.faults, 'fault')}`} (${span(event.seconds)})`,
      ]
    case 'observation.planned':
      return plannedLines(event)
    case 'observation.rejected':
      return failureLines(event.error, state, {
        ...options,
        mark: event.status,
        observation: event.observation,
        ...(event.quarantined
          ? {
              kept: `the raw files are untouched; contimg quarantine${options.rootFlag} lists what was set aside, and why`,
            }
          : {}),
      })
    case 'run.finished':
      return []
    default:
      return stepLines(event, state, options)
  }
}

function plannedLines({
  observation,
  steps,
  calibration,
  replanned,
}: RunEvent & { type: 'observation.planned' }): string[] {
  const again = replanned === undefined ? '' : ` again, because ${replanned}`
  const lines = [
    `${observation}  planned${again}: ${steps.map(({ stage, cached }) => (cached ? `${stage} (reused)` : stage)).join(', ')}`,
  ]
  for (const { stage, miss } of steps)
    if (miss !== undefined) lines.push(`${observation}  ${stage.padEnd(11)}  re-run: ${miss}`)
  if (calibration.kind === 'own' || calibration.kind === 'set')
    lines.push(`${observation}  calibrator: ${calibration.reason}`)
  if (calibration.kind === 'missing') {
    lines.push(`${observation}  no calibrator: ${calibration.reason}`)
    for (const rejected of calibration.rejected.slice(0, 3)) lines.push(`${observation}    not ${rejected}`)
  }
  if (calibration.kind === 'none') lines.push(`${observation}  uncalibrated, as asked: every product is labelled so`)
  return lines
}

function stepLines(event: Extract<RunEvent, { step: StepRef }>, state: RunState, options: PlainOptions): string[] {
  const { observation, stage } = event.step
  const label = `${observation}  ${stage.padEnd(11)}`
  const step = state.observations.find(({ id }) => id === observation)?.steps.find(({ key }) => key === event.step.key)
  switch (event.type) {
    case 'product.rejected':
      return [
        `${glyph('note', options)} ${label}  its product is damaged: ${event.why}`,
        `  ${label}  moved aside, to be made again: ${event.movedTo}`,
      ]
    case 'step.reused':
      return [`${glyph('done', options)} ${label}  reused ${event.product}`]
    case 'step.waiting':
      return [`${glyph('waiting', options)} ${label}  waits ${event.reason}`]
    case 'attempt.started':
      return [
        `${glyph('running', options)} ${label}  started${event.attempt === 1 ? '' : `, attempt ${event.attempt}`}`,
      ]
    case 'step.phase':
      return options.verbose === true ? [`  ${label}  ${event.phase}`] : []
    case 'attempt.ended':
      return event.retry
        ? [`  ${label}  attempt ${event.attempt} ended: ${event.evidence.join(', ')}; trying again`]
        : []
    case 'step.finished': {
      const { wallSeconds, cpuSeconds, peakMemoryBytes } = event.usage
      const cost = `${span(wallSeconds)}, ${cpuSeconds.toFixed(1)} s CPU, ${bytes(peakMemoryBytes)}`
      return [
        `${glyph('done', options)} ${label}  ${event.quality.verdict}  (${cost})`,
        ...event.warnings.map((warning) => `${label}  ${glyph('note', options)} ${warning}`),
      ]
    }
    case 'step.failed':
      return failureLines(event.error, state, {
        ...options,
        stage,
        observation,
        kept: keptText(state, observation),
        ...(step === undefined || step.attempts.length === 0
          ? {}
          : { logs: `contimg logs ${state.run} ${observation} ${stage}${options.rootFlag}` }),
      })
    case 'step.skipped':
      return [`${glyph('skipped', options)} ${label}  skipped: ${event.error.message} [${event.error.code}]`]
    case 'step.cancelled':
      return [`${glyph('skipped', options)} ${label}  cancelled`]
    default:
      return []
  }
}

interface FailureContext extends PlainOptions {
  mark?: 'failed' | 'skipped'
  stage?: string
  observation: string
  kept?: string
  logs?: string
}

/** The first of equal failures in full, the next ones in a line, and then only how many there are now and then. */
function failureLines(problem: Problem, state: RunState, context: FailureContext): string[] {
  const { stage, observation, mark = 'failed' } = context
  const subject = stage === undefined ? {} : { subject: `${stage} failed` }
  const alike = occurrence(problem, stage, state)
  if (alike.length <= 1) {
    const command = fixCommand(problem, state, context)
    return problemLines(problem, { ...context, ...subject, ...(command === undefined ? {} : { command }) })
  }
  const name = `${glyph(mark, context)} ${stage === undefined ? '' : `${stage} ${mark}: `}`
  if (alike.length <= LISTED_ALIKE) return [`${name}${observation} like ${alike[0]} [${problem.code}]`]
  return Number.isInteger(Math.log10(alike.length))
    ? [`${name}${alike.length} observations so far [${problem.code}]`]
    : []
}

function keptText(state: RunState, observation: string): string {
  const steps = state.observations.find(({ id }) => id === observation)?.steps ?? []
  const done = steps.filter(({ product }) => product !== undefined).map(({ stage }) => stage)
  return done.length === 0
    ? 'nothing was made for this observation; the raw files are untouched'
    : `${enumeration(done)} of this observation: the next run reuses them`
}

function progressText({ phase }: StepState, { progress }: LiveStep = {}): string {
  const parts = [
    phase,
    progress === undefined ? undefined : `${progress.done} of ${progress.total} ${progress.unit}`,
  ].filter((part) => part !== undefined)
  return parts.length === 0 ? '' : `(${parts.join(', ')}) `
}

function elapsed({ attempts }: StepState, now: number): number {
  const begun = attempts.at(-1)?.startedAt
  return begun === undefined ? 0 : (now - Date.parse(begun)) / 1000
}
