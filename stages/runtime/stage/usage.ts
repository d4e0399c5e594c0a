import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Usage } from './contract.ts'

const SAMPLE_MS = 1_000
/** Linux reports CPU ticks at USER_HZ, which is 100 on every architecture it is built for. */
const TICKS_PER_SECOND = 100

const children = new Set<number>()

/** Counts a running child in the memory samples until the returned function is called. */
export function trackChild(pid: number | undefined): () => void {
  if (pid === undefined) return () => undefined
  children.add(pid)
  return () => children.delete(pid)
}

export interface UsageMeter {
  phase<T>(name: string, work: () => Promise<T> | T): Promise<T>
  /** The phase that runs now, for the termination snapshot. */
  readonly current: string
  readonly peakMemoryBytes: number
  stop(): Usage
}

/**
 * Measures wall and CPU time, peak memory over the process tree, peak scratch and bytes read and written, until
 * `stop`. Memory and scratch are sampled every second and at each phase's end; the kernel's own peak of this
 * process counts too.
 */
export function startUsage({ scratchDir, onSample }: { scratchDir: string; onSample?: () => void }): UsageMeter {
  const phases: Usage['phases'] = []
  const io = ioBytes()
  let peakMemoryBytes = 0
  let peakScratchBytes = 0
  let current = 'start'

  const sample = (): void => {
    peakMemoryBytes = Math.max(peakMemoryBytes, treeMemoryBytes())
    peakScratchBytes = Math.max(peakScratchBytes, treeSizeBytes(scratchDir))
    onSample?.()
  }
  const timer = setInterval(sample, SAMPLE_MS)
  timer.unref()

  return {
    get current() {
      return current
    },
    get peakMemoryBytes() {
      return peakMemoryBytes
    },
    async phase(name, work) {
      const outer = current
      const wall = performance.now()
      const cpu = cpuSeconds()
      current = name
      try {
        return await work()
      } finally {
        phases.push({
          name,
          wallSeconds: round((performance.now() - wall) / 1000),
          cpuSeconds: round(cpuSeconds() - cpu),
        })
        current = outer
        sample()
      }
    },
    stop() {
      clearInterval(timer)
      sample()
      const now = ioBytes()
      return {
        // Since the process began: what the stage cost includes its start-up.
        wallSeconds: round(performance.now() / 1000),
        cpuSeconds: round(cpuSeconds()),
        peakMemoryBytes: Math.max(peakMemoryBytes, statusBytes('self', 'VmHWM')),
        peakScratchBytes,
        readBytes: now.read - io.read,
        writtenBytes: now.written - io.written,
        phases,
      }
    },
  }
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000
}

/** CPU time of this process and of its ended children (getrusage leaves the latter out in Node; /proc has both). */
function cpuSeconds(): number {
  const fields = readText('/proc/self/stat').split(') ').at(-1)?.split(' ') ?? []
  // After the command come state (field 3) and so on: utime, stime, cutime, cstime are fields 14 to 17.
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  if (ticks > 0) return ticks / TICKS_PER_SECOND
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function treeMemoryBytes(): number {
  let sum = process.memoryUsage.rss()
  const pending = [...children]
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    sum += statusBytes(String(pid), 'VmRSS')
    pending.push(...readText(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number))
  }
  return sum
}

function statusBytes(pid: string, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readText(`/proc/${pid}/status`))
  return match === null ? 0 : Number(match[1]) * 1024
}

/** Bytes passed through read and write calls of this process and of its ended children. */
function ioBytes(): { read: number; written: number } {
  const text = readText('/proc/self/io')
  const field = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1] ?? 0)
  return { read: field('rchar'), written: field('wchar') }
}

function treeSizeBytes(directory: string): number {
  let sum = 0
  for (const entry of readEntries(directory)) {
    const path = join(directory, entry.name)
    // Blocks, not length: a pre-sized sparse file takes no space yet. A file may vanish between listing and look-up.
    if (entry.isDirectory()) sum += treeSizeBytes(path)
    else sum += (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512
  }
  return sum
}

function readEntries(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch {
    return []
  }
}

/** Text of a /proc file, empty where it does not exist (other systems, a process that has just ended). */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
