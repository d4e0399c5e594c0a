import { liveName, type LiveStep, type LiveSteps } from '../pipeline/live.ts'
import type { ObservationState, RunState, StepState } from '../pipeline/state.ts'
import { bar, cut, ends, fit, type Part } from './fit.ts'
import { foldLines, paceLine } from './fold.ts'
import { amountOf, count, duration, glyph, glyphWidth, type GlyphName, type Style } from './format.ts'

export interface LiveOptions extends Style {
  /** Milliseconds since 1970. */
  now: number
  columns: number
  rows: number
  live: LiveSteps
}

/** More observations than this are folded: finished ones into a line a state, of the others so many are shown. */
const MOST_OBSERVATIONS = 10
/** The head is not wider than this, so that its right end stays near what it tells of. */
const HEAD_COLUMNS = 100
const NARROW_BAR = 8
const WIDE_BAR = 20
const WIDE_COLUMNS = 120

/** A run as it is now, as one block of lines that fits the screen: a line an observation, many of them folded. */
export function liveLines(state: RunState, options: LiveOptions): string[] {
  // The last column stays free, for a terminal wraps when it is written; the last row holds the cursor.
  const width = Math.max(1, options.columns - 1)
  const most = Math.max(1, options.rows - 2)
  const all = state.observations.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const head = headLine(state, { ...options, width })
  const room = Math.min(MOST_OBSERVATIONS, most - 1)
  if (all.length <= room) return [head, ...all.map((observation) => observationLine(observation, state, options))]
  const folded = [...foldLines(all, options), ...paceLine(state, options.now)].map((line) => cut(line, width, options))
  const shown = interesting(all, state, options).slice(
    0,
    Math.max(0, Math.min(MOST_OBSERVATIONS, most - 1 - folded.length)),
  )
  return [head, ...shown.map((observation) => observationLine(observation, state, options)), ...folded].slice(0, most)
}

function headLine(state: RunState, { now, width, ...style }: LiveOptions & { width: number }): string {
  const steps = state.observations.flatMap((observation) => observation.steps)
  const over = steps.filter(({ status }) => status !== 'planned' && status !== 'running').length
  const reused = steps.filter(({ status }) => status === 'cached').length
  const failed = state.observations.filter(({ status }) => status === 'failed').length
  const facts = [
    duration((now - Date.parse(state.startedAt)) / 1000),
    `${over}/${steps.length} steps`,
    ...(reused === 0 ? [] : [`${reused} reused`]),
    ...(failed === 0 ? [] : [`${failed} failed`]),
  ]
  const left = `${state.run}  ${count(state.observations.length, 'observation')}`
  return ends(left, facts.join('   '), { ...style, width: Math.min(width, HEAD_COLUMNS) })
}

function observationLine(observation: ObservationState, state: RunState, options: LiveOptions): string {
  const { mark, text } = describe(observation, state, options)
  const name = `${glyph(mark, options).padEnd(glyphWidth(options))} ${observation.id}`
  const width = options.columns - 1
  return cut(`${name}  ${text(Math.max(0, width - name.length - 2))}`.trimEnd(), width, options)
}

interface Description {
  mark: GlyphName
  text: (width: number) => string
}

function describe(observation: ObservationState, state: RunState, options: LiveOptions): Description {
  const { status, steps, error } = observation
  const running = steps.find((step) => step.status === 'running')
  if (running !== undefined) {
    const parts = runningParts(observation, running, options)
    return { mark: 'running', text: (width) => fit(parts, width, options) }
  }
  switch (status) {
    case 'failed':
    case 'skipped':
      return { mark: status, text: (width) => problemText(observation, width, options) }
    case 'cancelled':
      return { mark: 'skipped', text: () => 'cancelled' }
    case 'done':
    case 'cached':
      return {
        mark: observation.verdict === 'bad' ? 'failed' : observation.verdict === 'good' ? 'done' : 'note',
        text: (width) => doneText(observation, width, options),
      }
    default: {
      const next = steps.find((step) => step.status === 'planned')
      if (next === undefined) return { mark: 'waiting', text: () => error?.message ?? '' }
      const seconds = (options.now - waitingSince(observation, state)) / 1000
      const text = `${next.stage.padEnd(11)} ${duration(seconds).padStart(5)}  waits ${waitingReason(next, state)}`
      return { mark: 'waiting', text: (width) => cut(text, width, options) }
    }
  }
}

