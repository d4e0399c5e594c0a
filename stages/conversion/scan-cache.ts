import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, readdir, realpath, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LATEST_AHEAD_DAYS } from './plausibility.ts'
import { mjdFromIso } from '#runtime/sky/time.ts'
import { writeFileAtomic } from '#runtime/stage/files.ts'
import { parseFileName } from './file-name.ts'
import { isFault, sameIdentity, type CheckedFile, type FileIdentity, type FileLook } from './scan-look.ts'
import type { ScanFault } from './scan-schema.ts'

/** Folders whose scans are kept, the latest. */
const MAX_FOLDERS = 64

/** Folders of the sources that decide what is found in a file: another content of theirs makes a cache worthless. */
const sourceFolders = ['.', '../runtime/formats/hdf5', '../runtime/formats/uvh5', '../runtime/sky']

/** What the files of one observation have in common. */
type Common = Omit<CheckedFile, 'file' | 'stamp' | 'timesMjd' | keyof Own> & { timesMjd: number[] }

/** What each has to itself; `bytes` and `mtimeMs` are in its identity. */
type Own = Pick<CheckedFile, 'subband' | 'lowestHz' | 'highestHz' | 'fingerprint'> & FileIdentity

type FileEntry = (Own & { common: number }) | (FileIdentity & { fault: ScanFault })

interface CacheContent {
  format: typeof FORMAT
  /** sha256 of the sources that made it. */
  code: string
  folder: string
  common: Common[]
  files: Record<string, FileEntry>
}

const FORMAT = 'contimg scan 2'

/**
 * A cache begins with the sha256 of all that follows. What is as the same code wrote it needs no schema: loading one takes
 * longer than a scan of a thousand known files.
 */
const sealed = (rest: string): string => `{"seal":"${sha256(rest)}",${rest}`
const SEAL_CHARS = '{"seal":"",'.length + 64

export interface ScanCache {
  /** What was found in a file that is still the same; undefined for all others. */
  get(name: string, identity: FileIdentity): FileLook['found'] | undefined
  /** Why a cache that is there is not used. */
  readonly problem: string | undefined
  readonly size: number
}

/**
 * What an earlier scan found in the files of a folder. The cache is a file like any other: when it is torn, foreign or
 * made by other code, it is as good as absent. @param nowMs data from beyond are looked at again
 */
export async function readScanCache(directory: string, folder: string, nowMs: number): Promise<ScanCache> {
  const read = await readContent(directory, folder)
  if (typeof read === 'string' || read === undefined) return { get: () => undefined, problem: read, size: 0 }
  const latestMjd = mjdFromIso(new Date(nowMs).toISOString()) + LATEST_AHEAD_DAYS
  const files = new Map(Object.entries(read.files))
  const commons = read.common.map((common) => ({
    ...common,
    timesMjd: Float64Array.from(common.timesMjd),
  }))
  return {
    problem: undefined,
    size: files.size,
    get(name, identity) {
      const entry = files.get(name)
      if (entry === undefined || !sameIdentity(entry, identity)) return undefined
      if ('fault' in entry) return entry.fault
      const common = commons[entry.common]
      if (common.timesMjd[0] > latestMjd) return undefined
      const { bytes, mtimeMs, subband, lowestHz, highestHz, fingerprint } = entry
      const stamp = parseFileName(name)
      return {
        ...common,
        file: name,
        stamp,
        subband,
        lowestHz,
        highestHz,
        bytes,
        mtimeMs,
        fingerprint,
      }
    },
  }
}

/**
 * Replaces the cache of a folder by what is there now. Whoever writes last wins, and either is right.
 * @throws errors of the system, when it cannot be written
 */
export async function writeScanCache(
  directory: string,
  folder: string,
  looks: ReadonlyMap<string, FileLook>,
): Promise<void> {
  const common = new Map<string, number>()
  const files: CacheContent['files'] = {}
  for (const [name, { identity, found, lasting }] of looks) {
    if (!lasting || identity === undefined) continue
    if (isFault(found)) files[name] = { ...identity, fault: found }
    else {
      const { subband, lowestHz, highestHz, fingerprint } = found
      const text = JSON.stringify(commonOf(found))
      const index = common.get(text) ?? common.size
      common.set(text, index)
      files[name] = { ...identity, common: index, subband, lowestHz, highestHz, fingerprint }
    }
  }
  const head = { format: FORMAT, code: codeDigest(), folder: await realpath(folder) }
  const text = sealed(
    `${JSON.stringify(head).slice(1, -1)},"common":[${[...common.keys()].join()}],"files":${JSON.stringify(files)}}\n`,
  )
  await mkdir(directory, { recursive: true })
  await writeFileAtomic(await cachePath(directory, folder), text)
  await dropOldest(directory)
}

function commonOf(found: CheckedFile): Common {
  return {
    timeKey: found.timeKey,
    startMjdUtc: found.startMjdUtc,
    timesMjd: [...found.timesMjd],
    site: found.site,
    decOfDateRad: found.decOfDateRad,
    channels: found.channels,
    channelWidthHz: found.channelWidthHz,
    polarizations: found.polarizations,
    antennas: found.antennas,
    rows: found.rows,
    baselines: found.baselines,
    integrations: found.integrations,
    agreement: found.agreement,
  }
}

async function readContent(directory: string, folder: string): Promise<CacheContent | string | undefined> {
  let text: string
  try {
    text = readFileSync(await cachePath(directory, folder), 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : `it cannot be read (${code})`
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return 'it is torn'
  }
  const { format, code, folder: path } = (json ?? {}) as Partial<CacheContent>
  const known = format === FORMAT && text === sealed(text.slice(SEAL_CHARS))
  if (typeof code === 'string' && code !== codeDigest()) return 'it was made by another version of contimg'
  if (typeof path === 'string' && path !== (await realpath(folder))) return 'it is of another folder'
  return known ? (json as CacheContent) : 'it does not hold what it should'
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

async function cachePath(directory: string, folder: string): Promise<string> {
  const path = await realpath(resolve(folder))
  return join(directory, `${sha256(path).slice(0, 16)}.json`)
}

async function dropOldest(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json'))
  if (names.length <= MAX_FOLDERS) return
  const aged = await Promise.all(
    names.map(async (name) => ({ name, mtimeMs: (await stat(join(directory, name))).mtimeMs })),
  )
  aged.sort((a, b) => b.mtimeMs - a.mtimeMs)
  for (const { name } of aged.slice(MAX_FOLDERS)) await rm(join(directory, name), { force: true })
}

let digest: string | undefined

/** Names, sizes and times would do for a checkout, but images are unpacked with any times: hence the content. */
function codeDigest(): string {
  if (digest !== undefined) return digest
  const hash = createHash('sha256')
  for (const relative of sourceFolders) {
    const folder = fileURLToPath(new URL(`${relative}/`, import.meta.url))
    for (const name of readdirSync(folder).sort()) {
      if (!name.endsWith('.ts') || !statSync(join(folder, name)).isFile()) continue
      hash.update(`${relative}/${name}\n`).update(readFileSync(join(folder, name)))
    }
  }
  digest = hash.digest('hex')
  return digest
}
