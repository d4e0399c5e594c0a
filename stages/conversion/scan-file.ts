import { statSync } from 'node:fs'
import { join } from 'node:path'
import { openHdf5 } from '#runtime/formats/hdf5/file.ts'
import { fingerprintOf } from '#runtime/formats/uvh5/fingerprint.ts'
import { decodeHeader } from '#runtime/formats/uvh5/header.ts'
import type { HeaderScratch } from '#runtime/formats/uvh5/values.ts'
import { jdToMjd, mjdFromIso } from '#runtime/sky/time.ts'
import { StageError, toStageError, type ErrorCode } from '#runtime/stage/errors.ts'
import { parseFileName } from './file-name.ts'
import { headerProblem } from './plausibility.ts'
import { rawFile } from './raw-file.ts'
import { growing, identityOf, sameIdentity, type FileIdentity, type FileLook } from './scan-look.ts'
import type { ScanFault } from './scan-schema.ts'

/**
 * A file that changed this shortly before it was looked at could change again without its times showing it: kernels
 * stamp with the time of their last tick, at most 10 ms ago.
 */
const TICK_MS = 100

/** What the system, or its storage, refuses today it may give tomorrow. */
const passing: ReadonlySet<ErrorCode> = new Set(['INPUT_MISSING', 'STORAGE_FAILED', 'INTERNAL'])

export interface LookOptions {
  /** The present, milliseconds since 1970. */
  nowMs: number
  scratch?: HeaderScratch
}

/** Looks at one file of a folder, headers only. One that cannot be used becomes a fault and never an error. */
export async function lookAt(folder: string, name: string, { nowMs, scratch }: LookOptions): Promise<FileLook> {
  const path = join(folder, name)
  let identity: FileIdentity | undefined
  try {
    identity = identityOf(statSync(path))
    const file = await openHdf5(path)
    try {
      const header = decodeHeader(file, { uvw: 'first', ...(scratch === undefined ? {} : { scratch }) })
      const stamp = parseFileName(name)
      const nowMjd = mjdFromIso(new Date(nowMs).toISOString())
      const problem = headerProblem(header, { nowMjd, stampMjd: stamp?.stampMjd })
      const found: FileLook['found'] =
        problem === undefined
          ? {
              ...rawFile(name, header),
              stamp,
              bytes: identity.bytes,
              mtimeMs: identity.mtimeMs,
              fingerprint: fingerprintOf(file),
            }
          : { file: name, ...problem }
      const after = identityOf(statSync(path))
      if (!sameIdentity(after, identity)) return { identity, found: growing(name), lasting: false }
      // What lies in the future now will not always.
      const future = jdToMjd(header.timeJd[0]) > nowMjd
      const settled = Date.now() - Math.max(identity.ctimeMs, identity.mtimeMs) > TICK_MS
      return { identity, found, lasting: settled && !future }
    } finally {
      file.close()
    }
  } catch (thrown) {
    // A fault of the program is no fault of the file: only our own errors and those of the system are.
    const system = (thrown as NodeJS.ErrnoException | undefined)?.code !== undefined
    if (!(thrown instanceof StageError) && !system) throw thrown
    const error = toStageError(thrown)
    const lasting = thrown instanceof StageError && !passing.has(error.code)
    const settled = identity !== undefined && Date.now() - Math.max(identity.ctimeMs, identity.mtimeMs) > TICK_MS
    return { identity, found: faultOf(name, path, error), lasting: lasting && settled }
  }
}

/** An error of reading as a fault. The fault names the file: a path at the head of its message goes, or becomes `it`. */
function faultOf(file: string, path: string, error: StageError): ScanFault {
  const code = error.code === 'DATA_UNSUPPORTED' || error.code === 'DATA_IMPLAUSIBLE' ? error.code : 'DATA_UNREADABLE'
  const message = error.message.startsWith(path)
    ? error.message.slice(path.length).replace(/^: /, '').replace(/^ /, 'it ')
    : error.message
  const system = (error.cause as NodeJS.ErrnoException | undefined)?.code
  if (system === 'ENOENT') {
    return {
      file,
      code,
      message: 'it is a link to a file that does not exist, or was removed just now',
      hint: 'mend the link, or remove it',
    }
  }
  const advice =
    system === 'EACCES'
      ? 'make the file readable for the user that runs contimg'
      : 'copy the file again, or leave it out'
  return { file, code, message, hint: error.hint ?? advice }
}
