import { Worker } from 'node:worker_threads'
import type { Progress } from '#runtime/stage/contract.ts'
import { StageError, type ErrorCode } from '#runtime/stage/errors.ts'
import { SLOTS_PER_UNIT } from '../contract.ts'
import { unitName, unitsOf, type Job, type Pass, type PassResult } from '../job.ts'

/** Milliseconds between two looks at the progress. */
const PROGRESS_MS = 500

export interface WorkerTeam extends AsyncDisposable {
  readonly count: number
  /** Runs a pass on all workers and waits for its end. Throws the first worker's StageError, or CANCELLED. */
  run(pass: Pass): Promise<void>
}

/** Starts `count` threads that share a job. Dispose of it to end them. */
export function startWorkers(
  job: Job,
  count: number,
  { signal, progress }: { signal: AbortSignal; progress: (progress: Progress) => void },
): WorkerTeam {
  const workers = Array.from(
    { length: count },
    (_, worker) => new Worker(new URL('worker.ts', import.meta.url), { workerData: { job, worker } }),
  )
  const stop = async (): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  return {
    count,
    async run(pass) {
      if (signal.aborted) throw cancelled()
      Atomics.store(job.counter, 0, 0)
      Atomics.store(job.counter, 1, 0)
      const total = unitsOf(job, pass, SLOTS_PER_UNIT)
      const timer = setInterval(
        () => progress({ done: Atomics.load(job.counter, 1), total, unit: unitName(pass) }),
        PROGRESS_MS,
      )
      const onAbort = (): void => void stop()
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        await Promise.all(workers.map((worker) => runOn(worker, pass)))
        progress({ done: total, total, unit: unitName(pass) })
      } catch (error) {
        if (signal.aborted) throw cancelled()
        throw error
      } finally {
        clearInterval(timer)
        signal.removeEventListener('abort', onAbort)
      }
    },
    [Symbol.asyncDispose]: stop,
  }
}

function runOn(worker: Worker, pass: Pass): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (done: () => void): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
      done()
    }
    const onMessage = (result: PassResult): void =>
      settle(() => {
        if (result.type === 'done') resolve()
        else
          reject(
            new StageError(
              result.code as ErrorCode,
              result.message,
              result.hint === undefined ? {} : { hint: result.hint },
            ),
          )
      })
    const onError = (error: unknown): void =>
      settle(() =>
        reject(
          new StageError(
            'INTERNAL',
            `a calibration worker failed: ${error instanceof Error ? error.message : String(error)}`,
            { cause: error },
          ),
        ),
      )
    const onExit = (code: number): void =>
      settle(() => reject(new StageError('INTERNAL', `a calibration worker ended with code ${code}`)))
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    worker.postMessage(pass)
  })
}

function cancelled(): StageError {
  return new StageError('CANCELLED', 'calibration was stopped')
}
