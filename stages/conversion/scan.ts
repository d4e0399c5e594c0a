import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { rankCalibrators } from '#runtime/sky/calibrators.ts'
import { DEGREE_RAD } from '#runtime/sky/constants.ts'
import type { EarthOrientationTable } from '#runtime/sky/time.ts'
import { apiVersion } from '#runtime/stage/api-version.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { hashFile } from '#runtime/stage/files.ts'
import type { ConversionParams } from './contract.ts'
import { isCandidate, isUnfinished, parseFileName, type FileStamp } from './file-name.ts'
import { duplicateFiles, groupFiles, likelyGroup, nameClusters, type Group, type NamedFile } from './group.ts'
import { meridianPointing } from './pointing.ts'
import type { Scan, ScanFault, ScanObservation, ScanWarning } from './scan-schema.ts'
import { readScanCache, writeScanCache, type ScanCache } from './scan-cache.ts'
import { growing, identityAt, isFault, sameIdentity, type CheckedFile, type FileLook } from './scan-look.ts'
import type { lookAtAll } from './scan-workers.ts'
import { subbandFrequencies } from './subband.ts'

/** Files of the writer that were never closed are worth a word after this. */
const STALE_MS = 3_600_000

/** A file that changed so shortly before it could not be read may still be growing: it is looked at again, so much later. */
const FRESH_MS = 10_000
const SECOND_LOOK_MS = 1000

/** Scale of the flux densities of the calibrators that the scan knows. */
const FLUX_ANCHOR = 'perley-butler-2017'

export interface ScanOptions {
  /** The present, milliseconds since 1970. */
  nowMs: number
  earthOrientation: EarthOrientationTable
  /** With it, incomplete observations are warned of. */
  expect?: ConversionParams['expect']
  /** Folder in which what is found in files is kept for later scans. */
  cache?: string | undefined
  threads?: number
  /** How long to wait before the second look at new files that cannot be read, ms. */
  secondLookMs?: number
  onProgress?: (done: number, total: number) => void
  /** Hears of a cache that could not be used or written. */
  note?: (message: string) => void
}

/**
 * Looks at every HDF5 file of a folder, headers only, and groups them into observations. A file that cannot be used
 * becomes a fault and never an error. @throws StageError INPUT_MISSING when there is no such folder
 */
export async function scanFolder(input: string, options: ScanOptions): Promise<Scan> {
  const names = await listFolder(input)
  const looks = await lookAtFiles(input, names.filter(isCandidate), options)
  const files: CheckedFile[] = []
  const refused: (ScanFault & { stamp: FileStamp | undefined })[] = []
  for (const [name, { found }] of looks) {
    if (isFault(found)) refused.push({ ...found, stamp: parseFileName(name) })
    else files.push(found)
  }
  const warnings = names.filter(isUnfinished).flatMap((name): ScanWarning[] => {
    const mtimeMs = identityAt(join(input, name))?.mtimeMs ?? options.nowMs
    if (options.nowMs - mtimeMs <= STALE_MS) return []
    return [{ file: name, message: 'not closed by its writer for more than an hour; ignored' }]
  })
  const groups = groupFiles(files, await hashDuplicates(input, files))
  const used = groups.filter((group) => group.files.length > 0)
  const lost = groups.filter((group) => group.files.length === 0)
  const faults: Scan['faults'] = lost.flatMap((group) =>
    group.faults.map((fault) => ({ ...fault, observation: group.id })),
  )
  const stray = refused.filter(({ stamp }) => likelyGroup(groups, stamp) === undefined)
  const clusters = nameClusters(stray.flatMap(({ stamp }) => (stamp === undefined ? [] : [stamp])))
  for (const { stamp, ...fault } of refused) {
    const group = likelyGroup(groups, stamp)
    const observation = group?.id ?? (stamp === undefined ? undefined : clusters.get(stamp))
    if (group !== undefined && group.files.length > 0) group.faults.push(fault)
    else faults.push(observation === undefined ? fault : { ...fault, observation })
  }
  const byFile = new Map(files.map((file) => [file.file, file]))
  return {
    apiVersion,
    input,
    files: files.length + refused.length,
    observations: used.map((group) => describe(group, byFile, options)),
    faults,
    warnings: [...warnings, ...lost.flatMap((group) => group.warnings)],
  }
}

async function listFolder(input: string): Promise<string[]> {
  try {
    const entries = await readdir(input, { withFileTypes: true })
    // A link to a raw file is as good as the file; what a link leads to shows when it is opened.
    return entries
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map(({ name }) => name)
      .sort()
  } catch (cause) {
    throw new StageError('INPUT_MISSING', `cannot read the folder ${input}`, {
      cause,
      hint: 'give the folder that holds the raw .hdf5 files',
    })
  }
}

