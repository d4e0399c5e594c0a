import type { StageContract, StageName } from '#runtime/stage/contract.ts'
import type { PipelineStage } from './stage-names.ts'
import { calibration } from '../../stages/calibration/contract.ts'
import { conversion } from '../../stages/conversion/contract.ts'
import { imaging } from '../../stages/imaging/contract.ts'
import { validation } from '../../stages/validation/contract.ts'

export { pipelineStages, type PipelineStage } from './stage-names.ts'

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
