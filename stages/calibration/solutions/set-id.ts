import { createHash } from 'node:crypto'
import { canonicalJson } from '#runtime/stage/files.ts'
import type { CalibrationParams } from '../contract.ts'

export interface SetIdentity {
  contractVersion: number
  /** Content hash of the measurement set, or what else identifies it. */
  measurementSet: string
  /** Hash of the catalogue behind the model, where there is one. */
  catalogue: string | undefined
  calibrator: string
  params: CalibrationParams
}

/** Identity of a solution set: twelve digits of a hash over the data, the model and the parameters of the solve. */
export function solutionSetId({ contractVersion, measurementSet, catalogue, calibrator, params }: SetIdentity): string {
  const {
    averageToHz: _average,
    applyWindowHours: _window,
    mode: _mode,
    calibrator: _asked,
    sefdJy: _sefd,
    ...solving
  } = params
  const text = canonicalJson({ contractVersion, measurementSet, catalogue: catalogue ?? null, calibrator, solving })
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
