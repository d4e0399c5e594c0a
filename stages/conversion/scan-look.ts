import { statSync, type Stats } from 'node:fs'
import type { NamedFile } from './group.ts'
import type { ScanFault } from './scan-schema.ts'

/** By these a file is known again without opening it. Its change time tells what its other times can be set to hide. */
export interface FileIdentity {
  bytes: number
  mtimeMs: number
  ctimeMs: number
}

/** A usable file, reduced to what grouping and describing its observation need. */
export interface CheckedFile extends NamedFile {
  bytes: number
  mtimeMs: number
  fingerprint: string
}

/** What was found in one file. */
export interface FileLook {
  identity: FileIdentity | undefined
  found: CheckedFile | ScanFault
  /** Whether it stays so as long as the identity does. */
  lasting: boolean
}

/** Undefined when it cannot be had: a file may be renamed or removed between listing and look. */
export function identityAt(path: string): FileIdentity | undefined {
  try {
    return identityOf(statSync(path))
  } catch {
    return undefined
  }
}

export function identityOf({ size, mtimeMs, ctimeMs }: Stats): FileIdentity {
  return { bytes: size, mtimeMs, ctimeMs }
}

export function sameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.bytes === b.bytes && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs
}

export function isFault(found: FileLook['found']): found is ScanFault {
  return !('fingerprint' in found)
}

/** For a file that is not the same from one moment to the next. */
export function growing(file: string): ScanFault {
  return {
    file,
    code: 'INPUT_GROWING',
    message: 'it is still being written',
    hint: 'wait until the copy is complete, then run the same command again',
  }
}
