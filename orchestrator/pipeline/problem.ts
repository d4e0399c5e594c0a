import type { Progress } from '#runtime/stage/contract.ts'
import { errorCatalogue, readable, type ErrorData } from '#runtime/stage/errors.ts'

/** Codes of what can go wrong outside the stages; the stages' own codes are in the runtime's error catalogue. */
export const problemCatalogue = {
  USAGE: { exit: 2, help: 'the command line is not understood', fix: 'see `contimg help`, or --help of the command' },
  CONFIG_UNREADABLE: {
    exit: 2,
    help: 'the configuration file cannot be read',
    fix: 'give the path of a YAML file that exists, or none and --input DIR',
  },
  CONFIG_INVALID: {
    exit: 2,
    help: 'the configuration breaks its schema',
    fix: 'correct what the message lists by line and column; nothing was started',
  },
  CONFIG_KEY_UNKNOWN: {
    exit: 2,
    help: 'the configuration has no such key',
    fix: '`contimg explain` lists all keys',
  },
  INPUT_NOT_FOUND: {
    exit: 2,
    help: 'the input folder or file does not exist',
    fix: 'give the folder of the raw files with --input DIR',
  },
  INPUT_UNREADABLE: {
    exit: 2,
    help: 'the input folder cannot be read',
    fix: 'give this user the right to read the folder and its files',
  },
  INPUT_EMPTY: {
    exit: 2,
    help: 'the input folder holds no subband files',
    fix: 'give the folder that holds the .hdf5 files themselves',
  },
  OBSERVATIONS_UNKNOWN: {
    exit: 2,
    help: 'no observation of the input folder is selected',
    fix: '`contimg scan DIR` lists the ids there are; --observations takes them and patterns',
  },
  ROOT_UNWRITABLE: {
    exit: 2,
    help: 'the data root cannot be written',
    fix: 'give another data root with --root DIR, or the right to write to this one',
  },
  SCRATCH_UNWRITABLE: {
    exit: 2,
    help: 'the scratch folder of CONTIMG_SCRATCH cannot be written',
    fix: 'set CONTIMG_SCRATCH to a folder that can be, or unset it',
  },
  PRODUCT_NOT_FOUND: {
    exit: 2,
    help: 'there is no such product, observation or run to verify',
    fix: '`contimg list` shows the runs, `contimg get RUN -o wide` the products of one',
  },
  WSCLEAN_MISSING: {
    exit: 2,
    help: 'WSClean is not installed',
    fix: 'install WSClean (Debian, Ubuntu: apt-get install wsclean)',
  },
  CATALOGUE_NOT_FOUND: {
    exit: 2,
    help: 'the named catalogue does not exist',
    fix: '`contimg catalogue list` shows those that are there; `contimg catalogue import FILE` adds one',
  },
  CATALOGUE_UNREADABLE: {
    exit: 2,
    help: 'the named catalogue cannot be read',
    fix: 'import it again from its source: `contimg catalogue import FILE`',
  },
  CATALOGUE_IMPORT_FAILED: {
    exit: 2,
    help: 'a catalogue file cannot be imported',
    fix: 'correct the file or name its columns (docs/catalogues.md)',
  },
  SIMULATION_FAILED: {
    exit: 1,
    help: 'the synthetic observation could not be written',
    fix: 'read its last words in the message',
  },
  OUTPUT_EXISTS: {
    exit: 2,
    help: 'the folder to write to holds something else',
    fix: 'choose another name, or --force to replace what is there',
  },
  OUTPUT_UNWRITABLE: {
    exit: 2,
    help: 'the folder to write to does not exist or cannot be written',
    fix: 'choose a folder that exists and can be written',
  },
  OBSERVATIONS_MIXED: {
    exit: 2,
    help: 'the files to convert into one set belong to several observations',
    fix: 'give the files of one observation; `contimg scan DIR` shows which belong together',
  },
  QUARANTINE_UNKNOWN: {
    exit: 2,
    help: 'no raw file of that name is set aside',
    fix: '`contimg quarantine` shows what is set aside',
  },
  RUN_NOT_FOUND: { exit: 2, help: 'there is no such run', fix: '`contimg list` shows the runs of this data root' },
  RUN_UNREADABLE: {
    exit: 2,
    help: 'the event log of the run is damaged',
    fix: 'move the folder of the run, `runs/NAME`, aside and run again: products are kept and are reused',
  },
  RUN_NAME_TAKEN: {
    exit: 2,
    help: 'a run of that name has another configuration',
    fix: 'choose another --name, or give the configuration that the run was started with',
  },
  RUN_NOT_ACTIVE: {
    exit: 2,
    help: 'no process works on this run',
    fix: 'nothing needs to be cancelled; `contimg get RUN` shows how it ended, `contimg rm RUN` removes it',
  },
  RUN_TIMED_OUT: {
    exit: 5,
    help: 'the run took longer than --timeout allows',
    fix: '`contimg resume RUN` goes on; finished steps are reused',
  },
  STEP_NOT_FOUND: {
    exit: 2,
    help: 'the run has no such observation or step, or a shortened id fits several',
    fix: '`contimg get RUN` shows the observations, stages and keys there are',
  },
  UPSTREAM_NEEDED: {
    exit: 2,
    help: 'a step before the first one that is to run (--from, --only) has no product',
    fix: 'leave --from or --only out, or name an earlier stage',
  },
  RUN_LOCKED: {
    exit: 2,
    help: 'another process works on this run',
    fix: 'wait until the other process has ended, or start a run of another name',
  },
  CONVERSION_FAILED: { exit: 1, help: 'the files could not be converted', fix: 'read its last words in the message' },
  SCAN_FAILED: { exit: 1, help: 'the input folder could not be scanned', fix: 'read its last words in the message' },
  SUBBANDS_MISSING: {
    exit: 1,
    help: 'fewer subbands than ingest.minSubbands',
    fix: 'copy the missing files and run the same command again, or lower ingest.minSubbands',
  },
  BLOCKED: {
    exit: 3,
    help: 'an earlier step of the observation is bad in a check that blocks',
    fix: 'look at the product, which is kept; nothing is made from it',
  },
  UPSTREAM_FAILED: {
    exit: 1,
    help: 'an earlier step of the observation failed',
    fix: 'set right what made the earlier step fail; its own message says what',
  },
  OUT_OF_MEMORY: {
    exit: 1,
    help: 'the kernel killed the stage for memory',
    fix: 'free some memory or choose smaller parameters, then run the same command again',
  },
  STAGE_KILLED: {
    exit: 1,
    help: 'the stage was killed from outside',
    fix: 'run the same command again: finished steps are reused',
  },
  STAGE_CRASHED: {
    exit: 1,
    help: 'the stage ended without saying why',
    fix: 'read the log of the attempt and report this as a defect',
  },
  TIME_LIMIT: {
    exit: 1,
    help: 'the stage ran longer than its time limit',
    fix: 'raise execution.timeouts for this stage, or look at its log for where it hangs',
  },
  RESULT_INVALID: {
    exit: 1,
    help: 'the stage ended well but its result does not hold',
    fix: 'report this as a defect, with the log of the attempt',
  },
  INTERRUPTED: { exit: 130, help: 'stopped by the user', fix: 'run the same command again: finished steps are reused' },
} as const satisfies Record<string, { exit: number; help: string; fix: string }>

