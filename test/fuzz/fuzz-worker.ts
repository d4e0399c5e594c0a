import { existsSync, mkdirSync, readlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { guardFiles } from './file-guard.ts'
import { guardMemory } from './memory-guard.ts'
import type { FuzzRoom, FuzzTarget } from './target.ts'

export interface FuzzWork {
  readonly target: string
  /** The module of a target that is not listed. */
  readonly module: string | undefined
  readonly folder: string
  readonly seed: string
  readonly first: number
  readonly end: number
  /** [Number of the input that is being read, number of this thread in the system]. */
  readonly at: Int32Array
  /** Only makes the input `first`, and hands it back. */
  readonly only: 'make' | undefined
}

export type FuzzReport =
  | { kind: 'unexpected'; index: number; error: string }
  | { kind: 'input'; bytes: Uint8Array }
  | { kind: 'tally'; read: number; refused: number; slowestMs: number; slowest: number; peak: number; rss: number }

/** An error longer than this is no message to a person. */
const MAX_MESSAGE_CHARACTERS = 8000
const REPORT_EVERY = 50

if (parentPort !== null) {
  const port = parentPort
  await work(workerData as FuzzWork, (report) => port.postMessage(report))
}

async function work(task: FuzzWork, tell: (report: FuzzReport) => void): Promise<void> {
  const folder = join(task.folder, `${task.target}-${task.first}`)
  mkdirSync(folder, { recursive: true })
  process.env['TMPDIR'] = folder
  if (existsSync('/proc/thread-self')) Atomics.store(task.at, 1, Number(basename(readlinkSync('/proc/thread-self'))))
  // Before anything is loaded that is to be watched.
  const files = guardFiles(['../..', '../../node_modules'].map((path) => fileURLToPath(new URL(path, import.meta.url))))
  const memory = guardMemory()
  const [{ targets }, { createRandom }, own] = await Promise.all([
    import('./targets.ts'),
    import('#runtime/numeric/random.ts'),
    import('./own-error.ts'),
  ])
  const target =
    task.module === undefined
      ? await targets[task.target].load()
      : ((await import(task.module)) as { target: FuzzTarget }).target
  const room = await target.prepare(folder)
  const make = (index: number) => {
    const seed = room.seeds[index % room.seeds.length]
    return { seed, bytes: room.mutate(seed, createRandom(`${task.seed}-${task.target}-${index}`)) }
  }
  if (task.only === 'make') {
    tell({ kind: 'input', bytes: make(task.first).bytes })
    return
  }
  const fresh = { kind: 'tally' as const, read: 0, refused: 0, slowestMs: 0, slowest: task.first, peak: 0, rss: 0 }
  const tally = { ...fresh }
  for (let index = task.first; index < task.end; index++) {
    Atomics.store(task.at, 0, index)
    const input = make(index)
    memory.reset()
    files.watch(room.allowed ?? [folder])
    const started = performance.now()
    const outcome = await attempt(room, { ...input, index }).then(
      (taken) => ({ taken }),
      (error: unknown) => ({ error }),
    )
    const tookMs = performance.now() - started
    const outside = files.release()
    const fault =
      (outside === undefined ? undefined : `a path outside of the root was used: ${outside}`) ??
      (memory.bytes > target.memoryBytes ? `${memory.bytes} bytes of arrays were asked for` : undefined) ??
      ('error' in outcome ? faultOf(outcome.error, { target, room, codeOf: own.codeOf }) : undefined)
    if (fault !== undefined) tell({ kind: 'unexpected', index, error: fault })
    else if ('taken' in outcome && outcome.taken) tally.read += 1
    else tally.refused += 1
    tally.peak = Math.max(tally.peak, memory.bytes)
    if (tookMs > tally.slowestMs) Object.assign(tally, { slowestMs: tookMs, slowest: index })
    if (index % REPORT_EVERY !== 0) continue
    tally.rss = process.memoryUsage.rss()
    tell({ ...tally })
    Object.assign(tally, fresh)
  }
  tell(tally)
}

async function attempt(room: FuzzRoom, input: Parameters<FuzzRoom['read']>[0]): Promise<boolean> {
  return room.read(input)
}

/** What is wrong with an error: nothing when it is our own, says which file, and can be read. */
function faultOf(
  error: unknown,
  { target, room, codeOf }: { target: FuzzTarget; room: FuzzRoom; codeOf: (error: unknown) => string | undefined },
): string | undefined {
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  if (code === undefined || !target.codes.includes(code)) {
    return `not an error of ours${code === undefined ? '' : ` (${code})`}: ${error instanceof Error ? error.stack : message}`
  }
  if (message.length > MAX_MESSAGE_CHARACTERS)
    return `a message of ${message.length} characters: ${message.slice(0, 200)}`
  if (room.named !== undefined && !message.includes(room.named)) return `a message that names no file: ${message}`
  return undefined
}
