import { join } from 'node:path'
import { cp, rm } from 'node:fs/promises'
import type { MsLayout } from '#runtime/formats/measurement-set/layout.ts'
import { tileFile } from '#runtime/formats/measurement-set/layout.ts'
import { openTiles } from '#runtime/formats/measurement-set/tiles.ts'
import { createMeasurementSet, writeMetadata } from '#runtime/formats/measurement-set/write.ts'
import { ARCSEC_RAD, DEGREE_RAD, SAMPLES_PER_INTEGRATION } from '#runtime/sky/constants.ts'
import type { EarthOrientationTable } from '#runtime/sky/time.ts'
import type { StageOutcome, StageRun } from '#runtime/stage/contract.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { filesystemOf } from '#runtime/stage/filesystem.ts'
import { quality } from '#runtime/stage/quality.ts'
import { antennaHealth, type AntennaHealth } from './antenna-health.ts'
import { outputBand, type Band } from './band.ts'
import type { BlockJob } from './blocks.ts'
import { conversion, MAX_WORKERS, setBytes } from './contract.ts'
import { flagDeadAntennas } from './dead-antennas.ts'
import { conversionChecks } from './gates.ts'
import { measureSet } from './measured-set.ts'
import { observationGeometry, type Observation } from './observation.ts'
import { polarizationOrder } from './polarization.ts'
import { reopen } from './reopen.ts'
import { observationTimes, setMetadata, setRows } from './set-content.ts'
import { checkUnchanged, type Sources } from './sources.ts'
import { decideStaging, type Staging } from './staging.ts'
import { startBlockWorkers, type BlockRun, type BlockWorkers } from './workers.ts'

/** Rows of a tile, and of a block that one worker converts at a time: a block of one subband fits the L2 cache. */
const TILE_ROWS = 64
const BLOCK_ROWS = 256

/** Name of the set in the folder that it is made in. */
const SET = conversion.outputs.measurementSet.path

/** What a conversion needs of whoever runs it: a stage's run has it all. */
export type ConvertShell = Pick<
  StageRun<typeof conversion>,
  'resources' | 'outputDir' | 'scratchDir' | 'signal' | 'log' | 'phase' | 'progress' | 'warn'
>

/** The files of one observation, and what a complete one consists of: the output grid and its length. */
export interface RawGroup {
  sources: Sources
  expect: { subbands: readonly number[]; integrations: number }
}

export interface ConvertPlan {
  /** Reads and checks the headers. */
  read: () => Promise<RawGroup>
  earthOrientation: EarthOrientationTable & { sha256: string }
  deadAntennaFraction: number
}

/** Converts the files of one observation into a MeasurementSet, `measurement-set`, and checks what was written. */
export async function convertGroup(shell: ConvertShell, plan: ConvertPlan): Promise<StageOutcome<typeof conversion>> {
  const workers = startBlockWorkers(Math.max(1, Math.min(MAX_WORKERS, Math.floor(shell.resources.cpu))))
  try {
    const group = await shell.phase('headers', () => plan.read())
    return await convertRead(shell, { ...plan, ...group }, workers)
  } finally {
    await workers.stop()
  }
}

