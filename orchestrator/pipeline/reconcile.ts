import { dependencies, earlierSteps } from './context.ts'
import type { Plan, PlannedStep } from './plan.ts'
import type { Problem } from './problem.ts'
import type { ObservationState, RunState, StepState } from './state.ts'

/** What to do next with a step. */
export type Decision =
  | { kind: 'reuse' | 'start'; step: PlannedStep }
  | { kind: 'skip'; step: PlannedStep; problem: Problem }
  | { kind: 'wait'; step: PlannedStep; reason: string }

interface Now {
  plan: Plan
  state: RunState
  /** Steps that have been started and not yet concluded, as `observation stage key`. */
  busy: ReadonlySet<string>
  /** How many more attempts may run at once. */
  slots: number
}

/**
 * What to do now: reuse what exists once the steps before it are fit, start what can start (in the plan's
 * order, so that observations finish one after another), skip what cannot run any more, and
 * say of the rest what it waits for.
 */
export function decide({ plan, state, busy, slots }: Now): Decision[] {
  const states = new Map(state.observations.map((observation) => [observation.id, observation]))
  const decisions: Decision[] = []
  let free = slots
  for (const { steps } of plan.observations) {
    for (const step of steps) {
      const now = stepState(states, step)
      if (now === undefined || now.status !== 'planned' || busy.has(`${step.observation} ${step.stage} ${step.key}`))
        continue
      const verdict = readiness(step, steps, states)
      if (verdict.kind === 'skip') decisions.push({ kind: 'skip', step, problem: verdict.problem })
      else if (verdict.kind === 'wait') {
        if (verdict.reason !== undefined && verdict.reason !== now.waiting)
          decisions.push({ kind: 'wait', step, reason: verdict.reason })
      } else if (step.cached !== undefined) decisions.push({ kind: 'reuse', step })
      else if (free > 0) {
        free--
        decisions.push({ kind: 'start', step })
      }
    }
  }
  return decisions
}

type Readiness = { kind: 'ready' } | { kind: 'skip'; problem: Problem } | { kind: 'wait'; reason?: string }

function readiness(
  step: PlannedStep,
  siblings: readonly PlannedStep[],
  states: ReadonlyMap<string, ObservationState>,
): Readiness {
  const needed = [...earlierSteps(step, siblings), ...dependencies(step)]
  let waiting: Readiness | undefined
  for (const before of needed) {
    const found = stepState(states, before)
    const own = before.observation === step.observation
    switch (found?.status) {
      case 'done':
      case 'cached': {
        const blocking = own
          ? found.product?.quality.checks.find((check) => check.blocking && check.verdict === 'bad')
          : undefined
        if (blocking !== undefined)
          return { kind: 'skip', problem: blocked(before.stage, blocking.name, blocking.message) }
        break
      }
      case 'skipped':
        return { kind: 'skip', problem: found.error ?? upstreamFailed(before) }
      case 'failed':
      case 'cancelled':
        return { kind: 'skip', problem: upstreamFailed(before) }
      default:
        waiting ??= own ? { kind: 'wait' } : { kind: 'wait', reason: `for the solution set of ${before.observation}` }
    }
  }
  return waiting ?? { kind: 'ready' }
}

function stepState(
  states: ReadonlyMap<string, ObservationState>,
  step: { observation: string; stage: string; key: string },
): StepState | undefined {
  return states.get(step.observation)?.steps.find(({ key, stage }) => key === step.key && stage === step.stage)
}

function blocked(stage: string, check: string, message: string): Problem {
  return {
    code: 'BLOCKED',
    message: `${stage} is bad in "${check}", which stops the observation here: ${message}`,
    hint: 'the product is kept and can be looked at; nothing is made from it',
  }
}

function upstreamFailed({ observation, stage }: { observation: string; stage: string }): Problem {
  return { code: 'UPSTREAM_FAILED', message: `${stage} of ${observation} did not finish` }
}
