import { mkdir, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { apiVersion } from '#runtime/stage/contract.ts'
import { writeFileAtomic } from '#runtime/stage/files.ts'
import type { Scan } from '../../stages/conversion/scan-schema.ts'
import type { QuarantineEntry } from '../pipeline/admission.ts'
import {
  quarantineSchema,
  quarantineState,
  stillAtFault,
  withoutSetAside,
  type QuarantineRecord,
  type QuarantineState,
  type RawIdentity,
} from '../pipeline/quarantine.ts'

/** An entry with where it stands and what became of its file. */
export interface QuarantineItem extends QuarantineRecord {
  path: string
  state: QuarantineState
}

/**
 * Records that raw data were set aside, with the reason: one small file per observation and raw file, under `quarantine/`
 * of the data root. The raw files themselves are never touched. What is set aside already for the same reason keeps the
 * date and the run of its first time.
 */
export async function recordQuarantine(
  root: string,
  entry: QuarantineEntry,
  about: { run: string; input: string; at: string; stage?: string; evidence: { file: string; fingerprint?: string }[] },
): Promise<void> {
  const path = entryPath(root, entry)
  const before = await readEntry(path)
  if (before?.state === 'set aside' && before.input === about.input && before.code === entry.code) return
  const evidence: QuarantineRecord['evidence'] = []
  for (const then of about.evidence) {
    const identity = await identityOf(join(about.input, then.file))
    if (identity !== undefined) evidence.push({ ...then, ...identity })
  }
  const record: QuarantineRecord = { apiVersion, ...entry, ...about, evidence }
  await mkdir(dirname(path), { recursive: true })
  await writeFileAtomic(path, `${JSON.stringify(record, null, 2)}\n`)
}

/** All entries, by observation and file. A file that is no entry is none. */
export async function listQuarantine(root: string): Promise<QuarantineItem[]> {
  const folder = join(root, 'quarantine')
  const items: QuarantineItem[] = []
  for (const observation of await namesIn(folder)) {
    for (const name of await namesIn(join(folder, observation))) {
      const item = name.endsWith('.json') ? await readEntry(join(folder, observation, name)) : undefined
      if (item !== undefined) items.push(item)
    }
  }
  return items
}

/** Takes an entry out: the next run judges the file anew. */
export async function releaseQuarantine({ path }: Pick<QuarantineItem, 'path'>): Promise<void> {
  await rm(path, { force: true })
  await rmdir(dirname(path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error
  })
}

/** A scan without the files that steps of earlier runs found at fault and that are still the same. */
export async function applyQuarantine(root: string, scan: Scan): Promise<Scan> {
  const items = await listQuarantine(root)
  return withoutSetAside(
    scan,
    items.filter(({ input, state }) => input === scan.input && state === 'set aside'),
  )
}

/** Takes out the entries of a scanned folder that say nothing any more: their file is another, gone, or in order. */
export async function sweepQuarantine(root: string, scan: Scan): Promise<QuarantineItem[]> {
  const over = (await listQuarantine(root)).filter(
    (item) =>
      item.input === scan.input &&
      (item.state !== 'set aside' || (item.stage === undefined && !stillAtFault(scan, item))),
  )
  for (const item of over) await releaseQuarantine(item)
  return over
}

function entryPath(root: string, { observation, file }: Pick<QuarantineEntry, 'observation' | 'file'>): string {
  return join(root, 'quarantine', safeName(observation), `${safeName(file)}.json`)
}

async function readEntry(path: string): Promise<QuarantineItem | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const parsed = quarantineSchema.safeParse(parseJson(text))
  if (!parsed.success) return undefined
  const record = parsed.data
  const now = new Map<string, RawIdentity>()
  for (const { file } of record.evidence) {
    const identity = await identityOf(join(record.input, file))
    if (identity !== undefined) now.set(file, identity)
  }
  return { ...record, path, state: quarantineState(record, (file) => now.get(file)) }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Half-written or not ours.
    return undefined
  }
}

async function identityOf(path: string): Promise<RawIdentity | undefined> {
  const found = await stat(path).catch(() => undefined)
  return found === undefined ? undefined : { bytes: found.size, mtimeMs: found.mtimeMs, ctimeMs: found.ctimeMs }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}

/** A file name that cannot leave its folder, whatever a raw file is called. */
function safeName(text: string): string {
  const name = text
    .replace(/[^A-Za-z0-9._:-]+/g, '_')
    .replace(/^\.+/, '_')
    .slice(0, 120)
  return name === '' ? '_' : name
}
