import { mkdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { readEarthOrientation } from '#runtime/formats/earth-orientation.ts'
import { openHdf5 } from '#runtime/formats/hdf5/file.ts'
import { decodeHeader } from '#runtime/formats/uvh5/header.ts'
import { readStationTable } from '#runtime/formats/station-table.ts'
import { isoUtc, jdToMjd } from '#runtime/sky/time.ts'
import type { Resources, StageOutcome, Usage } from '#runtime/stage/contract.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { hashTree, listFiles, syncTree } from '#runtime/stage/files.ts'
import { filesystemOf } from '#runtime/stage/filesystem.ts'
import type { LogSink } from '#runtime/stage/log.ts'
import { startUsage, type UsageMeter } from '#runtime/stage/usage.ts'
import { conversion, type Converted } from './contract.ts'
import { convertGroup, type ConvertShell } from './convert.ts'
import { namedFiles } from './file-arguments.ts'
import { checkInputsOutside, takePlace, type OutputPlace } from './output-place.ts'
import { readGroup, type RawGroup, type Sources } from './sources.ts'

export interface StandaloneOptions {
  /** Files, folders or patterns. */
  files: readonly string[]
  /** Absolute path of the set to make. */
  out: string
  /** Makes the names of temporary files its own: `.<name>.<uid>.tmp` beside the set. */
  uid: string
  earthOrientation: string | undefined
  /** Surveyed stations to hold the antennas against. */
  stationTable: string | undefined
  deadAntennaFraction: number
  resources: Resources
  /** Scratch space; what is put there has the uid in its name. */
  scratch: string
  /** Replace a MeasurementSet of that name. */
  force: boolean
  hash: boolean
  signal: AbortSignal
  log: LogSink
}

/**
 * Converts one group of UVH5 files of any telescope into a MeasurementSet outside of a run. The set appears under its name
 * when all of it is on disk; whatever else happens, nothing is left.
 */
export async function convertFiles(options: StandaloneOptions): Promise<Converted> {
  const earthOrientation = readEarthOrientation(options.earthOrientation)
  const stationTable = options.stationTable === undefined ? undefined : readStationTable(options.stationTable)
  const named = await namedFiles(options.files)
  checkInputsOutside(options.out, named.paths)
  const place = await takePlace(options.out, options)
  const scratchDir = await scratchFolder(options, place.temporary)
  const usage = startUsage({ scratchDir })
  try {
    await makeScratch(scratchDir)
    const warnings: string[] = []
    const shell = shellOf(options, { place, scratchDir, usage, warnings })
    named.warnings.forEach((warning) => shell.warn(warning))
    for (const other of place.others)
      shell.warn(
        `${other} is left from a conversion that was killed, or belongs to one that runs; if none does, delete it`,
      )
    const { deadAntennaFraction } = options
    let group: RawGroup | undefined
    const read = async (): Promise<RawGroup> => (group = await readOneGroup(named.paths))
    const outcome = await convertGroup(shell, {
      paths: named.paths,
      read,
      earthOrientation,
      stationTable,
      deadAntennaFraction,
    })
    const set = join(place.temporary, conversion.outputs.measurementSet.path)
    await shell.phase('sync', () => syncTree(set))
    const digest = options.hash ? await shell.phase('hash', () => hashTree(set)) : undefined
    const bytes = digest?.bytes ?? (await treeBytes(set))
    options.signal.throwIfAborted()
    await usage.phase('rename', () => place.commit(set))
    return summary({
      sources: (group as RawGroup).sources,
      outcome,
      place,
      warnings,
      bytes,
      usage: usage.stop(),
      sha256: digest?.sha256,
    })
  } catch (error) {
    await place.remove()
    throw error
  } finally {
    usage.stop()
    await rm(scratchDir, { recursive: true, force: true })
  }
}

interface Made {
  sources: Sources
  outcome: StageOutcome<typeof conversion>
  place: OutputPlace
  warnings: string[]
  /** Size of the set. */
  bytes: number
  usage: Usage
  sha256: string | undefined
}

function summary({ sources: { members }, outcome, place, warnings, bytes, usage, sha256 }: Made): Converted {
  const metrics = Object.fromEntries(Object.entries(outcome.metrics).filter(([, value]) => Number.isFinite(value)))
  const measured = (name: keyof typeof outcome.metrics): number => {
    if (metrics[name] === undefined) throw new StageError('INTERNAL', `the conversion gave no ${name}`)
    return metrics[name]
  }
  const { wallSeconds, phases, ...used } = usage
  return {
    output: place.path,
    replaced: place.exists,
    verdict: outcome.quality.verdict,
    files: members.map(({ path, bytes: size, fingerprint, file: { subband, lowestHz, highestHz }, read }) => ({
      path,
      bytes: size,
      fingerprint,
      subband,
      lowestHz,
      highestHz,
      read: { method: read.method, ...(read.reason === undefined ? {} : { reason: read.reason }) },
    })),
    rows: measured('rows'),
    channels: measured('channels'),
    polarizations: members[0].file.polarizations,
    integrations: measured('integrations'),
    antennas: measured('antennasPresent'),
    centre: { raDeg: measured('phaseCentreRaDeg'), decDeg: measured('phaseCentreDecDeg') },
    checks: outcome.quality.checks,
    phases: phases.map((phase) => ({ name: phase.name, seconds: phase.wallSeconds, cpuSeconds: phase.cpuSeconds })),
    usage: { seconds: wallSeconds, ...used },
    bytes: { input: members.reduce((sum, member) => sum + member.bytes, 0), output: bytes },
    staging: { staged: metrics['staged'] === 1, reason: outcome.provenance?.['staging'] ?? '' },
    warnings,
    ...(sha256 === undefined ? {} : { sha256 }),
    metrics,
  }
}

interface Held {
  place: OutputPlace
  scratchDir: string
  usage: UsageMeter
  warnings: string[]
}

function shellOf({ resources, signal, log }: StandaloneOptions, held: Held): ConvertShell {
  const { place, scratchDir, usage, warnings } = held
  return {
    resources,
    outputDir: place.temporary,
    scratchDir,
    signal,
    log,
    progress: (progress) => log.event({ type: 'progress', phase: usage.current, ...progress }),
    phase(name, work) {
      signal.throwIfAborted()
      log.event({ type: 'phase', name })
      return usage.phase(name, work)
    },
    warn(message) {
      warnings.push(message)
      log.warn(message)
    },
  }
}

/** A folder of scratch space where the set may be staged, else one beside the set, so that nothing else is touched. */
async function scratchFolder({ scratch, uid, resources }: StandaloneOptions, temporary: string): Promise<string> {
  const { staging } = resources
  const mayStage = staging === 'on' || (staging === 'auto' && (await filesystemOf(temporary)).network)
  return mayStage ? join(scratch, `contimg-${uid}`) : join(temporary, 'scratch')
}

async function makeScratch(folder: string): Promise<void> {
  // Not with `recursive`: Node tries again for ever where a file system answers ENOENT below a folder that exists.
  for (const path of [dirname(folder), folder]) {
    await mkdir(path).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EEXIST') return
      throw new StageError('OUTPUT_UNWRITABLE', `the scratch folder ${path} cannot be made (${cause.code})`, {
        cause,
        hint: 'name another with CONTIMG_SCRATCH, or leave staging off',
      })
    })
  }
}

