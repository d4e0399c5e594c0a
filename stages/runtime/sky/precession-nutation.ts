import { ARCSEC_RAD } from './constants.ts'
import { nutationTerms } from './nutation-terms.ts'
import type { Matrix3, Vec3 } from './vector.ts'
import { rotateX, rotateZ } from './vector.ts'

const TURN_ARCSEC = 1296000
const TENTH_MICROARCSEC_RAD = ARCSEC_RAD / 1e7

/** Mean effect of the planets, which the abridged series leaves out (Luzum 2001), arcsec. */
const planetaryLongitudeArcsec = -0.135e-3
const planetaryObliquityArcsec = 0.388e-3

export interface Nutation {
  longitudeRad: number
  obliquityRad: number
}

/**
 * Nutation in longitude and obliquity, IAU 2000B, within 1 mas of IAU 2000A from 1995 to 2050.
 * @param t Julian centuries of TT since J2000.0
 */
function nutation(t: number): Nutation {
  const [l, lPrime, f, d, omega] = delaunayArguments(t)
  let longitude = 0
  let obliquity = 0
  for (let i = nutationTerms.length - 1; i >= 0; i--) {
    const k = nutationTerms[i]
    const argument = k[0] * l + k[1] * lPrime + k[2] * f + k[3] * d + k[4] * omega
    const sin = Math.sin(argument)
    const cos = Math.cos(argument)
    longitude += (k[5] + k[6] * t) * sin + k[7] * cos
    obliquity += (k[8] + k[9] * t) * cos + k[10] * sin
  }
  return {
    longitudeRad: longitude * TENTH_MICROARCSEC_RAD + planetaryLongitudeArcsec * ARCSEC_RAD,
    obliquityRad: obliquity * TENTH_MICROARCSEC_RAD + planetaryObliquityArcsec * ARCSEC_RAD,
  }
}

/** Mean obliquity of the ecliptic, radians, IAU 2006 (Capitaine, Wallace & Chapront 2003). */
function meanObliquity(t: number): number {
  return ARCSEC_RAD * polynomial(t, [84381.406, -46.836769, -0.0001831, 0.0020034, -5.76e-7, -4.34e-8])
}

/**
 * Rotation from ICRS to the true equator and equinox of date: frame bias, IAU 2006 precession and IAU 2000B nutation,
 * by the Fukushima-Williams angles (Hilton et al. 2006, Celest. Mech. Dyn. Astron. 94, 351; bias included in them).
 */
export function icrsToTrueOfDate(t: number): Matrix3 {
  const gammaBar = ARCSEC_RAD * polynomial(t, [-0.052928, 10.556378, 0.4932044, -0.00031238, -2.788e-6, 2.6e-8])
  const phiBar = ARCSEC_RAD * polynomial(t, [84381.412819, -46.811016, 0.0511268, 0.00053289, -4.4e-7, -1.76e-8])
  const psiBar = ARCSEC_RAD * polynomial(t, [-0.041775, 5038.481484, 1.5584175, -0.00018522, -2.6452e-5, -1.48e-8])
  const { longitudeRad, obliquityRad } = nutation(t)
  const turn = (v: Vec3): Vec3 =>
    rotateX(
      rotateZ(rotateX(rotateZ(v, gammaBar), phiBar), -(psiBar + longitudeRad)),
      -(meanObliquity(t) + obliquityRad),
    )
  const x = turn([1, 0, 0])
  const y = turn([0, 1, 0])
  const z = turn([0, 0, 1])
  return [
    [x[0], y[0], z[0]],
    [x[1], y[1], z[1]],
    [x[2], y[2], z[2]],
  ]
}

/**
 * Equation of the equinoxes, radians: dpsi cos(eps) and the complementary terms above 1 microarcsec
 * (IERS Conventions 2010, table 5.2e).
 */
export function equationOfTheEquinoxes(t: number): number {
  const [, lPrime, f, d, om] = delaunayArguments(t)
  const complementaryArcsec =
    2640.96e-6 * Math.sin(om) +
    63.52e-6 * Math.sin(2 * om) +
    11.75e-6 * Math.sin(2 * f - 2 * d + 3 * om) +
    11.21e-6 * Math.sin(2 * f - 2 * d + om) -
    4.55e-6 * Math.sin(2 * f - 2 * d + 2 * om) +
    2.02e-6 * Math.sin(2 * f + 3 * om) +
    1.98e-6 * Math.sin(2 * f + om) -
    1.72e-6 * Math.sin(3 * om) -
    1.41e-6 * Math.sin(lPrime + om) -
    1.26e-6 * Math.sin(lPrime - om) -
    0.87e-6 * t * Math.sin(om)
  return nutation(t).longitudeRad * Math.cos(meanObliquity(t)) + complementaryArcsec * ARCSEC_RAD
}

/** l, l', F, D and Omega (Simon et al. 1994, A&A 282, 663), radians, linear as IAU 2000B wants them. */
function delaunayArguments(t: number): [number, number, number, number, number] {
  const angle = (constant: number, rate: number): number => ((constant + rate * t) % TURN_ARCSEC) * ARCSEC_RAD
  return [
    angle(485868.249036, 1717915923.2178),
    angle(1287104.79305, 129596581.0481),
    angle(335779.526232, 1739527262.8478),
    angle(1072260.70369, 1602961601.209),
    angle(450160.398036, -6962890.5431),
  ]
}

function polynomial(t: number, coefficients: readonly number[]): number {
  let value = 0
  for (let i = coefficients.length - 1; i >= 0; i--) value = value * t + coefficients[i]
  return value
}
