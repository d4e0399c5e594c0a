import type { ErrorData } from '#runtime/stage/errors.ts'
import type { BlockJob, BlockPass } from './blocks.ts'

/** What a thread is asked to do: its part of a pass. */
export interface BlockTask {
  job: BlockJob
  pass: BlockPass
  blocks: number
  /** Shared, see `control`. */
  control: Int32Array
}

/** What a worker thread is told: to get files ready that it will be asked for, or to do its part of a pass. */
export type WorkerRequest = { type: 'open'; paths: readonly string[] } | { type: 'convert'; task: BlockTask }

/** How it answers the latter. */
export type WorkerMessage = { type: 'done' } | { type: 'failed'; error: ErrorData }

/** Places in the control array: the next block to claim, 1 when all must stop, blocks that are done. */
export const control = { next: 0, stop: 1, done: 2 } as const
