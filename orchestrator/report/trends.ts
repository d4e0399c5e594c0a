import { domainOf } from '#runtime/page/axis.ts'
import { html, type Html } from '#runtime/page/html.ts'
import { plot, type Layer, type Tone } from '#runtime/page/plot.ts'
import type { ObservationReport, RunReport } from './model.ts'

/** Fewer observations make no trend. */
const FEWEST = 4
const HOUR_MS = 3_600_000

/** Checks of the validation and how their values are drawn. */
const trends = [
  { id: 'trend-noise', check: 'image noise', label: 'residual over expected noise', log: true },
  { id: 'trend-flux', check: 'flux scale', label: 'flux ratio', around: 1 },
  { id: 'trend-offset', check: 'astrometry', label: 'offset (″)', include: 0 },
  { id: 'trend-completeness', check: 'completeness', label: 'completeness', include: 1 },
  { id: 'trend-flagged', check: 'flagged data', label: 'flagged part', include: 0 },
] as const

const markers: readonly { verdict: string; tone: Tone; marker: 'circle' | 'square' | 'diamond' }[] = [
  { verdict: 'good', tone: 'good', marker: 'circle' },
  { verdict: 'uncertain', tone: 'uncertain', marker: 'diamond' },
  { verdict: 'bad', tone: 'bad', marker: 'square' },
]

interface Measured {
  id: string
  hours: number
  value: number
  verdict: string
  good: string
}

/** The observations' checks against time, with the limits of the grades; nothing for a few observations. */
export function trendsSection({ observations }: RunReport): Html | undefined {
  const times = observations.map(({ id }) => timeOf(id)).filter((time) => !Number.isNaN(time))
  const first = Math.min(...times)
  const figures = trends.flatMap((trend) => {
    const measured = observations.flatMap((observation) => measure(observation, trend.check, first))
    return measured.length < FEWEST ? [] : [figure(trend, measured)]
  })
  if (figures.length === 0) return undefined
  return html`<p>
      Hours since ${new Date(first).toISOString().slice(0, 16).replace('T', ' ')} UTC. Dashed lines are the limits of
      good and of uncertain.
    </p>
    <div class="plots">${figures}</div>`
}

function figure(trend: (typeof trends)[number], measured: readonly Measured[]): Html {
  const around = 'around' in trend ? trend.around : undefined
  const limits = [...new Set(measured.flatMap(({ good }) => limitsOf(good, around)))]
  const values = measured.map(({ value }) => value)
  const include = [...limits, ...('include' in trend ? [trend.include] : [])]
  const log = 'log' in trend
  const grades = markers.flatMap(({ verdict, tone, marker }): Layer[] => {
    const points = measured.filter((point) => point.verdict === verdict)
    if (points.length === 0) return []
    return [
      {
        kind: 'points',
        tone,
        marker,
        label: verdict,
        points: points.map(({ hours, value, id }) => ({
          x: hours,
          y: value,
          title: `${id}: ${Number(value.toPrecision(4))}`,
        })),
      },
    ]
  })
  return plot({
    id: trend.id,
    title: `${trend.check[0]?.toUpperCase()}${trend.check.slice(1)}`,
    description: `${trend.label} of ${measured.length} observations against time.`,
    x: { label: 'time (h)', domain: domainOf(measured.map(({ hours }) => hours)) },
    y: { label: trend.label, domain: domainOf(values, { include, log }), ...(log ? { log } : {}) },
    layers: [...limits.map((at): Layer => ({ kind: 'level', tone: 'muted', axis: 'y', at, dashed: true })), ...grades],
  })
}

function measure({ id, steps }: ObservationReport, name: string, first: number): Measured[] {
  const check = steps
    .findLast(({ stage }) => stage === 'validation')
    ?.checks.find((candidate) => candidate.name === name)
  const time = timeOf(id)
  if (check?.value === undefined || !Number.isFinite(check.value) || Number.isNaN(time)) return []
  return [
    {
      id,
      hours: (time - first) / HOUR_MS,
      value: check.value,
      verdict: check.verdict,
      good: check.limits?.good ?? '',
    },
  ]
}

/** `<= 0.1`, `>= 0.9`, `0.75 to 1.2` as values; a distance from `around` lies on both sides of it. */
function limitsOf(text: string, around: number | undefined): number[] {
  const values = [...text.matchAll(/\d+(?:\.\d+)?/g)].map(([value]) => Number(value))
  return around === undefined ? values : values.flatMap((value) => [around - value, around + value])
}

/** An id is the UTC of its observation: `20260125T222605`. */
function timeOf(id: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)$/.exec(id) ?? []
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}
