import { parentPort } from 'node:worker_threads'
import { openUvh5Data, type Uvh5Data } from '#runtime/formats/uvh5/data.ts'
import { errorData, toStageError } from '#runtime/stage/errors.ts'
import { convertBlocks } from './block-loop.ts'
import type { BlockTask, WorkerMessage, WorkerRequest } from './block-task.ts'

const port = parentPort
if (port === null) throw new Error('block-worker.ts runs in a worker thread only')
const tell = (message: WorkerMessage): void => port.postMessage(message)

/** Files that are ready, by their paths. */
const ready = new Map<string, Uvh5Data>()
// One thing after the other: a pass waits for the files that it needs.
let last = Promise.resolve()
port.on('message', (request: WorkerRequest) => {
  last = last.then(() => (request.type === 'open' ? getReady(request.paths) : work(request.task)))
})

async function work(task: BlockTask): Promise<void> {
  try {
    await convertBlocks(task, { open: takeReady })
    tell({ type: 'done' })
  } catch (thrown) {
    tell({ type: 'failed', error: errorData(toStageError(thrown)) })
  }
}

async function getReady(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    try {
      const file = await openUvh5Data(path, { method: 'direct' })
      ready.set(path, file)
      file.prepare()
    } catch {
      // Nobody has asked for this file yet: what is wrong with it is said when it is opened for a pass.
      ready.get(path)?.close()
      ready.delete(path)
    }
  }
}

async function takeReady(path: string): Promise<Uvh5Data> {
  const file = ready.get(path)
  ready.delete(path)
  return file ?? openUvh5Data(path)
}
