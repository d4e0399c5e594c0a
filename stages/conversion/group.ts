import { DAY_S, INTEGRATION_S } from '#runtime/sky/constants.ts'
import { isoUtc, observationId } from '#runtime/sky/time.ts'
import type { FileStamp } from './file-name.ts'
import { disagreements, referenceFile, type RawFile } from './raw-file.ts'
import type { ScanFault, ScanWarning } from './scan-schema.ts'

/** A plausible raw file with what its name says. */
export interface NamedFile extends RawFile {
  stamp: FileStamp | undefined
}

/** The files that make up one observation, one a subband, and those set aside. */
export interface Group {
  id: string
  /** By ascending subband; empty when the whole group is refused. */
  files: NamedFile[]
  faults: ScanFault[]
  warnings: ScanWarning[]
  /** Name stamps of all its files, used and refused. */
  stampsMjd: number[]
}

/** Name stamps of one observation lie within this of each other: 99 % of real groups do. */
const CLUSTER_S = 120

/** Stamps of nodes that dropped buffers differ by whole integrations, to the rounding of Julian dates. */
const SHIFT_TOLERANCE_S = 2e-3

/** Shifts of more integrations than a file holds are another observation. */
const MAX_SHIFT = 24

/** Pairs of files that claim the same time and the same subband: their content decides. */
export function duplicateFiles(files: readonly NamedFile[]): NamedFile[] {
  const claims = new Map<string, NamedFile[]>()
  for (const file of files) {
    const claim = `${file.timeKey} ${file.subband}`
    claims.set(claim, [...(claims.get(claim) ?? []), file])
  }
  return [...claims.values()].filter((claimants) => claimants.length > 1).flat()
}

/**
 * Groups files by the 8 bytes of their first time. In a group every subband occurs once and all members agree on what
 * they must share; a member that does not is refused and counts as missing. Two groups with one id refuse each other.
 * @param contentHashes sha256 of the content of the files that `duplicateFiles` names
 */
