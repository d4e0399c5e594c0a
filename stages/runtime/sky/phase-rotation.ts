import { ARCSEC_RAD } from './constants.ts'
import type { Direction, Site } from './frames.ts'
import { apparentContext, icrsToApparentWith, polarMotion } from './frames.ts'
import type { EarthOrientation } from './time.ts'
import type { Vec3 } from './vector.ts'
import { cross, dot, fromSpherical, normalize, scale, subtract } from './vector.ts'

/**
 * The geometry of one integration, all unit vectors in ITRF axes. With b = r_1 - r_2 (MeasurementSet orientation):
 * the phase path to undo is b . (s1 - s0) metres, and u, v, w are b . u, b . v, b . w.
 */
export interface RotationFrame {
  /**
   * Where the file is phased to. For the telescope's: HA 0 at the apparent declination, without polar motion, as the
   * writer has it; zero for data that are not phased at all.
   */
  s0: Vec3
  /** The target, with polar motion. */
  s1: Vec3
  /** East, towards increasing J2000 RA. */
  u: Vec3
  /** J2000 north, not north of date: they differ by up to 539"/cos(dec) in 2026. */
  v: Vec3
  /** The same vector as s1. */
  w: Vec3
}

export interface RotationRequest {
  /** Middle of the integration. */
  mjdUtc: number
  eop: EarthOrientation
  site: Site
  /** Apparent declination to which the file is fringe-stopped. */
  decOfDateRad: number
  /** ICRS direction to rotate to. */
  target: Direction
}

/** Distance of the point that marks J2000 north of the target. */
const NORTH_STEP_RAD = 60 * ARCSEC_RAD

/**
 * Unit vector in ITRF axes towards hour angle `haRad` (west positive) and declination, seen from an east longitude:
 * s(H, dec) = (cos dec cos(lambda - H), cos dec sin(lambda - H), sin dec).
 */
export function meridianVector(haRad: number, decRad: number, longitudeRad: number): Vec3 {
  return fromSpherical(longitudeRad - haRad, decRad)
}

/** The frame that takes one integration from its meridian centre to an ICRS target. */
export function rotationFrame({ decOfDateRad, ...request }: RotationRequest): RotationFrame {
  return { s0: meridianVector(0, decOfDateRad, request.site.longitudeRad), ...targetFrame(request) }
}

/** The part of a rotation frame that does not depend on what the data are phased to. */
export function targetFrame(request: Omit<RotationRequest, 'decOfDateRad'>): Omit<RotationFrame, 's0'> {
  const { mjdUtc, eop, site, target } = request
  const context = apparentContext(mjdUtc, eop, site)
  const earthFixed = (direction: Direction): Vec3 => {
    const apparent = icrsToApparentWith(context, direction)
    return polarMotion(meridianVector(context.lastRad - apparent.raRad, apparent.decRad, site.longitudeRad), eop)
  }
  const s1 = earthFixed(target)
  // Within 60" of the pole the point lies beyond it, and north of the target is still the way to it.
  const north = earthFixed({ raRad: target.raRad, decRad: target.decRad + NORTH_STEP_RAD })
  // The difference of two nearly equal vectors is orthogonal to 1e-13 only: a second pass makes it exact.
  const v = perpendicular(perpendicular(north, s1), s1)
  return { s1, u: cross(v, s1), v, w: s1 }
}

/** Unit vector along the part of `a` that is perpendicular to the unit vector `axis`. */
function perpendicular(a: Vec3, axis: Vec3): Vec3 {
  return normalize(subtract(a, scale(axis, dot(a, axis))))
}
