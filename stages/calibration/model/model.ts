import type { BeamTrack } from '#runtime/sky/beam.ts'
import type { SkySource } from '#runtime/sky/calibrators.ts'
import type { Direction } from '#runtime/sky/frames.ts'
import { apparentFlux, channelRuns, sourceOffsets, type ChannelRun } from '#runtime/sky/predict.ts'
import type { BaselineModel } from './accumulate.ts'

export interface ModelInput {
  calibrator: SkySource
  others: readonly SkySource[]
  phaseCentre: Direction
  beam: BeamTrack
  freqHz: Float64Array
  /** Integrations over which the other sources are averaged; 1: exact. */
  step: number
}

/** The sky model of an observation, ready to be turned into that of each baseline. */
export interface ObservationModel {
  runs: readonly ChannelRun[]
  integrations: number
  calibrator: Float64Array
  others: Float64Array
  sources: number
  /** (l, m, n - 1) of the calibrator, then of each other source less the calibrator's. */
  offsets: Float64Array
  step: number
}

export function createModel({ calibrator, others, phaseCentre, beam, freqHz, step }: ModelInput): ObservationModel {
  const offsets = sourceOffsets([calibrator, ...others], phaseCentre)
  for (let s = 1; s <= others.length; s++) for (let axis = 0; axis < 3; axis++) offsets[3 * s + axis] -= offsets[axis]
  return {
    runs: channelRuns(freqHz),
    integrations: beam.raRad.length,
    calibrator: apparentFlux({ sources: [calibrator], beam, freqHz }),
    others: apparentFlux({ sources: others, beam, freqHz }),
    sources: others.length,
    offsets,
    step,
  }
}

export function createBaselineModel(model: ObservationModel): BaselineModel {
  return {
    runs: model.runs,
    calibrator: model.calibrator,
    calibratorPathM: new Float64Array(model.integrations),
    others: model.others,
    sources: model.sources,
    otherPathM: new Float64Array(model.sources * model.integrations),
    step: model.step,
  }
}

/** Sets the paths of a baseline's model from its UVW in metres in integration t, at `uvwM[at]` (r(antenna1) - r(antenna2)). */
export function setPaths(
  out: BaselineModel,
  model: ObservationModel,
  { uvwM, at, t }: { uvwM: Float64Array; at: number; t: number },
): void {
  const { offsets, integrations, sources } = model
  const u = uvwM[at]
  const v = uvwM[at + 1]
  const w = uvwM[at + 2]
  out.calibratorPathM[t] = u * offsets[0] + v * offsets[1] + w * offsets[2]
  for (let s = 0; s < sources; s++) {
    const k = 3 * (s + 1)
    out.otherPathM[s * integrations + t] = u * offsets[k] + v * offsets[k + 1] + w * offsets[k + 2]
  }
}
