import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { damage } from './hdf5-mutation.ts'
import { soundFiles } from './hdf5-files.ts'
import type { FuzzReport, FuzzWork } from './hdf5-worker.ts'

export interface FuzzResult {
  readonly files: number
  readonly read: number
  readonly refused: number
  /** Crashes, hangs, and errors that are not our own. */
  readonly failures: readonly { index: number; error: string; kept: string }[]
  readonly slowestMs: number
  readonly slowest: number
  readonly rssBytes: number
}

/** A file that takes longer has hung: ten times what is allowed, for machines that do other things as well. */
const HANG_MS = 10_000
const BATCH = 2000

/**
 * Reads `count` damaged files in a worker thread, each whole, and keeps those that end in anything but success or our
 * own error. A file that hangs is ended with its worker.
 */
export async function fuzzHdf5(
  count: number,
  seed: string,
  options: { keepIn?: string; log?: (line: string) => void } = {},
): Promise<FuzzResult> {
  const folder = mkdtempSync(join(tmpdir(), 'contimg-fuzz-'))
  try {
    const sound = await soundFiles(folder)
    const result = { files: count, read: 0, refused: 0, slowestMs: 0, slowest: 0, rssBytes: 0 }
    const failures: { index: number; error: string; kept: string }[] = []
    const fail = (index: number, error: string): void => {
      const keepIn = options.keepIn ?? join(tmpdir(), 'contimg-fuzz-failures')
      mkdirSync(keepIn, { recursive: true })
      const kept = join(keepIn, `${seed}-${index}.h5`)
      writeFileSync(kept, damage(sound[index % sound.length].bytes, `${seed}-${index}`))
      failures.push({ index, error, kept })
      options.log?.(`file ${index}, kept as ${kept}: ${error}`)
    }
    for (let first = 0; first < count;) {
      const end = Math.min(count, first + BATCH)
      const stopped = await batch({ folder, seed, first, end, sound }, (report) => {
        if (report.kind === 'unexpected') {
          fail(report.index, report.error)
          return
        }
        result.read += report.read
        result.refused += report.refused
        result.rssBytes = Math.max(result.rssBytes, report.rssBytes)
        if (report.slowestMs > result.slowestMs)
          Object.assign(result, { slowestMs: report.slowestMs, slowest: report.slowest })
      })
      if (stopped !== undefined) fail(stopped.index, stopped.error)
      first = stopped === undefined ? end : stopped.index + 1
    }
    return { ...result, failures }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Runs one worker; what it stopped at when it hung or died. */
async function batch(
  work: Omit<FuzzWork, 'at'>,
  tell: (report: FuzzReport) => void,
): Promise<{ index: number; error: string } | undefined> {
  const at = new Int32Array(new SharedArrayBuffer(4))
  at[0] = work.first - 1
  const worker = new Worker(new URL('hdf5-worker.ts', import.meta.url), { workerData: { ...work, at } })
  worker.on('message', tell)
  return new Promise((resolve) => {
    let last = at[0]
    let since = performance.now()
    const settle = (error: string | undefined): void => {
      clearInterval(watchdog)
      resolve(error === undefined ? undefined : { index: Math.max(Atomics.load(at, 0), work.first), error })
      void worker.terminate()
    }
    const watchdog = setInterval(() => {
      const now = Atomics.load(at, 0)
      if (now !== last) since = performance.now()
      else if (performance.now() - since > HANG_MS) settle(`hung for ${HANG_MS} ms`)
      last = now
    }, 250)
    worker.on('error', (error) => settle(`the worker died: ${String(error)}`))
    worker.on('exit', (code) => settle(code === 0 ? undefined : `the worker ended with ${code}`))
  })
}