/** The group that the files make. Throws OBSERVATIONS_MIXED with the files of each start time when they make several. */
async function readOneGroup(paths: readonly string[]): ReturnType<typeof readGroup> {
  try {
    return await readGroup(paths, { nowMs: Date.now() })
  } catch (error) {
    // The usual reason for files that do not fit together; looked for only now, as it reads every header again.
    if (error instanceof StageError && error.code === 'DATA_IMPLAUSIBLE') await checkStartTimes(paths)
    throw error
  }
}

async function checkStartTimes(paths: readonly string[]): Promise<void> {
  const files = await Promise.all(paths.map(async (path) => ({ path, startJd: await startOf(path) })))
  const groups = [...Map.groupBy(files, ({ startJd }) => startJd)].sort(([a], [b]) => a - b)
  if (groups.length < 2) return
  const lines = groups.map(
    ([startJd, group]) => `${isoUtc(jdToMjd(startJd))}  ${group.map(({ path }) => basename(path)).join(' ')}`,
  )
  throw new StageError(
    'OBSERVATIONS_MIXED',
    [`these files belong to ${groups.length} observations, by the time of their first integration:`, ...lines].join(
      '\n',
    ),
    { hint: 'give the files of one start time only' },
  )
}

async function startOf(path: string): Promise<number> {
  const file = await openHdf5(path)
  try {
    // Rows may be in any order.
    return decodeHeader(file).timeJd.reduce((first, timeJd) => Math.min(first, timeJd))
  } finally {
    file.close()
  }
}

async function treeBytes(directory: string): Promise<number> {
  const sizes = (await listFiles(directory)).map(async (file) => (await stat(join(directory, file))).size)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