export function groupFiles(files: readonly NamedFile[], contentHashes: ReadonlyMap<string, string>): Group[] {
  const byKey = new Map<string, NamedFile[]>()
  for (const file of files) byKey.set(file.timeKey, [...(byKey.get(file.timeKey) ?? []), file])
  const groups = [...byKey.values()].map((members) => makeGroup(members, contentHashes))
  refuseEqualIds(groups)
  warnOfShifts(groups)
  return groups.sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** The group that a file of unknown content seems to belong to, by the stamp in its name. */
export function likelyGroup(groups: readonly Group[], stamp: FileStamp | undefined): Group | undefined {
  if (stamp === undefined) return undefined
  const distanceS = (group: Group): number =>
    Math.min(...group.stampsMjd.map((stampMjd) => Math.abs(stampMjd - stamp.stampMjd) * DAY_S))
  const [nearest] = [...groups].sort((a, b) => distanceS(a) - distanceS(b))
  return nearest !== undefined && distanceS(nearest) <= CLUSTER_S ? nearest : undefined
}

/**
 * The id that files of unknown content seem to belong to, by their stamps alone: stamps of one observation follow each
 * other within two minutes, and the earliest is nearest to its start.
 */
export function nameClusters(stamps: readonly FileStamp[]): Map<FileStamp, string> {
  const ids = new Map<FileStamp, string>()
  let first: FileStamp | undefined
  for (const stamp of [...stamps].sort((a, b) => a.stampMjd - b.stampMjd)) {
    if (first === undefined || (stamp.stampMjd - first.stampMjd) * DAY_S > CLUSTER_S) first = stamp
    ids.set(stamp, observationId(first.stampMjd))
  }
  return ids
}

function makeGroup(members: readonly NamedFile[], contentHashes: ReadonlyMap<string, string>): Group {
  const sorted = [...members].sort((a, b) => a.subband - b.subband || (a.file < b.file ? -1 : 1))
  const group: Group = {
    id: observationId(sorted[0].startMjdUtc),
    files: [],
    faults: [],
    warnings: [],
    stampsMjd: sorted.flatMap(({ stamp }) => (stamp === undefined ? [] : [stamp.stampMjd])),
  }
  const single = singleClaims(sorted, group, contentHashes)
  if (single.length === 0) return group
  const reference = referenceFile(single)
  for (const file of single) {
    const fields = disagreements(file, reference)
    if (fields.length === 0) group.files.push(file)
    else {
      group.faults.push({
        file: file.file,
        code: 'DATA_IMPLAUSIBLE',
        message: `${fields.join('; ')} of its header differ from ${reference.file} and most files of the observation`,
        hint: 'the file is left out and its subband flagged; copy it again if the copy went wrong',
      })
    }
  }
  for (const { file, stamp, subband } of group.files) {
    if (stamp === undefined) group.warnings.push({ file, message: 'its name is not YYYY-MM-DDTHH:MM:SS_sbNN.hdf5' })
    else if (stamp.label !== subband) {
      group.warnings.push({
        file,
        message: `its frequencies are those of subband ${subband}, its name says ${stamp.label}; the frequencies count`,
      })
    }
  }
  return group
}

/** One file a subband: of identical copies the first, of different ones none. */
function singleClaims(
  sorted: readonly NamedFile[],
  group: Group,
  contentHashes: ReadonlyMap<string, string>,
): NamedFile[] {
  const bySubband = new Map<number, NamedFile[]>()
  for (const file of sorted) bySubband.set(file.subband, [...(bySubband.get(file.subband) ?? []), file])
  return [...bySubband.values()].flatMap((claimants) => {
    const [first, ...others] = claimants as [NamedFile, ...NamedFile[]]
    const same = others.every((other) => contentHashes.get(other.file) === contentHashes.get(first.file))
    if (same) {
      for (const { file } of others)
        group.warnings.push({ file, message: `an identical copy of ${first.file}, not used` })
      return [first]
    }
    for (const { file, subband } of claimants) {
      group.faults.push({
        file,
        code: 'DATA_IMPLAUSIBLE',
        message: `${claimants.length} files of different content claim the time and subband ${subband} of this observation`,
        hint: `keep the right one of ${claimants.map((claimant) => claimant.file).join(', ')}`,
      })
    }
    return []
  })
}

/** Two groups of different times can round to one id: neither can be told apart by its products. */
function refuseEqualIds(groups: readonly Group[]): void {
  const byId = new Map<string, Group[]>()
  for (const group of groups) byId.set(group.id, [...(byId.get(group.id) ?? []), group])
  for (const equal of byId.values()) {
    if (equal.length < 2) continue
    for (const group of equal) {
      for (const { file } of group.files) {
        group.faults.push({
          file,
          code: 'DATA_IMPLAUSIBLE',
          message: `${equal.length} groups of files with different times start in the second of ${group.id}`,
          hint: 'keep the files of one of them in the folder',
        })
      }
      group.files = []
    }
  }
}

/** A node that dropped a buffer stamps all later data by whole integrations too late. */
function warnOfShifts(groups: readonly Group[]): void {
  const bySize = [...groups].sort((a, b) => b.files.length - a.files.length)
  bySize.forEach((small, index) => {
    const [sample] = small.files
    const whole = bySize.slice(0, index).find((large) => large.files.length > 0 && clusters(small, large))
    if (sample === undefined || whole === undefined) return
    const other = whole.files[0]
    const lateS = (sample.startMjdUtc - other.startMjdUtc) * DAY_S
    const shift = Math.round(lateS / INTEGRATION_S)
    const exact =
      Math.abs(lateS - shift * INTEGRATION_S) <= SHIFT_TOLERANCE_S && shift !== 0 && Math.abs(shift) <= MAX_SHIFT
    const why = exact
      ? `${Math.abs(shift)} whole integrations ${shift > 0 ? 'after' : 'before'}, as when a node drops buffers`
      : `${lateS.toFixed(3)} s apart`
    for (const { file } of small.files) {
      small.warnings.push({
        file,
        message: `starts at ${isoUtc(sample.startMjdUtc)}, not with its neighbours by name (${whole.id}): ${why}`,
      })
    }
  })
}

function clusters(a: Group, b: Group): boolean {
  return a.stampsMjd.some((stamp) => b.stampsMjd.some((other) => Math.abs(stamp - other) * DAY_S <= CLUSTER_S))
}