/** A look for each file, in the order of their names: remembered where the file is still the same, else a new one. */
async function lookAtFiles(
  input: string,
  names: readonly string[],
  { nowMs, cache, threads, secondLookMs, onProgress, note }: ScanOptions,
): Promise<Map<string, FileLook>> {
  const looks = new Map<string, FileLook>()
  const known = cache === undefined ? undefined : await readScanCache(cache, input, nowMs)
  if (known?.problem !== undefined) note?.(`the scan cache of ${input} is not used: ${known.problem}`)
  const unknown: string[] = []
  for (const name of names) {
    const found = known === undefined ? undefined : remembered(input, name, known)
    if (found === undefined) unknown.push(name)
    // The place in the order is taken by a look that is still to come.
    looks.set(name, found as FileLook)
  }
  const first = unknown.length === 0 ? [] : await lookAnew(input, unknown, { nowMs, threads, onProgress })
  const fresh = await lookTwice(input, first, secondLookMs ?? SECOND_LOOK_MS)
  unknown.forEach((name, index) => looks.set(name, fresh[index]))
  const changed = fresh.some(({ lasting }) => lasting) || (known !== undefined && known.size > names.length)
  if (cache === undefined || !changed) return looks
  try {
    await writeScanCache(cache, input, looks)
  } catch (error) {
    note?.(`the scan cache ${cache} cannot be written (${(error as Error).message}): the next scan takes as long`)
  }
  return looks
}

/** Of new files that cannot be read, those that have changed a moment later are still being written. */
async function lookTwice(input: string, looks: FileLook[], waitMs: number): Promise<FileLook[]> {
  const suspects = looks.filter(
    ({ identity, found }) =>
      identity !== undefined &&
      isFault(found) &&
      found.code === 'DATA_UNREADABLE' &&
      Date.now() - Math.max(identity.mtimeMs, identity.ctimeMs) < FRESH_MS,
  )
  if (suspects.length === 0 || waitMs === 0) return looks
  await delay(waitMs)
  return looks.map((look) => {
    if (!suspects.includes(look) || look.identity === undefined) return look
    const { file } = look.found
    const now = identityAt(join(input, file))
    if (now !== undefined && sameIdentity(now, look.identity)) return look
    return { identity: now, found: growing(file), lasting: false }
  })
}

/** What reads files is loaded when there are any to read. */
async function lookAnew(...looking: Parameters<typeof lookAtAll>): Promise<FileLook[]> {
  return (await import('./scan-workers.ts')).lookAtAll(...looking)
}

function remembered(input: string, name: string, cache: ScanCache): FileLook | undefined {
  const identity = identityAt(join(input, name))
  if (identity === undefined) return undefined
  const found = cache.get(name, identity)
  return found === undefined ? undefined : { identity, found, lasting: true }
}

async function hashDuplicates(input: string, files: readonly NamedFile[]): Promise<Map<string, string>> {
  const hashes = new Map<string, string>()
  for (const { file } of duplicateFiles(files)) hashes.set(file, (await hashFile(join(input, file))).sha256)
  return hashes
}

function describe(group: Group, byFile: ReadonlyMap<string, CheckedFile>, options: ScanOptions): ScanObservation {
  const files = group.files.map(({ file }) => byFile.get(file) as CheckedFile)
  const first = files[0]
  const subbands = files.map(({ subband }) => subband)
  const pointing = meridianPointing(first.timesMjd, first.decOfDateRad, {
    site: first.site,
    table: options.earthOrientation,
  })
  const freqHz = subbands.flatMap((subband) => [...subbandFrequencies(subband, first.channels)])
  return {
    id: group.id,
    startMjdUtc: first.startMjdUtc,
    decOfDateRad: first.decOfDateRad,
    centre: { raDeg: pointing.centre.raRad / DEGREE_RAD, decDeg: pointing.centre.decRad / DEGREE_RAD },
    shape: {
      antennas: first.antennas,
      baselines: first.baselines,
      integrations: first.integrations,
      subbands: subbands.length,
      channelsPerSubband: first.channels,
      polarizations: first.polarizations,
    },
    subbands,
    files: files.map(({ file, bytes, mtimeMs, fingerprint, subband }) => ({
      path: file,
      bytes,
      mtimeMs,
      fingerprint,
      subband,
    })),
    faults: group.faults,
    warnings: [...group.warnings, ...incomplete(first, subbands, options.expect)],
    calibrators: rankCalibrators(pointing.beam, freqHz).map(
      ({ source, meanBeam, apparentFluxJy, rule, separationRad }) => ({
        name: source.name,
        meanBeam,
        apparentFluxJy,
        rule,
        separationDeg: separationRad / DEGREE_RAD,
        fluxAnchor: FLUX_ANCHOR,
      }),
    ),
  }
}

function incomplete(first: NamedFile, subbands: readonly number[], expect: ScanOptions['expect']): ScanWarning[] {
  if (expect === undefined) return []
  const absent = expect.subbands.filter((subband) => !subbands.includes(subband))
  const warnings: ScanWarning[] = []
  if (absent.length > 0)
    warnings.push({
      message: `subband${absent.length === 1 ? '' : 's'} ${absent.map(twoDigits).join(', ')} ${absent.length === 1 ? 'is' : 'are'} absent`,
    })
  if (first.integrations < expect.integrations) {
    warnings.push({ message: `${first.integrations} of ${expect.integrations} integrations` })
  }
  return warnings
}

function twoDigits(subband: number): string {
  return String(subband).padStart(2, '0')
}
