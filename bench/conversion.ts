// Conversion of a full-size observation against the I/O floor, on tmpfs and on disk, in the same run.
//   node bench/conversion.ts [--input DIR] [--root DIR] [--memory DIR] [--rounds N] [--only PART,...] [--casa PYTHON] [--docs]
// Parts: tmpfs, disk, workers, scaling; profile and peers only when asked for. peers needs `npm run test:oracle` once,
// Debian's python3-casacore and python3-h5py, --casa with a Python that has casatasks, and takes some minutes.
// Without --input the observation is simulated below --root.
// Each part replaces its own in bench/results/conversion.json. Tables go to standard output, with --docs into
// docs/performance.md too.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { measurePeers } from './conversion/peers.ts'
import { measureProfile } from './conversion/profile.ts'
import { measureScaling, simulate } from './conversion/scaling.ts'
import { measureSpeed } from './conversion/speed.ts'
import { checkout, convertOnce, rawFolder, type RawFolder } from './conversion/stage.ts'
import {
  peersTable,
  profileTable,
  scalingTable,
  speedTables,
  workersTable,
  type Report,
  type WorkersPoint,
} from './conversion/tables.ts'

const INTEGRATIONS = 24
const usual = ['tmpfs', 'disk', 'workers', 'scaling'] as const
const parts = [...usual, 'profile', 'peers'] as const
type Part = (typeof parts)[number]
const { values } = parseArgs({
  options: {
    input: { type: 'string' },
    root: { type: 'string', default: join(checkout, 'contimg-data') },
    memory: { type: 'string', default: '/dev/shm' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: usual.join() },
    casa: { type: 'string' },
    docs: { type: 'boolean', default: false },
  },
})
const wanted = new Set(values.only.split(','))
const unknown = [...wanted].find((part) => !(parts as readonly string[]).includes(part))
if (unknown !== undefined) throw new Error(`--only knows ${parts.join(', ')}, not ${unknown}`)
const root = resolve(values.root)
const memory = resolve(values.memory)
const rounds = Number(values.rounds)
const resultsPath = join(checkout, 'bench/results/conversion.json')
const docsPath = join(checkout, 'docs/performance.md')

const input =
  values.input === undefined ? simulate(join(root, 'incoming/full-plain'), { sources: 30 }) : resolve(values.input)
const raw = rawFolder(input)
const report: Report = existsSync(resultsPath) ? (JSON.parse(readFileSync(resultsPath, 'utf8')) as Report) : {}
report.machine = { cpu: cpus()[0].model, cores: cpus().length, memoryBytes: totalmem(), node: process.version }

if (wanted.has('tmpfs') || wanted.has('workers') || wanted.has('scaling') || wanted.has('profile')) {
  const copy = join(memory, 'contimg-bench-raw')
  try {
    const copied = copyTo(copy, raw)
    if (wanted.has('tmpfs'))
      await part('tmpfs', () =>
        measureSpeed(copied, { place: 'tmpfs', root: memory, rounds, integrations: INTEGRATIONS }),
      )
    if (wanted.has('workers')) await part('workers', () => measureWorkers(copied))
    if (wanted.has('profile'))
      await part('profile', () => measureProfile(copied, { root: memory, integrations: INTEGRATIONS }))
    if (wanted.has('scaling')) await part('scaling', () => measureScaling(copied, { root, memory }))
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}
if (wanted.has('disk'))
  await part('disk', () => measureSpeed(raw, { place: 'disk', root, rounds, integrations: INTEGRATIONS }))
if (wanted.has('peers'))
  await part('peers', () => measurePeers(raw, { root, integrations: INTEGRATIONS, casaPython: values.casa }))

const tables: Record<string, string> = {
  ...(wanted.has('tmpfs') || wanted.has('disk') ? speedTables(report) : {}),
  ...(wanted.has('workers') ? { workers: workersTable(report) } : {}),
  ...(wanted.has('scaling') ? { scaling: scalingTable(report) } : {}),
  ...(wanted.has('profile') ? { profile: profileTable(report) } : {}),
  ...(wanted.has('peers') ? { peers: peersTable(report) } : {}),
}
process.stdout.write(`${Object.values(tables).join('\n\n')}\n`)
if (values.docs) writeFileSync(docsPath, fill(readFileSync(docsPath, 'utf8'), tables))

/** Puts each table between its two marks in a page. */
function fill(page: string, content: Record<string, string>): string {
  return Object.entries(content).reduce((text, [name, table]) => {
    const [begin, end] = [`<!-- conversion: ${name} -->\n`, '\n<!-- end -->']
    const from = text.indexOf(begin)
    if (from < 0) throw new Error(`${docsPath} has no mark ${begin.trim()}`)
    return text.slice(0, from + begin.length) + table + text.slice(text.indexOf(end, from))
  }, page)
}

/** Measures one part of the report, with the load of the machine at its start, and stores it at once. */
async function part<K extends Part>(name: K, measure: () => Promise<NonNullable<Report[K]>>): Promise<void> {
  process.stderr.write(`measuring ${name}\n`)
  const [load] = loadavg()
  report[name] = await measure()
  report.loadBefore = { ...report.loadBefore, [name]: load }
  mkdirSync(join(checkout, 'bench/results'), { recursive: true })
  writeFileSync(resultsPath, `${JSON.stringify(report, rounded, 2)}\n`)
}

/** One, two and four workers: the same bytes. */
async function measureWorkers(files: RawFolder): Promise<WorkersPoint[]> {
  const points: WorkersPoint[] = []
  for (const workers of [1, 2, 4]) {
    const times = []
    for (let repeat = 0; repeat < 3; repeat++)
      times.push(await convertOnce(join(memory, 'contimg-bench'), { ...files, integrations: INTEGRATIONS, workers }))
    const best = times.reduce((least, time) => (time.conversionSeconds < least.conversionSeconds ? time : least))
    points.push({
      workers,
      conversionSeconds: best.conversionSeconds,
      cpuSeconds: best.cpuSeconds,
      peakMemoryBytes: Math.max(...times.map(({ peakMemoryBytes }) => peakMemoryBytes)),
      digest: best.digest,
    })
  }
  if (new Set(points.map(({ digest }) => digest)).size !== 1) throw new Error('the workers wrote different bytes')
  return points
}

function copyTo(folder: string, { incoming, files }: RawFolder): RawFolder {
  mkdirSync(folder, { recursive: true })
  for (const file of files) cpSync(join(incoming, file), join(folder, file))
  return rawFolder(folder)
}

function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value
}
