import { readFile, readdir, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { CHECKSUMS_FILE, parseChecksums } from '#runtime/stage/checksums.ts'
import type { StageResult } from '#runtime/stage/contract.ts'
import { hashFile, treeDigest, writeFileAtomic } from '#runtime/stage/files.ts'
import { makeDirectory } from '#runtime/stage/filesystem.ts'
import { readResult, RESULT_FILE } from './product-store.ts'

/** One thing that is wrong with a product: a file of it, and what. */
export interface Finding {
  file: string
  why: string
}

export type Verification =
  | { ok: true; product: string; result: StageResult; bytes: number; hashedBytes: number }
  | { ok: false; why: string; findings: readonly Finding[] }

export interface VerifyOptions {
  /**
   * Believe files whose size, times and inode are those of the last time that they were written or hashed. Any write
   * through the operating system changes the time of change, which no program can set; what a disk loses does not.
   */
  trust: boolean
  signal?: AbortSignal
  /** Hears once, before the first byte is read, how many bytes have to be hashed. */
  onHash?: (bytes: number) => void
  /** Hears of every file that was hashed. */
  onBytes?: (bytes: number) => void
}

/** A file changed so shortly before its stamp was taken may change again within one tick of the file system's clock. */
const CLOCK_TICK_MS = 20
/** Files that are hashed at once. */
const PARALLEL_FILES = 4

interface Stamps {
  seal: string
  /** When they were taken, ms since 1970. */
  at: number
  /** `size modified changed inode` by path. */
  files: Record<string, string>
}

interface FoundFile {
  path: string
  bytes: number
  stamp: string
  changedMs: number
}

/** Holds every file of a product against its hash in `checksums.sha256`, and that list against the sealed `result.json`. */
export async function verifyProduct(root: string, product: string, options: VerifyOptions): Promise<Verification> {
  const folder = join(root, product)
  const reading = await readResult(root, product)
  if (!reading.ok) {
    const why = reading.why.replace(/^it has no .*/, 'is missing').replace(`its ${RESULT_FILE} `, '')
    return failed([{ file: RESULT_FILE, why }], reading.why)
  }
  const { result } = reading
  const list = await readFile(join(folder, CHECKSUMS_FILE), 'utf8').then(parseChecksums, () => undefined)
  if (list === undefined) {
    const why = 'is missing or cannot be read'
    return failed([{ file: CHECKSUMS_FILE, why }], `its ${CHECKSUMS_FILE} ${why}`)
  }
  const files = await findFiles(folder)
  const findings: Finding[] = []
  for (const path of list.keys()) if (!files.has(path)) findings.push({ file: path, why: 'is missing' })
  // Beside the outputs anything may lie; in one it would be read with it.
  for (const path of files.keys())
    if (!list.has(path) && path.includes('/')) findings.push({ file: path, why: 'does not belong to the product' })
  for (const { path, bytes } of Object.values(result.outputs)) {
    const found = files.get(path)
    if (found !== undefined && found.bytes !== bytes)
      findings.push({ file: path, why: `has ${found.bytes} bytes, not ${bytes}` })
  }
  const suspects = new Set(findings.map(({ file }) => file))
  const stamps = options.trust ? await readStamps(root, product, result) : undefined
  const unseen = [...files.values()].filter(
    (file) => list.has(file.path) && !suspects.has(file.path) && !isTrusted(file, stamps),
  )
  const hashedBytes = unseen.reduce((sum, { bytes }) => sum + bytes, 0)
  if (hashedBytes > 0) options.onHash?.(hashedBytes)
  findings.push(...(await compare(folder, unseen, { ...options, expected: list })))
  if (findings.length === 0) findings.push(...compareWithResult(result, list, files))
  if (findings.length > 0) return failed(findings)
  if (unseen.length > 0) await writeStamps(root, product, { result, files })
  const bytes = [...files.values()].reduce((sum, file) => sum + file.bytes, 0)
  return { ok: true, product, result, bytes, hashedBytes }
}

/**
 * Remembers the files of a product that has just been committed, whose hashes are those of its result, so that they need
 * not be hashed again while nobody touches them.
 */
export async function rememberProduct(root: string, product: string, result: StageResult): Promise<void> {
  await writeStamps(root, product, { result, files: await findFiles(join(root, product)) })
}

/** What is wrong, in one sentence: the first findings and how many there are. */
function describeFindings(findings: readonly Finding[]): string {
  const shown = findings.slice(0, 3).map(({ file, why }) => `${file} ${why}`)
  return `${shown.join('; ')}${findings.length > shown.length ? `; and ${findings.length - shown.length} more` : ''}`
}

function failed(findings: readonly Finding[], why = describeFindings(findings)): Verification {
  return { ok: false, why, findings }
}

/** All files of a product but the two that say what it is made of. Links and other odd things are none. */
async function findFiles(folder: string): Promise<Map<string, FoundFile>> {
  const found = new Map<string, FoundFile>()
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  await Promise.all(
    entries.map(async (entry) => {
      if (!entry.isFile()) return
      const path = relative(folder, join(entry.parentPath, entry.name))
      if (path === CHECKSUMS_FILE || path === RESULT_FILE) return
      const file = await stat(join(folder, path), { bigint: true }).catch(() => undefined)
      if (file === undefined) return
      const { size, mtimeNs, ctimeNs, ctimeMs, ino } = file
      const stamp = `${size} ${mtimeNs} ${ctimeNs} ${ino}`
      found.set(path, { path, bytes: Number(size), stamp, changedMs: Number(ctimeMs) })
    }),
  )
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}

async function compare(
  folder: string,
  files: readonly FoundFile[],
  { expected, signal, onBytes }: VerifyOptions & { expected: ReadonlyMap<string, string> },
): Promise<Finding[]> {
  const findings: Finding[] = []
  const queue = [...files]
  const work = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      signal?.throwIfAborted()
      const { path, bytes } = file
      try {
        const { sha256 } = await hashFile(join(folder, path))
        if (sha256 !== expected.get(path)) findings.push({ file: path, why: 'has another content than was committed' })
      } catch (error) {
        const why = `cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`
        findings.push({ file: path, why })
      }
      onBytes?.(bytes)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL_FILES }, work))
  return findings.sort((a, b) => (a.file < b.file ? -1 : 1))
}

