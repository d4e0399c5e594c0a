// Scans raw files of full size, 1,000 of them, with and without a scan cache.
//   node bench/scan.ts [--files 1000] [--work DIR] [--keep]     --keep leaves the files there for another time
// The files are copies of one simulated subband: headers, chunk indices and the ends of the data are real, the data
// between are holes, so that a file of 145 MB takes 10 MB of disk. Every observation has its own times, every file its own
// frequencies. Cold means without a scan cache; the page cache is warm. Writes bench/results/scan.json.
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openByteSource } from '../stages/runtime/formats/hdf5/byte-source.ts'
import { readChunkIndex } from '../stages/runtime/formats/hdf5/chunk-index.ts'
import { readDatasetHeaders } from '../stages/runtime/formats/hdf5/group-walk.ts'
import { INTEGRATION_S, RAW_CHANNEL_HZ } from '../stages/runtime/sky/constants.ts'

const SUBBANDS = 16
const CACHED_SCANS = 7
/** Unit of times in /proc, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100
/** Raw channels from one subband to the next. */
const RAW_CHANNELS = 384
const CADENCE_S = 24 * INTEGRATION_S
const UNIX_JD = 2440587.5
const START_MS = Date.parse('2026-01-25T00:00:00Z')

interface Range {
  from: number
  to: number
}

interface Template {
  bytes: Buffer
  /** What is copied; between lie holes. */
  kept: Range[]
  /** Places of freq_array and of the chunks of time_array. */
  freq: Range
  times: number[]
  timeChunkRows: number
  rows: number
}

const { values } = parseArgs({
  options: { files: { type: 'string', default: '1000' }, work: { type: 'string' }, keep: { type: 'boolean' } },
})
const files = Number(values.files)
const work = resolve(values.work ?? join(tmpdir(), `contimg-bench-scan-${process.pid}`))
const checkout = fileURLToPath(new URL('..', import.meta.url))
const [incoming, root] = [join(work, 'incoming'), join(work, 'root')]
let lastOutput = ''

try {
  if (!existsSync(incoming)) makeFiles()
  const results = measure()
  process.stdout.write(`${JSON.stringify(results, null, 2)}\n`)
  mkdirSync(join(checkout, 'bench/results'), { recursive: true })
  writeFileSync(join(checkout, 'bench/results/scan.json'), `${JSON.stringify(results, null, 2)}\n`)
} finally {
  if (values.keep !== true) rmSync(work, { recursive: true, force: true })
}

function measure(): Record<string, unknown> {
  const scan = (...more: string[]): number => contimg(['scan', incoming, '--root', root, '-o', 'json', ...more])
  const stage = (threads: string): number =>
    timed(join(checkout, 'stages/conversion/main.ts'), [
      '--scan',
      incoming,
      '--out',
      join(work, 'scan.json'),
      '--threads',
      threads,
    ])
  // The first one warms the page cache and the compile cache.
  scan('--no-cache')
  const found = JSON.parse(lastOutput) as { observations: unknown[]; faults: unknown[] }
  const cold = least(3, () => {
    rmSync(join(root, 'cache'), { recursive: true, force: true })
    return scan()
  })
  const beforeCached = childCpuSeconds()
  const cached = least(CACHED_SCANS, () => scan())
  const cachedCpu = (childCpuSeconds() - beforeCached) / CACHED_SCANS
  const cpuBefore = childCpuSeconds()
  const one = stage('1')
  const cpu = childCpuSeconds() - cpuBefore
  const two = least(2, () => stage('2'))
  return {
    at: new Date().toISOString().slice(0, 10),
    machine: { cores: cpus().length, cpu: cpus()[0]?.model, node: process.version, loadAverage: loadavg()[0] },
    files,
    observations: found.observations.length,
    faults: found.faults.length,
    seconds: { cold, cached, stageOneThread: one, stageTwoThreads: two, start: least(5, () => contimg(['version'])) },
    // Of one thread, start of the process included: what other work on the machine changes least.
    cpuMillisecondsPerFile: round((1000 * cpu) / files),
    cachedCpuSeconds: round(cachedCpu),
  }
}

function makeFiles(): void {
  rmSync(work, { recursive: true, force: true })
  mkdirSync(incoming, { recursive: true })
  const simulated = join(work, 'template')
  contimg([
    'simulate',
    '--full',
    '--out',
    simulated,
    '--sources',
    '1',
    '--calibrator',
    'none',
    '--no-gains',
    '-q',
    '--set',
    'subbands=[0]',
  ])
  const [name] = readdirSync(simulated).filter((candidate) => candidate.endsWith('.hdf5'))
  if (name === undefined) throw new Error('the simulation has written no file')
  const template = readTemplate(join(simulated, name))
  rmSync(simulated, { recursive: true })
  for (let index = 0; index < files; index++) {
    writeFile(template, {
      subband: index % SUBBANDS,
      startMs: START_MS + 1000 * CADENCE_S * Math.floor(index / SUBBANDS),
    })
  }
}

