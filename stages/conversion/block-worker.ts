import { parentPort, workerData } from 'node:worker_threads'
import { errorData, toStageError, type ErrorData } from '#runtime/stage/errors.ts'
import { openBlockConverter, type BlockJob, type BlockPass } from './blocks.ts'

export interface WorkerTask {
  job: BlockJob
  pass: BlockPass
  blocks: number
  /** Shared: [next block to claim, 1 when all must stop]. */
  control: Int32Array
}

export type WorkerMessage =
  | { type: 'opened'; methods: string[] }
  | { type: 'block' }
  | { type: 'failed'; error: ErrorData }

/** Claims block after block until none is left. Which worker takes which block changes no byte of the result. */
async function work({ job, pass, blocks, control }: WorkerTask, tell: (message: WorkerMessage) => void): Promise<void> {
  try {
    const converter = await openBlockConverter(job)
    try {
      tell({ type: 'opened', methods: converter.methods })
      for (let block = Atomics.add(control, 0, 1); block < blocks; block = Atomics.add(control, 0, 1)) {
        if (Atomics.load(control, 1) !== 0) break
        converter.block(pass, block)
        tell({ type: 'block' })
      }
    } finally {
      converter.close()
    }
  } catch (thrown) {
    tell({ type: 'failed', error: errorData(toStageError(thrown)) })
  }
}

await work(workerData as WorkerTask, (message) => parentPort?.postMessage(message))
