import type { BeamTrack } from '#runtime/sky/beam.ts'
import { DAY_S } from '#runtime/sky/constants.ts'
import { meridianPlaceIcrs, type Direction, type Site } from '#runtime/sky/frames.ts'
import { earthOrientationAt, type EarthOrientation, type EarthOrientationTable } from '#runtime/sky/time.ts'

/** Where the dishes pointed, in ICRS. */
export interface Pointing {
  /** Mean of the first and the last mid-point. */
  midMjd: number
  eop: EarthOrientation
  /** Place of (hour angle 0, declination of date) at `midMjd`: the phase centre. */
  centre: Direction
  /** The same place in every integration: the centres of the drifting primary beam. */
  beam: BeamTrack
}

/**
 * The pointing of a drift scan whose dishes stand at hour angle 0 and a constant declination of date.
 * @param timesMjd mid-points of the integrations, MJD UTC
 */
export function meridianPointing(
  timesMjd: Float64Array,
  decOfDateRad: number,
  { site, table }: { site: Site; table: EarthOrientationTable },
): Pointing {
  const midMjd = (timesMjd[0] + timesMjd[timesMjd.length - 1]) / 2
  const place = (mjd: number): Direction => meridianPlaceIcrs(decOfDateRad, mjd, earthOrientationAt(table, mjd), site)
  const centres = Array.from(timesMjd, place)
  return {
    midMjd,
    eop: earthOrientationAt(table, midMjd),
    centre: place(midMjd),
    beam: {
      timeMjdS: timesMjd.map((mjd) => mjd * DAY_S),
      raRad: Float64Array.from(centres, ({ raRad }) => raRad),
      decRad: Float64Array.from(centres, ({ decRad }) => decRad),
      decOfDateRad,
    },
  }
}
