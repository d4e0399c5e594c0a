import type { ErrorData } from '#runtime/stage/errors.ts'
import type { BlockJob, BlockPass } from './blocks.ts'

/** What a worker thread is asked to do: its part of a pass. */
export interface WorkerTask {
  job: BlockJob
  pass: BlockPass
  blocks: number
  /** Shared, see `control`. */
  control: Int32Array
}

/** Places in the control array: the next block to claim, 1 when all must stop, blocks that are done. */
export const control = { next: 0, stop: 1, done: 2 } as const

/** How it answers. */
export type WorkerMessage = { type: 'done' } | { type: 'failed'; error: ErrorData }
