import type { RunConfig } from './config.ts'
import type { ObservationState, RunState } from './state.ts'

/** Exit codes of commands, for people and scripts. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  badVerdict: 3,
  timedOut: 5,
  cancelled: 6,
  interrupted: 130,
  terminated: 143,
} as const

/** How a run ended: 130 interrupted, 1 an observation failed or was skipped for want of data, 3 a verdict is bad (or worse than `failOn` allows), 0. */
export function runOutcome(
  state: RunState,
  { failOn, interrupted }: { failOn: RunConfig['execution']['failOn']; interrupted: number | undefined },
): { status: 'done' | 'failed' | 'skipped' | 'cancelled'; exitCode: number } {
  if (interrupted !== undefined) return { status: 'cancelled', exitCode: interrupted }
  if (state.observations.some(isFailure)) {
    const skipped = state.observations.every(({ status }) => status === 'skipped')
    return { status: skipped ? 'skipped' : 'failed', exitCode: exitCodes.failed }
  }
  const tooBad = failOn === 'uncertain' ? ['bad', 'uncertain', 'not run'] : ['bad']
  const bad = state.observations.some(({ verdict }) => tooBad.includes(verdict))
  return { status: 'done', exitCode: bad ? exitCodes.badVerdict : exitCodes.done }
}

function isFailure({ status, error }: ObservationState): boolean {
  return status === 'failed' || status === 'cancelled' || (status === 'skipped' && error?.code !== 'BLOCKED')
}
