import type { StageName } from '#runtime/stage/contract.ts'
import { html, type Html } from '#runtime/page/html.ts'
import { duration, span } from '../view/format.ts'
import { pipelineStages } from '../pipeline/stages.ts'
import type { AttemptReport } from './attempts.ts'
import type { ObservationReport, RunReport } from './model.ts'
import { occupancy } from './occupancy.ts'
import { gradeClass, outcomeOf } from './outcome.ts'

/** More rows than this are read by nobody; the trace has all. */
const MOST_ROWS = 60

const WIDTH = 1040
const LEFT = 150
const RIGHT = 84
const ROW = 24
const BAR = 15
const TOP = 6
const TICKS = 8
/** Narrower than this, units of the drawing, nothing can be seen. */
const THINNEST = 0.4

const steps = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 172800, 604800,
]

/** Time of work on the axis: sessions follow each other without the gaps between them. */
export interface Scale {
  /** Seconds of work before a time. */
  seconds(at: string): number
  x(seconds: number): number
  total: number
  breaks: { seconds: number; gapSeconds: number }[]
}

/** What ran when: a row an observation, waiting in grey, attempts coloured by stage with their phases, failed ones hatched. */
export function timelineSection(report: RunReport): Html {
  const { attempts } = report
  if (attempts.length === 0) return html`<p>Nothing ran: every step was reused, skipped or never begun.</p>`
  const scale = makeScale(report)
  const byObservation = Map.groupBy(attempts, ({ observation }) => observation)
  const tried = report.observations.filter(({ id }) => byObservation.has(id))
  const shown = chooseRows(tried, byObservation)
  const height = TOP + shown.length * ROW + 34
  const bottom = height - 30
  const ticks = tickSeconds(scale.total)
  const stages = pipelineStages.filter((stage) => attempts.some((attempt) => attempt.stage === stage))
  const failed = attempts.some((attempt) => isFailed(attempt))
  return html`${
      shown.length < tried.length &&
      html`<p>
        ${shown.length} of ${tried.length} observations: what failed, was tried again or took longest. All attempts are
        in
        <a href="trace.tsv">trace.tsv</a>.
      </p>`
    }
    <div class="scroll" tabindex="0" role="region" aria-label="Drawing of the timeline">
      ${shown.length < tried.length && occupancy(attempts, { scale, width: WIDTH, left: LEFT, right: RIGHT })}
      <svg class="timeline" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="timeline-t timeline-d">
        <title id="timeline-t">Timeline</title>
        <desc id="timeline-d">
          ${attempts.length} attempts of ${tried.length} observations in ${span(scale.total)} of work. The table of
          steps tells the same in numbers.
        </desc>
        <defs>
          <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect class="hatch" width="2.6" height="6" />
          </pattern>
        </defs>
        <g class="grid">
          ${ticks.map((seconds) => html`<line x1="${scale.x(seconds)}" x2="${scale.x(seconds)}" y1="${TOP}" y2="${bottom}" />`)}
        </g>
        ${shown.map((observation, index) => row(observation, { attempts: byObservation.get(observation.id) ?? [], y: TOP + index * ROW, scale }))}
        ${scale.breaks.map(
          ({ seconds, gapSeconds }) =>
            html`<line class="break" x1="${scale.x(seconds)}" x2="${scale.x(seconds)}" y1="${TOP}" y2="${bottom}">
              <title>continued ${span(gapSeconds)} later</title>
            </line>`,
        )}
        <g class="ticks">
          ${ticks.map((seconds) => html`<text x="${scale.x(seconds)}" y="${bottom + 16}" text-anchor="middle">${duration(seconds)}</text>`)}
          <text x="${WIDTH - 2}" y="${bottom + 16}" text-anchor="end">h:min:s</text>
        </g>
      </svg>
    </div>
    <p class="key">
      ${stages.map((stage) => html`<span>${swatch(`stage-${stage}`)} ${stage}</span>`)}<span
        >${swatch('waiting')} waiting</span
      >${failed && html`<span>${swatch('stage-imaging', true)} did not succeed</span>`}${scale.breaks.length > 0 && html`<span>dashed: the run was interrupted and continued</span>`}
    </p>`
}

function row(
  observation: ObservationReport,
  { attempts, y, scale }: { attempts: readonly AttemptReport[]; y: number; scale: Scale },
): Html {
  const { id } = observation
  const word = outcomeOf(observation)
  return html`<g>
    <text class="label" x="${LEFT - 8}" y="${y + 15}" text-anchor="end">${id}</text>
    ${attempts.map((attempt) => [waitingBar(attempt, y, scale), attemptBar(attempt, y, scale)])}
    <text class="label ${gradeClass(word)}" x="${WIDTH - RIGHT + 8}" y="${y + 15}">${word}</text>
  </g>`
}

