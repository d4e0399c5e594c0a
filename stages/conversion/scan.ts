import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openHdf5 } from '#runtime/formats/hdf5/file.ts'
import { fingerprintOf } from '#runtime/formats/uvh5/fingerprint.ts'
import { decodeHeader } from '#runtime/formats/uvh5/header.ts'
import { rankCalibrators } from '#runtime/sky/calibrators.ts'
import { DEGREE_RAD } from '#runtime/sky/constants.ts'
import { mjdFromIso, type EarthOrientationTable } from '#runtime/sky/time.ts'
import { apiVersion } from '#runtime/stage/contract.ts'
import { StageError, toStageError } from '#runtime/stage/errors.ts'
import { hashFile } from '#runtime/stage/files.ts'
import type { ConversionParams } from './contract.ts'
import { isCandidate, isUnfinished, parseFileName, type FileStamp } from './file-name.ts'
import { duplicateFiles, groupFiles, likelyGroup, nameClusters, type Group, type NamedFile } from './group.ts'
import { headerProblem } from './plausibility.ts'
import { meridianPointing } from './pointing.ts'
import { rawFile } from './raw-file.ts'
import type { Scan, ScanFault, ScanObservation, ScanWarning } from './scan-schema.ts'
import { subbandFrequencies } from './subband.ts'

/** Files of the writer that were never closed are worth a word after this. */
const STALE_MS = 3_600_000

/** Scale of the flux densities of the calibrators that the scan knows. */
const FLUX_ANCHOR = 'perley-butler-2017'

export interface ScanOptions {
  /** The present, milliseconds since 1970. */
  nowMs: number
  earthOrientation: EarthOrientationTable
  /** With it, incomplete observations are warned of. */
  expect?: ConversionParams['expect']
}

interface CheckedFile extends NamedFile {
  bytes: number
  mtimeMs: number
  fingerprint: string
}

/**
 * Looks at every HDF5 file of a folder, headers only, and groups them into observations. A file that cannot be used
 * becomes a fault and never an error. @throws StageError INPUT_MISSING when there is no such folder
 */
export async function scanFolder(input: string, options: ScanOptions): Promise<Scan> {
  const names = await listFolder(input)
  const files: CheckedFile[] = []
  const refused: (ScanFault & { stamp: FileStamp | undefined })[] = []
  const warnings: ScanWarning[] = []
  for (const name of names) {
    if (isUnfinished(name)) {
      // It may be renamed or removed between listing and look.
      const found = await stat(join(input, name)).catch(() => undefined)
      if (found !== undefined && options.nowMs - found.mtimeMs > STALE_MS)
        warnings.push({ file: name, message: 'not closed by its writer for more than an hour; ignored' })
    } else if (isCandidate(name)) {
      const looked = await lookAt(input, name, options.nowMs)
      if ('fingerprint' in looked) files.push(looked)
      else refused.push({ ...looked, stamp: parseFileName(name) })
    }
  }
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

async function lookAt(input: string, name: string, nowMs: number): Promise<CheckedFile | ScanFault> {
  const path = join(input, name)
  try {
    const before = await stat(path)
    const file = await openHdf5(path)
    try {
      const header = decodeHeader(file, { uvw: 'first' })
      const stamp = parseFileName(name)
      const problem = headerProblem(header, {
        nowMjd: mjdFromIso(new Date(nowMs).toISOString()),
        stampMjd: stamp?.stampMjd,
      })
      if (problem !== undefined) return { file: name, ...problem }
      const fingerprint = fingerprintOf(file)
      const after = await stat(path)
      if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) {
        return {
          file: name,
          code: 'DATA_UNREADABLE',
          message: 'it changed while it was read',
          hint: 'wait until the copy is complete, then run the same command again',
        }
      }
      return { ...rawFile(name, header), stamp, bytes: before.size, mtimeMs: before.mtimeMs, fingerprint }
    } finally {
      file.close()
    }
  } catch (thrown) {
    // A fault of the program is no fault of the file: only our own errors and those of the system are.
    if (!(thrown instanceof StageError) && (thrown as NodeJS.ErrnoException | undefined)?.code === undefined)
      throw thrown
    return faultOf(name, path, toStageError(thrown))
  }
}

/** An error of reading as a fault. The fault names the file: a path at the head of its message goes, or becomes `it`. */
function faultOf(file: string, path: string, error: StageError): ScanFault {
  const code = error.code === 'DATA_UNSUPPORTED' || error.code === 'DATA_IMPLAUSIBLE' ? error.code : 'DATA_UNREADABLE'
  const message = error.message.startsWith(path)
    ? error.message.slice(path.length).replace(/^: /, '').replace(/^ /, 'it ')
    : error.message
  const denied = (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EACCES'
  const advice = denied
    ? 'make the file readable for the user that runs contimg'
    : 'copy the file again, or leave it out'
  return { file, code, message, hint: error.hint ?? advice }
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
