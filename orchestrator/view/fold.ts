import type { ObservationState, RunState, StepState } from '../pipeline/state.ts'
import { count, glyph, glyphWidth, span, type GlyphName, type Style } from './format.ts'

/** Observations an hour that the telescope records: 24 integrations of 12.885 s each. */
const SKY_PER_HOUR = 3600 / (24 * 12.885)
/** With fewer finished observations a rate is a guess. */
const LEAST_FINISHED = 3

/** Many observations as a line a state: how many, and of what kind. */
export function foldLines(observations: readonly ObservationState[], style: Style): string[] {
  const done = observations.filter(({ status }) => status === 'done' || status === 'cached')
  const open = observations.filter(({ status }) => status === 'planned' || status === 'running')
  const atWork = open.filter(({ steps }) => steps.some(({ status }) => status === 'running')).length
  const of = (wanted: ObservationState['status']): ObservationState[] =>
    observations.filter(({ status }) => status === wanted)
  const line = (mark: GlyphName, many: number, what: string, kinds: readonly string[]): string[] => {
    if (many === 0) return []
    const parts = [...countEach(kinds)].map(([kind, n]) => `${n} ${kind}`).join(', ')
    return [`${glyph(mark, style).padEnd(glyphWidth(style))} ${many} ${what}${parts === '' ? '' : `: ${parts}`}`]
  }
  const codes = (list: readonly ObservationState[]): string[] => list.map(({ error }) => error?.code ?? 'no reason')
  return [
    ...line(
      'done',
      done.length,
      'done',
      done.map(({ verdict }) => verdict),
    ),
    ...line('failed', of('failed').length, 'failed', codes(of('failed'))),
    ...line('skipped', of('skipped').length, 'skipped', codes(of('skipped'))),
    ...line('skipped', of('cancelled').length, 'cancelled', []),
    ...line('running', atWork, 'at work', []),
    ...line('waiting', open.length - atWork, 'waiting', []),
  ]
}

/** How fast a campaign goes, when it ends at this rate, and what it has cost; nothing before that can be known. */
export function paceLine(state: RunState, now: number): string[] {
  const over = state.observations.filter(({ status }) => status !== 'planned' && status !== 'running')
  const made = over.filter(({ steps }) => steps.some(({ status }) => status === 'done'))
  const hours = (now - Date.parse(state.startedAt)) / 3_600_000
  if (made.length < LEAST_FINISHED || hours <= 0) return []
  const rate = made.length / hours
  const left = (state.observations.length - over.length) / rate
  const used = state.observations.flatMap(({ steps }) => steps).reduce((sum, step) => sum + gibHours(step), 0)
  const ahead =
    left > 0
      ? `, ${count(state.observations.length - over.length, 'observation')} left, about ${span(left * 3600)}`
      : ''
  return [
    `  ${rate.toFixed(1)} observations/h (the sky: ${SKY_PER_HOUR.toFixed(1)})${ahead}, ${used.toFixed(1)} GiB.h so far`,
  ]
}

/** How often each word occurs, the most frequent first. */
export function countEach(words: readonly string[]): [word: string, count: number][] {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
}

function gibHours({ status, product }: StepState): number {
  if (status !== 'done' || product === undefined) return 0
  return ((product.usage.peakMemoryBytes / 2 ** 30) * product.usage.wallSeconds) / 3600
}