function waitingBar({ readyAt, startedAt, stage, waited, queueSeconds }: AttemptReport, y: number, scale: Scale): Html {
  const from = scale.x(scale.seconds(readyAt))
  const width = scale.x(scale.seconds(startedAt)) - from
  if (width < THINNEST) return html``
  return html`<rect class="waiting" x="${from}" y="${y + 7}" width="${round(width)}" height="${BAR - 6}">
    <title>${stage} waited ${span(queueSeconds)}${waited.length === 0 ? '' : `: ${waited.join('; ')}`}</title>
  </rect>`
}

function attemptBar(attempt: AttemptReport, y: number, scale: Scale): Html {
  const { stage, number, startedAt, endedAt, wallSeconds, phases, evidence } = attempt
  const from = scale.x(scale.seconds(startedAt))
  const width = Math.max(THINNEST, scale.x(scale.seconds(endedAt)) - from)
  const failed = isFailed(attempt)
  const story = `${stage}${number > 1 ? `, attempt ${number}` : ''}: ${span(wallSeconds)}${failed ? `, ${attempt.class}${evidence.length === 0 ? '' : ` (${evidence.join('; ')})`}` : ''}`
  return html`<g class="stage-${stage}">
    <rect class="bar" x="${from}" y="${y + 3}" width="${round(width)}" height="${BAR}"><title>${story}</title></rect>
    ${!failed && width > 6 && phaseBars(phases, { y, scale, stage })}
    ${failed && html`<rect fill="url(#hatch)" x="${from}" y="${y + 3}" width="${round(Math.max(width, 3))}" height="${BAR}"><title>${story}</title></rect>`}
  </g>`
}

/** Every second phase is paler, so that one sees where one ends. */
function phaseBars(
  phases: AttemptReport['phases'],
  { y, scale, stage }: { y: number; scale: Scale; stage: StageName },
): Html[] {
  return phases.flatMap(({ name, startedAt, seconds }, index) => {
    const begin = scale.seconds(startedAt)
    const from = scale.x(begin)
    const width = scale.x(begin + seconds) - from
    if (width < 1.5) return []
    return [
      html`<rect
        class="${index % 2 === 0 ? 'phase' : 'phase pale'}"
        x="${from}"
        y="${y + 3}"
        width="${round(width)}"
        height="${BAR}"
      >
        <title>${stage}, ${name}: ${span(seconds)}</title>
      </rect>`,
    ]
  })
}

function isFailed({ class: ended }: AttemptReport): boolean {
  return ended !== 'succeeded' && ended !== 'running'
}

/** The rows worth seeing, in the order of their beginning. */
function chooseRows(
  observations: readonly ObservationReport[],
  byObservation: ReadonlyMap<string, readonly AttemptReport[]>,
): ObservationReport[] {
  const rank = ({ id, status, verdict }: ObservationReport): number => {
    if (status === 'failed' || status === 'cancelled' || status === 'running') return 0
    if (byObservation.get(id)?.some(({ retried }) => retried) === true) return 1
    return verdict === 'bad' ? 2 : 3
  }
  const begun = ({ id }: ObservationReport): string => byObservation.get(id)?.[0]?.startedAt ?? ''
  return observations
    .toSorted((a, b) => rank(a) - rank(b) || b.wallSeconds - a.wallSeconds)
    .slice(0, MOST_ROWS)
    .sort((a, b) => (begun(a) < begun(b) ? -1 : begun(a) > begun(b) ? 1 : 0))
}

function makeScale({ sessions }: RunReport): Scale {
  const spans = sessions.map(({ startedAt, endedAt }) => ({ from: Date.parse(startedAt), to: Date.parse(endedAt) }))
  const total = Math.max(1e-3, spans.reduce((sum, { from, to }) => sum + (to - from), 0) / 1000)
  const seconds = (at: string): number => {
    const time = Date.parse(at)
    return spans.reduce((sum, { from, to }) => sum + Math.max(0, Math.min(time, to) - from), 0) / 1000
  }
  const breaks = spans.slice(1).flatMap(({ from }, index) => {
    const before = spans[index]
    return before === undefined
      ? []
      : [{ seconds: seconds(new Date(before.to).toISOString()), gapSeconds: (from - before.to) / 1000 }]
  })
  return {
    seconds,
    total,
    breaks,
    x: (at) => round(LEFT + (WIDTH - LEFT - RIGHT) * Math.min(1, Math.max(0, at / total))),
  }
}

function tickSeconds(total: number): number[] {
  const step = steps.find((candidate) => total / candidate <= TICKS) ?? total
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, index) => index * step)
}

function swatch(name: string, hatched = false): Html {
  return html`<svg class="swatch timeline-key ${name}" viewBox="0 0 18 12" aria-hidden="true">
    <rect class="${name === 'waiting' ? 'waiting' : 'bar'}" width="18" height="12" />
    ${hatched && html`<path class="hatch-lines" d="M1 11L11 1M7 12L17 2" />`}
  </svg>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
