import { explainNoSpace } from '#runtime/stage/disk-space.ts'
import { errorData, isNoSpace } from '#runtime/stage/errors.ts'
import { ProblemError, problemOf } from '../pipeline/problem.ts'

/** An error for want of room on the data root as one that says how much is free; any other as it is. */
export async function explainRoom(error: unknown, root: string): Promise<unknown> {
  if (!isNoSpace(error)) return error
  const place = { name: 'the data root', path: root, fix: 'free some space there' }
  const { code, message, hint } = problemOf(errorData(await explainNoSpace(error, [place])))
  return new ProblemError(code, message, { ...(hint === undefined ? {} : { hint }), cause: error })
}
