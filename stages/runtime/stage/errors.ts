/** What is said of a code on the page of codes: what it means, and what a person does about it. */
interface CatalogueEntry {
  exit: number
  retryable: boolean
  quarantine: boolean
  help: string
  fix: string
}

/**
 * The catalogue of error codes a stage can end with. Each code fixes the exit code, whether a retry can help, and
 * whether the raw data of the observation are at fault (`quarantine`).
 */
export const errorCatalogue = {
  PARAMS_INVALID: {
    exit: 64,
    retryable: false,
    quarantine: false,
    help: 'the context or its parameters do not fit the contract',
    fix: 'correct the parameter that the message names; `contimg run` checks the configuration before it starts anything',
  },
  PLAN_TOO_LARGE: {
    exit: 64,
    retryable: false,
    quarantine: false,
    help: 'the planned memory or scratch exceeds what the attempt was given',
    fix: 'give the stage more with execution.stages.<stage>.resources, or choose smaller parameters',
  },
  INPUT_MISSING: {
    exit: 66,
    retryable: false,
    quarantine: false,
    help: 'a promised input does not exist',
    fix: 'put the file back where it was, or run the same command again so that it is looked for anew',
  },
  OBSERVATIONS_MIXED: {
    exit: 64,
    retryable: false,
    quarantine: false,
    help: 'the files to convert into one set belong to several observations',
    fix: 'give the files of one observation; `contimg scan DIR` shows which belong together',
  },
  INPUT_CHANGED: {
    exit: 66,
    retryable: false,
    quarantine: false,
    help: 'an input differs in size or hash from what the context promises',
    fix: 'run the same command again when nothing writes to the input any more; remove a product that was damaged',
  },
  INPUT_GROWING: {
    exit: 66,
    retryable: false,
    quarantine: false,
    help: 'a raw file is still being written',
    fix: 'wait until the copy is complete, then run the same command again; ingest.waitSeconds lets a run wait',
  },
  DATA_UNREADABLE: {
    exit: 65,
    retryable: false,
    quarantine: true,
    help: 'a raw file cannot be read: not HDF5, truncated or corrupt',
    fix: 'copy the file again from where it was recorded, then run the same command again',
  },
  DATA_UNSUPPORTED: {
    exit: 65,
    retryable: false,
    quarantine: true,
    help: 'a raw file uses a layout, type or filter that is not supported',
    fix: 'write the file again in a layout that is supported (docs/raw-data.md)',
  },
  DATA_IMPLAUSIBLE: {
    exit: 65,
    retryable: false,
    quarantine: true,
    help: 'raw headers hold implausible values',
    fix: 'look at the header that the message names; nothing is guessed in its place',
  },
  DATA_UNUSABLE: {
    exit: 65,
    retryable: false,
    quarantine: false,
    help: 'the data cannot be processed: all flagged, all zero, or empty',
    fix: 'nothing can be made from these data; leave the observation out with --observations',
  },
  NO_CALIBRATOR: {
    exit: 65,
    retryable: false,
    quarantine: false,
    help: 'no calibrator in the beam and no valid solution set',
    fix: 'add an observation of a calibrator within 12 hours to the input, or image without: --uncalibrated',
  },
  OUTPUT_EXISTS: {
    exit: 64,
    retryable: false,
    quarantine: false,
    help: 'the folder to write to holds something else',
    fix: 'choose another name, or --force to replace a MeasurementSet',
  },
  OUTPUT_UNWRITABLE: {
    exit: 64,
    retryable: false,
    quarantine: false,
    help: 'the folder to write to does not exist or cannot be written',
    fix: 'choose a folder that exists and can be written',
  },
  OUTPUT_INVALID: {
    exit: 70,
    retryable: false,
    quarantine: false,
    help: 'the stage did not write what its contract promises',
    fix: 'report this as a defect, with the log of the attempt',
  },
  WSCLEAN_MISSING: {
    exit: 69,
    retryable: false,
    quarantine: false,
    help: 'WSClean is not installed',
    fix: 'install WSClean (Debian, Ubuntu: apt-get install wsclean)',
  },
  WSCLEAN_FAILED: {
    exit: 70,
    retryable: false,
    quarantine: false,
    help: 'WSClean ended with an error',
    fix: 'read its last lines in the log of the attempt; they name the cause',
  },
  DISK_FULL: {
    exit: 74,
    retryable: false,
    quarantine: false,
    help: 'no space left on the data root or the scratch folder',
    fix: 'free some space, then run the same command again: finished steps are reused',
  },
  OUT_OF_MEMORY: {
    exit: 71,
    retryable: false,
    quarantine: false,
    help: 'memory that the stage or WSClean asked for could not be had, or the kernel killed WSClean for it',
    fix: 'free some memory, raise execution.stages.<stage>.resources.memory, or choose smaller parameters',
  },
  STORAGE_FAILED: {
    exit: 74,
    retryable: true,
    quarantine: false,
    help: 'a disk, or the way to it, failed while it was read or written',
    fix: 'look at the disk and the kernel log (dmesg), then run the same command again: finished steps are reused',
  },
  CANCELLED: {
    exit: 75,
    retryable: true,
    quarantine: false,
    help: 'stopped by SIGTERM or SIGINT before the product was committed',
    fix: 'run the same command again: finished steps are reused',
  },
  INTERNAL: {
    exit: 70,
    retryable: false,
    quarantine: false,
    help: 'a fault of contimg itself',
    fix: 'run again with -v and report this as a defect',
  },
} as const satisfies Record<string, CatalogueEntry>

