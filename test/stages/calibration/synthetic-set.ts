import type { MsLayout } from '#runtime/formats/measurement-set/layout.ts'
import { openTiles } from '#runtime/formats/measurement-set/tiles.ts'
import { createMeasurementSet, writeMetadata } from '#runtime/formats/measurement-set/write.ts'
import type { StageInput } from '#runtime/stage/contract.ts'
import type { Synthetic } from './synthetic.ts'

export interface SetOptions {
  /** Names of the antennas; "101", "102", ... by default. */
  names?: string[]
  /** Writes a WEIGHT_SPECTRUM column with these weights, (rows, channels, polarizations). */
  weights?: Float32Array
  flags?: Uint8Array
  extra?: Record<string, string | number>
  shiftS?: number
  decOfDateRad?: number
}

/** Writes an observation in memory as the measurement set that conversion would make, and returns it as an input. */
export async function writeSet(path: string, s: Synthetic, options: SetOptions = {}): Promise<StageInput> {
  const rows = s.timeMjdS.length
  const { channels, polarizations } = s
  const shiftS = options.shiftS ?? 0
  const layout: MsLayout = {
    path,
    rows,
    channels,
    polarizations,
    tileRows: 64,
    tileChannels: s.perSubband,
    weightSpectrum: options.weights !== undefined,
  }
  await createMeasurementSet(layout)
  const tiles = openTiles(layout, 'write')
  tiles.writeData(0, rows, 0, channels, s.data as Float32Array)
  if (options.flags !== undefined) tiles.writeFlags(0, rows, 0, channels, options.flags)
  if (options.weights !== undefined) tiles.writeWeights(0, rows, 0, channels, options.weights)
  tiles.close()
  const times = s.timeMjdS.map((time) => time + shiftS)
  await writeMetadata(
    layout,
    {
      telescopeName: 'OVRO_MMA',
      observer: '',
      project: 'test',
      fieldName: 'test',
      antennas: Array.from({ length: s.antennas }, (_, a) => ({
        name: options.names?.[a] ?? `${101 + a}`,
        positionM: [a, 0, 0] as const,
        diameterM: 4.65,
      })),
      freqHz: s.freqHz,
      channelWidthHz: s.freqHz[1] - s.freqHz[0],
      stokes: polarizations === 2 ? [9, 12] : [9],
      phaseCentre: s.phaseCentre,
      timeRangeMjdS: [times[0], times[rows - 1]],
      history: [],
      beam: {
        ...s.beam,
        timeMjdS: s.beam.timeMjdS.map((time) => time + shiftS),
        decOfDateRad: options.decOfDateRad ?? s.beam.decOfDateRad,
      },
      extra: options.extra ?? {},
    },
    {
      timeMjdS: times,
      intervalS: new Float64Array(rows).fill(12.884901888),
      exposureS: new Float64Array(rows).fill(12.884901888),
      antenna1: s.antenna1,
      antenna2: s.antenna2,
      uvwM: s.uvwM,
      weight: new Float32Array(rows * polarizations).fill(1),
      sigma: new Float32Array(rows * polarizations).fill(1),
      flagRow: new Uint8Array(rows),
    },
  )
  return { path, kind: 'measurement-set', bytes: 0, sha256: 'c'.repeat(64) }
}