async function convertRead(
  shell: ConvertShell,
  { sources, expect, earthOrientation: table, deadAntennaFraction }: RawGroup & Omit<ConvertPlan, 'read'>,
  workers: BlockWorkers,
): Promise<StageOutcome<typeof conversion>> {
  const { outputDir, scratchDir, signal } = shell
  const { header, members } = sources
  const [{ file }] = members
  const band = outputBand(expect.subbands, new Map(members.map((member) => [member.file.subband, member.freqHz])), file)
  const observation = await shell.phase('geometry', () => observationGeometry(header, file, table))
  if (observation.pointing.eop.extrapolated)
    shell.warn('the Earth-orientation table does not reach this observation; give a newer one')

  for (const { file: raw, read } of members) {
    if (read.method !== 'direct')
      shell.log.info(`${raw.file} is read through the HDF5 library: ${read.reason ?? 'no reason given'}`)
  }

  const { stokes, direct, swapped } = polarizationOrder(header.polarizations)
  const staging = await chooseStaging(shell, header.rows, header.rows * band.freqHz.length * stokes.length)
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
  const job = blockJob(sources, observation, { layout, band, direct, swappedOrder: swapped })
  await shell.phase('convert', async () => {
    await createMeasurementSet(layout)
    await workers.run(job, { pass: 'convert', signal, onProgress: reporter(shell) })
  })
  const samplesPerRow = members.length * band.channelsPerSubband * stokes.length
  const health = antennaHealth(observation.rows, job.results.badCount, {
    antennas: observation.antennas.length,
    samplesPerRow,
    deadFraction: deadAntennaFraction,
  })
  const written = await shell.phase('finish', () => finish(shell, { job, observation, health, workers, samplesPerRow }))
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
    earthOrientation: table,
  })
  await shell.phase('tables', () =>
    writeMetadata(
      written.layout,
      metadata,
      setRows(header, observation, { weight: job.results.weight, flagRow: written.flagRow }),
    ),
  )

  const outcome = await shell.phase('gates', async (): Promise<StageOutcome<typeof conversion>> => {
    const reopened = await reopen({
      path: layout.path,
      files: band.subbands.map((subband) => members.find((member) => member.file.subband === subband)),
      ant1: header.ant1,
      ant2: header.ant2,
      antennaNumbers: header.antennaNumbers,
      polarizations: header.polarizations,
      frames: observation.frames,
      integration: observation.rows.integration,
      seed: members.map((member) => member.fingerprint).join(),
    })
    const measured = measureSet(reopened.set, { target: observation.pointing.centre, site: file.site })
    const checks = conversionChecks({
      ...measured,
      rows: { found: reopened.set.layout.rows, expected: file.rows },
      integrations: { found: file.integrations, expected: expect.integrations },
      subbands: { present: members.length, expected: band.subbands.length, absent },
      dialect: header.dialect,
      wFit: observation.meridian?.wFit,
      zeroFraction: health.zeroFractionOfLiving,
      antennas: { present: health.present.length, dead: deadAntennas },
      reopen: reopened,
      earthOrientation: { extrapolated: observation.pointing.eop.extrapolated, source: table.source },
    })
    const { centre, eop } = observation.pointing
    return {
      outputs: ['measurementSet'],
      quality: quality(checks),
      metrics: {
        ...observationTimes(header, observation),
        rows: layout.rows,
        channels: layout.channels,
        integrations: file.integrations,
        integrationsExpected: expect.integrations,
        antennasPresent: health.present.length,
        antennasDead: health.dead.length,
        subbandsExpected: band.subbands.length,
        subbandsPresent: members.length,
        zeroFraction: health.zeroFraction,
        flaggedFraction: written.flagged / (layout.rows * samplesPerRow),
        phaseCentreRaDeg: centre.raRad / DEGREE_RAD,
        phaseCentreDecDeg: centre.decRad / DEGREE_RAD,
        centreFreqHz: (band.freqHz[0] + band.freqHz[band.freqHz.length - 1]) / 2,
        bandwidthHz: band.freqHz.length * band.channelWidthHz,
        channelWidthHz: band.channelWidthHz,
        dut1S: eop.dut1S,
        ...meridianMetrics(observation),
        uvwErrorMm: 1000 * measured.uvwErrorM,
        longestBaselineM: measured.longestM,
        weightSpectrum: written.layout.weightSpectrum ? 1 : 0,
        staged: staging.staged ? 1 : 0,
        filesReadDirectly: members.filter(({ read }) => read.method === 'direct').length,
      },
      provenance: {
        ...Object.fromEntries(
          members.map((member) => [`raw.sb${String(member.file.subband).padStart(2, '0')}`, member.file.file]),
        ),
        staging: staging.reason,
      },
    }
  })
  if (staging.staged) {
    await shell.phase('copy', async () => {
      await cp(layout.path, join(outputDir, SET), { recursive: true })
      await rm(layout.path, { recursive: true })
    })
  }
  return outcome
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

