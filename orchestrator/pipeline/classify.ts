import type { ErrorData } from '#runtime/stage/errors.ts'
import type { Problem } from './problem.ts'
import { problemOf } from './problem.ts'

/** How an attempt ended; the same words for child processes and for Jobs. */
const attemptClasses = [
  'succeeded',
  'oom',
  'scratch-full',
  'heap',
  'disrupted',
  'node-lost',
  'image-pull',
  'unschedulable',
  'quota',
  'deadline',
  'app',
  'invalid-output',
  'cancelled',
  'unknown',
] as const
export type AttemptClass = (typeof attemptClasses)[number]

/** What is known of a child process that ended. */
export interface ProcessEvidence {
  exitCode: number | undefined
  signal: string | undefined
  /** Who asked it to stop, when somebody did. */
  stopped?: 'user' | 'deadline'
  /** Kills for memory that the kernel counted while the child ran: in our control group, else on the machine. */
  oomKills: number
  /** The error that the stage itself reported. */
  error?: ErrorData
  /** What is wrong with the result of a child that ended with 0. */
  invalidResult?: string
  /** Last lines of its standard error. */
  lastLines: readonly string[]
  phase?: string
  /** Memory it had at most, as far as it was seen, and what it had been given. */
  peakMemoryBytes?: number
  limitBytes?: number
}

/** A shell's exit code for a signal n is 128 + n. */
const EXIT_OF_SIGNALS = 128
const EXIT_ABORT = 134
const EXIT_KILLED = 137

/** The class of an ended child process, by evidence in order of strength: a stage's own error code beats its exit code. */
export function classifyProcess(evidence: ProcessEvidence): AttemptClass {
  const { exitCode, signal, stopped, oomKills, error, invalidResult, lastLines } = evidence
  if (exitCode === 0) return invalidResult === undefined ? 'succeeded' : 'invalid-output'
  if (stopped === 'deadline') return 'deadline'
  if (stopped === 'user') return 'cancelled'
  if (error?.code === 'DISK_FULL') return 'scratch-full'
  if (error?.code === 'OUT_OF_MEMORY') return 'oom'
  if (error !== undefined && error.code !== 'CANCELLED') return 'app'
  if (oomKills > 0 && (signal === 'SIGKILL' || exitCode === EXIT_KILLED)) return 'oom'
  if (lastLines.some((line) => line.includes('heap out of memory'))) return 'heap'
  if (signal !== undefined || exitCode === EXIT_KILLED || error?.code === 'CANCELLED') {
    return signal === 'SIGABRT' || signal === 'SIGSEGV' || signal === 'SIGBUS' ? 'app' : 'disrupted'
  }
  if (exitCode === EXIT_ABORT) return 'app'
  return exitCode === undefined ? 'unknown' : 'app'
}

/**
 * Whether another attempt can help: what the stage itself says; else no when it ended by itself, for the same program with
 * the same input ends in the same way (a syntax error, a missing module); undefined where its class decides.
 */
export function isRetryable({ error, exitCode, signal }: ProcessEvidence): boolean | undefined {
  if (error !== undefined) return error.retryable
  return exitCode !== undefined && exitCode < EXIT_OF_SIGNALS && signal === undefined ? false : undefined
}

/** Evidence as short sentences for the event log. */
export function describeEvidence({
  exitCode,
  signal,
  stopped,
  oomKills,
  error,
  invalidResult,
  phase,
  lastLines,
}: ProcessEvidence): string[] {
  const lines: string[] = []
  if (stopped !== undefined) lines.push(stopped === 'user' ? 'asked to stop' : 'ran out of its time limit')
  if (signal !== undefined) lines.push(`killed by ${signal}`)
  else if (exitCode !== undefined) lines.push(`exit code ${exitCode}`)
  if (oomKills > 0) lines.push(`the kernel counted ${oomKills} kill${oomKills === 1 ? '' : 's'} for memory`)
  if (phase !== undefined) lines.push(`in phase ${phase}`)
  if (error !== undefined) lines.push(`${error.code}: ${error.message}`)
  if (invalidResult !== undefined) lines.push(invalidResult)
  const words = lastWords(lastLines)
  if (error === undefined && words !== undefined) lines.push(`last words: ${words}`)
  return lines
}

/** The problem to show for an attempt that did not succeed. */
export function explainAttempt(outcome: AttemptClass, evidence: ProcessEvidence): Problem {
  if (evidence.error !== undefined && outcome !== 'deadline' && outcome !== 'cancelled')
    return problemOf(evidence.error)
  const words = lastWords(evidence.lastLines)
  const how = evidence.signal ?? `exit code ${evidence.exitCode}`
  switch (outcome) {
    case 'oom':
    case 'heap':
      return {
        code: 'OUT_OF_MEMORY',
        message: 'the stage ran out of memory',
        why:
          outcome === 'heap'
            ? `the heap of its JavaScript reached its limit: ${words}`
            : `the kernel killed it (${how}) when memory was used up${usedMemory(evidence)}`,
        hint: 'free some memory or choose smaller parameters, then run the same command again: finished steps are reused',
      }
    case 'deadline':
      return {
        code: 'TIME_LIMIT',
        message: 'the stage ran longer than its time limit',
        hint: 'raise execution.timeouts for this stage, or look at its log for where it hangs',
      }
    case 'cancelled':
      return {
        code: 'CANCELLED',
        message: 'stopped by the user',
        hint: 'run the same command again: finished steps are reused',
      }
    case 'disrupted':
      return {
        code: 'STAGE_KILLED',
        message: `the stage was killed from outside (${how})`,
        hint: 'run the same command again: finished steps are reused',
      }
    case 'invalid-output':
      return {
        code: 'RESULT_INVALID',
        message: evidence.invalidResult ?? 'the result does not hold',
        hint: 'report this as a defect with the log',
      }
    default:
      return {
        code: 'STAGE_CRASHED',
        message: `the stage ended with ${how} without saying why`,
        ...(words === undefined ? {} : { why: `its last words: ${words}` }),
        hint: 'read its log; report this as a defect',
      }
  }
}

function usedMemory({ peakMemoryBytes, limitBytes }: ProcessEvidence): string {
  const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`
  const used = peakMemoryBytes === undefined ? '' : `; it was last seen with ${mebibytes(peakMemoryBytes)}`
  const given =
    limitBytes === undefined ? '' : `${used === '' ? '; it' : ' and'} had been given ${mebibytes(limitBytes)}`
  return `${used}${given}`
}

/** The line that says most of what a dying process printed: the last error, else the last line that is no stack trace. */
function lastWords(lines: readonly string[]): string | undefined {
  const said = lines.map((line) => line.trim()).filter((line) => line !== '' && !/^(at |Node\.js v|[{}^]*$)/.test(line))
  return said.findLast((line) => /error/i.test(line)) ?? said.at(-1)
}
