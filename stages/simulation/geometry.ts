import { ARCSEC_RAD } from '#runtime/sky/constants.ts'
import {
  apparentContext,
  apparentToIcrsWith,
  icrsToApparentWith,
  polarMotion,
  type Direction,
} from '#runtime/sky/frames.ts'
import { earthOrientationAt, type EarthOrientationTable } from '#runtime/sky/earth-orientation.ts'
import { jdToMjd } from '#runtime/sky/time.ts'
import { cross, dot, fromSpherical, normalize, scale, subtract, type Vec3 } from '#runtime/sky/vector.ts'
import { site } from './array.ts'

/** The date for which the writer's fringe-stopping table, and so u and v of the files, was made: MJD. */
const FRINGE_TABLE_MJD = 59215

/** Unit vector in ITRF axes of the pointing (HA 0, apparent declination): constant in the Earth frame. */
export function pointing(decOfDateRad: number): Vec3 {
  return fromSpherical(site.longitudeRad, decOfDateRad)
}

/** Unit vectors in ITRF axes of ICRS directions at one time: (direction, 3). Apparent places, UT1, polar motion. */
export function earthFixed(
  directions: readonly Direction[],
  timeJd: number,
  table: EarthOrientationTable,
): Float64Array {
  const mjdUtc = jdToMjd(timeJd)
  const eop = earthOrientationAt(table, mjdUtc)
  const context = apparentContext(mjdUtc, eop, site)
  const out = new Float64Array(3 * directions.length)
  directions.forEach((direction, index) => {
    const apparent = icrsToApparentWith(context, direction)
    const hourAngleRad = context.lastRad - apparent.raRad
    out.set(polarMotion(fromSpherical(site.longitudeRad - hourAngleRad, apparent.decRad), eop), 3 * index)
  })
  return out
}

/**
 * uvw of the files, (row, 3), metres, b = r(ant2) - r(ant1): w along the pointing, u and v turned to J2000 north as it
 * was at the date of the fringe-stopping table. Rounded to float32 as the writer does.
 */
export function fileUvw(
  positionsM: Float64Array,
  ant1: Int32Array,
  ant2: Int32Array,
  options: { decOfDateRad: number; table: EarthOrientationTable },
): Float32Array {
  const w = pointing(options.decOfDateRad)
  const eop = earthOrientationAt(options.table, FRINGE_TABLE_MJD)
  const context = apparentContext(FRINGE_TABLE_MJD, eop, site)
  const centre = apparentToIcrsWith(context, { raRad: context.lastRad, decRad: options.decOfDateRad })
  const northPoint = icrsToApparentWith(context, { raRad: centre.raRad, decRad: centre.decRad + 60 * ARCSEC_RAD })
  const north = fromSpherical(site.longitudeRad - (context.lastRad - northPoint.raRad), northPoint.decRad)
  const v = normalize(subtract(north, scale(w, dot(north, w))))
  const u = cross(v, w)
  const out = new Float32Array(3 * ant1.length)
  for (let row = 0; row < ant1.length; row++) {
    const baseline: Vec3 = [0, 1, 2].map(
      (axis) => positionsM[3 * ant2[row] + axis] - positionsM[3 * ant1[row] + axis],
    ) as unknown as Vec3
    out.set([dot(baseline, u), dot(baseline, v), dot(baseline, w)], 3 * row)
  }
  return out
}