function readTemplate(path: string): Template {
  const source = openByteSource(path)
  try {
    const headers = readDatasetHeaders(source)
    const chunksOf = (
      dataset: string,
    ): { addresses: Float64Array; columns: number; chunkBytes: number; chunkRows: number; rows: number } => {
      const header = headers.get(dataset)
      if (header?.layout.kind !== 'chunked') throw new Error(`${dataset} is not chunked`)
      const { shape, layout, type } = header
      const { chunkShape } = layout
      const { grid, addresses } = readChunkIndex(source, layout.indexAddress, {
        shape,
        chunkShape,
        elementBytes: type.bytes,
      })
      return {
        addresses,
        columns: grid.slice(1).reduce((total, count) => total * count, 1),
        chunkBytes: chunkShape.reduce((total, length) => total * length, type.bytes),
        chunkRows: chunkShape[0],
        rows: shape[0],
      }
    }
    const holes = ['/Data/visdata', '/Data/flags', '/Data/nsamples'].flatMap((dataset) => {
      const { addresses, columns, chunkBytes } = chunksOf(dataset)
      // The fingerprint takes 64 KiB of each end.
      const ends = columns * Math.ceil(65536 / chunkBytes + 1)
      return Array.from(addresses.slice(ends, -ends), (from) => ({ from, to: from + chunkBytes }))
    })
    const frequencies = headers.get('/Header/freq_array')
    if (frequencies?.layout.kind !== 'contiguous' || frequencies.layout.address === undefined)
      throw new Error('freq_array is not contiguous')
    const { address, bytes } = frequencies.layout
    const times = chunksOf('/Header/time_array')
    return {
      bytes: readFileSync(path),
      kept: complement(holes, source.bytes),
      freq: { from: address, to: address + bytes },
      times: [...times.addresses],
      timeChunkRows: times.chunkRows,
      rows: times.rows,
    }
  } finally {
    source.close()
  }
}

function complement(holes: Range[], end: number): Range[] {
  const kept: Range[] = []
  let at = 0
  for (const { from, to } of holes.sort((a, b) => a.from - b.from)) {
    if (from > at) kept.push({ from: at, to: from })
    at = to
  }
  return [...kept, { from: at, to: end }]
}

function writeFile(
  { bytes, kept, freq, times, timeChunkRows, rows }: Template,
  { subband, startMs }: { subband: number; startMs: number },
): void {
  const stamp = new Date(startMs).toISOString().slice(0, 19)
  const out = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const original = Buffer.from(bytes.subarray(freq.from, freq.to))
  for (let at = 0; at < original.length; at += 8)
    out.writeDoubleLE(original.readDoubleLE(at) - subband * RAW_CHANNELS * RAW_CHANNEL_HZ, freq.from + at)
  const baselines = rows / 24
  for (let row = 0; row < rows; row++) {
    const jd = startMs / 86_400_000 + UNIX_JD + ((Math.floor(row / baselines) + 0.5) * INTEGRATION_S) / 86_400
    out.writeDoubleLE(jd, times[Math.floor(row / timeChunkRows)] + 8 * (row % timeChunkRows))
  }
  const path = join(incoming, `${stamp}_sb${String(subband).padStart(2, '0')}.hdf5`)
  const file = openSync(path, 'w')
  ftruncateSync(file, out.length)
  for (const { from, to } of kept) writeSync(file, out, from, to - from, from)
  closeSync(file)
  original.copy(out, freq.from)
  utimesSync(path, startMs / 1000, startMs / 1000)
}

function contimg(args: readonly string[]): number {
  return timed(join(checkout, 'bin/contimg.js'), args)
}

/** Wall seconds of a process from its start to its end. */
function timed(script: string, args: readonly string[]): number {
  const began = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    // As a command gives it to the stage that it starts.
    env: { ...process.env, NODE_COMPILE_CACHE: join(checkout, 'node_modules/.cache/contimg') },
  })
  const seconds = round((performance.now() - began) / 1000)
  if (status !== 0) throw new Error(`${script} ${args.join(' ')} ended with ${status}: ${stderr}`)
  lastOutput = stdout
  return seconds
}

/** User and system time of all processes that were started here and have ended. */
function childCpuSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND
}

function least(times: number, measured: () => number): number {
  return Math.min(...Array.from({ length: times }, measured))
}

function round(value: number): number {
  return Math.round(1000 * value) / 1000
}
