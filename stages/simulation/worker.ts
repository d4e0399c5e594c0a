import { parentPort, workerData } from 'node:worker_threads'
import { errorData, toStageError, type ErrorData } from '#runtime/stage/errors.ts'
import type { Observation } from './observation.ts'
import { writeSubband } from './subband.ts'

export interface WorkerInput {
  readonly observation: Observation
  readonly dir: string
}

export type WorkerMessage = { type: 'block' } | { type: 'done'; subband: number } | { type: 'error'; error: ErrorData }

/** A thread that writes the subbands it is told to, one after another. */
const { observation, dir } = workerData as WorkerInput
const port = parentPort
port?.on('message', (subband: number) => {
  const post = (message: WorkerMessage): void => port.postMessage(message)
  try {
    writeSubband(observation, subband, { dir, progress: () => post({ type: 'block' }) })
    post({ type: 'done', subband })
  } catch (error) {
    post({ type: 'error', error: errorData(toStageError(error)) })
  }
})
