import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { convertOnce, type RawFolder } from './stage.ts'

export interface Profile {
  /** CPU time of the process, all threads of it, while profiled. */
  cpuSeconds: number
  /** Time at work that the profiler saw in the threads that run JavaScript; it counts waiting for a core too. */
  seenSeconds: number
  groups: { name: string; mainSeconds: number; workerSeconds: number }[]
  /** Functions with the most time of their own. */
  functions: { name: string; group: string; seconds: number }[]
}

interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string }; children?: number[] }[]
  samples: number[]
  timeDeltas: number[]
}

const INTERVAL_US = 200
const IDLE = 'idle'
const SYSTEM_CALLS = new Map([
  ['read', 'read calls'],
  ['writeBuffer', 'write calls'],
  ['writeBuffers', 'write calls'],
])

const LOADING = 'start: Node, modules, zod'

/** By the source file of a function. The first that fits counts; a native function counts for whoever called it, and so
 * does `byte-source.ts`, through which all reads of raw files go. */
const places: [string, RegExp][] = [
  [LOADING, /^node:internal\/(modules|bootstrap|process\/execution|main)|node_modules\/(zod|h5wasm)/],
  ['hash of the product', /stages\/runtime\/stage\/(files|commit)\.ts$/],
  ['kernel: conjugate, reverse, rotate, find zeros', /stages\/conversion\/(kernel|pair-kernel)\.ts$|^wasm:\/\//],
  ['flags and counts of samples', /stages\/conversion\/samples\.ts$/],
  ['tiles of the set', /measurement-set\/(tiles|layout)\.ts$/],
  ['rows out of chunks', /hdf5\/(row-reader|chunk-copy|stored-rows)\.ts$|uvh5\/data\.ts$/],
  [
    'headers, chunk index, fingerprints',
    /formats\/(hdf5\/(?!byte-source)|uvh5\/)|conversion\/(sources|plausibility|raw-file|group|general-plausibility|polarization|band|group-band)\.ts$/,
  ],
  [
    'geometry: frames, UVW, w fit',
    /stages\/runtime\/(sky|numeric)\/|conversion\/(rotation|pointing|observation|array-geometry|w-fit)\.ts$|earth-orientation\.ts$/,
  ],
  [
    'gates: read back and check',
    /conversion\/(gates|check-set|measured-set|reopen)\.ts$|measurement-set\/(read|standard-read)\.ts$/,
  ],
  ['tables of the set', /measurement-set\/|conversion\/set-content\.ts$/],
  [
    'harness: context, log, usage',
    /stages\/runtime\/stage\/|node_modules\/(pino|sonic-boom|thread-stream|on-exit-leak-free)/,
  ],
  ['blocks, workers, messages', /stages\/conversion\//],
]

/** Where the time of a conversion goes: V8's sampling profiler in every thread of the process. */
export async function measureProfile(
  raw: RawFolder,
  { root, integrations }: { root: string; integrations: number },
): Promise<Profile> {
  const folder = join(root, 'contimg-bench-profile')
  mkdirSync(folder, { recursive: true })
  try {
    const options = { ...raw, integrations, workers: 2 }
    await convertOnce(join(root, 'contimg-bench'), options)
    const { cpuSeconds } = await convertOnce(join(root, 'contimg-bench'), {
      ...options,
      nodeArgs: ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${INTERVAL_US}`],
    })
    // CPU.<date>.<time>.<pid>.<thread>.<sequence>.cpuprofile: thread 0 is the main one.
    const threads = readdirSync(folder).map((name) => ({
      main: name.split('.')[4] === '0',
      seconds: selfSeconds(JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile),
    }))
    return summarise(threads, cpuSeconds)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

type Self = Map<string, { group: string; seconds: number }>

function summarise(threads: readonly { main: boolean; seconds: Self }[], cpuSeconds: number): Profile {
  const groups = new Map<string, { mainSeconds: number; workerSeconds: number }>()
  const functions = new Map<string, { group: string; seconds: number }>()
  let seen = 0
  for (const { main, seconds: self } of threads)
    for (const [name, { group, seconds }] of self) {
      if (group === IDLE) continue
      seen += seconds
      const sums = groups.get(group) ?? { mainSeconds: 0, workerSeconds: 0 }
      sums[main ? 'mainSeconds' : 'workerSeconds'] += seconds
      groups.set(group, sums)
      functions.set(name, { group, seconds: (functions.get(name)?.seconds ?? 0) + seconds })
    }
  return {
    cpuSeconds,
    seenSeconds: seen,
    groups: [...groups]
      .map(([name, sums]) => ({ name, ...sums }))
      .sort((a, b) => b.mainSeconds + b.workerSeconds - a.mainSeconds - a.workerSeconds),
    functions: [...functions]
      .map(([name, { group, seconds }]) => ({ name, group, seconds }))
      .sort((a, b) => b.seconds - a.seconds)
      .slice(0, 25),
  }
}

/** Time of its own of every function, with the group it counts for. */
function selfSeconds({ nodes, samples, timeDeltas }: CpuProfile): Self {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)))
  const self: Self = new Map()
  samples.forEach((id, index) => {
    const frame = byId.get(id)?.callFrame
    if (frame === undefined) return
    const stack: CpuProfile['nodes'][number]['callFrame'][] = []
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const node = byId.get(at)
      if (node !== undefined) stack.push(node.callFrame)
    }
    const group = groupOf(stack)
    const name = `${frame.functionName || '(anonymous)'} ${frame.url.split('/').slice(-2).join('/')} [${group}]`
    const sums = self.get(name) ?? { group, seconds: 0 }
    sums.seconds += timeDeltas[index] / 1e6
    self.set(name, sums)
  })
  return self
}

function groupOf(stack: readonly { functionName: string; url: string }[]): string {
  const [{ functionName, url }] = stack
  if (functionName === '(idle)') return IDLE
  if (functionName === '(garbage collector)') return 'garbage collection'
  if (functionName === '(program)') return 'native code outside JavaScript'
  const owner = stack.map((frame) => placeOf(frame.url)).find((place) => place !== undefined) ?? LOADING
  const call = url === '' ? SYSTEM_CALLS.get(functionName) : undefined
  return call === undefined ? owner : `${call}: ${owner}`
}

function placeOf(url: string): string | undefined {
  if (url === '') return undefined
  return places.find(([, pattern]) => pattern.test(url))?.[0]
}
