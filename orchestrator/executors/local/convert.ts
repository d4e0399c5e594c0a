import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { errorCatalogue, type ErrorCode } from '#runtime/stage/errors.ts'
import { ownerName, thisOwner } from '#runtime/stage/owner.ts'
import { convertedSchema, type Converted } from '../../../stages/conversion/contract.ts'
import { ProblemError, type ProblemCode } from '../../pipeline/problem.ts'
import { SCRATCH, sweepFolder } from '../../runs/sweep.ts'
import { readMachine } from './machine.ts'
import { SHARED_MEMORY } from './scratch.ts'
import { runSideDoor, StageKilled, type StageEvent } from './side-door.ts'

interface ConvertOptions {
  stagesDir: string
  /** Absolute path of the set to make. */
  out: string
  cpu?: string | undefined
  earthOrientation?: string | undefined
  stationTable?: string | undefined
  deadAntennaFraction?: string | undefined
  staging?: string | undefined
  /** Scratch space that the user chose. */
  scratch?: string | undefined
  force?: boolean | undefined
  hash?: boolean | undefined
  signal: AbortSignal
  onEvent: (event: StageEvent) => void
}

/** Faults of the data keep their code; those of the command line get the commands' own. */
const reported: Partial<Record<ErrorCode, ProblemCode>> = {
  ...Object.fromEntries(Object.keys(errorCatalogue).map((code) => [code, code])),
  PARAMS_INVALID: 'USAGE',
  INPUT_MISSING: 'INPUT_NOT_FOUND',
}

/**
 * Converts the files of one group into a MeasurementSet, by the conversion stage as a child process.
 * Throws ProblemError with the stage's code and words, or INTERRUPTED.
 */
export async function convertFiles(files: readonly string[], options: ConvertOptions): Promise<Converted> {
  const { stagesDir, out, signal, onEvent } = options
  const { cores, availableMemoryBytes } = await readMachine()
  const uid = `${randomUUID()}.${ownerName(thisOwner())}`
  const scratch = options.scratch ?? (existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir())
  const begun = (name: string): boolean => name.startsWith(`.${basename(out)}.`) && name.endsWith('.tmp')
  await sweepFolder(scratch, (name) => SCRATCH.test(name), Date.now())
  await sweepFolder(dirname(out), begun, Date.now())
  const values: [string, string | undefined][] = [
    ['out', out],
    ['uid', uid],
    ['cpu', options.cpu ?? String(cores)],
    ['memory-bytes', String(Math.floor(availableMemoryBytes / 2))],
    ['scratch', scratch],
    ['staging', options.staging],
    ['earth-orientation', options.earthOrientation],
    ['station-table', options.stationTable],
    ['dead-antenna-fraction', options.deadAntennaFraction],
  ]
  const args = ['--convert', ...values.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]))]
  if (options.force === true) args.push('--force')
  if (options.hash === true) args.push('--hash')
  try {
    const result = await runSideDoor('conversion', [...args, '--', ...files], {
      stagesDir,
      signal,
      failure: 'CONVERSION_FAILED',
      reported,
      onEvent,
    })
    return convertedSchema.parse(withoutType(result))
  } catch (error) {
    throw interrupted(error) ?? killed(error) ?? error
  } finally {
    // The stage removes them itself, but not when it was killed.
    for (const left of [join(dirname(out), `.${basename(out)}.${uid}.tmp`), join(scratch, `contimg-${uid}`)])
      await rm(left, { recursive: true, force: true })
  }
}

function interrupted(error: unknown): ProblemError | undefined {
  if (!(error instanceof ProblemError) || error.problem.code !== 'INTERRUPTED') return undefined
  return new ProblemError('INTERRUPTED', 'the conversion was stopped, and nothing is left of it', { cause: error })
}

/** A conversion that was killed says nothing itself. */
function killed(error: unknown): ProblemError | undefined {
  if (!(error instanceof ProblemError) || !(error.cause instanceof StageKilled)) return undefined
  return new ProblemError('STAGE_KILLED', `the conversion was killed by ${error.cause.signal}`, {
    cause: error,
    hint: 'if nobody did, the machine has run out of memory: --cpu 1 takes less',
  })
}

function withoutType(result: unknown): unknown {
  if (typeof result !== 'object' || result === null) return result
  return Object.fromEntries(Object.entries(result).filter(([name]) => name !== 'type'))
}