export type ProblemCode = keyof typeof problemCatalogue | keyof typeof errorCatalogue

/** What was last heard of an attempt. */
export interface LastWords {
  phase?: string
  progress?: Progress
  /** Resident memory, and its limit. */
  memoryBytes?: number
  memoryLimitBytes?: number
  /** The last line of its log. */
  said?: string
}

/** What went wrong, as data: in events, in JSON output and, through the view, on the terminal. */
export interface Problem {
  code: ProblemCode
  /** What happened, one sentence. */
  message: string
  /** What led to it, where that is known. */
  why?: string
  last?: LastWords
  /** What to do about it. */
  hint?: string
  /** What to add to the command line that was typed, so that it does what the hint says. */
  again?: readonly string[]
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
    super(readable(message), options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ProblemError'
    this.problem = {
      code,
      message: readable(message),
      ...(options.hint === undefined ? {} : { hint: options.hint }),
      ...(options.details === undefined ? {} : { details: options.details.map(readable) }),
    }
  }

  get exitCode(): number {
    const { code } = this.problem
    return code in problemCatalogue ? problemCatalogue[code as keyof typeof problemCatalogue].exit : 1
  }
}

/** A stage's error as a problem: without what only machines need. */
export function problemOf({ code, message, hint, cause }: ErrorData): Problem {
  const why = cause === undefined || message.includes(cause) ? {} : { why: cause }
  return {
    code,
    message,
    ...why,
    ...(hint === undefined ? {} : { hint }),
    ...(code === 'NO_CALIBRATOR' ? { again: ['--uncalibrated'] } : {}),
  }
}

/** What to do about a code where nothing more particular is known. */
export function fixOf(code: ProblemCode): string {
  return code in problemCatalogue
    ? problemCatalogue[code as keyof typeof problemCatalogue].fix
    : errorCatalogue[code as keyof typeof errorCatalogue].fix
}

/** Whether a code means that the raw data of an observation are at fault. */
export function isQuarantine(code: string): boolean {
  return code in errorCatalogue && errorCatalogue[code as keyof typeof errorCatalogue].quarantine
}
