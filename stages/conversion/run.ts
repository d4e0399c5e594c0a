import type { Run } from '#runtime/stage/contract.ts'
import { StageError } from '#runtime/stage/errors.ts'
import type { conversion } from './contract.ts'

export const run: Run<typeof conversion> = async () => {
  throw new StageError('INTERNAL', 'conversion is being built')
}