export type ErrorCode = keyof typeof errorCatalogue

/** An error as it crosses the process border: plain JSON. */
export interface ErrorData {
  code: ErrorCode
  message: string
  hint?: string
  retryable: boolean
  quarantine: boolean
  cause?: string
}

/** Names and values in messages come from files, and may be of any length. */
const MAX_MESSAGE_CHARACTERS = 4000

/** A text of a length that a person can read. */
export function readable(text: string): string {
  if (text.length <= MAX_MESSAGE_CHARACTERS) return text
  return `${text.slice(0, MAX_MESSAGE_CHARACTERS)}\u2026 (and ${text.length - MAX_MESSAGE_CHARACTERS} more characters)`
}

/** Thrown by stages for every failure a person can act on: what and why in the message, the fix in the hint. */
export class StageError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(readable(message), options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'StageError'
    this.code = code
    this.hint = options.hint
  }

  get exitCode(): number {
    return errorCatalogue[this.code].exit
  }
}

/** Any thrown value as a StageError: system errors with a known meaning get their own code, the rest is INTERNAL. */
export function toStageError(thrown: unknown): StageError {
  // Whatever a stage made of it: no room is no room.
  const noSpace = causesOf(thrown).find(isNoSpace)
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  if (noSpace !== undefined) {
    return new StageError('DISK_FULL', noSpace instanceof Error ? noSpace.message : message, {
      cause: noSpace,
      hint: 'free some space, then run the same command again',
    })
  }
  if (thrown instanceof StageError) return thrown
  const code = (thrown as NodeJS.ErrnoException | undefined)?.code
  if (isNoMemory(thrown)) {
    return new StageError('OUT_OF_MEMORY', `not enough memory: ${message}`, {
      cause: thrown,
      hint: 'free some memory, give the stage more, or choose smaller parameters',
    })
  }
  if (code === 'EROFS') {
    return new StageError('OUTPUT_UNWRITABLE', `the file system cannot be written: ${message}`, {
      cause: thrown,
      hint: 'make it writable, or choose another data root, then run the same command again',
    })
  }
  if (code !== undefined && storageFailures.has(code)) {
    return new StageError('STORAGE_FAILED', `the storage failed: ${message}`, {
      cause: thrown,
      hint: 'look at the disk and the kernel log (dmesg), then run the same command again',
    })
  }
  return new StageError('INTERNAL', message, { cause: thrown })
}

/** Whether an error of the system means that there is no room, or none for this user. */
export function isNoSpace(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** A disk, or the way to it, that does not do what it is told. */
const storageFailures: ReadonlySet<string> = new Set(['EIO', 'ENXIO', 'ENODEV', 'ESTALE', 'ETIMEDOUT', 'EUCLEAN'])

/** Whether memory could not be had: by the system, for a buffer, for a thread or for WebAssembly. */
function isNoMemory(thrown: unknown): boolean {
  const { code } = (thrown ?? {}) as NodeJS.ErrnoException
  if (code === 'ENOMEM' || code === 'ERR_MEMORY_ALLOCATION_FAILED' || code === 'ERR_WORKER_OUT_OF_MEMORY') return true
  return thrown instanceof RangeError && /allocation failed|could not allocate memory/i.test(thrown.message)
}

function causesOf(thrown: unknown): unknown[] {
  const found: unknown[] = []
  for (let error = thrown; error !== undefined && !found.includes(error); error = (error as Error | null)?.cause)
    found.push(error)
  return found
}

/** The error as plain data for the termination snapshot, the log and the event stream. */
export function errorData(error: StageError): ErrorData {
  const { retryable, quarantine } = errorCatalogue[error.code]
  const cause = error.cause instanceof Error ? error.cause.message : undefined
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    retryable,
    quarantine,
    ...(cause === undefined || cause === error.message ? {} : { cause }),
  }
}
