import { Worker } from 'node:worker_threads'
import { StageError } from '#runtime/stage/errors.ts'
import type { WorkerMessage, WorkerTask } from './block-worker.ts'
import type { BlockJob, BlockPass } from './blocks.ts'

/** A worker lives off its buffers; a small young generation keeps its garbage from piling up to tens of MB. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 }

export interface BlockRun {
  pass: BlockPass
  workers: number
  signal: AbortSignal
  /** Called after every block. */
  onBlock: (done: number, total: number) => void
}

/**
 * Runs a pass over all blocks of a job in worker threads that claim them from a shared counter. The first failure or an
 * abort stops all of them after their current block.
 * @returns how each source was read
 */
export async function runBlocks(job: BlockJob, { pass, workers, signal, onBlock }: BlockRun): Promise<string[]> {
  const blocks = Math.ceil(job.layout.rows / job.blockRows)
  const control = new Int32Array(new SharedArrayBuffer(8))
  const stop = (): void => void Atomics.store(control, 1, 1)
  signal.throwIfAborted()
  signal.addEventListener('abort', stop)
  const task: WorkerTask = { job, pass, blocks, control }
  let done = 0
  try {
    // All must have ended before an error leaves: nobody writes into a folder that is being removed.
    const ends = await Promise.allSettled(
      Array.from({ length: Math.min(workers, blocks) }, () =>
        runWorker(task, () => onBlock(++done, blocks)).catch((error: unknown) => {
          stop()
          throw error
        }),
      ),
    )
    signal.throwIfAborted()
    const methods = ends.map((end) => {
      if (end.status === 'rejected') throw end.reason
      return end.value
    })
    return methods[0]
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function runWorker(task: WorkerTask, onBlock: () => void): Promise<string[]> {
  const worker = new Worker(new URL('./block-worker.ts', import.meta.url), { workerData: task, resourceLimits })
  let methods: string[] = []
  return new Promise((resolve, reject) => {
    worker.on('message', (message: WorkerMessage) => {
      if (message.type === 'opened') ({ methods } = message)
      else if (message.type === 'block') onBlock()
      else
        reject(
          new StageError(
            message.error.code,
            message.error.message,
            message.error.hint === undefined ? {} : { hint: message.error.hint },
          ),
        )
    })
    worker.on('error', reject)
    worker.on('exit', (code) => {
      if (code === 0) resolve(methods)
      else reject(new StageError('INTERNAL', `a worker thread ended with code ${code}`))
    })
  })
}
