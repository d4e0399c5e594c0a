import { ARCSEC_RAD, SPEED_OF_LIGHT_M_S } from './constants.ts'
import { earthFromSun, earthVelocity } from './earth-velocity.ts'
import { icrsToTrueOfDate } from './precession-nutation.ts'
import { wrapPi, wrapRa } from './projection.ts'
import { centuriesTt, last, type EarthOrientation } from './time.ts'
import type { Matrix3, Vec3 } from './vector.ts'
import { add, cross, dot, fromSpherical, length, multiply, multiplyTransposed, normalize, scale } from './vector.ts'

export interface Site {
  latitudeRad: number
  longitudeRad: number
  altitudeM: number
}

export interface Direction {
  raRad: number
  decRad: number
}

/** What places of one instant share: the rotation to date, the observer's velocity, the sidereal time. */
export interface ApparentContext {
  readonly trueOfDate: Matrix3
  /** Barycentric velocity of the observer over c, ICRS axes. */
  readonly beta: Vec3
  /** The Earth from the Sun, au, ICRS axes. */
  readonly fromSun: Vec3
  /** Local apparent sidereal time, radians. */
  readonly lastRad: number
}

/** WGS84 ellipsoid: equatorial radius in metres, flattening. */
const WGS84_RADIUS_M = 6378137
const WGS84_FLATTENING = 1 / 298.257223563
/** Nominal mean angular velocity of the Earth, rad/s (IERS Conventions 2010, table 1.2). */
const EARTH_RATE_RAD_S = 7.292115e-5

/** Twice the Sun's gravitational radius, au (2 GM / c^2). */
const SUN_SCHWARZSCHILD_AU = 1.97412574336e-8
/** Least 1 + cos of the angle to the anti-Sun: within 5' of the Sun's middle, behind its disc, the bend stays finite. */
const LEAST_BEND_DIVISOR = 1e-6

/** Rotation that takes FK5 into ICRS, about the three axes, radians. */
const FK5_SPIN_RAD: Vec3 = [19.9e-3 * ARCSEC_RAD, 9.1e-3 * ARCSEC_RAD, -22.9e-3 * ARCSEC_RAD]

/** Position of a site in ITRF axes, metres (WGS84 geodetic latitude, longitude and height). */
export function siteItrf(site: Site): Vec3 {
  const e2 = WGS84_FLATTENING * (2 - WGS84_FLATTENING)
  const sin = Math.sin(site.latitudeRad)
  const normalM = WGS84_RADIUS_M / Math.sqrt(1 - e2 * sin * sin)
  const rM = (normalM + site.altitudeM) * Math.cos(site.latitudeRad)
  const zM = (normalM * (1 - e2) + site.altitudeM) * sin
  return [rM * Math.cos(site.longitudeRad), rM * Math.sin(site.longitudeRad), zM]
}

/** Precomputes what all apparent places of one time and site need: make it once an integration. */
export function apparentContext(mjdUtc: number, eop: EarthOrientation, site: Site): ApparentContext {
  const t = centuriesTt(mjdUtc)
  const trueOfDate = icrsToTrueOfDate(t)
  const lastRad = last(mjdUtc, eop, site.longitudeRad)
  const [x, y] = siteItrf(site)
  const rotationM_S = EARTH_RATE_RAD_S * Math.hypot(x, y)
  const diurnal: Vec3 = [-rotationM_S * Math.sin(lastRad), rotationM_S * Math.cos(lastRad), 0]
  const velocity = add(earthVelocity(t), multiplyTransposed(trueOfDate, diurnal))
  return { trueOfDate, beta: scale(velocity, 1 / SPEED_OF_LIGHT_M_S), fromSun: earthFromSun(t), lastRad }
}

/**
 * Apparent place (true equator and equinox of date, with light bending by the Sun, annual and diurnal aberration) of an
 * ICRS direction without parallax, proper motion and refraction. Within 0.01" of ERFA.
 */
export function icrsToApparent(direction: Direction, mjdUtc: number, eop: EarthOrientation, site: Site): Direction {
  return icrsToApparentWith(apparentContext(mjdUtc, eop, site), direction)
}

/** The inverse of `icrsToApparent`, exact to rounding. */
export function apparentToIcrs(direction: Direction, mjdUtc: number, eop: EarthOrientation, site: Site): Direction {
  return apparentToIcrsWith(apparentContext(mjdUtc, eop, site), direction)
}

export function icrsToApparentWith(context: ApparentContext, direction: Direction): Direction {
  const natural = fromSpherical(direction.raRad, direction.decRad)
  return toDirection(multiply(context.trueOfDate, aberrate(bend(natural, context.fromSun), context.beta)))
}

export function apparentToIcrsWith(context: ApparentContext, direction: Direction): Direction {
  const proper = multiplyTransposed(context.trueOfDate, fromSpherical(direction.raRad, direction.decRad))
  const bent = aberrate(proper, scale(context.beta, -1))
  // What bends the natural direction to this one: the bend changes by 1e-8 of itself from step to step.
  let natural = bent
  for (let step = 0; step < 3; step++)
    natural = normalize(add(natural, add(bent, scale(bend(natural, context.fromSun), -1))))
  return toDirection(natural)
}

/**
 * ICRS place to which the Earth-fixed vector (HA 0, apparent declination) of the transit telescope points. The vector is
 * constant in ITRF axes, so the pole's motion (0.4") is undone before the apparent place is.
 */
export function meridianPlaceIcrs(decOfDateRad: number, mjdUtc: number, eop: EarthOrientation, site: Site): Direction {
  return earthFixedPlaceIcrs(fromSpherical(site.longitudeRad, decOfDateRad), mjdUtc, eop, site)
}

