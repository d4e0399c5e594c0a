import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { H5WASM_HEAP_BYTES } from '#runtime/formats/hdf5/h5wasm-module.ts'
import type { MsLayout } from '#runtime/formats/measurement-set/layout.ts'
import { createMeasurementSet, writeMetadata } from '#runtime/formats/measurement-set/write.ts'
import type { StationTable } from '#runtime/formats/station-table.ts'
import type { EarthOrientationTable } from '#runtime/sky/time.ts'
import type { StageOutcome, StageRun } from '#runtime/stage/contract.ts'
import { copyTree } from '#runtime/stage/copy.ts'
import { filesystemOf } from '#runtime/stage/filesystem.ts'
import { checkPlan } from '#runtime/stage/plan-check.ts'
import { antennaHealth } from './antenna-health.ts'
import { outputBand } from './band.ts'
import { blockJob, TILE_ROWS } from './block-job.ts'
import { checkSet } from './check-set.ts'
import { conversion, MAX_LIBRARY_THREADS, MAX_THREADS, residentBytes, setBytes } from './contract.ts'
import { finishSet } from './finish-set.ts'
import { createHeldFiles, type HeldFiles } from './held-files.ts'
import { observationGeometry } from './observation.ts'
import { polarizationOrder } from './polarization.ts'
import { setMetadata, setRows } from './set-content.ts'
import { checkUnchanged, type RawGroup, type Source } from './sources.ts'
import { decideStaging, type Staging } from './staging.ts'
import { startBlockWorkers, type BlockWorkers } from './workers.ts'

/** Name of the set in the folder that it is made in. */
const SET = conversion.outputs.measurementSet.path

/** What a conversion needs of whoever runs it: a stage's run has it all. */
export type ConvertShell = Pick<
  StageRun<typeof conversion>,
  'resources' | 'outputDir' | 'scratchDir' | 'signal' | 'log' | 'phase' | 'progress' | 'warn'
>

export interface ConvertPlan {
  /** Of the raw files. */
  paths: readonly string[]
  /** Reads and checks the headers. */
  read: () => Promise<RawGroup>
  earthOrientation: EarthOrientationTable & { sha256: string }
  /** Where the antennas should be: held against the set once it is written. */
  stationTable: StationTable | undefined
  deadAntennaFraction: number
}

/** Converts the files of one observation into a MeasurementSet, `measurement-set`, and checks what was written. */
export async function convertGroup(shell: ConvertShell, plan: ConvertPlan): Promise<StageOutcome<typeof conversion>> {
  const threads = Math.max(1, Math.min(MAX_THREADS, Math.floor(shell.resources.cpu)))
  const workers = startBlockWorkers(threads, plan.paths)
  const files = createHeldFiles()
  try {
    const group = await shell.phase('headers', () => plan.read())
    return await convertRead(shell, { ...plan, ...group }, { workers, files })
  } finally {
    await workers.stop()
    files.close()
  }
}

