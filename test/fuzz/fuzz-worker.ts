import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { openHdf5, type Hdf5File } from '#runtime/formats/hdf5/file.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { damage } from './hdf5-mutation.ts'

export interface FuzzWork {
  readonly folder: string
  readonly seed: string
  readonly first: number
  readonly end: number
  readonly sound: readonly { name: string; bytes: Uint8Array }[]
  /** What is being done: [number of the file]. */
  readonly at: Int32Array
}

export type FuzzReport =
  | { kind: 'unexpected'; index: number; error: string }
  | { kind: 'tally'; read: number; refused: number; slowestMs: number; slowest: number; rssBytes: number }

const BLOCK_BYTES = 1024 * 1024
const MAX_READ_BYTES = 8 * BLOCK_BYTES

if (parentPort !== null) await work(workerData as FuzzWork, (report) => parentPort?.postMessage(report))

async function work(task: FuzzWork, tell: (report: FuzzReport) => void): Promise<void> {
  const path = join(task.folder, `damaged-${task.first}.h5`)
  const fresh = { kind: 'tally' as const, read: 0, refused: 0, slowestMs: 0, slowest: task.first, rssBytes: 0 }
  const tally = { ...fresh }
  for (let index = task.first; index < task.end; index++) {
    const { bytes } = task.sound[index % task.sound.length]
    writeFileSync(path, damage(Buffer.from(bytes), `${task.seed}-${index}`))
    Atomics.store(task.at, 0, index)
    const started = performance.now()
    try {
      // Every other file goes to libhdf5 whatever its layout.
      const options = Math.floor(index / task.sound.length) % 2 === 0 ? {} : { method: 'h5wasm' as const }
      const file = await openHdf5(path, options)
      try {
        readAll(file)
      } finally {
        file.close()
      }
      tally.read += 1
    } catch (error) {
      const ours = error instanceof StageError && /^DATA_UN(READABLE|SUPPORTED)$/.test(error.code)
      if (ours && error.message.includes(path)) tally.refused += 1
      else tell({ kind: 'unexpected', index, error: error instanceof Error ? (error.stack ?? '') : String(error) })
    }
    const tookMs = performance.now() - started
    if (tookMs > tally.slowestMs) Object.assign(tally, { slowestMs: tookMs, slowest: index })
    if (index % 20 !== 0) continue
    tally.rssBytes = process.memoryUsage.rss()
    tell({ ...tally })
    Object.assign(tally, fresh)
  }
  tell(tally)
}

/** All data in blocks of rows; of what claims to be large, the beginning. */
function readAll(file: Hdf5File): void {
  let left = MAX_READ_BYTES
  for (const path of file.paths) {
    const dataset = file.dataset(path)
    if (dataset === undefined) throw new Error(`${path} is listed and not there`)
    if (dataset.type.kind === 'text' || dataset.type.kind === 'string') {
      file.readStrings(path)
      continue
    }
    const rows = dataset.shape[0] ?? 1
    const rowBytes = dataset.shape.slice(1).reduce((total, length) => total * length, dataset.type.bytes)
    const blockRows = Math.max(1, Math.floor(BLOCK_BYTES / Math.max(rowBytes, 1)))
    // A caller knows the shape it wants, and does not ask for a row that it has no memory for.
    if (rowBytes > MAX_READ_BYTES) continue
    for (let row = 0; row < rows && left > 0; row += blockRows) {
      const count = Math.min(blockRows, rows - row)
      file.readRows(path, row, count, new Uint8Array(count * rowBytes))
      left -= count * rowBytes + 1024
    }
  }
}
