import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { StageError } from '#runtime/stage/errors.ts'
import { convertBlocks } from './block-loop.ts'
import { control, type BlockTask, type WorkerMessage, type WorkerRequest } from './block-task.ts'
import type { BlockJob, BlockPass, OpenData } from './blocks.ts'

/** How often progress is told. */
const PROGRESS_MS = 100

/** A worker lives off its buffers; a small young generation keeps its garbage from piling up to tens of MB. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 }

export interface BlockRun {
  pass: BlockPass
  /** At most so many threads take part, this one among them. */
  threads: number
  signal: AbortSignal
  /** Called now and then. */
  onProgress: (blocks: { done: number; total: number }) => void
  /** Opens the files of this thread. */
  open: OpenData
}

/** Threads that convert blocks: this one, and workers. Stop them, or the process does not end. */
export interface BlockWorkers {
  /**
   * Runs a pass over all blocks of a job; the threads claim them from a shared counter. The first failure or an abort
   * stops all of them after their current block, and is thrown when the last one has stopped.
   */
  run(job: BlockJob, pass: BlockRun): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts workers at once, so that they load their code and get the files ready while this thread reads the headers.
 * @param threads with this one
 * @param paths of the raw files
 */
export function startBlockWorkers(threads: number, paths: readonly string[]): BlockWorkers {
  const workers = Array.from({ length: threads - 1 }, () => startWorker(paths))
  return {
    async run(job, { pass, threads, signal, onProgress, open }) {
      const blocks = Math.ceil(job.layout.rows / job.blockRows)
      const shared = new Int32Array(new SharedArrayBuffer(4 * Object.keys(control).length))
      const stop = (): void => void Atomics.store(shared, control.stop, 1)
      signal.throwIfAborted()
      signal.addEventListener('abort', stop)
      const task: BlockTask = { job, pass, blocks, control: shared }
      const tell = (): void => onProgress({ done: Atomics.load(shared, control.done), total: blocks })
      const telling = setInterval(tell, PROGRESS_MS)
      try {
        // All must have stopped before an error leaves: nobody writes into a folder that is being removed.
        const parts = workers.slice(0, Math.min(threads, blocks) - 1).map((worker) => worker.run(task))
        const here = convertBlocks(task, { open, pause: setImmediate })
        const ends = await Promise.allSettled(
          [...parts, here].map((part) =>
            part.catch((error: unknown) => {
              stop()
              throw error
            }),
          ),
        )
        signal.throwIfAborted()
        const failed = ends.find((end) => end.status === 'rejected')
        if (failed !== undefined) throw failed.reason
        tell()
      } finally {
        clearInterval(telling)
        signal.removeEventListener('abort', stop)
      }
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.stop()))
    },
  }
}

interface BlockWorker {
  run(task: BlockTask): Promise<void>
  stop(): Promise<number>
}

function startWorker(paths: readonly string[]): BlockWorker {
  const thread = new Worker(new URL('./block-worker.ts', import.meta.url), { resourceLimits })
  const ask = (request: WorkerRequest): void => thread.postMessage(request)
  ask({ type: 'open', paths })
  const ended = new Promise<never>((_, reject) => {
    thread.on('error', reject)
    thread.on('exit', (code) => reject(new StageError('INTERNAL', `a worker thread ended with code ${code}`)))
  })
  // Its end is an error only for those who wait for it.
  ended.catch(() => undefined)
  return {
    stop: () => thread.terminate(),
    async run(task) {
      let listener: (message: WorkerMessage) => void = () => undefined
      const finished = new Promise<void>((resolve, reject) => {
        listener = (message) => {
          if (message.type === 'done') resolve()
          else reject(stageError(message.error))
        }
      })
      thread.on('message', listener)
      try {
        ask({ type: 'convert', task })
        await Promise.race([finished, ended])
      } finally {
        thread.off('message', listener)
      }
    },
  }
}

function stageError({ code, message, hint }: Extract<WorkerMessage, { type: 'failed' }>['error']): StageError {
  return new StageError(code, message, hint === undefined ? {} : { hint })
}
