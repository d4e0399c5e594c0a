import type { Resources, StageName, StagePlan, Usage } from '#runtime/stage/contract.ts'
import type { Quality } from '#runtime/stage/quality.ts'
import type { CalibrationChoice } from './solutions.ts'
import type { AttemptClass } from './classify.ts'
import type { Problem } from './problem.ts'

export interface StepRef {
  observation: string
  stage: StageName
  key: string
}

/** How many steps run at once on a machine. */
export interface Slots {
  steps: number
  cores: number
  coresPerStep: number
}

interface PlannedStepFacts {
  stage: StageName
  key: string
  cached: boolean
  /** Why there is no product although the stage ran on this observation before. */
  miss?: string
}

/** What a finished step leaves: paths relative to the data root. */
export interface StepProduct {
  product: string
  outputs: Record<string, string>
  metrics: Record<string, number>
  quality: Quality
  usage: Usage
  warnings: readonly string[]
  /** Versions behind it; logs of older versions do not have it. */
  provenance?: Record<string, string>
}

/** A run is a list of these, one JSON object a line; everything else is a fold of them. */
export type RunEvent = { at: string } & (
  | {
      type: 'run.started'
      run: string
      version: string
      input: string
      executor: string
      pid: number
      continued: boolean
      /** How many steps run at once, and why; logs of older versions do not have it. */
      slots?: Slots
      /** The command line that began the run, without `contimg`. */
      command?: readonly string[]
    }
  | { type: 'run.note'; level: 'info' | 'warn'; message: string }
  | { type: 'scan.finished'; files: number; observations: number; faults: number; seconds: number }
  | {
      type: 'observation.planned'
      observation: string
      steps: PlannedStepFacts[]
      calibration: CalibrationChoice
      replanned?: string
    }
  | {
      type: 'observation.rejected'
      observation: string
      status: 'failed' | 'skipped'
      error: Problem
      quarantined: boolean
    }
  | ({ type: 'step.reused'; step: StepRef } & StepProduct)
  /** A product that is not what was committed was moved aside; its step, when it was done in this run, is to be done again. */
  | { type: 'product.rejected'; step: StepRef; product: string; why: string; movedTo: string }
  | { type: 'step.waiting'; step: StepRef; reason: string }
  | {
      type: 'attempt.started'
      step: StepRef
      attempt: number
      uid: string
      log: string
      /** Its limits, and what its stage planned to need; logs of older versions do not have them. */
      resources?: Resources
      need?: StagePlan
    }
  | { type: 'step.phase'; step: StepRef; phase: string }
  | {
      type: 'attempt.ended'
      step: StepRef
      attempt: number
      class: AttemptClass
      evidence: readonly string[]
      /** Peak resident memory as far as it was seen. */
      peakMemoryBytes?: number
      retry: boolean
    }
  | ({ type: 'step.finished'; step: StepRef } & StepProduct)
  | { type: 'step.failed'; step: StepRef; error: Problem; quarantined: boolean }
  | { type: 'step.skipped'; step: StepRef; error: Problem }
  | { type: 'step.cancelled'; step: StepRef }
  | { type: 'run.finished'; status: 'done' | 'failed' | 'skipped' | 'cancelled'; exitCode: number; seconds: number }
)

/** An event before the log stamps it. */
export type NewEvent = RunEvent extends infer E ? (E extends { at: string } ? Omit<E, 'at'> : never) : never
