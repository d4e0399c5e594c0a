import type { AttemptClass } from './classify.ts'

export type Budget = 'oom' | 'app' | 'scratch' | 'disruption' | 'deadline' | 'transient' | 'unknown'

/**
 * Attempts after the first, per kind of failure, independent of each other: only what can differ the next time is tried
 * again. Memory, disk and time limits of one machine do not grow by trying.
 */
export const defaultBudgets: Readonly<Record<Budget, number>> = {
  oom: 0,
  app: 1,
  scratch: 0,
  disruption: 1,
  deadline: 0,
  transient: 3,
  unknown: 1,
}

const budgetOfClass: Partial<Record<AttemptClass, Budget>> = {
  oom: 'oom',
  heap: 'oom',
  'scratch-full': 'scratch',
  disrupted: 'disruption',
  deadline: 'deadline',
  app: 'app',
  'invalid-output': 'app',
  unknown: 'unknown',
}

/** All attempts of a step, whatever their classes. */
const MAX_ATTEMPTS = 15

export interface AttemptRecord {
  class: AttemptClass
  /** Whether trying again can help, as far as the attempt itself shows it. */
  retryable?: boolean
}

/** Whether to try a step once more after these attempts, the last of which did not succeed. */
export function shouldRetry(
  attempts: readonly AttemptRecord[],
  budgets: Readonly<Record<Budget, number>> = defaultBudgets,
): boolean {
  const last = attempts.at(-1)
  if (last === undefined || attempts.length >= MAX_ATTEMPTS || last.retryable === false) return false
  const budget = budgetOf(last)
  if (budget === undefined) return false
  return attempts.filter((attempt) => budgetOf(attempt) === budget).length <= budgets[budget]
}

function budgetOf({ class: outcome, retryable }: AttemptRecord): Budget | undefined {
  return outcome === 'app' && retryable === true ? 'transient' : budgetOfClass[outcome]
}
