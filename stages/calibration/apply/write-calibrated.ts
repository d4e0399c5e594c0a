import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { MsLayout } from '#runtime/formats/measurement-set/layout.ts'
import type { MeasurementSet } from '#runtime/formats/measurement-set/read.ts'
import type { MsMetadata, MsRows } from '#runtime/formats/measurement-set/schema.ts'
import { createMeasurementSet, writeMetadata } from '#runtime/formats/measurement-set/write.ts'
import type { TimedGains } from './applied-gains.ts'
import type { Job } from '../job.ts'
import { sharedFloat32, sharedUint32, shareFloat64, shareInt32 } from '../threads/shared-memory.ts'
import type { WorkerTeam } from '../threads/workers.ts'

/** Bytes of visibilities in one tile: fits the second-level cache with what it is made from. */
const TILE_BYTES = 196608

export interface CalibratedInput {
  job: Job
  team: WorkerTeam
  set: MeasurementSet
  /** Directory to make `all.ms` in. */
  directory: string
  gains: TimedGains
  noise: Float64Array
  /** Channels averaged into one. */
  average: number
  extra: Record<string, string | number>
  history: readonly string[]
}

/** Corrects, averages and writes the cross-correlations as `all.ms`. Returns the flagged part of its samples. */
export async function writeCalibrated(input: CalibratedInput): Promise<{ flagged: number }> {
  const { job, team, set, gains, noise, average } = input
  const inputRow = crossRows(job)
  const output = outputLayout(input, inputRow.length)
  const slotOfRow = slots(job)
  await mkdir(input.directory, { recursive: true })
  await createMeasurementSet(output)
  const rowWeight = sharedFloat32(inputRow.length * job.polarizations)
  const flaggedOut = sharedUint32(inputRow.length)
  await team.run({
    kind: 'apply',
    output,
    shape: {
      antennas: job.index.antennas.length,
      integrations: job.index.integrations,
      channels: job.layout.channels,
      polarizations: job.polarizations,
      perSubband: job.perSubband,
      average,
    },
    bandpass: gains.bandpass,
    gain: gains.gain,
    noise: shareFloat64(noise),
    inputRow: shareInt32(inputRow),
    slotOfRow: shareInt32(slotOfRow),
    rowWeight,
    flaggedOut,
  })
  await writeMetadata(output, outputMetadata(input), outputRows(set.rows, { inputRow, rowWeight, flaggedOut, output }))
  const total = inputRow.length * output.channels * output.polarizations
  return { flagged: total === 0 ? 1 : flaggedOut.reduce((sum, count) => sum + count, 0) / total }
}

function crossRows(job: Job): Int32Array {
  const { index, layout } = job
  const auto = new Uint8Array(layout.rows)
  for (let k = 0; k < index.rowOf.length; k++) {
    const row = index.rowOf[k]
    if (row >= 0 && index.baselineOfSlot[k % index.slots] < 0) auto[row] = 1
  }
  return Int32Array.from({ length: layout.rows }, (_, row) => row).filter((row) => auto[row] === 0)
}

function slots({ index, layout }: Job): Int32Array {
  const slotOfRow = new Int32Array(layout.rows)
  for (let k = 0; k < index.rowOf.length; k++) if (index.rowOf[k] >= 0) slotOfRow[index.rowOf[k]] = k % index.slots
  return slotOfRow
}

/** All channels in one tile, rows in multiples of eight: read in sequence by imaging, written without sharing. */
function outputLayout({ job, directory, average }: CalibratedInput, rows: number): MsLayout {
  const channels = job.layout.channels / average
  const { polarizations } = job
  const tileRows = Math.max(8, 8 * Math.floor(TILE_BYTES / (8 * channels * polarizations) / 8))
  return {
    path: join(directory, 'all.ms'),
    rows,
    channels,
    polarizations,
    tileRows,
    tileChannels: channels,
    weightSpectrum: true,
  }
}

function outputMetadata({ set, job, average, extra, history }: CalibratedInput): MsMetadata {
  const { metadata } = set
  const freqHz = Float64Array.from({ length: metadata.freqHz.length / average }, (_, g) => {
    let sum = 0
    for (let c = g * average; c < (g + 1) * average; c++) sum += metadata.freqHz[c]
    return sum / average
  })
  const middle = job.index.timeMjdS[job.index.integrations >> 1]
  return {
    ...metadata,
    freqHz,
    channelWidthHz: metadata.channelWidthHz * average,
    history: [
      ...metadata.history,
      ...history.map((message) => ({ message, application: 'contimg calibration', timeMjdS: middle })),
    ],
    extra: { ...metadata.extra, ...extra },
  }
}

interface Rows {
  inputRow: Int32Array
  rowWeight: Float32Array
  flaggedOut: Uint32Array
  output: MsLayout
}

function outputRows(rows: MsRows, { inputRow, rowWeight, flaggedOut, output }: Rows): MsRows {
  const perRow = output.channels * output.polarizations
  const uvwM = new Float64Array(3 * inputRow.length)
  inputRow.forEach((row, k) => uvwM.set(rows.uvwM.subarray(3 * row, 3 * row + 3), 3 * k))
  return {
    timeMjdS: Float64Array.from(inputRow, (row) => rows.timeMjdS[row]),
    intervalS: Float64Array.from(inputRow, (row) => rows.intervalS[row]),
    exposureS: Float64Array.from(inputRow, (row) => rows.exposureS[row]),
    antenna1: Int32Array.from(inputRow, (row) => rows.antenna1[row]),
    antenna2: Int32Array.from(inputRow, (row) => rows.antenna2[row]),
    uvwM,
    weight: Float32Array.from(rowWeight),
    sigma: Float32Array.from(rowWeight, (weight) => (weight > 0 ? 1 / Math.sqrt(weight) : 1)),
    flagRow: Uint8Array.from(flaggedOut, (count) => (count === perRow ? 1 : 0)),
  }
}
