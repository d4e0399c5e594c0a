import type { BeamTrack } from '#runtime/sky/beam.ts'
import type { Direction } from '#runtime/sky/frames.ts'

export interface MsAntenna {
  name: string
  /** Absolute ITRF position in metres. */
  positionM: readonly [number, number, number]
  diameterM: number
}

export interface MsHistoryEntry {
  message: string
  application: string
  /** MJD seconds UTC. */
  timeMjdS: number
}

/** Everything of a MeasurementSet but its rows and its tiles: one spectral window, one field, one observation. */
export interface MsMetadata {
  telescopeName: string
  observer: string
  project: string
  fieldName: string
  antennas: readonly MsAntenna[]
  /** Channel centres, strictly ascending. */
  freqHz: Float64Array
  channelWidthHz: number
  /** casacore codes of the correlations: 5-8 RR RL LR LL, 9-12 XX XY YX YY, ascending. */
  stokes: readonly number[]
  /** ICRS, written as J2000 into DELAY_DIR, PHASE_DIR and REFERENCE_DIR. */
  phaseCentre: Direction
  /** First and last edge of the data, MJD seconds UTC. */
  timeRangeMjdS: readonly [number, number]
  history: readonly MsHistoryEntry[]
  /** Centre of the primary beam per integration: the keyword record CONTIMG_BEAM of MAIN. */
  beam: BeamTrack
  /** Further facts: the keyword record CONTIMG_EXTRA of MAIN. */
  extra: Record<string, string | number>
}

/** The row-indexed columns of MAIN that are not tiled. */
export interface MsRows {
  /** Mid-point of each row, MJD seconds UTC. */
  timeMjdS: Float64Array
  intervalS: Float64Array
  exposureS: Float64Array
  /** Rows of the ANTENNA table; antenna1 <= antenna2. */
  antenna1: Int32Array
  antenna2: Int32Array
  /** (rows, 3): r(antenna1) - r(antenna2) in metres along u, v, w. */
  uvwM: Float64Array
  /** (rows, polarizations) */
  weight: Float32Array
  /** (rows, polarizations) */
  sigma: Float32Array
  /** 0 or 1 */
  flagRow: Uint8Array
}