/** Metrics that only files of the telescope have. */
function meridianMetrics({ phasing, meridian }: Observation): StageOutcome<typeof conversion>['metrics'] {
  if (phasing.kind !== 'meridian' || meridian === undefined) return {}
  return {
    decOfDateDeg: phasing.decOfDateRad / DEGREE_RAD,
    wFitOffsetArcsec: meridian.wFit.offsetRad / ARCSEC_RAD,
    wFitResidualMm: 1000 * meridian.wFit.fittedResidualM,
  }
}

function blockJob(
  { members, header }: Sources,
  { rows: { swapped }, rotated }: Observation,
  {
    layout,
    band,
    direct,
    swappedOrder,
  }: { layout: MsLayout; band: Band; direct: Int32Array; swappedOrder: Int32Array },
): BlockJob {
  const { rows, polarizations } = layout
  const sources = members.map(({ path, file, freqHz }) => ({
    path,
    slot: band.subbands.indexOf(file.subband),
    descending: freqHz.length > 1 && freqHz[1] < freqHz[0],
    lowestHz: file.lowestHz,
  }))
  return {
    layout,
    sources: sources.sort((a, b) => a.slot - b.slot),
    absentSlots: band.subbands.flatMap((_, slot) => (sources.some((source) => source.slot === slot) ? [] : [slot])),
    stepHz: band.channelWidthHz,
    direct,
    swappedOrder,
    swapped,
    pathM: rotated.pathM,
    samplesPerIntegration: header.dialect === 'dsa110' ? SAMPLES_PER_INTEGRATION : undefined,
    blockRows: BLOCK_ROWS,
    results: {
      badCount: new Uint32Array(new SharedArrayBuffer(4 * rows)),
      flagCount: new Uint32Array(new SharedArrayBuffer(4 * rows)),
      weight: new Float32Array(new SharedArrayBuffer(4 * rows * polarizations)),
      varying: new Uint8Array(new SharedArrayBuffer(Math.ceil(rows / BLOCK_ROWS))),
    },
  }
}

interface FinishInput {
  job: BlockJob
  observation: Observation
  health: AntennaHealth
  workers: BlockWorkers
  samplesPerRow: number
}

interface Finished {
  layout: MsLayout
  flagRow: Uint8Array
  /** Flagged samples of present subbands. */
  flagged: number
}

/** Flags dead antennas whole, then writes the weights or drops their column. */
async function finish(
  shell: ConvertShell,
  { job, observation, health, workers, samplesPerRow }: FinishInput,
): Promise<Finished> {
  const { layout, results } = job
  if (health.dead.length > 0) {
    const tiles = openTiles(layout, 'write')
    try {
      flagDeadAntennas(tiles, { geometry: observation.rows, dead: new Set(health.dead), results, samplesPerRow })
    } finally {
      tiles.close()
    }
  }
  const varying = results.varying.some((value) => value !== 0)
  if (varying) await workers.run(job, { pass: 'weights', signal: shell.signal, onProgress: reporter(shell) })
  else await rm(join(layout.path, tileFile('WEIGHT_SPECTRUM')))
  let flagged = 0
  const flagRow = Uint8Array.from(results.flagCount, (count) => {
    flagged += count
    return count === samplesPerRow ? 1 : 0
  })
  if (flagged === layout.rows * samplesPerRow) {
    throw new StageError('DATA_UNUSABLE', 'every sample of the observation is zero, not finite or flagged', {
      hint: 'look at the raw files; there is nothing to convert',
    })
  }
  return { layout: { ...layout, weightSpectrum: varying }, flagRow, flagged }
}

function reporter(shell: ConvertShell): BlockRun['onProgress'] {
  return (blocks) => shell.progress({ ...blocks, unit: 'row blocks' })
}
