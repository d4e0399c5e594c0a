import type { StageContract, StageName } from '#runtime/stage/contract.ts'
import { calibration } from '../../stages/calibration/contract.ts'
import { conversion } from '../../stages/conversion/contract.ts'
import { imaging } from '../../stages/imaging/contract.ts'
import { validation } from '../../stages/validation/contract.ts'

/** The stages of the pipeline, in order; an input comes from the nearest earlier stage that has an output of its name. */
export const pipelineStages = [
  'conversion',
  'calibration',
  'imaging',
  'validation',
] as const satisfies readonly StageName[]
export type PipelineStage = (typeof pipelineStages)[number]

export const contracts = { conversion, calibration, imaging, validation } satisfies Record<PipelineStage, StageContract>

/** Parameters that the planner fills in, because they are found on the machine and not chosen by a person. */
export const engineParams: Readonly<Partial<Record<PipelineStage, readonly string[]>>> = { imaging: ['wscleanVersion'] }

/** All parameters that the planner decides: when they change, it is because of something else, or of the machine. */
export const plannerParams: Readonly<Partial<Record<StageName, readonly string[]>>> = {
  ...engineParams,
  calibration: ['calibrator'],
}

/** Calibration parameters that only its application uses: they do not enter the key of a solve. */
export const applyOnlyParams: readonly string[] = ['averageToHz', 'applyWindowHours']
