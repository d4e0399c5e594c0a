import { createHash, randomUUID } from 'node:crypto'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import { failpoint } from './failpoint.ts'
import { ownerName, thisOwner } from './owner.ts'

const HASH_BLOCK_BYTES = 256 * 1024

export interface Digest {
  sha256: string
  bytes: number
}

/** sha256 and size of a file: one block is read while the other is hashed, in the same two buffers throughout. */
export async function hashFile(path: string): Promise<Digest> {
  const hash = createHash('sha256')
  const handle = await open(path, 'r')
  try {
    let [current, next] = [Buffer.allocUnsafe(HASH_BLOCK_BYTES), Buffer.allocUnsafe(HASH_BLOCK_BYTES)]
    let bytes = 0
    let reading = handle.read(current, 0, HASH_BLOCK_BYTES, bytes)
    for (let { bytesRead } = await reading; bytesRead > 0; { bytesRead } = await reading) {
      bytes += bytesRead
      reading = handle.read(next, 0, HASH_BLOCK_BYTES, bytes)
      hash.update(current.subarray(0, bytesRead))
      ;[current, next] = [next, current]
    }
    return { sha256: hash.digest('hex'), bytes }
  } finally {
    await handle.close()
  }
}

/** A file of a directory with its content hash; `path` is relative, with `/` separators. */
export interface FileDigest extends Digest {
  path: string
}

/** The hash of a directory: that of its files; bytes are the sum over them. */
export async function hashTree(directory: string): Promise<Digest> {
  return treeDigest(await hashFiles(directory))
}

/** Every file below a directory with its hash, sorted by path. */
export async function hashFiles(directory: string): Promise<FileDigest[]> {
  const files = await listFiles(directory)
  return Promise.all(files.map(async (path) => ({ path, ...(await hashFile(join(directory, path))) })))
}

/** The hash of a directory whose files are known: sha256 of their `path size sha256` lines, sorted by path. */
export function treeDigest(files: readonly FileDigest[]): Digest {
  const lines = files.map(({ path, bytes, sha256 }) => `${path} ${bytes} ${sha256}\n`)
  return {
    sha256: createHash('sha256').update(lines.join('')).digest('hex'),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

/** Relative paths of all files below a directory, with `/` separators, sorted by code unit. */
export async function listFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}

/** Writes a file so that its final name never shows a part of it: temporary name, fsync, rename, fsync of the folder. */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  const name = basename(path)
  const temporary = temporaryBeside(path)
  try {
    failpoint('write.before', name)
    const handle = await open(temporary, 'wx')
    try {
      await handle.writeFile(data)
      failpoint('write.after', name)
      await handle.sync()
      failpoint('sync.after', name)
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
    failpoint('rename.after', name)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncPath(dirname(path))
  failpoint('sync.folder.after', name)
}

/** A name for what will get its own by a rename: hidden, and it tells whose it is. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `.${ownerName(thisOwner())}.${randomUUID()}.tmp`)
}

/** fsync of one file or directory. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** fsync of everything below a directory, and of the directory itself. */
export async function syncTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    if (!entry.isFile() && !entry.isDirectory()) continue
    failpoint('sync.before', entry.name)
    await syncPath(join(entry.parentPath, entry.name))
    failpoint('sync.after', entry.name)
  }
  await syncPath(directory)
}

/** JSON with sorted keys and no white space: equal values give equal text. Undefined members are left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`)
    return `{${members.join(',')}}`
  }
  return JSON.stringify(value)
}
