import { StageError } from '#runtime/stage/errors.ts'
import { ProblemError } from '../../orchestrator/pipeline/problem.ts'

/** The code of an error that is our own. */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof StageError) return error.code
  return error instanceof ProblemError ? error.problem.code : undefined
}
