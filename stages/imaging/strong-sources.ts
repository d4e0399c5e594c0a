import { DEGREE_RAD } from '#runtime/sky/constants.ts'
import { separation, type Direction } from '#runtime/sky/frames.ts'

/** The strongest sources of the northern sky at 1.4 GHz, hundreds of Jy and more (Perley & Butler 2017), ICRS degrees. */
const strongSources = [
  { name: 'Cas A', raDeg: 350.85, decDeg: 58.815 },
  { name: 'Cyg A', raDeg: 299.868, decDeg: 40.734 },
  { name: 'Tau A', raDeg: 83.633, decDeg: 22.0145 },
  { name: 'Vir A', raDeg: 187.706, decDeg: 12.391 },
] as const

/** The nearest of Cas A, Cyg A, Tau A and Vir A: within 6 degrees its sidelobes reach the image. */
export function nearestStrongSource(pointing: Direction): { name: string; separationDeg: number } {
  return strongSources
    .map(({ name, raDeg, decDeg }) => {
      const direction = { raRad: raDeg * DEGREE_RAD, decRad: decDeg * DEGREE_RAD }
      return { name, separationDeg: separation(pointing, direction) / DEGREE_RAD }
    })
    .reduce((near, far) => (far.separationDeg < near.separationDeg ? far : near))
}

/**
 * Altitude of the Sun in degrees at a place (ITRF metres), to about 0.1 degree: low-precision position of the Astronomical
 * Almanac (section C), mean sidereal time.
 */
export function sunAltitude(mjdUtc: number, [x, y, z]: readonly [number, number, number]): number {
  const days = mjdUtc - 51_544.5
  const anomaly = (357.528 + 0.985_600_3 * days) * DEGREE_RAD
  const longitude =
    (280.46 + 0.985_647_4 * days + 1.915 * Math.sin(anomaly) + 0.02 * Math.sin(2 * anomaly)) * DEGREE_RAD
  const obliquity = (23.439 - 4e-7 * days) * DEGREE_RAD
  const ra = Math.atan2(Math.cos(obliquity) * Math.sin(longitude), Math.cos(longitude))
  const sinDec = Math.sin(obliquity) * Math.sin(longitude)
  // Earth rotation angle and the precession in right ascension since 2000.
  const precession = (4612.16 / 3600) * (days / 36_525) * DEGREE_RAD
  const siderealRad = 2 * Math.PI * (0.779_057_273_264 + 1.0027378119113546 * days) + precession
  const hourAngle = siderealRad + Math.atan2(y, x) - ra
  const latitude = Math.atan2(z, Math.hypot(x, y) * (1 - flattening) ** 2)
  const sine = Math.sin(latitude) * sinDec + Math.cos(latitude) * Math.sqrt(1 - sinDec * sinDec) * Math.cos(hourAngle)
  return Math.asin(sine) / DEGREE_RAD
}

/** Of the WGS84 ellipsoid. */
const flattening = 1 / 298.257223563
