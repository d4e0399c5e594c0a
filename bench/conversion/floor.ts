import { once } from 'node:events'
import { closeSync, ftruncateSync, fsyncSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { FloorTask } from './floor-worker.ts'
import type { RawFolder } from './stage.ts'

const WORKERS = 2

export interface FloorTime {
  /** From the moment that both workers may begin to the end of the later one, s. */
  seconds: number
  /** With an fsync of what was written, s. */
  syncedSeconds: number
}

/**
 * The least that a conversion can take: two threads read every byte of the raw files and write as many bytes as it writes,
 * in blocks of the given size, and do nothing with them. The output has its length before they begin, as ours has;
 * starting the threads does not count.
 */
export async function measureFloor(
  raw: RawFolder,
  { root, blockBytes, writeBytes, sync }: { root: string; blockBytes: number; writeBytes: number; sync: boolean },
): Promise<FloorTime> {
  const output = join(root, 'floor.bin')
  mkdirSync(dirname(output), { recursive: true })
  const file = openSync(output, 'w')
  try {
    const control = new Int32Array(new SharedArrayBuffer(12))
    const task: FloorTask = {
      files: raw.files.map((name) => join(raw.incoming, name)),
      output,
      blockBytes,
      readBytes: raw.bytes,
      writeBytes,
      control,
    }
    const workers = Array.from(
      { length: WORKERS },
      () => new Worker(new URL('./floor-worker.ts', import.meta.url), { workerData: task }),
    )
    await Promise.all(workers.map((worker) => once(worker, 'message')))
    const ends = Promise.all(workers.map((worker) => once(worker, 'message')))
    const start = performance.now()
    ftruncateSync(file, writeBytes)
    Atomics.store(control, 0, 1)
    Atomics.notify(control, 0)
    await ends
    const seconds = (performance.now() - start) / 1000
    if (sync) fsyncSync(file)
    return { seconds, syncedSeconds: (performance.now() - start) / 1000 }
  } finally {
    closeSync(file)
    rmSync(output, { force: true })
  }
}
