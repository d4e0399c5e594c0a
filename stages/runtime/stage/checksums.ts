import { createHash } from 'node:crypto'
import { canonicalJson, type FileDigest } from './files.ts'

/** The file of a product that lists the sha256 of every other one: `sha256sum -c` reads it. */
export const CHECKSUMS_FILE = 'checksums.sha256'
/** The log of the attempt that made a product: its only file that is neither an output nor about them. */
export const LOG_FILE = 'stage.log'

/** Files and their hashes in the form of sha256sum. */
export function encodeChecksums(files: readonly Pick<FileDigest, 'path' | 'sha256'>[]): string {
  return files.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join('')
}

/** The hashes of a file in the form of sha256sum, by path; undefined where it has another form. */
export function parseChecksums(text: string): ReadonlyMap<string, string> | undefined {
  const lines = text.split('\n')
  if (lines.pop() !== '') return undefined
  const found = new Map<string, string>()
  for (const line of lines) {
    const [, sha256, path] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? []
    if (sha256 === undefined || path === undefined) return undefined
    found.set(path, sha256)
  }
  return found
}

/** The hash over all members of a document but `seal` itself: a document that carries it shows any change of its own. */
export function sealOf(document: object): string {
  return createHash('sha256')
    .update(canonicalJson({ ...document, seal: undefined }))
    .digest('hex')
}

/** The document with its seal. */
export function sealed<T extends object>(document: T): T & { seal: string } {
  return { ...document, seal: sealOf(document) }
}
