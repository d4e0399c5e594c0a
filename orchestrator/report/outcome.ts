import type { Verdict } from '#runtime/stage/quality.ts'
import type { Status } from '../pipeline/state.ts'

/** What came of an observation in a word: its verdict, or how far it got. */
export function outcomeOf({ status, verdict }: { status: Status; verdict: Verdict }): Verdict | Status {
  return status === 'done' || status === 'cached' ? verdict : status
}

const tones: Readonly<Partial<Record<string, string>>> = {
  good: 'good',
  uncertain: 'uncertain',
  bad: 'bad',
  failed: 'bad',
  skipped: 'uncertain',
  cancelled: 'uncertain',
}

/** The class of a word that is a verdict or a state. */
export function gradeClass(word: string): string {
  return `grade tone-of-${tones[word] ?? 'not-run'}`
}
