import {
  apiVersion,
  type InputReference,
  type Resources,
  type StageContext,
  type StageResult,
} from '#runtime/stage/contract.ts'
import type { StepProduct } from './events.ts'
import { productPath } from './key.ts'
import type { PlannedInput, PlannedStep } from './plan.ts'
import { contracts, pipelineStages, type PipelineStage } from './stages.ts'
import type { StageContract } from '#runtime/stage/contract.ts'

/** A finished product as the next step's context needs it. */
export interface FinishedProduct {
  /** Folder relative to the data root. */
  product: string
  result: StageResult
}

export interface ContextInput {
  run: string
  step: PlannedStep
  attempt: { number: number; uid: string }
  resources: Resources
  scratchDir: string
  /** The product of a finished step, by observation, stage and key. */
  finished: (step: { observation: string; stage: PipelineStage; key: string }) => FinishedProduct | undefined
  /** A product of an earlier run, by folder. */
  stored: (product: string) => FinishedProduct | undefined
  /** Earlier steps of the same observation, in order. */
  earlier: readonly PlannedStep[]
}

/**
 * The context of an attempt: the fold of what earlier steps left. Optional outputs that an earlier step did not write
 * are left out. Throws when a needed product is absent: the caller starts steps only after what they depend on.
 */
export function buildContext({
  run,
  step,
  attempt,
  resources,
  scratchDir,
  finished,
  stored,
  earlier,
}: ContextInput): StageContext {
  const inputs: StageContext['inputs'] = {}
  for (const [name, planned] of Object.entries(step.inputs)) {
    const references = (Array.isArray(planned) ? (planned as PlannedInput[]) : [planned as PlannedInput]).flatMap(
      (input): InputReference[] => {
        const reference = referenceOf(input, { finished, stored })
        if (reference === undefined && !(input.from === 'step' && input.optional)) {
          throw new Error(`${step.stage} of ${step.observation}: its input ${name} does not exist`)
        }
        return reference === undefined ? [] : [reference]
      },
    )
    if (Array.isArray(planned)) inputs[name] = references
    else if (references[0] !== undefined) inputs[name] = references[0]
  }
  const upstream: StageContext['upstream'] = {}
  for (const before of earlier) {
    const result = finished(before)?.result
    if (result !== undefined) upstream[before.stage] = { metrics: result.metrics, quality: result.quality.verdict }
  }
  return {
    apiVersion,
    run,
    observation: step.observation,
    stage: step.stage,
    key: step.key,
    attempt,
    params: step.params,
    inputs,
    upstream,
    productDir: productPath(step),
    scratchDir,
    resources,
  }
}

/** The steps that must be finished before this one can start. */
export function dependencies(step: PlannedStep): { observation: string; stage: PipelineStage; key: string }[] {
  return Object.values(step.inputs)
    .flatMap((input) => input as PlannedInput | PlannedInput[])
    .flatMap((input) =>
      input.from === 'step' ? [{ observation: input.observation, stage: input.stage, key: input.key }] : [],
    )
}

/** Steps of the same observation that come earlier in the pipeline. */
export function earlierSteps(step: PlannedStep, steps: readonly PlannedStep[]): PlannedStep[] {
  const position = pipelineStages.indexOf(step.stage)
  return steps.filter(({ stage }) => pipelineStages.indexOf(stage) < position)
}

function referenceOf(
  input: PlannedInput,
  { finished, stored }: Pick<ContextInput, 'finished' | 'stored'>,
): InputReference | undefined {
  if (input.from === 'file') return input.reference
  const source = input.from === 'step' ? finished(input) : stored(input.product)
  const output = source?.result.outputs[input.output]
  if (source === undefined || output === undefined) return undefined
  const outputs: StageContract['outputs'] = contracts[source.result.stage as PipelineStage].outputs
  return {
    path: `${source.product}/${output.path}`,
    bytes: output.bytes,
    sha256: output.sha256,
    kind: outputs[input.output]?.kind ?? 'file',
  }
}

/** What the event log says of a finished step, with paths relative to the data root. */
export function stepProduct({ product, result }: FinishedProduct): StepProduct {
  const { outputs, metrics, quality, usage, warnings, provenance } = result
  return {
    product,
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { path }]) => [name, `${product}/${path}`])),
    metrics,
    quality,
    usage,
    warnings,
    provenance,
  }
}