async function convertRead(
  shell: ConvertShell,
  {
    sources,
    expect,
    earthOrientation,
    stationTable,
    deadAntennaFraction,
  }: RawGroup & Omit<ConvertPlan, 'paths' | 'read'>,
  { workers, files }: { workers: BlockWorkers; files: HeldFiles },
): Promise<StageOutcome<typeof conversion>> {
  const { outputDir, scratchDir } = shell
  const { header, members } = sources
  const [{ file }] = members
  const band = outputBand(expect.subbands, new Map(members.map((member) => [member.file.subband, member.freqHz])), file)
  const observation = await shell.phase('geometry', () => observationGeometry(header, file, earthOrientation))
  if (observation.pointing.eop.extrapolated)
    shell.warn('the Earth-orientation table does not reach this observation; give a newer one')

  for (const { file: raw, read } of members) {
    if (read.method !== 'direct')
      shell.log.info(`${raw.file} is read through the HDF5 library: ${read.reason ?? 'no reason given'}`)
  }

  const order = polarizationOrder(header.polarizations)
  const { stokes } = order
  const staging = await chooseStaging(shell, header.rows, header.rows * band.freqHz.length * stokes.length)
  await checkPlan(
    'conversion',
    {
      workingBytes: residentBytes(header.rows),
      outputBytes: setBytes(header.rows, header.rows * band.freqHz.length * stokes.length),
    },
    shell,
  )
  const layout: MsLayout = {
    path: join(staging.staged ? scratchDir : outputDir, SET),
    rows: header.rows,
    channels: band.freqHz.length,
    polarizations: stokes.length,
    tileRows: TILE_ROWS,
    tileChannels: band.channelsPerSubband,
    // The column is made in any case and dropped again when all weights turn out to be uniform.
    weightSpectrum: true,
  }
  const job = blockJob(sources, observation, { layout, band, order })
  const running = {
    threads: affordableThreads(shell, members, header.rows),
    signal: shell.signal,
    open: files.open,
    onProgress: (blocks: { done: number; total: number }) => shell.progress({ ...blocks, unit: 'row blocks' }),
  }
  await shell.phase('convert', async () => {
    await createMeasurementSet(layout)
    await workers.run(job, { pass: 'convert', ...running })
  })
  const samplesPerRow = members.length * band.channelsPerSubband * stokes.length
  const health = antennaHealth(observation.rows, job.results.badCount, {
    antennas: observation.antennas.length,
    samplesPerRow,
    deadFraction: deadAntennaFraction,
  })
  const finished = await shell.phase('finish', () =>
    finishSet({ job, observation, health, samplesPerRow, workers, running }),
  )
  await checkUnchanged(members)

  const deadAntennas = health.dead.map((index) => observation.antennas[index].name)
  const absent = band.subbands
    .filter((subband) => !members.some((member) => member.file.subband === subband))
    .sort((a, b) => a - b)
  const metadata = setMetadata(header, observation, band, {
    sources: members.map((member) => ({ subband: member.file.subband, fingerprint: member.fingerprint })),
    absentSubbands: absent,
    deadAntennas,
    stokes,
    earthOrientation,
  })
  await shell.phase('tables', () =>
    writeMetadata(
      finished.layout,
      metadata,
      setRows(header, observation, { weight: job.results.weight, flagRow: finished.flagRow }),
    ),
  )

  const outcome = await shell.phase('gates', () =>
    checkSet({
      group: { sources, expect },
      observation,
      band,
      health,
      finished,
      samplesPerRow,
      deadAntennas,
      absent,
      earthOrientation,
      stationTable,
      staging,
      open: files.open,
    }),
  )
  if (staging.staged) {
    await shell.phase('copy', async () => {
      await copyTree(layout.path, join(outputDir, SET), shell.signal)
      await rm(layout.path, { recursive: true })
    })
  }
  return outcome
}

/** How many threads have the memory to read files through the HDF5 library; all of them where none is read so. */
function affordableThreads({ resources, log }: ConvertShell, members: readonly Source[], rows: number): number {
  if (members.every(({ read }) => read.method === 'direct')) return MAX_THREADS
  const spareBytes = resources.memoryBytes - residentBytes(rows)
  const threads = Math.min(MAX_LIBRARY_THREADS, Math.max(1, Math.floor(spareBytes / H5WASM_HEAP_BYTES)))
  if (threads < Math.min(MAX_LIBRARY_THREADS, Math.floor(resources.cpu)))
    log.info(`${threads} threads convert: the HDF5 library may take ${H5WASM_HEAP_BYTES / 1024 ** 2} MiB in each`)
  return threads
}

/** Where the set is assembled: said in the log, and as a warning where it is not what was asked for. */
async function chooseStaging(
  { resources, outputDir, scratchDir, log, warn }: ConvertShell,
  rows: number,
  visibilities: number,
): Promise<Staging> {
  const wish = resources.staging ?? 'auto'
  const staging = decideStaging({
    wish,
    setBytes: setBytes(rows, visibilities),
    grantedBytes: resources.scratchBytes,
    output: await filesystemOf(outputDir),
    scratch: await filesystemOf(scratchDir),
  })
  const { reason } = staging
  if (wish === 'on' && !staging.staged) warn(`the MeasurementSet is ${reason}`)
  else log.info(`the MeasurementSet is ${reason}`)
  return staging
}
