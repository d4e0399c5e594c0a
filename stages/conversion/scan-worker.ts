import { parentPort, workerData } from 'node:worker_threads'
import { errorData, toStageError, type ErrorData } from '#runtime/stage/errors.ts'
import type { FileLook } from './scan-look.ts'
import { claimFiles, type ScanTask } from './scan-workers.ts'

export type ScanMessage = { type: 'looked'; index: number; look: FileLook } | { type: 'failed'; error: ErrorData }

const tell = (message: ScanMessage): void => parentPort?.postMessage(message)
try {
  await claimFiles(workerData as ScanTask, (index, look) => tell({ type: 'looked', index, look }))
} catch (thrown) {
  tell({ type: 'failed', error: errorData(toStageError(thrown)) })
}
