import type { StageName } from '#runtime/stage/contract.ts'

/** The stages of the pipeline, in order; an input comes from the nearest earlier stage that has an output of its name. */
export const pipelineStages = [
  'conversion',
  'calibration',
  'imaging',
  'validation',
] as const satisfies readonly StageName[]
export type PipelineStage = (typeof pipelineStages)[number]
