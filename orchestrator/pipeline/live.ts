import type { Progress } from '#runtime/stage/contract.ts'
import type { UsageSample } from '#runtime/stage/usage.ts'
import type { StepRef } from './events.ts'

/** What is known of a running step for the moment: shown, forgotten, and no part of the event log. */
export interface LiveStep {
  progress?: Progress
  usage?: UsageSample
}

/** Running steps by `liveName`. */
export type LiveSteps = ReadonlyMap<string, LiveStep>

export function liveName({ observation, stage, key }: StepRef): string {
  return `${observation} ${stage} ${key}`
}
