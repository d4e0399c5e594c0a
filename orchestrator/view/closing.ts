import { exitCodes } from '../pipeline/outcome.ts'
import { pipelineStages } from '../pipeline/stages.ts'
import { stageUsage, type ObservationState, type RunState } from '../pipeline/state.ts'
import { decidingChecks } from './check.ts'
import { fixCommand, resumeCommand, type CommandContext } from './commands.ts'
import { failures, type Failure } from './failures.ts'
import { countEach, foldLines } from './fold.ts'
import { amountOf, bytes, count, duration, glyph, span, table, type Style } from './format.ts'
import { problemLines } from './problem.ts'

interface ClosingOptions extends Style, CommandContext {
  root: string
  /** Texts are broken at this width. */
  columns?: number
}

/** Of more observations than this, those that are good are counted and not listed. */
const MOST_OBSERVATIONS = 10

/** The last block of a run: what came of each observation and where it is, what it cost, and what to type next. */
export function closingLines(state: RunState, options: ClosingOptions): string[] {
  const { observations } = state
  const made = observations.filter(
    ({ error, status }) => error === undefined || (status !== 'failed' && status !== 'skipped'),
  )
  const listed =
    observations.length <= MOST_OBSERVATIONS
      ? made
      : made.filter(({ status, verdict }) => status === 'done' && verdict === 'bad')
  return [
    headline(state),
    ...listed.slice(0, MOST_OBSERVATIONS).flatMap((observation) => observationLines(observation, options)),
    ...(listed.length <= MOST_OBSERVATIONS
      ? []
      : [`and ${listed.length - MOST_OBSERVATIONS} more with a bad verdict: they are in the report`]),
    ...failures(observations).flatMap((failure) => failureLines(failure, state, options)),
    ...(observations.length <= MOST_OBSERVATIONS ? [] : foldLines(observations, options)),
    ...usageLines(state),
    `report      ${options.root}/runs/${state.run}/report.html`,
    ...nextLines(state, options),
  ]
}

/** Cost of each stage that ran: wall and CPU time, peak memory against its limit, bytes. */
export function usageLines(state: RunState): string[] {
  const rows = pipelineStages.flatMap((stage) => {
    const used = stageUsage(state, stage)
    if (used === undefined) return []
    const { wallSeconds, cpuSeconds, peakMemoryBytes, readBytes, writtenBytes } = used.usage
    return [
      [
        stage,
        String(used.steps),
        span(wallSeconds),
        span(cpuSeconds),
        amountOf(peakMemoryBytes, memoryLimit(state, stage)),
        bytes(readBytes),
        bytes(writtenBytes),
      ],
    ]
  })
  return rows.length === 0 ? [] : table([['STAGE', 'STEPS', 'WALL', 'CPU', 'PEAK MEMORY', 'READ', 'WRITTEN'], ...rows])
}

/** The largest limit that steps of a stage ran with. */
function memoryLimit({ observations }: RunState, stage: string): number | undefined {
  const limits = observations
    .flatMap(({ steps }) => steps)
    .filter((step) => step.stage === stage && step.status === 'done')
    .flatMap(({ attempts }) => attempts.at(-1)?.resources?.memoryBytes ?? [])
  return limits.length === 0 ? undefined : Math.max(...limits)
}

function headline(state: RunState): string {
  const { observations } = state
  const steps = observations.flatMap((observation) => observation.steps)
  const reused = steps.filter(({ status }) => status === 'cached').length
  const ran = steps.filter(({ status }) => status === 'done').length
  const done = observations.filter(({ status }) => status === 'done' || status === 'cached').length
  const cpu = pipelineStages.reduce((sum, stage) => sum + (stageUsage(state, stage)?.usage.cpuSeconds ?? 0), 0)
  const again = steps.flatMap(({ attempts }) => attempts.slice(0, -1).map((attempt) => attempt.class ?? 'unknown'))
  const kinds = countEach(again)
    .map(([kind, n]) => `${n} ${kind}`)
    .join(', ')
  const word = state.status === 'cancelled' ? 'interrupted' : state.status
  return [
    `${state.run}  ${word} in ${duration(state.seconds ?? 0)}: ${done} of ${count(observations.length, 'observation')} done`,
    `${count(ran, 'step')} run`,
    `${reused} reused`,
    ...(again.length === 0 ? [] : [`${count(again.length, 'retry', 'retries')} (${kinds})`]),
    cpu < 360 ? `${span(cpu)} CPU` : `${(cpu / 3600).toFixed(2)} CPU hours`,
  ].join(', ')
}

function observationLines(observation: ObservationState, options: ClosingOptions): string[] {
  const { id, status, verdict, steps } = observation
  const ok = status === 'done' || status === 'cached'
  const mark = ok ? (verdict === 'bad' ? 'failed' : 'done') : 'skipped'
  const places: [string, string][] = [
    ['image', 'imagePbCorrected'],
    ['quick-look', 'quicklook'],
    ['catalogue', 'catalogue'],
    ['report', 'report'],
  ]
  return [
    `${glyph(mark, options)} ${id}  ${status}, verdict ${verdict}`,
    ...decidingChecks(observation).map((reason) => `  why         ${reason}`),
    ...places.flatMap(([label, name]) => {
      const made = steps.findLast(({ product }) => product !== undefined && name in product.outputs)
      const path = made?.product?.outputs[name]
      return path === undefined ? [] : [`  ${label.padEnd(10)}  ${options.root}/${path}`]
    }),
  ]
}

/** What went wrong, once for all observations that it happened to. */
function failureLines(
  { status, stage, problem, observations }: Failure,
  state: RunState,
  options: ClosingOptions,
): string[] {
  const [first, ...others] = observations
  const command = fixCommand(problem, state, options)
  const logged = first?.steps.some((step) => step.status === 'failed' && step.attempts.length > 0) ?? false
  return problemLines(problem, {
    ...options,
    mark: status,
    ...(stage === undefined ? {} : { subject: `${stage} failed` }),
    ...(first === undefined ? {} : { observation: first.id }),
    others: others.map(({ id }) => id),
    ...(command === undefined ? {} : { command }),
    ...(logged ? { logs: `contimg logs ${state.run} ${first.id} ${stage}${options.rootFlag}` } : {}),
  })
}

function nextLines(state: RunState, options: ClosingOptions): string[] {
  const next = (text: string, command?: string): string[] => [
    `next        ${text}`,
    ...(command === undefined ? [] : [`            ${command}`]),
  ]
  switch (state.exitCode) {
    case exitCodes.failed:
      return next(
        'set right what is named above (fix), then go on; finished steps are reused:',
        resumeCommand(state, options),
      )
    case exitCodes.done:
    case exitCodes.badVerdict:
      return next(`contimg report ${state.run}${options.rootFlag}`)
    default:
      return next('to go on; finished steps are reused:', resumeCommand(state, options))
  }
}
