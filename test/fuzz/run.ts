import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { FuzzReport, FuzzWork } from './fuzz-worker.ts'

export interface FuzzResult {
  readonly inputs: number
  readonly read: number
  readonly refused: number
  /** Crashes, hangs, errors that are not our own, paths outside, memory beyond what is allowed. */
  readonly failures: readonly { index: number; error: string; kept: string }[]
  readonly slowestMs: number
  readonly slowest: number
  /** Most bytes of arrays that one input asked for. */
  readonly peak: number
  readonly rss: number
}

/** An input that takes more time of a processor has hung: ten times what is allowed. */
const HANG_MS = 10_000
/** One that takes more time without using a processor, on a machine that does other things as well. */
const STILL_MS = 300_000
const BATCH = 10_000
const HEAP_MB = 512
/** Inputs that are kept of one run; of the others the message is enough. */
const MAX_KEPT = 20

interface FuzzOptions {
  /** Where inputs that failed are kept. */
  keepIn?: string
  log?: (line: string) => void
  /** The module of a target that is not listed. */
  module?: string
  /** Time of a processor that an input may take. */
  hangMs?: number
}

/**
 * Reads `count` damaged inputs of a target in worker threads, and keeps those that end in anything but success or our own
 * error. One that hangs, or takes the memory of its thread, is ended with it. The same seed makes the same inputs.
 */
export async function fuzz(
  target: string,
  count: number,
  seed: string,
  options: FuzzOptions = {},
): Promise<FuzzResult> {
  // Memory where there is some: many of the inputs are files.
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'contimg-fuzz-'))
  try {
    const result = { inputs: count, read: 0, refused: 0, slowestMs: 0, slowest: 0, peak: 0, rss: 0 }
    const failed: { index: number; error: string }[] = []
    for (let first = 0; first < count;) {
      const end = Math.min(count, first + BATCH)
      const work = { target, module: options.module, folder, seed, first, end, only: undefined }
      const stopped = await batch(work, options.hangMs ?? HANG_MS, (report) => {
        if (report.kind === 'unexpected') failed.push(report)
        if (report.kind !== 'tally') return
        result.read += report.read
        result.refused += report.refused
        result.rss = Math.max(result.rss, report.rss)
        result.peak = Math.max(result.peak, report.peak)
        if (report.slowestMs > result.slowestMs)
          Object.assign(result, { slowestMs: report.slowestMs, slowest: report.slowest })
      })
      if (stopped !== undefined) failed.push(stopped)
      first = stopped === undefined ? end : stopped.index + 1
    }
    const failures: { index: number; error: string; kept: string }[] = []
    for (const { index, error } of failed) {
      const kept =
        failures.length < MAX_KEPT
          ? await keep({ target, module: options.module, folder, seed, index }, options.keepIn)
          : ''
      failures.push({ index, error, kept })
      options.log?.(`${target} ${index}${kept === '' ? '' : `, kept as ${kept}`}: ${error}`)
    }
    return { ...result, failures }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function keep(
  { index, ...work }: Pick<FuzzWork, 'target' | 'module' | 'folder' | 'seed'> & { index: number },
  keepIn = join(tmpdir(), 'contimg-fuzz-failures'),
): Promise<string> {
  mkdirSync(keepIn, { recursive: true })
  const path = join(keepIn, `${work.target}-${work.seed}-${index}`)
  await batch({ ...work, first: index, end: index + 1, only: 'make' }, HANG_MS, (report) => {
    if (report.kind === 'input') writeFileSync(path, report.bytes)
  })
  return path
}

/** Runs one worker; what it stopped at when it hung or died. */
async function batch(
  work: Omit<FuzzWork, 'at'>,
  hangMs: number,
  tell: (report: FuzzReport) => void,
): Promise<{ index: number; error: string } | undefined> {
  const at = new Int32Array(new SharedArrayBuffer(8))
  at[0] = work.first - 1
  const worker = new Worker(new URL('fuzz-worker.ts', import.meta.url), {
    workerData: { ...work, at },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  })
  worker.on('message', tell)
  return new Promise((resolve) => {
    let last = at[0]
    let since = { wall: performance.now(), busy: 0 }
    const settle = (error: string | undefined): void => {
      clearInterval(watchdog)
      resolve(error === undefined ? undefined : { index: Math.max(Atomics.load(at, 0), work.first), error })
      void worker.terminate()
    }
    const watchdog = setInterval(() => {
      const index = Atomics.load(at, 0)
      const now = { wall: performance.now(), busy: busyMs(Atomics.load(at, 1)) }
      if (index !== last) since = now
      else if (now.busy - since.busy > hangMs) settle(`busy for ${hangMs} ms`)
      else if (now.wall - since.wall > STILL_MS) settle(`still for ${STILL_MS} ms`)
      last = index
    }, 250)
    worker.on('error', (error) => settle(`the worker died: ${String(error)}`))
    worker.on('exit', (code) => settle(code === 0 ? undefined : `the worker ended with ${code}`))
  })
}

/** Processor time of a thread of this process so far, ms; 0 where the system does not say. */
function busyMs(thread: number): number {
  try {
    return Number(readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6
  } catch {
    return 0
  }
}
