import type { Check, Quality, Verdict } from '#runtime/stage/quality.ts'
import type { ObservationState } from '../pipeline/state.ts'

/** At most this many reasons are shown; the report has all. */
const MOST_REASONS = 5
/** Verdicts, the worst first. */
export const severity: readonly Verdict[] = ['bad', 'not run', 'uncertain', 'good']

/**
 * The checks that made a verdict less than good, as lines, the worst first: those of the last stage that has a product,
 * and those of earlier stages that are bad. Of a bad verdict, only those that are bad.
 */
export function decidingChecks({ steps, verdict }: ObservationState): string[] {
  if (verdict !== 'bad' && verdict !== 'uncertain') return []
  const last = steps.findLast(({ product }) => product !== undefined)?.stage
  const ofStages = new Map(steps.flatMap(({ stage, product }) => (product === undefined ? [] : [[stage, product]])))
  const deciding = [...ofStages]
    .flatMap(([stage, { quality }]) =>
      (stage === last || quality.verdict === 'bad' ? reasons(quality) : []).map((check) => ({ stage, check })),
    )
    .filter(({ check }) => verdict !== 'bad' || check.verdict === 'bad')
    .sort((a, b) => severity.indexOf(a.check.verdict) - severity.indexOf(b.check.verdict))
    .map(({ stage, check }) => (stage === last ? checkLine(check) : `${stage}: ${checkLine(check)}`))
  if (deciding.length <= MOST_REASONS) return deciding
  return [...deciding.slice(0, MOST_REASONS), `and ${deciding.length - MOST_REASONS} more: they are in the report`]
}

/** A check as one line: title, verdict, value with unit, limit, number of samples, and what was found. */
export function checkLine({ name, verdict, value, unit, limits, n, message }: Check): string {
  const facts: string[] = []
  if (value !== undefined) {
    facts.push(unit === undefined || unit === '1' ? figures(value) : `${figures(value)} ${unit}`)
    if (limits !== undefined) facts.push(`good ${limits.good}`)
    if (limits?.uncertain !== undefined && verdict === 'bad') facts.push(`uncertain ${limits.uncertain}`)
  }
  if (n !== undefined) facts.push(`n ${n}`)
  return `${title(name)} ${verdict}: ${[...(facts.length === 0 ? [] : [facts.join(', ')]), message].join('; ')}`
}

/** The checks that a verdict rests on: those that decide it, and others only where none of these is less than good. */
export function reasons({ verdict, checks }: Quality): Check[] {
  if (verdict === 'good') return []
  const deciding = checks.filter((check) => check.gating && check.verdict !== 'good')
  return deciding.length > 0
    ? deciding
    : checks.filter((check) => check.verdict === 'uncertain' || check.verdict === 'bad')
}

/** `residual-peak`, `residualPeak`: residual peak. */
function title(name: string): string {
  return name
    .replaceAll('-', ' ')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
}

/** Three figures, integers in full. */
function figures(value: number): string {
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(3)))
}
