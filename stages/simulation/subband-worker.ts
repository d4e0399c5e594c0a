import { parentPort, workerData } from 'node:worker_threads'
import { errorData, toStageError, type ErrorData } from '#runtime/stage/errors.ts'
import type { Observation } from './observation.ts'
import { writeSubband } from './subband-file.ts'

export interface WorkerInput {
  readonly observation: Observation
  readonly dir: string
}

export type WorkerMessage = { type: 'block' } | { type: 'done'; subband: number } | { type: 'error'; error: ErrorData }

/** A thread that writes the subbands it is told to, one after another. */
if (parentPort !== null) {
  const { observation, dir } = workerData as WorkerInput
  const port = parentPort
  port.on('message', (subband: number) => {
    try {
      for (const _ of writeSubband(observation, subband, dir)) port.postMessage({ type: 'block' })
      port.postMessage({ type: 'done', subband } satisfies WorkerMessage)
    } catch (error) {
      port.postMessage({ type: 'error', error: errorData(toStageError(error)) } satisfies WorkerMessage)
    }
  })
}