function runningParts(
  { id }: ObservationState,
  step: StepState,
  { now, columns, live, ...style }: LiveOptions,
): Part[] {
  const attempt = step.attempts.at(-1)
  const { progress, usage }: LiveStep = live.get(liveName({ observation: id, ...step })) ?? {}
  const limits = attempt?.resources
  const part = progress === undefined || progress.total === 0 ? undefined : Math.min(1, progress.done / progress.total)
  const seconds = attempt === undefined ? 0 : (now - Date.parse(attempt.startedAt)) / 1000
  const of = progress === undefined ? '' : `${progress.done} of ${progress.total} ${progress.unit}`
  const cells = columns >= WIDE_COLUMNS ? WIDE_BAR : NARROW_BAR
  return [
    { text: `${step.stage.padEnd(11)} ${duration(seconds).padStart(5)}`, rank: 0 },
    { text: part === undefined ? '' : bar(part, cells, style), rank: 4 },
    { text: part === undefined ? '' : `${String(Math.floor(100 * part)).padStart(3)} %`, rank: 1 },
    { text: step.phase ?? '', rank: 3 },
    { text: of, rank: 5 },
    { text: usage === undefined ? '' : `${usage.cpus.toFixed(1)} cpu`, rank: 6 },
    { text: usage === undefined ? '' : amountOf(usage.memoryBytes, limits?.memoryBytes), rank: 2 },
    {
      text:
        usage === undefined || usage.scratchBytes === 0
          ? ''
          : `scratch ${amountOf(usage.scratchBytes, limits?.scratchBytes)}`,
      rank: 7,
    },
    { text: step.attempts.length > 1 ? `attempt ${step.attempts.length}` : '', rank: 1 },
    { text: step.miss === undefined ? '' : `again: ${step.miss}`, rank: 8 },
  ]
}

/** Each step with its time where there is room, else all of them in a few words. */
function doneText({ steps, verdict }: ObservationState, width: number, style: Style): string {
  const each = steps.map((step) => `${step.stage} ${step.status === 'cached' ? 'reused' : duration(stepSeconds(step))}`)
  const full = [...each, verdict].join('  ')
  if (full.length <= width) return full
  const reused = steps.filter(({ status }) => status === 'cached').length
  const parts = [
    {
      text: `${count(steps.length, 'step')} ${duration(steps.reduce((sum, step) => sum + stepSeconds(step), 0))}`,
      rank: 1,
    },
    { text: reused === 0 ? '' : `${reused} reused`, rank: 2 },
    { text: verdict, rank: 0 },
  ]
  return fit(parts, width, style)
}

/** What went wrong, with its code in full and as much of the message as there is room for. */
function problemText({ steps, error }: ObservationState, width: number, style: Style): string {
  const failed = steps.find(({ status }) => status === 'failed')
  const where = failed === undefined ? '' : `${failed.stage} failed after ${duration(stepSeconds(failed))}: `
  const code = error === undefined ? '' : ` [${error.code}]`
  const [message = ''] = (error?.message ?? '').split('\n')
  return `${cut(`${where}${message}`, width - code.length, style)}${code}`
}

/** Wall time of a step that ran in this run. */
function stepSeconds({ status, attempts, product, finishedAt }: StepState): number {
  if (status === 'cached') return 0
  if (product !== undefined) return product.usage.wallSeconds
  const started = attempts.at(-1)?.startedAt
  return started === undefined || finishedAt === undefined ? 0 : (Date.parse(finishedAt) - Date.parse(started)) / 1000
}

/** Since when an observation waits, ms: since its last step ended, or since the run began. */
function waitingSince({ steps }: ObservationState, { startedAt }: RunState): number {
  return Math.max(
    Date.parse(startedAt),
    ...steps.flatMap(({ finishedAt }) => (finishedAt === undefined ? [] : [Date.parse(finishedAt)])),
  )
}

/** What a step waits for: a solution set, else a free slot, and who has it. */
function waitingReason(step: StepState, { observations, slots }: RunState): string {
  if (step.waiting !== undefined) return `${step.waiting}${progressOfSet(step.waiting, observations)}`
  const running = observations.flatMap(({ id, steps }) =>
    steps.filter(({ status }) => status === 'running').map(({ stage }) => `${id} ${stage}`),
  )
  if (slots === undefined) return 'for a free slot'
  const { steps, cores, coresPerStep } = slots
  const why = `${count(steps, 'step')} at a time: ${count(cores, 'core')}, ${coresPerStep} a step`
  return `for a free slot (${why})${running.length === 0 ? '' : `; now ${running.join(', ')}`}`
}

/** What the observation does that is to give a solution set. */
function progressOfSet(reason: string, observations: readonly ObservationState[]): string {
  const giver = observations.find(({ id }) => reason.endsWith(id))
  const running = giver?.steps.find(({ status }) => status === 'running')
  return running === undefined ? '' : ` (its ${running.stage} runs)`
}

/** Observations in the order of how much a person wants to see of them: at work, failed, bad, waiting longest, the rest. */
function interesting(all: readonly ObservationState[], state: RunState, { now }: LiveOptions): ObservationState[] {
  const rank = ({ status, steps, verdict }: ObservationState): number => {
    if (steps.some((step) => step.status === 'running')) return 0
    if (status === 'failed') return 1
    if (verdict === 'bad') return 2
    if (status === 'running' || status === 'planned') return 3
    return status === 'done' || status === 'cached' ? 5 : 4
  }
  const weight = (observation: ObservationState): number =>
    rank(observation) === 3
      ? waitingSince(observation, state) - now
      : -observation.steps.reduce((sum, step) => sum + stepSeconds(step), 0)
  return all
    .filter((observation) => rank(observation) < 5)
    .toSorted((a, b) => rank(a) - rank(b) || weight(a) - weight(b))
}
