import { pickByPrefix } from './ids.ts'
import { ProblemError } from './problem.ts'
import { pipelineStages } from './stage-names.ts'
import type { ObservationState, RunState, StepState } from './state.ts'

export interface ChosenStep {
  observation: string
  step: StepState
}

/**
 * The steps that a person names: an observation by its id or the beginning of it, else a step by the beginning of its key;
 * then a stage by the beginning of its name. Without names all of them. Throws ProblemError STEP_NOT_FOUND.
 */
export function chooseSteps(state: RunState, observation?: string, stage?: string): ChosenStep[] {
  const all = state.observations.flatMap((found) => stepsOf(found))
  if (observation === undefined) return all
  const wanted = stage === undefined ? undefined : stageNamed(stage)
  const picked = pickByPrefix(observation, state.observations, ({ id }) => id)
  if (picked.kind === 'several')
    throw ambiguous(
      observation,
      picked.found.map(({ id }) => id),
    )
  const steps = picked.kind === 'one' ? stepsOf(picked.found) : byKey(all, observation, state)
  const fitting = steps.filter(({ step }) => wanted === undefined || step.stage === wanted)
  if (fitting.length > 0) return fitting
  const [first] = steps
  throw new ProblemError(
    'STEP_NOT_FOUND',
    first === undefined
      ? `${observation} has no steps in the run "${state.run}"`
      : `${first.observation} has no step ${wanted} in the run "${state.run}"`,
    {
      hint:
        first === undefined
          ? `contimg get ${state.run} says why`
          : `it has: ${steps.map(({ step }) => step.stage).join(', ')}`,
    },
  )
}

function stepsOf({ id, steps }: ObservationState): ChosenStep[] {
  return steps.map((step) => ({ observation: id, step }))
}

function byKey(all: readonly ChosenStep[], key: string, { run, observations }: RunState): ChosenStep[] {
  const picked = pickByPrefix(key, all, ({ step }) => step.key)
  if (picked.kind === 'one') return [picked.found]
  if (picked.kind === 'several')
    throw ambiguous(
      key,
      picked.found.map(({ observation, step }) => `${step.key.slice(0, 12)} (${step.stage} of ${observation})`),
    )
  const ids = observations.map(({ id }) => id)
  throw new ProblemError('STEP_NOT_FOUND', `the run "${run}" has no observation or key that begins with "${key}"`, {
    hint:
      ids.length === 0
        ? `contimg get ${run} says why`
        : `there are: ${ids.slice(0, 10).join(', ')}${ids.length > 10 ? ', …' : ''}`,
  })
}

function stageNamed(stage: string): string {
  const picked = pickByPrefix(stage, pipelineStages, (name) => name)
  if (picked.kind === 'one') return picked.found
  if (picked.kind === 'several') throw ambiguous(stage, picked.found)
  throw new ProblemError('STEP_NOT_FOUND', `there is no stage "${stage}"`, {
    hint: `the stages are ${pipelineStages.join(', ')}`,
  })
}

function ambiguous(wanted: string, candidates: readonly string[]): ProblemError {
  return new ProblemError('STEP_NOT_FOUND', `"${wanted}" may be ${candidates.slice(0, 10).join(' or ')}`, {
    hint: 'give more of it',
  })
}
