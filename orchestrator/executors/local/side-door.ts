import { join } from 'node:path'
import type { Progress, StageName } from '#runtime/stage/contract.ts'
import { errorCatalogue, type ErrorCode, type ErrorData } from '#runtime/stage/errors.ts'
import { ProblemError, type ProblemCode } from '../../pipeline/problem.ts'
import { runLines } from './line-child.ts'

/** A JSON line of a stage: progress, the beginning of a phase, a line of its log. */
export type StageEvent =
  | ({ type: 'progress' } & Progress)
  | { type: 'phase'; name: string }
  | ({ type?: undefined } & Record<string, unknown>)

interface SideDoorOptions {
  stagesDir: string
  signal: AbortSignal
  /** The code to report when the stage gives none of its own that a person can act on. */
  failure: ProblemCode
  /** Codes to report for what the stage itself reports. */
  reported?: Partial<Record<ErrorCode, ProblemCode>>
  onProgress?: ((progress: Progress) => void) | undefined
  onEvent?: (event: StageEvent) => void
}

/** Why a stage failed that could not say so itself. */
export class StageKilled extends Error {
  readonly signal: NodeJS.Signals

  constructor(signal: NodeJS.Signals) {
    super(`killed by ${signal}`)
    this.name = 'StageKilled'
    this.signal = signal
  }
}

/**
 * Runs a stage outside a run: `node stages/<stage>/main.ts <args>`. Its standard output and error are JSON lines of type
 * progress, result (or no type) and error; the result is returned. Throws ProblemError with the stage's words, or INTERRUPTED.
 */
export async function runSideDoor(
  stage: StageName,
  args: readonly string[],
  options: SideDoorOptions,
): Promise<unknown> {
  const { stagesDir, signal, onProgress, onEvent } = options
  let result: unknown
  const { failure, killedBy, lastLines } = await runLines([join(stagesDir, stage, 'main.ts'), ...args], {
    signal,
    onLine(line) {
      const event = parseLine(line)
      if (event?.['type'] === 'progress') onProgress?.(event as unknown as Progress)
      if (event !== undefined && isResult(event)) result = event
      else if (event !== undefined) onEvent?.(event)
    },
  })
  if (failure === undefined) return result
  if (signal.aborted) throw new ProblemError('INTERRUPTED', `${stage} was stopped`)
  const reported = reportedError(lastLines)
  const unexplained = [`the ${stage} stage ${failure}`, ...lastLines.slice(-3)].join('\n')
  throw new ProblemError(
    (reported && (options.reported?.[reported.code] ?? anywhere.find((code) => code === reported.code))) ??
      options.failure,
    reported?.message ?? unexplained,
    {
      ...(reported?.hint === undefined ? {} : { hint: reported.hint }),
      ...(killedBy === undefined ? {} : { cause: new StageKilled(killedBy) }),
    },
  )
}

/** What means the same whoever says it. */
const anywhere = ['DISK_FULL', 'OUT_OF_MEMORY', 'STORAGE_FAILED'] as const

/** The error that a stage printed as its last JSON line. */
function reportedError(lines: readonly string[]): { code: ErrorCode; message: string; hint?: string } | undefined {
  for (const line of lines.toReversed()) {
    const event = parseLine(line)
    const error: Partial<ErrorData> | undefined = event?.['error'] ?? (event?.['type'] === 'error' ? event : undefined)
    if (error?.code !== undefined && error.code in errorCatalogue && error.message !== undefined) {
      return { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) }
    }
  }
  return undefined
}

function isResult(event: Record<string, unknown>): boolean {
  return event['type'] === 'result' || (event['type'] === undefined && !('level' in event) && !('error' in event))
}

function parseLine(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    // Not one of ours: a line of a stack trace.
    return undefined
  }
}
