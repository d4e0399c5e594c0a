import type { Progress, StageContext, StageResult } from '#runtime/stage/contract.ts'
import type { UsageSample } from '#runtime/stage/usage.ts'
import type { AttemptClass } from '../pipeline/classify.ts'
import type { Problem } from '../pipeline/problem.ts'

/** One attempt of a step: everything an executor needs to start it. */
export interface AttemptRequest {
  context: StageContext
  /** Folder that `incoming:` paths are relative to. */
  incoming: string
  timeoutSeconds?: number
}

/** What is heard of a running attempt. */
export interface AttemptListener {
  phase(name: string): void
  progress(progress: Progress): void
  /** About once a second. */
  usage(sample: UsageSample): void
}

/** How an attempt ended; the same for every executor. */
export interface AttemptOutcome {
  class: AttemptClass
  evidence: readonly string[]
  /** Whether trying again can help; absent where the class decides. */
  retryable?: boolean
  /** Peak resident memory as far as it was seen. */
  peakMemoryBytes?: number
  /** Present unless it succeeded. */
  problem?: Problem
  /** Present when it succeeded. */
  result?: StageResult
}

export interface AttemptHandle {
  /** Asks the attempt to stop; it ends as `cancelled` unless it has committed. */
  cancel(): void
  readonly outcome: Promise<AttemptOutcome>
}

/** Where steps run. */
export interface Executor {
  readonly name: string
  /** Folders of this machine in which `scratchFolder` makes one. */
  readonly scratchFolders: readonly string[]
  /** A folder for the scratch of one attempt, by what its step plans. */
  scratchFolder(uid: string, scratchBytes: number, memoryBytes: number): Promise<string>
  /** Where the log of an attempt goes, relative to the data root. */
  logPath(context: Pick<StageContext, 'observation' | 'stage' | 'key' | 'attempt'>): string
  submit(request: AttemptRequest, listener: AttemptListener): AttemptHandle
}