/** ICRS place to which a unit vector in ITRF axes points. */
export function earthFixedPlaceIcrs(s: Vec3, mjdUtc: number, eop: EarthOrientation, site: Site): Direction {
  const context = apparentContext(mjdUtc, eop, site)
  const { raRad, decRad } = toDirection(undoPolarMotion(s, eop))
  return apparentToIcrsWith(context, { raRad: raRad - site.longitudeRad + context.lastRad, decRad })
}

/** Unit vector in ITRF axes of an azimuth (from north through east) and an elevation above the WGS84 ellipsoid. */
export function horizonVector(azimuthRad: number, elevationRad: number, { latitudeRad, longitudeRad }: Site): Vec3 {
  const east: Vec3 = [-Math.sin(longitudeRad), Math.cos(longitudeRad), 0]
  const up = fromSpherical(longitudeRad, latitudeRad)
  const level = add(scale(east, Math.sin(azimuthRad)), scale(cross(up, east), Math.cos(azimuthRad)))
  return add(scale(level, Math.cos(elevationRad)), scale(up, Math.sin(elevationRad)))
}

/** ICRS direction of a J2000 one in FK5, by the Hipparcos rotation (Mignard & Froeschle 2000): up to 0.03". */
export function fk5ToIcrs(direction: Direction): Direction {
  const p = fromSpherical(direction.raRad, direction.decRad)
  return toDirection(normalize(add(p, cross(FK5_SPIN_RAD, p))))
}

/** Hour angle of an apparent right ascension, radians, west positive, in [-pi, pi). */
export function hourAngle(apparentRaRad: number, mjdUtc: number, eop: EarthOrientation, site: Site): number {
  return wrapPi(last(mjdUtc, eop, site.longitudeRad) - apparentRaRad)
}

/**
 * Turns Earth-fixed axes about the celestial intermediate pole into ITRF axes: R1(-yp) R2(-xp)
 * (IERS Conventions 2010, section 5.4.1; the TIO locator s' of 0.1 mas is left out).
 */
export function polarMotion(v: Vec3, eop: EarthOrientation): Vec3 {
  return multiply(polarMotionMatrix(eop), v)
}

/** Mean of directions as unit vectors, so that RA 359.9 and 0.1 degrees average to 0. Throws when they cancel. */
export function meanDirection(directions: readonly Direction[]): Direction {
  let sum: Vec3 = [0, 0, 0]
  for (const { raRad, decRad } of directions) sum = add(sum, fromSpherical(raRad, decRad))
  if (!(length(sum) > 1e-9 * directions.length)) throw new RangeError('the directions have no mean')
  return toDirection(sum)
}

/** Angle between two directions, radians, accurate at any size from 1e-15 to pi. */
export function separation(a: Direction, b: Direction): number {
  const sinHalfDec = Math.sin((b.decRad - a.decRad) / 2)
  const sinHalfRa = Math.sin((b.raRad - a.raRad) / 2)
  const haversine = sinHalfDec * sinHalfDec + Math.cos(a.decRad) * Math.cos(b.decRad) * sinHalfRa * sinHalfRa
  if (haversine < 0.75) return 2 * Math.asin(Math.sqrt(haversine))
  const u = fromSpherical(a.raRad, a.decRad)
  const v = fromSpherical(b.raRad, b.decRad)
  return Math.atan2(length(cross(u, v)), dot(u, v))
}

/** The direction of any vector but zero, RA in [0, 2 pi). */
export function toDirection(v: Vec3): Direction {
  return { raRad: wrapRa(Math.atan2(v[1], v[0])), decRad: Math.atan2(v[2], Math.hypot(v[0], v[1])) }
}

function undoPolarMotion(v: Vec3, eop: EarthOrientation): Vec3 {
  return multiplyTransposed(polarMotionMatrix(eop), v)
}

function polarMotionMatrix(eop: EarthOrientation): Matrix3 {
  const xp = eop.xpArcsec * ARCSEC_RAD
  const yp = eop.ypArcsec * ARCSEC_RAD
  return [
    [Math.cos(xp), 0, Math.sin(xp)],
    [Math.sin(yp) * Math.sin(xp), Math.cos(yp), -Math.sin(yp) * Math.cos(xp)],
    [-Math.cos(yp) * Math.sin(xp), Math.sin(yp), Math.cos(yp) * Math.cos(xp)],
  ]
}

/**
 * Aberration of a unit vector for an observer moving at `beta` (Lorentz transformation of a direction; Urban &
 * Seidelmann 2013, eq. 7.40). Applied again with `-beta` it is undone exactly.
 */
function aberrate(p: Vec3, beta: Vec3): Vec3 {
  const inverseGamma = Math.sqrt(1 - dot(beta, beta))
  const along = dot(p, beta)
  return normalize(add(scale(p, inverseGamma), scale(beta, 1 + along / (1 + inverseGamma))))
}

/**
 * Light bending by the Sun: p + (2 GM / c^2 r) ((p x (e x p)) / (1 + p.e)), with e from the Sun to the observer (Urban &
 * Seidelmann 2013, eq. 7.63, for a source at infinity). 4 mas at 90 degrees from the Sun, 23 mas at 20.
 */
function bend(p: Vec3, fromSun: Vec3): Vec3 {
  const distanceAu = length(fromSun)
  const e = scale(fromSun, 1 / distanceAu)
  const factor = SUN_SCHWARZSCHILD_AU / distanceAu / Math.max(1 + dot(p, e), LEAST_BEND_DIVISOR)
  return normalize(add(p, scale(cross(p, cross(e, p)), factor)))
}
