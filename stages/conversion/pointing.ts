import type { Phasing } from '#runtime/formats/uvh5/phasing.ts'
import type { BeamTrack } from '#runtime/sky/beam.ts'
import { DAY_S } from '#runtime/sky/constants.ts'
import {
  earthFixedPlaceIcrs,
  fk5ToIcrs,
  horizonVector,
  icrsToApparent,
  toDirection,
  type Direction,
  type Site,
} from '#runtime/sky/frames.ts'
import { meridianVector } from '#runtime/sky/phase-rotation.ts'
import { earthOrientationAt, type EarthOrientation, type EarthOrientationTable } from '#runtime/sky/time.ts'
import type { Vec3 } from '#runtime/sky/vector.ts'

/** Where the dishes pointed, in ICRS. */
export interface Pointing {
  /** Mean of the first and the last mid-point. */
  midMjd: number
  eop: EarthOrientation
  /** The phase centre of the set: the place of the pointing at `midMjd`, or that of sidereal data. */
  centre: Direction
  /** Its place in every integration: the centres of the primary beam. */
  beam: BeamTrack
}

interface Place {
  site: Site
  table: EarthOrientationTable
}

/**
 * The pointing of data by what they are phased to. Sidereal data keep their centre; for all others it is the place that
 * an Earth-fixed direction has in the middle of the observation: (hour angle 0, declination of date), azimuth and
 * elevation, or the zenith where the data are not phased.
 * @param timesMjd mid-points of the integrations, ascending, MJD UTC
 */
export function pointingOf(phasing: Phasing, timesMjd: Float64Array, where: Place): Pointing {
  switch (phasing.kind) {
    case 'meridian':
      return meridianPointing(timesMjd, phasing.decOfDateRad, where)
    case 'sidereal':
      return trackedPointing(timesMjd, phasing.frame === 'fk5' ? fk5ToIcrs(phasing) : place(phasing), where)
    case 'driftscan': {
      const s = horizonVector(phasing.azimuthRad, phasing.elevationRad, where.site)
      return fixedPointing(timesMjd, { s, decOfDateRad: toDirection(s).decRad }, where)
    }
    case 'unprojected': {
      const { latitudeRad } = where.site
      return meridianPointing(timesMjd, latitudeRad, where)
    }
  }
}

/**
 * The pointing of a drift scan whose dishes stand at hour angle 0 and a constant declination of date.
 * @param timesMjd mid-points of the integrations, MJD UTC
 */
export function meridianPointing(timesMjd: Float64Array, decOfDateRad: number, where: Place): Pointing {
  return fixedPointing(timesMjd, { s: meridianVector(0, decOfDateRad, where.site.longitudeRad), decOfDateRad }, where)
}

function fixedPointing(
  timesMjd: Float64Array,
  { s, decOfDateRad }: { s: Vec3; decOfDateRad: number },
  { site, table }: Place,
): Pointing {
  const at = (mjd: number): Direction => earthFixedPlaceIcrs(s, mjd, earthOrientationAt(table, mjd), site)
  const midMjd = middle(timesMjd)
  return pointing(timesMjd, table, { centre: at(midMjd), centres: Array.from(timesMjd, at), decOfDateRad })
}

function trackedPointing(timesMjd: Float64Array, centre: Direction, { site, table }: Place): Pointing {
  const midMjd = middle(timesMjd)
  const apparent = icrsToApparent(centre, midMjd, earthOrientationAt(table, midMjd), site)
  return pointing(timesMjd, table, {
    centre,
    centres: Array.from(timesMjd, () => centre),
    decOfDateRad: apparent.decRad,
  })
}

function pointing(
  timesMjd: Float64Array,
  table: EarthOrientationTable,
  { centre, centres, decOfDateRad }: { centre: Direction; centres: Direction[]; decOfDateRad: number },
): Pointing {
  const midMjd = middle(timesMjd)
  return {
    midMjd,
    eop: earthOrientationAt(table, midMjd),
    centre,
    beam: {
      timeMjdS: timesMjd.map((mjd) => mjd * DAY_S),
      raRad: Float64Array.from(centres, ({ raRad }) => raRad),
      decRad: Float64Array.from(centres, ({ decRad }) => decRad),
      decOfDateRad,
    },
  }
}

function middle(timesMjd: Float64Array): number {
  return (timesMjd[0] + timesMjd[timesMjd.length - 1]) / 2
}

function place({ raRad, decRad }: Direction): Direction {
  return { raRad, decRad }
}
