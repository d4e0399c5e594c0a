import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { MsLayout } from '#runtime/formats/measurement-set/layout.ts'
import { openTiles, type MsTiles } from '#runtime/formats/measurement-set/tiles.ts'
import {
  createBlockScratch,
  openUvh5Data,
  unpackStored,
  type BlockScratch,
  type StoredBlock,
  type Uvh5Data,
} from '#runtime/formats/uvh5/data.ts'
import { convertBlock, startPhases, type KernelSetup } from './kernel.ts'
import { createPairKernel, type PairKernel } from './pair-kernel.ts'
import {
  clearWeightSums,
  createWeightSums,
  finishWeights,
  mergeSamples,
  type FileSamples,
  sampleWeight,
  visitElements,
} from './samples.ts'

const pairKernelPath = fileURLToPath(new URL('./pair-kernel.wasm', import.meta.url))

/** Room for stored visibilities, in blocks: chunks of common shapes pad them by less. */
const PADDED = 2

/** Frequencies closer than this are the same: phases over 5 km differ by 1e-8 rad. */
const SAME_FREQ_HZ = 1e-4

/** One raw file and where it goes in the output grid. */
interface BlockSource {
  path: string
  /** Position of its subband in the grid, ascending in frequency. */
  slot: number
  descending: boolean
  lowestHz: number
}

/** All that a thread needs to convert any block of rows; plain data and shared memory. */
export interface BlockJob {
  layout: MsLayout
  /** By ascending slot. */
  sources: BlockSource[]
  /** Slots without a file. */
  absentSlots: number[]
  stepHz: number
  direct: Int32Array
  swappedOrder: Int32Array
  /** (rows), shared */
  swapped: Uint8Array
  /** (rows), shared */
  pathM: Float64Array
  samplesPerIntegration: number | undefined
  blockRows: number
  results: BlockResults
}

/** Shared arrays that threads fill, each row by exactly one of them. */
export interface BlockResults {
  /** (rows): samples that are zero, not finite or without raw samples. */
  badCount: Uint32Array
  /** (rows): flagged samples of present subbands. */
  flagCount: Uint32Array
  /** (rows, polarizations) */
  weight: Float32Array
  /** (blocks): 1 where weights differ within a row. */
  varying: Uint8Array
}

/** `convert` writes DATA and FLAG; `weights` writes WEIGHT_SPECTRUM of a set whose flags are final. */
export type BlockPass = 'convert' | 'weights'

export interface BlockConverter {
  block(pass: BlockPass, index: number): void
  close(): void
}

/** Opens the data of a raw file. */
export type OpenData = (path: string) => Promise<Uvh5Data>

/** Opens all files of a job for one thread. Buffers hold one block of one subband, so that they stay in the cache. */
export async function openBlockConverter(job: BlockJob, open: OpenData = openUvh5Data): Promise<BlockConverter> {
  const files: Uvh5Data[] = []
  let tiles: MsTiles | undefined
  const close = (): void => {
    for (const file of files) file.close()
    tiles?.close()
  }
  try {
    for (const { path } of job.sources) files.push(await open(path))
    tiles = openTiles(job.layout, 'write')
  } catch (error) {
    close()
    throw error
  }
  const { layout, blockRows } = job
  const { polarizations, tileChannels: channels } = layout
  const buffers = createBuffers(job)
  const setups = job.sources.map(({ descending, lowestHz }): KernelSetup => {
    const { stepHz, direct, swappedOrder, swapped, pathM, samplesPerIntegration } = job
    const rows = { direct, swappedOrder, swapped, pathM, samplesPerIntegration }
    return { channels, polarizations, descending, lowestHz, stepHz, ...rows }
  })
  const opened: OpenJob = { job, files, tiles, buffers, setups }
  const sums = createWeightSums(blockRows, polarizations)
  return {
    block(pass, index) {
      const row0 = index * blockRows
      const rows = Math.min(blockRows, layout.rows - row0)
      if (pass === 'weights') return writeWeights(opened, row0, rows)
      clearWeightSums(sums)
      job.sources.forEach((_, source) => convertSource(opened, { source, row0, rows }, sums))
      flagAbsent(opened, row0, rows)
      const out = job.results.weight.subarray(row0 * polarizations, (row0 + rows) * polarizations)
      job.results.varying[index] = finishWeights(sums, rows, polarizations, out) ? 1 : 0
    },
    close,
  }
}

interface Buffers {
  /** For two correlations; its memory then holds the arrays that it works on. */
  kernel: PairKernel | undefined
  stored: BlockScratch
  /** Of the file, in C order. */
  flags: Uint8Array
  nsamples: Float32Array
  phase: Float64Array
  step: Float64Array
  data: Float32Array
  outFlags: Uint8Array
  weights: Float32Array
  badCount: Uint32Array
  flagCount: Uint32Array
}