/** The list of hashes against the result, which is sealed: a list that was changed with its file shows here. */
function compareWithResult(
  result: StageResult,
  list: ReadonlyMap<string, string>,
  files: ReadonlyMap<string, FoundFile>,
): Finding[] {
  return Object.values(result.outputs).flatMap(({ path, sha256 }) => {
    if (files.has(path)) return list.get(path) === sha256 ? [] : [{ file: path, why: 'is not what its result says' }]
    const inside = [...files.values()].filter((file) => file.path.startsWith(`${path}/`))
    const tree = treeDigest(
      inside.map((file) => ({
        path: file.path.slice(path.length + 1),
        bytes: file.bytes,
        sha256: list.get(file.path) ?? '',
      })),
    )
    return tree.sha256 === sha256 ? [] : [{ file: path, why: 'is not what its result says' }]
  })
}

function isTrusted({ path, stamp, changedMs }: FoundFile, stamps: Stamps | undefined): boolean {
  return stamps !== undefined && stamps.files[path] === stamp && changedMs < stamps.at - CLOCK_TICK_MS
}

function stampsFile(root: string, product: string): string {
  return join(root, 'cache', 'verified', `${relative('products', product)}.json`)
}

async function readStamps(root: string, product: string, { seal }: StageResult): Promise<Stamps | undefined> {
  try {
    const stamps = JSON.parse(await readFile(stampsFile(root, product), 'utf8')) as Stamps
    return stamps.seal === seal &&
      typeof stamps.at === 'number' &&
      typeof stamps.files === 'object' &&
      stamps.files !== null
      ? stamps
      : undefined
  } catch {
    // There are none, or they are damaged: everything is hashed.
    return undefined
  }
}

async function writeStamps(
  root: string,
  product: string,
  { result, files }: { result: StageResult; files: ReadonlyMap<string, FoundFile> },
): Promise<void> {
  const path = stampsFile(root, product)
  const stamps = {
    seal: result.seal ?? '',
    at: Date.now(),
    files: Object.fromEntries([...files.values()].map((file) => [file.path, file.stamp])),
  } satisfies Stamps
  try {
    await makeDirectory(dirname(path))
    await writeFileAtomic(path, JSON.stringify(stamps))
  } catch (error) {
    // A cache on a disk that is full or cannot be written: the next one to ask hashes again.
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EROFS' && code !== 'EACCES') throw error
  }
}
