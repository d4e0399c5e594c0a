import { ARCSEC_RAD, DAY_S, DEGREE_RAD } from './constants.ts'
import type { Vec3 } from './vector.ts'
import { add, rotateX, rotateZ, scale } from './vector.ts'

/** Kepler elements at J2000.0, and their rates a Julian century; ecliptic and equinox J2000, au and degrees. */
interface Orbit {
  axisAu: readonly [number, number]
  eccentricity: readonly [number, number]
  inclinationDeg: readonly [number, number]
  meanLongitudeDeg: readonly [number, number]
  perihelionDeg: readonly [number, number]
  nodeDeg: readonly [number, number]
}

const ASTRONOMICAL_UNIT_M = 149597870700
const CENTURY_S = 36525 * DAY_S
const OBLIQUITY_J2000_RAD = 84381.406 * ARCSEC_RAD

/** Earth-Moon barycentre (Standish & Williams 1992/2006, approximate positions of the planets, 1800-2050). */
const earthMoon: Orbit = {
  axisAu: [1.00000261, 0.00000562],
  eccentricity: [0.01671123, -0.00004392],
  inclinationDeg: [-0.00001531, -0.01294668],
  meanLongitudeDeg: [100.46457166, 35999.37244981],
  perihelionDeg: [102.93768193, 0.32327364],
  nodeDeg: [0, 0],
}

/** The geocentric Moon's mean orbit (Chapront-Touze & Chapront 1991, leading terms). */
const moon: Orbit = {
  axisAu: [0.00256955529, 0],
  eccentricity: [0.0549006, 0],
  inclinationDeg: [5.14534, 0],
  meanLongitudeDeg: [218.3164477, 481267.88123421],
  perihelionDeg: [83.3532465, 4069.0137287],
  nodeDeg: [125.0445479, -1934.1362891],
}

/** Mass of the Moon over that of Earth and Moon (IAU 2009: 1 / 81.30057). */
const MOON_FRACTION = 1 / (1 + 81.30057)

/** The planets that move the Sun about the barycentre by more than 0.2 m/s: mass over the Sun's, orbit (Standish). */
const giants: readonly { massFraction: number; orbit: Orbit }[] = [
  {
    massFraction: 1 / 1047.3486,
    orbit: {
      axisAu: [5.202887, -0.00011607],
      eccentricity: [0.04838624, -0.00013253],
      inclinationDeg: [1.30439695, -0.00183714],
      meanLongitudeDeg: [34.39644051, 3034.74612775],
      perihelionDeg: [14.72847983, 0.21252668],
      nodeDeg: [100.47390909, 0.20469106],
    },
  },
  {
    massFraction: 1 / 3497.898,
    orbit: {
      axisAu: [9.53667594, -0.0012506],
      eccentricity: [0.05386179, -0.00050991],
      inclinationDeg: [2.48599187, 0.00193609],
      meanLongitudeDeg: [49.95424423, 1222.49362201],
      perihelionDeg: [92.59887831, -0.41897216],
      nodeDeg: [113.66242448, -0.28867794],
    },
  },
  {
    massFraction: 1 / 22902.98,
    orbit: {
      axisAu: [19.18916464, -0.00196176],
      eccentricity: [0.04725744, -0.00004397],
      inclinationDeg: [0.77263783, -0.00242939],
      meanLongitudeDeg: [313.23810451, 428.48202785],
      perihelionDeg: [170.9542763, 0.40805281],
      nodeDeg: [74.01692503, 0.04240589],
    },
  },
  {
    massFraction: 1 / 19412.24,
    orbit: {
      axisAu: [30.06992276, 0.00026291],
      eccentricity: [0.00859048, 0.00005105],
      inclinationDeg: [1.77004347, 0.00035372],
      meanLongitudeDeg: [-55.12002969, 218.45945325],
      perihelionDeg: [44.96476227, -0.32241464],
      nodeDeg: [131.78422574, -0.00508664],
    },
  },
]

