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

/** What a stage uses now. */
export interface UsageSample {
  /** Resident memory of the process tree. */
  memoryBytes: number
  scratchBytes: number
  /** Cores that were busy since the sample before. */
  cpus: number
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
export function startUsage({
  scratchDir,
  onSample,
}: {
  scratchDir: string
  onSample?: (sample: UsageSample) => void
}): UsageMeter {
  const phases: Usage['phases'] = []
  const io = ioBytes()
  let peakMemoryBytes = 0
  let peakScratchBytes = 0
  let current = 'start'
  let before = { wall: performance.now(), cpu: treeCpuSeconds(), cpus: 0 }

  const sample = (): void => {
    const memoryBytes = treeMemoryBytes()
    const scratchBytes = treeSizeBytes(scratchDir)
    peakMemoryBytes = Math.max(peakMemoryBytes, memoryBytes)
    peakScratchBytes = Math.max(peakScratchBytes, scratchBytes)
    const [wall, cpu] = [performance.now(), treeCpuSeconds()]
    // A phase may end right after a sample: over a few ticks of the kernel a rate says nothing.
    if (wall - before.wall >= SAMPLE_MS / 2)
      before = { wall, cpu, cpus: Math.max(0, (1000 * (cpu - before.cpu)) / (wall - before.wall)) }
    onSample?.({ memoryBytes, scratchBytes, cpus: Math.round(before.cpus * 10) / 10 })
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

/** CPU time of a process and of its ended children (getrusage leaves the latter out in Node; /proc has both). */
function cpuSeconds(pid = 'self'): number {
  const fields = readText(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? []
  // After the command come state (field 3) and so on: utime, stime, cutime, cstime are fields 14 to 17.
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  if (ticks > 0 || pid !== 'self') return ticks / TICKS_PER_SECOND
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function treeMemoryBytes(): number {
  return treePids().reduce((sum, pid) => sum + statusBytes(pid, 'VmRSS'), process.memoryUsage.rss())
}

/** CPU time of this process and of its children, those that still run too. */
function treeCpuSeconds(): number {
  return treePids().reduce((sum, pid) => sum + cpuSeconds(pid), cpuSeconds())
}

/** The processes that run below this one. */
function treePids(): string[] {
  const found: string[] = []
  const pending = [...children].map(String)
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    found.push(pid)
    pending.push(...readText(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean))
  }
  return found
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
