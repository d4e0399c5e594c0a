import type { Check, Verdict } from '#runtime/stage/quality.ts'
import { checkTable, type CheckKey, type CheckSpec, type Limits } from './limits.ts'

/** What a check measured: the number that is graded and, where people expect another one, the number to show. */
export interface Measurement {
  graded: number
  /** Shown value; default: the graded one. */
  value?: number
  /** 1-sigma error of the graded number. */
  error?: number
  n?: number
  message: string
  /** Overrides the limits of the table where the rule depends on the field. */
  good?: number
}

/** A check that could not run. It is never a pass. */
export function notRun(key: CheckKey, message: string, facts: { value?: number; n?: number } = {}): Check {
  const spec = checkTable[key]
  return {
    name: spec.title,
    verdict: 'not run',
    ...(facts.value !== undefined && Number.isFinite(facts.value) ? { value: facts.value, unit: spec.unit } : {}),
    ...(facts.n === undefined ? {} : { n: facts.n }),
    message,
    gating: spec.gating,
    blocking: false,
  }
}

/**
 * Grades a measurement against its limits. Too few samples or a number that is not finite: not run. An error larger
 * than half of the good limit: uncertain, unless the number is beyond the last limit by two errors.
 */
export function grade(key: CheckKey, measured: Measurement, limits: Limits): Check {
  const spec: CheckSpec = checkTable[key]
  const { graded, error, n } = measured
  const limit = { good: measured.good ?? limits[key].good, uncertain: limits[key].uncertain }
  if (n !== undefined && n < spec.needs) {
    return notRun(key, `not enough samples: ${n} of the ${spec.needs} that it needs`, { n })
  }
  if (!Number.isFinite(graded)) return notRun(key, 'it could not be measured', n === undefined ? {} : { n })
  const sharp = error === undefined || (Number.isFinite(error) && error < limit.good / 2)
  const plain = gradeOf(spec, limit, graded)
  const surelyBad =
    error !== undefined &&
    Number.isFinite(error) &&
    gradeOf(spec, limit, towardsGood(spec, graded, 2 * error)) === 'bad'
  const verdict: Verdict = sharp || surelyBad ? plain : 'uncertain'
  const value = measured.value ?? graded
  return {
    name: spec.title,
    verdict,
    value,
    unit: spec.unit,
    ...(error === undefined || !Number.isFinite(error) ? {} : { error }),
    ...(n === undefined ? {} : { n }),
    limits: limitTexts(spec, limit),
    message: sharp || surelyBad ? measured.message : `${measured.message} Not enough sources for a sharp value.`,
    gating: spec.gating,
    blocking: false,
  }
}

function gradeOf(spec: CheckSpec, limit: { good: number; uncertain: number }, value: number): Verdict {
  if (spec.better === 'higher') return value >= limit.good ? 'good' : value >= limit.uncertain ? 'uncertain' : 'bad'
  if (value > limit.uncertain) return 'bad'
  if (value > limit.good) return 'uncertain'
  return spec.better === 'range' && value < (spec.floor ?? -Infinity) ? 'uncertain' : 'good'
}

function towardsGood(spec: CheckSpec, value: number, step: number): number {
  return spec.better === 'higher' ? value + step : value - step
}

function limitTexts(spec: CheckSpec, limit: { good: number; uncertain: number }): { good: string; uncertain: string } {
  if (spec.better === 'higher') return { good: `>= ${limit.good}`, uncertain: `>= ${limit.uncertain}` }
  if (spec.better === 'range') return { good: `${spec.floor} to ${limit.good}`, uncertain: `<= ${limit.uncertain}` }
  return { good: `<= ${limit.good}`, uncertain: `<= ${limit.uncertain}` }
}

/** A check whose grade is a fact, not a number. */
export function categorical(
  title: string,
  verdict: Verdict,
  message: string,
  facts: { value?: number; unit?: string } = {},
): Check {
  return { name: title, verdict, ...facts, message, gating: true, blocking: false }
}

/** Limits that differ from the table, as sentences. */
export function overriddenLimits(limits: Limits): string[] {
  return (Object.entries(checkTable) as [CheckKey, CheckSpec][]).flatMap(([key, spec]) =>
    (['good', 'uncertain'] as const)
      .filter((name) => limits[key][name] !== spec[name])
      .map((name) => `${spec.title}: limit "${name}" is ${limits[key][name]}, by default ${spec[name]}`),
  )
}