/**
 * Velocity of the Earth's centre about the barycentre of the solar system, m/s, ICRS axes: the elliptic orbit of Earth
 * and Moon, the Earth's motion about their common centre, and the Sun's reaction to the four giant planets. Within
 * 2.2 m/s (1.5 mas of aberration) of VSOP2000 over 2020-2035; good to some m/s from 1800 to 2050.
 * @param t Julian centuries of TT since J2000.0
 */
export function earthVelocity(t: number): Vec3 {
  let velocity = add(orbitalVelocity(earthMoon, t), scale(orbitalVelocity(moon, t), -MOON_FRACTION))
  for (const { massFraction, orbit } of giants) {
    velocity = add(velocity, scale(orbitalVelocity(orbit, t), -massFraction / (1 + massFraction)))
  }
  return rotateX(velocity, -OBLIQUITY_J2000_RAD)
}

/**
 * Place of the Earth from the Sun, au, ICRS axes: that of the barycentre of Earth and Moon, which is within 7" as seen
 * from the Sun.
 * @param t Julian centuries of TT since J2000.0
 */
export function earthFromSun(t: number): Vec3 {
  const { axisAu, eccentricity, meanLongitudeDeg, perihelionDeg, nodeDeg, inclinationDeg } = earthMoon
  const at = (element: readonly [number, number]): number => element[0] + element[1] * t
  const [e, axis] = [at(eccentricity), at(axisAu)]
  const eccentric = eccentricAnomaly((at(meanLongitudeDeg) - at(perihelionDeg)) * DEGREE_RAD, e)
  const inPlane: Vec3 = [axis * (Math.cos(eccentric) - e), axis * Math.sqrt(1 - e * e) * Math.sin(eccentric), 0]
  const node = at(nodeDeg) * DEGREE_RAD
  const argument = at(perihelionDeg) * DEGREE_RAD - node
  const ecliptic = rotateZ(rotateX(rotateZ(inPlane, -argument), -at(inclinationDeg) * DEGREE_RAD), -node)
  return rotateX(ecliptic, -OBLIQUITY_J2000_RAD)
}

/** Velocity in a Kepler orbit, m/s, ecliptic axes of J2000. */
function orbitalVelocity(orbit: Orbit, t: number): Vec3 {
  const at = (element: readonly [number, number]): number => element[0] + element[1] * t
  const e = at(orbit.eccentricity)
  const meanAnomaly = (at(orbit.meanLongitudeDeg) - at(orbit.perihelionDeg)) * DEGREE_RAD
  const meanMotion = ((orbit.meanLongitudeDeg[1] - orbit.perihelionDeg[1]) * DEGREE_RAD) / CENTURY_S
  const eccentric = eccentricAnomaly(meanAnomaly, e)
  const speed = (meanMotion * at(orbit.axisAu) * ASTRONOMICAL_UNIT_M) / (1 - e * Math.cos(eccentric))
  const inPlane: Vec3 = [-speed * Math.sin(eccentric), speed * Math.sqrt(1 - e * e) * Math.cos(eccentric), 0]
  const node = at(orbit.nodeDeg) * DEGREE_RAD
  const argument = at(orbit.perihelionDeg) * DEGREE_RAD - node
  return rotateZ(rotateX(rotateZ(inPlane, -argument), -at(orbit.inclinationDeg) * DEGREE_RAD), -node)
}

/** Solves Kepler's equation E - e sin E = M by Newton's method; converges at once for e < 0.1. */
function eccentricAnomaly(meanAnomaly: number, e: number): number {
  const m = meanAnomaly % (2 * Math.PI)
  let eccentric = m + e * Math.sin(m)
  for (let i = 0; i < 4; i++) {
    eccentric -= (eccentric - e * Math.sin(eccentric) - m) / (1 - e * Math.cos(eccentric))
  }
  return eccentric
}
