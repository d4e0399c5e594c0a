import { parentPort } from 'node:worker_threads'
import { errorData, toStageError } from '#runtime/stage/errors.ts'
import { control, type WorkerMessage, type WorkerTask } from './block-task.ts'
import { openBlockConverter } from './blocks.ts'

const port = parentPort
if (port === null) throw new Error('block-worker.ts runs in a worker thread only')
const tell = (message: WorkerMessage): void => port.postMessage(message)
port.on('message', (task: WorkerTask) => void work(task))

/** Claims block after block until none is left. Which worker takes which block changes no byte of the result. */
async function work({ job, pass, blocks, control: shared }: WorkerTask): Promise<void> {
  try {
    const converter = await openBlockConverter(job)
    try {
      const claim = (): number => Atomics.add(shared, control.next, 1)
      for (let block = claim(); block < blocks && Atomics.load(shared, control.stop) === 0; block = claim()) {
        converter.block(pass, block)
        Atomics.add(shared, control.done, 1)
      }
    } finally {
      converter.close()
    }
    tell({ type: 'done' })
  } catch (thrown) {
    tell({ type: 'failed', error: errorData(toStageError(thrown)) })
  }
}
