import { errorCatalogue, type ErrorData } from '#runtime/stage/errors.ts'

/** Codes of what can go wrong outside the stages; the stages' own codes are in the runtime's error catalogue. */
export const problemCatalogue = {
  USAGE: { exit: 2, help: 'the command line is not understood' },
  CONFIG_UNREADABLE: { exit: 2, help: 'the configuration file cannot be read' },
  CONFIG_INVALID: { exit: 2, help: 'the configuration breaks its schema' },
  INPUT_NOT_FOUND: { exit: 2, help: 'the input folder or file does not exist' },
  INPUT_UNREADABLE: { exit: 2, help: 'the input folder cannot be read' },
  INPUT_EMPTY: { exit: 2, help: 'the input folder holds no subband files' },
  OBSERVATIONS_UNKNOWN: { exit: 2, help: 'no observation of the input folder is selected' },
  ROOT_UNWRITABLE: { exit: 2, help: 'the data root cannot be written' },
  WSCLEAN_MISSING: { exit: 2, help: 'WSClean is not installed' },
  CATALOGUE_NOT_FOUND: { exit: 2, help: 'the named catalogue does not exist' },
  CATALOGUE_UNREADABLE: { exit: 2, help: 'the named catalogue cannot be read' },
  CATALOGUE_IMPORT_FAILED: { exit: 2, help: 'a catalogue file cannot be imported' },
  SIMULATION_FAILED: { exit: 1, help: 'the synthetic observation could not be written' },
  OUTPUT_EXISTS: { exit: 2, help: 'the folder to write to holds something else' },
  OUTPUT_UNWRITABLE: { exit: 2, help: 'the folder to write to does not exist or cannot be written' },
  OBSERVATIONS_MIXED: { exit: 2, help: 'the files to convert into one set belong to several observations' },
  RUN_NOT_FOUND: { exit: 2, help: 'there is no such run' },
  RUN_NAME_TAKEN: { exit: 2, help: 'a run of that name has another configuration' },
  RUN_LOCKED: { exit: 2, help: 'another process works on this run' },
  CONVERSION_FAILED: { exit: 1, help: 'the files could not be converted' },
  SCAN_FAILED: { exit: 1, help: 'the input folder could not be scanned' },
  SUBBANDS_MISSING: { exit: 1, help: 'fewer subbands than ingest.minSubbands' },
  BLOCKED: { exit: 3, help: 'an earlier step of the observation is bad in a check that blocks' },
  UPSTREAM_FAILED: { exit: 1, help: 'an earlier step of the observation failed' },
  OUT_OF_MEMORY: { exit: 1, help: 'the kernel killed the stage for memory' },
  STAGE_KILLED: { exit: 1, help: 'the stage was killed from outside' },
  STAGE_CRASHED: { exit: 1, help: 'the stage ended without saying why' },
  TIME_LIMIT: { exit: 1, help: 'the stage ran longer than its time limit' },
  RESULT_INVALID: { exit: 1, help: 'the stage ended well but its result does not hold' },
  INTERRUPTED: { exit: 130, help: 'stopped by the user' },
} as const

export type ProblemCode = keyof typeof problemCatalogue | keyof typeof errorCatalogue

/** What went wrong, as data: in events, in JSON output and, through the view, on the terminal. */
export interface Problem {
  code: ProblemCode
  /** What happened and why, one sentence. */
  message: string
  /** What to do about it. */
  hint?: string
  /** More than one finding under the same code (configuration errors). */
  details?: readonly string[]
}

/** Thrown for every failure outside the steps of a run that a person can act on. */
export class ProblemError extends Error {
  readonly problem: Problem

  constructor(
    code: ProblemCode,
    message: string,
    options: { hint?: string; details?: readonly string[]; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ProblemError'
    this.problem = {
      code,
      message,
      ...(options.hint === undefined ? {} : { hint: options.hint }),
      ...(options.details === undefined ? {} : { details: options.details }),
    }
  }

  get exitCode(): number {
    const { code } = this.problem
    return code in problemCatalogue ? problemCatalogue[code as keyof typeof problemCatalogue].exit : 1
  }
}

/** A stage's error as a problem: without what only machines need. */
export function problemOf({ code, message, hint, cause }: ErrorData): Problem {
  const why = cause === undefined || message.includes(cause) ? message : `${message}: ${cause}`
  return { code, message: why, ...(hint === undefined ? {} : { hint }) }
}

/** Whether a code means that the raw data of an observation are at fault. */
export function isQuarantine(code: string): boolean {
  return code in errorCatalogue && errorCatalogue[code as keyof typeof errorCatalogue].quarantine
}
