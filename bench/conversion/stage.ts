import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defaultEarthOrientationPath } from '#runtime/formats/earth-orientation.ts'
import { apiVersion, stageResultSchema, type StageContext, type StageResult } from '#runtime/stage/contract.ts'

export const checkout = fileURLToPath(new URL('../..', import.meta.url))
const entry = join(checkout, 'stages/conversion/main.ts')
const product = 'product'
const MEMORY_SAMPLE_MS = 20
/** Of every observation here: XX and YY. */
const POLARIZATIONS = 2

export interface StageOptions {
  /** Folder of the raw files. */
  incoming: string
  files: readonly string[]
  subbands: readonly number[]
  integrations: number
  workers: number
  /** Of Node, such as `--cpu-prof`. */
  nodeArgs?: readonly string[]
  /** Leaves the product in place for a look at it. */
  keep?: boolean
}

export interface StageTime {
  /** From the start of the process to its end, s. */
  wallSeconds: number
  /** The same without the phases `hash` and `sync`. */
  conversionSeconds: number
  /** The other phases alone, from the first header to the last gate: without what starts and ends the process. */
  phasesSeconds: number
  hashSeconds: number
  syncSeconds: number
  cpuSeconds: number
  /** Kernel's peak of the resident memory of the process, its threads included. */
  peakMemoryBytes: number
  phases: StageResult['usage']['phases']
  visibilities: number
  rows: number
  digest: string
  bytes: number
  readBytes: number
  writtenBytes: number
}

/** One conversion as an executor starts it: a process of its own with a context file, in a data root that is emptied first. */
export async function convertOnce(root: string, options: StageOptions): Promise<StageTime> {
  rmSync(root, { recursive: true, force: true })
  mkdirSync(root, { recursive: true })
  copyFileSync(defaultEarthOrientationPath, join(root, 'eop.json'))
  writeFileSync(join(root, 'context.json'), JSON.stringify(contextOf(root, options)))
  const start = performance.now()
  const child = spawn(process.execPath, [...(options.nodeArgs ?? []), entry, '--context', 'context.json'], {
    cwd: root,
    env: {
      ...process.env,
      CONTIMG_INCOMING: options.incoming,
      NODE_COMPILE_CACHE: join(checkout, 'node_modules/.cache/contimg'),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  let peakMemoryBytes = 0
  const timer = setInterval(() => {
    peakMemoryBytes = Math.max(peakMemoryBytes, residentPeak(child.pid))
  }, MEMORY_SAMPLE_MS)
  const [code] = (await once(child, 'exit')) as [number | null]
  const wallSeconds = (performance.now() - start) / 1000
  clearInterval(timer)
  if (code !== 0) throw new Error(`the conversion ended with exit code ${code}`)

  const result = stageResultSchema.parse(JSON.parse(readFileSync(join(root, product, 'result.json'), 'utf8')))
  if (options.keep !== true) rmSync(root, { recursive: true, force: true })
  const { usage, metrics, outputs } = result
  const seconds = (name: string): number => usage.phases.find((phase) => phase.name === name)?.wallSeconds ?? 0
  const [hashSeconds, syncSeconds] = [seconds('hash'), seconds('sync')]
  const { sha256, bytes } = outputs['measurementSet']
  return {
    wallSeconds,
    conversionSeconds: wallSeconds - hashSeconds - syncSeconds,
    phasesSeconds: usage.phases.reduce((sum, phase) => sum + phase.wallSeconds, 0) - hashSeconds - syncSeconds,
    hashSeconds,
    syncSeconds,
    cpuSeconds: usage.cpuSeconds,
    peakMemoryBytes: Math.max(peakMemoryBytes, usage.peakMemoryBytes),
    phases: usage.phases,
    visibilities: metrics['rows'] * metrics['channels'] * POLARIZATIONS,
    rows: metrics['rows'],
    digest: sha256,
    bytes,
    readBytes: usage.readBytes,
    writtenBytes: usage.writtenBytes,
  }
}

/** The measurement set of a conversion that was told to keep it. */
export function keptSet(root: string): string {
  return join(root, product, 'measurement-set')
}

export interface RawFolder {
  incoming: string
  /** By ascending subband. */
  files: string[]
  subbands: number[]
  bytes: number
}

/** The raw files of a folder, those of the given subbands only. */
export function rawFolder(incoming: string, wanted?: readonly number[]): RawFolder {
  const found = readdirSync(incoming)
    .map((file) => ({ file, subband: Number(/_sb(\d\d)\.hdf5$/.exec(file)?.[1] ?? -1) }))
    .filter(({ subband }) => subband >= 0 && (wanted === undefined || wanted.includes(subband)))
    .sort((a, b) => a.subband - b.subband)
  const files = found.map(({ file }) => file)
  return {
    incoming,
    files,
    subbands: found.map(({ subband }) => subband),
    bytes: files.reduce((sum, file) => sum + statSync(join(incoming, file)).size, 0),
  }
}

function contextOf(root: string, { incoming, files, subbands, integrations, workers }: StageOptions): StageContext {
  return {
    apiVersion,
    run: 'bench',
    observation: 'bench',
    stage: 'conversion',
    key: 'b'.repeat(64),
    attempt: { number: 1, uid: 'bench' },
    params: { expect: { subbands: [...subbands], integrations } },
    inputs: {
      raw: files.map((file) => ({
        path: `incoming:${file}`,
        bytes: statSync(join(incoming, file)).size,
        kind: 'uvh5',
      })),
      earthOrientation: { path: 'eop.json', bytes: statSync(join(root, 'eop.json')).size, kind: 'earth-orientation' },
    },
    upstream: {},
    productDir: product,
    scratchDir: 'scratch',
    resources: { cpu: workers, memoryBytes: 2 ** 32, scratchBytes: 0 },
  }
}

function residentPeak(pid: number | undefined): number {
  try {
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    // It has just ended.
    return 0
  }
}
