import { availableParallelism } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { createHeaderScratch } from '#runtime/formats/uvh5/values.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { lookAt } from './scan-file.ts'
import type { FileLook } from './scan-look.ts'
import type { ScanMessage } from './scan-worker.ts'

/** A thread takes as long to start as this many files to look at. */
const FILES_PER_THREAD = 32

/** A shared file system has to bear what threads ask of it at once. */
const MAX_THREADS = 8

/** After so many files the main thread hears what the others have found. */
const FILES_PER_TURN = 8

export interface ScanTask {
  folder: string
  names: readonly string[]
  nowMs: number
  /** Shared: [next file to claim, 1 when all must stop]. */
  control: Int32Array
}

export interface LookAllOptions {
  nowMs: number
  /** Default: one a core, where there are many files. */
  threads?: number | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

/**
 * Looks at files of a folder in as many threads as pay, of which this one is the first. Which thread looks at which file
 * changes nothing of what is found. @returns a look for each name, in their order
 */
export async function lookAtAll(
  folder: string,
  names: readonly string[],
  { nowMs, threads = availableParallelism(), onProgress }: LookAllOptions,
): Promise<FileLook[]> {
  const control = new Int32Array(new SharedArrayBuffer(8))
  const task: ScanTask = { folder, names, nowMs, control }
  const looks: FileLook[] = []
  let done = 0
  const keep = (index: number, look: FileLook): void => {
    looks[index] = look
    onProgress?.(++done, names.length)
  }
  const stop = (error: unknown): never => {
    Atomics.store(control, 1, 1)
    throw error
  }
  const others = Math.min(threads, MAX_THREADS, Math.floor(names.length / FILES_PER_THREAD)) - 1
  const ends = await Promise.allSettled([
    claimFiles(task, keep).catch(stop),
    ...Array.from({ length: Math.max(0, others) }, () => runWorker(task, keep).catch(stop)),
  ])
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return looks
}

/** Claims file after file until none is left. */
export async function claimFiles(
  { folder, names, nowMs, control }: ScanTask,
  onLook: (index: number, look: FileLook) => void,
): Promise<void> {
  const scratch = createHeaderScratch()
  let looked = 0
  for (let index = Atomics.add(control, 0, 1); index < names.length; index = Atomics.add(control, 0, 1)) {
    if (Atomics.load(control, 1) !== 0) break
    onLook(index, await lookAt(folder, names[index], { nowMs, scratch }))
    if (++looked % FILES_PER_TURN === 0) await setImmediate()
  }
}

function runWorker(task: ScanTask, onLook: (index: number, look: FileLook) => void): Promise<void> {
  const worker = new Worker(new URL('./scan-worker.ts', import.meta.url), { workerData: task })
  return new Promise((resolve, reject) => {
    worker.on('message', (message: ScanMessage) => {
      if (message.type === 'looked') onLook(message.index, message.look)
      else reject(new StageError(message.error.code, message.error.message))
    })
    worker.on('error', reject)
    worker.on('exit', (code) => {
      if (code === 0) resolve()
      else reject(new StageError('INTERNAL', `a worker thread ended with code ${code}`))
    })
  })
}
