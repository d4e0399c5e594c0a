import { ProblemError } from '../pipeline/problem.ts'
import type { Io } from './io.ts'

/**
 * Consent to something that cannot be taken back: `--yes`, else an answer on the terminal. False when the person says no.
 * Throws ProblemError USAGE where there is no terminal to ask on.
 */
export async function confirmed(question: string, { yes }: { yes?: boolean }, { ask }: Io): Promise<boolean> {
  if (yes === true) return true
  if (ask === undefined)
    throw new ProblemError('USAGE', `this needs a yes, and there is no terminal to ask on: ${question}`, {
      hint: 'say --yes to do it, or --dry-run where there is one to see what it would do',
    })
  return /^y(es)?$/i.test((await ask(`${question} [y/N] `)).trim())
}
