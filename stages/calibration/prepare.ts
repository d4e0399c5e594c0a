import type { MeasurementSet } from '#runtime/formats/measurement-set/read.ts'
import { mjdFromIso } from '#runtime/sky/time.ts'
import { StageError } from '#runtime/stage/errors.ts'
import type { CalibrationParams } from './contract.ts'
import type { Job } from './job.ts'
import { channelsPerSubband, indexObservation } from './observation.ts'
import { shareFloat64, shareInt32, sharedFloat32, sharedInt32, sharedUint8 } from './threads/shared-memory.ts'

const DAY_S = 86400

/** Everything the workers need to know about an observation, with the known-bad lists turned into flags. */
export function prepareJob({ layout, metadata, rows }: MeasurementSet, params: CalibrationParams): Job {
  const { polarizations, channels } = layout
  const index = indexObservation(rows)
  if (index.baselines === 0 || channels === 0)
    throw new StageError('DATA_UNUSABLE', 'the measurement set holds no cross-correlations')
  if (metadata.beam.timeMjdS.length !== index.integrations) {
    throw new StageError(
      'DATA_UNUSABLE',
      `the measurement set has ${index.integrations} integrations, its beam track ${metadata.beam.timeMjdS.length}`,
    )
  }
  const perSubband = channelsPerSubband(channels, metadata.channelWidthHz)
  const subbands = channels / perSubband
  const cellFlags = sharedUint8(index.integrations * channels)
  const cellDirty = sharedUint8(index.integrations * subbands)
  const job: Job = {
    layout,
    index: {
      ...index,
      rowOf: shareInt32(index.rowOf),
      integrationOfRow: shareInt32(index.integrationOfRow),
    },
    freqHz: metadata.freqHz,
    perSubband,
    subbands,
    polarizations,
    uvwM: shareFloat64(rows.uvwM),
    rowWeights: layout.weightSpectrum ? undefined : unequalWeights(rows.weight),
    flags: sharedUint8(layout.rows * channels),
    dirty: sharedUint8(layout.rows * subbands),
    cellFlags,
    cellDirty,
    baselineFlags: sharedUint8(index.baselines),
    clipSigma: params.clipSigma,
    counter: sharedInt32(2),
  }
  flagKnownCells(job, params)
  return job
}

/** Row weights, where they are not all alike (only their ratios matter). */
function unequalWeights(weight: Float32Array): Float32Array | undefined {
  const first = weight.find((value) => value > 0)
  if (first === undefined || weight.every((value) => value === first || value === 0)) return undefined
  const shared = sharedFloat32(weight.length)
  shared.set(weight)
  return shared
}

function flagKnownCells(job: Job, params: CalibrationParams): void {
  const { integrations, timeMjdS } = job.index
  const { channels } = job.layout
  const all = (1 << job.polarizations) - 1
  const times = params.badTimesUtc.map(([from, to]) => [mjdFromIso(from) * DAY_S, mjdFromIso(to) * DAY_S] as const)
  for (let t = 0; t < integrations; t++) {
    const badTime = times.some(([from, to]) => timeMjdS[t] >= from && timeMjdS[t] <= to)
    for (let c = 0; c < channels; c++) {
      const megahertz = job.freqHz[c] / 1e6
      if (badTime || params.badFrequenciesMhz.some(([low, high]) => megahertz >= low && megahertz <= high))
        job.cellFlags[t * channels + c] = all
    }
  }
  markDirtyCells(job)
}

/** Brings `cellDirty` up to date with `cellFlags`. */
export function markDirtyCells(job: Job): void {
  const { channels } = job.layout
  for (let t = 0; t < job.index.integrations; t++) {
    for (let band = 0; band < job.subbands; band++) {
      const from = t * channels + band * job.perSubband
      const any = job.cellFlags.subarray(from, from + job.perSubband).some((bits) => bits !== 0)
      job.cellDirty[t * job.subbands + band] = any ? 1 : 0
    }
  }
}