function createBuffers({ layout, blockRows }: BlockJob): Buffers {
  const { polarizations, tileChannels: channels } = layout
  const elements = blockRows * channels * polarizations
  const stored = createBlockScratch()
  const kernel =
    polarizations === 2
      ? createPairKernel(readFileSync(pairKernelPath), { blockRows, channels, visBytes: PADDED * 8 * elements })
      : undefined
  if (kernel !== undefined) stored.vis.bytes = kernel.vis
  return {
    kernel,
    stored,
    flags: new Uint8Array(elements),
    nsamples: new Float32Array(elements),
    phase: kernel?.phase ?? new Float64Array(4 * blockRows),
    step: kernel?.step ?? new Float64Array(2 * blockRows),
    data: kernel?.data ?? new Float32Array(2 * elements),
    outFlags: kernel?.bad ?? new Uint8Array(elements),
    weights: new Float32Array(elements),
    badCount: kernel?.badCount ?? new Uint32Array(blockRows),
    flagCount: new Uint32Array(blockRows),
  }
}

interface OpenJob {
  job: BlockJob
  files: readonly Uvh5Data[]
  tiles: MsTiles
  buffers: Buffers
  setups: readonly KernelSetup[]
}

interface SourceRows {
  source: number
  row0: number
  rows: number
}

function convertSource(
  { job, files, tiles, buffers, setups }: OpenJob,
  { source, row0, rows }: SourceRows,
  sums: ReturnType<typeof createWeightSums>,
): void {
  const setup = setups[source]
  const { badCount, flagCount } = buffers
  const stored = files[source].readStored(row0, rows, buffers.stored)
  const { data, outFlags: bad, phase, step } = buffers
  if (!continues(setup, setups[source - 1])) startPhases(setup, { row0, rows }, buffers)
  const block = { row0, rows, vis: stored.vis, phase, step, data, bad, badCount }
  if (buffers.kernel?.takes(setup, block)) buffers.kernel.convert(setup, block)
  else convertBlock(setup, block)
  mergeSamples(setup, { row0, rows, file: fileSamples(stored, setup, buffers), flags: bad, badCount, flagCount }, sums)
  const channel0 = job.sources[source].slot * setup.channels
  tiles.writeData(row0, rows, channel0, setup.channels, buffers.data)
  let flagged = 0
  for (let row = 0; row < rows; row++) {
    job.results.badCount[row0 + row] += badCount[row]
    job.results.flagCount[row0 + row] += flagCount[row]
    flagged += flagCount[row]
  }
  // The file is born as zeros: where nothing is flagged there is nothing to write.
  if (flagged > 0) tiles.writeFlags(row0, rows, channel0, setup.channels, buffers.outFlags)
}

/** Whether the phases that one subband ends with are those that the next begins with. */
function continues({ lowestHz }: KernelSetup, before: KernelSetup | undefined): boolean {
  if (before === undefined) return false
  return Math.abs(before.lowestHz + before.channels * before.stepHz - lowestHz) < SAME_FREQ_HZ
}

/** Nearly every block of the telescope has no flags, and one count for all samples. */
function fileSamples({ flags, nsamples }: StoredBlock, setup: KernelSetup, buffers: Buffers): FileSamples {
  if (flags.uniform && flags.values[0] === 0 && nsamples.uniform && nsamples.values[0] > 0)
    return { nsamples: nsamples.values[0] }
  unpackStored(flags, setup, buffers.flags)
  unpackStored(nsamples, setup, buffers.nsamples)
  return buffers
}

function flagAbsent({ job, tiles, buffers }: OpenJob, row0: number, rows: number): void {
  const { tileChannels: channels } = job.layout
  for (const slot of job.absentSlots) {
    buffers.outFlags.fill(1)
    tiles.writeFlags(row0, rows, slot * channels, channels, buffers.outFlags)
  }
}

function writeWeights({ job, files, tiles, buffers, setups }: OpenJob, row0: number, rows: number): void {
  job.sources.forEach(({ slot }, source) => {
    const setup = setups[source]
    const channel0 = slot * setup.channels
    unpackStored(files[source].readStored(row0, rows, buffers.stored).nsamples, setup, buffers.nsamples)
    tiles.readFlags(row0, rows, channel0, setup.channels, buffers.outFlags)
    visitElements(setup, { row0, rows }, (_, to, from) => {
      buffers.weights[to] =
        buffers.outFlags[to] === 0 ? sampleWeight(buffers.nsamples[from], setup.samplesPerIntegration) : 0
    })
    tiles.writeWeights(row0, rows, channel0, setup.channels, buffers.weights)
  })
}
