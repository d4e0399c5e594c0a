import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'

export interface FloorTask {
  files: string[]
  output: string
  blockBytes: number
  readBytes: number
  writeBytes: number
  /** Shared: [1 when all may begin, next block to read, next block to write]. */
  control: Int32Array
}

/** Reads block after block; whenever a block's worth of output is due, writes one. */
function copyBlocks({ blockBytes, readBytes, writeBytes, control }: FloorTask, files: number[], output: number): void {
  const buffer = new Uint8Array(blockBytes)
  const starts: { file: number; at: number }[] = []
  for (const file of files) {
    const { size } = fstatSync(file)
    for (let at = 0; at < size; at += blockBytes) starts.push({ file, at })
  }
  const writes = Math.ceil(writeBytes / blockBytes)
  const write = (): boolean => {
    const index = Atomics.add(control, 2, 1)
    if (index >= writes) return false
    const at = index * blockBytes
    writeSync(output, buffer, 0, Math.min(blockBytes, writeBytes - at), at)
    return true
  }
  for (let index = Atomics.add(control, 1, 1); index < starts.length; index = Atomics.add(control, 1, 1)) {
    const { file, at } = starts[index]
    readSync(file, buffer, 0, blockBytes, at)
    if (Atomics.load(control, 2) * readBytes < (index + 1) * writeBytes) write()
  }
  while (write());
}

const task = workerData as FloorTask
const files = task.files.map((path) => openSync(path, 'r'))
const output = openSync(task.output, 'r+')
parentPort?.postMessage('ready')
Atomics.wait(task.control, 0, 0)
copyBlocks(task, files, output)
parentPort?.postMessage('done')
for (const file of [...files, output]) closeSync(file)
