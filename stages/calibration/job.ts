import type { MsLayout } from '#runtime/formats/measurement-set/layout.ts'
import type { ApplyShape } from './apply/apply.ts'
import type { BandpassFits, Bandpass } from './solve/bandpass.ts'
import type { SolveGeometry, SumCube } from './solve/cube.ts'
import type { ObservationModel } from './model/model.ts'
import type { ObservationIndex } from './observation.ts'
import type { SolveOptions } from './solve/solve.ts'

/** What all workers of a calibration know from the start. Arrays are backed by shared memory. */
export interface Job {
  layout: MsLayout
  index: ObservationIndex
  freqHz: Float64Array
  perSubband: number
  subbands: number
  polarizations: number
  /** (rows, 3) */
  uvwM: Float64Array
  /** (rows, polarizations) relative weights, where rows differ and the set has no weight spectrum. */
  rowWeights: Float32Array | undefined
  /** (rows, channels) polarisation bits: flags of the input, missing samples, the clip. */
  flags: Uint8Array
  /** (rows, subbands): 1 where a sample is flagged or has a weight of its own. */
  dirty: Uint8Array
  /** (integrations, channels) polarisation bits flagged for every baseline; known-bad cells from the start. */
  cellFlags: Uint8Array
  /** (integrations, subbands): 1 where cellFlags has any bit. */
  cellDirty: Uint8Array
  /** (baselines) polarisation bits flagged for good. */
  baselineFlags: Uint8Array
  clipSigma: number
  /** Next unit to claim, units done. */
  counter: Int32Array
}

/** Flags and measures every baseline on its own; units are groups of slots. */
export interface SurveyPass {
  kind: 'survey'
  model: ObservationModel | undefined
  /** (baselines, polarizations) */
  amplitude: Float32Array
  missing: Uint32Array
  clipped: Uint32Array
  /** (baselines, subbands, polarizations) standard deviation of a real component. */
  sigma: Float32Array
  /** One per worker: (integrations, channels, polarizations). */
  cellSum: Int32Array[]
  cellFlagged: Int32Array[]
}

/** Sums per (channel, polarisation) over the observation; units are groups of slots. */
export interface BandpassSumPass {
  kind: 'bandpass-sums'
  model: ObservationModel
  bins: Int32Array
  /** (baselines) 1 for those inside the uv range. */
  inRange: Uint8Array
  /** (subbands, polarizations, antennas) raw noise factors. */
  noise: Float64Array
  /** (antennas, bins, polarizations, re/im) phases to take out of each bin. */
  turns: Float64Array | undefined
  cube: SumCube
}

/** Bandpass solves; units are subbands. */
export interface BandpassSolvePass {
  kind: 'bandpass-solve'
  cube: SumCube
  geometry: SolveGeometry
  options: Omit<SolveOptions, 'start' | 'phaseOnly'>
  minSnr: number
  out: Bandpass
  fits: BandpassFits
}

/** Sums per (bin, polarisation) with the bandpass in the model; units are groups of slots. */
export interface GainSumPass {
  kind: 'gain-sums'
  model: ObservationModel
  bins: Int32Array
  inRange: Uint8Array
  noise: Float64Array
  bandpass: Bandpass
  cube: SumCube
}

/** Correction and averaging; units are tiles of output rows. */
export interface ApplyPass {
  kind: 'apply'
  output: MsLayout
  shape: ApplyShape
  /** Zero marks a flagged solution. */
  bandpass: Float64Array
  gain: Float64Array
  noise: Float64Array
  /** (output rows): row of the input. */
  inputRow: Int32Array
  slotOfRow: Int32Array
  /** (output rows, polarizations): mean weight of the unflagged samples of each row. */
  rowWeight: Float32Array
  /** (output rows): flagged samples of the output. */
  flaggedOut: Uint32Array
}

export type Pass = SurveyPass | BandpassSumPass | BandpassSolvePass | GainSumPass | ApplyPass

export type PassResult = { type: 'done' } | { type: 'error'; code: string; message: string; hint?: string }

/** What the units of a pass are, for people. */
export function unitName({ kind }: Pass): string {
  if (kind === 'bandpass-solve') return 'subbands'
  return kind === 'apply' ? 'tiles' : 'blocks'
}

/** Units of a pass. */
export function unitsOf(job: Job, pass: Pass, slotsPerUnit: number): number {
  if (pass.kind === 'bandpass-solve') return job.subbands
  if (pass.kind === 'apply') return Math.ceil(pass.output.rows / pass.output.tileRows)
  return Math.ceil(job.index.slots / slotsPerUnit)
}
