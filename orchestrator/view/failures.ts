import type { Problem } from '../pipeline/problem.ts'
import type { ObservationState, RunState } from '../pipeline/state.ts'

/** Observations that came to nothing for the same reason. */
export interface Failure {
  status: 'failed' | 'skipped'
  problem: Problem
  /** The stage that failed; absent for what never began. */
  stage?: string
  /** In the order of their ids. */
  observations: ObservationState[]
}

/** Failed and skipped observations by what is wrong with them, those of the most observations first. */
export function failures(observations: readonly ObservationState[]): Failure[] {
  const found = new Map<string, Failure>()
  for (const observation of observations.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    const { status, error } = observation
    if (error === undefined || (status !== 'failed' && status !== 'skipped')) continue
    const stage = failedStage(observation)
    const key = failureKey(error, stage)
    const known = found.get(key)
    if (known === undefined)
      found.set(key, { status, problem: error, ...(stage === undefined ? {} : { stage }), observations: [observation] })
    else known.observations.push(observation)
  }
  return [...found.values()].sort((a, b) => b.observations.length - a.observations.length)
}

/** Which of the equal problems of a run so far this one is, beginning with 1, and the observations that have it. */
export function occurrence(problem: Problem, stage: string | undefined, { observations }: RunState): string[] {
  const key = failureKey(problem, stage)
  return observations
    .filter((other) => other.error !== undefined && failureKey(other.error, failedStage(other)) === key)
    .map(({ id }) => id)
}

function failedStage({ steps }: ObservationState): string | undefined {
  return steps.find(({ status }) => status === 'failed')?.stage
}

/** Equal for problems that differ only in names and numbers. */
function failureKey({ code, message }: Problem, stage: string | undefined): string {
  // Word by word: one expression over all of it would take minutes for a word of a hundred thousand letters.
  const words = message.split(/\s/).map((word) => (/\d/.test(word) ? '#' : word))
  return `${stage ?? ''} ${code} ${words.filter((word, i) => word !== '#' || words[i - 1] !== '#').join(' ')}`
}
