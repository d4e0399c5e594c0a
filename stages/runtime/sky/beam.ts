import { besselJ1OverX, besselSeries } from './bessel.ts'
import { DISH_DIAMETER_M, SPEED_OF_LIGHT_M_S } from './constants.ts'
import type { Direction } from './frames.ts'
import { separation } from './frames.ts'

/** Where the primary beam pointed: one ICRS centre per integration, from HA 0 at the apparent declination. */
export interface BeamTrack {
  /** Middle of each integration, MJD UTC in seconds. */
  timeMjdS: Float64Array
  raRad: Float64Array
  decRad: Float64Array
  /** Apparent declination of the pointing. */
  decOfDateRad: number
}

/** Steps of the table per unit of x^2, and its range: x = 16 is 12.5 degrees from the centre at 1.4 GHz. */
const TABLE_STEPS = 4
const TABLE_END = 256

/**
 * Power pattern of a uniformly lit circular aperture, 1 on axis: [2 J1(x)/x]^2, x = pi D sin(theta) nu / c (Airy 1835).
 * 0 behind the dish (theta >= 90 degrees).
 */
export function airyPower(thetaRad: number, freqHz: number, diameterM: number = DISH_DIAMETER_M): number {
  if (Math.abs(thetaRad) >= Math.PI / 2) return 0
  const voltage = 2 * besselJ1OverX(beamScale(freqHz, diameterM) * Math.sin(thetaRad))
  return voltage * voltage
}

/** pi D nu / c: times sin(theta) it is the argument x of the Airy pattern. */
export function beamScale(freqHz: number, diameterM: number = DISH_DIAMETER_M): number {
  return (Math.PI * diameterM * freqHz) / SPEED_OF_LIGHT_M_S
}

/**
 * The Airy power pattern as a function of x^2, for hot loops: cubic Hermite interpolation in a table of 32 kB, absolute
 * error below 2e-8. Make it once and keep it. Beyond the table the function computes.
 */
export function airyTable(): (xSquared: number) => number {
  const steps = TABLE_STEPS * TABLE_END
  const coefficients = new Float64Array(4 * steps)
  let [value, slope] = airyNode(0)
  for (let k = 0; k < steps; k++) {
    const [nextValue, nextSlope] = airyNode((k + 1) / TABLE_STEPS)
    const d0 = slope / TABLE_STEPS
    const d1 = nextSlope / TABLE_STEPS
    coefficients[4 * k] = value
    coefficients[4 * k + 1] = d0
    coefficients[4 * k + 2] = 3 * (nextValue - value) - 2 * d0 - d1
    coefficients[4 * k + 3] = 2 * (value - nextValue) + d0 + d1
    value = nextValue
    slope = nextSlope
  }
  return (xSquared) => {
    if (!(xSquared >= 0 && xSquared < TABLE_END)) return airyOfSquare(xSquared)
    const position = xSquared * TABLE_STEPS
    const k = position | 0
    const f = position - k
    const i = 4 * k
    return coefficients[i] + f * (coefficients[i + 1] + f * (coefficients[i + 2] + f * coefficients[i + 3]))
  }
}

/** Primary beam power towards an ICRS direction in integration `k` of the track. */
export function beamPower(track: BeamTrack, k: number, direction: Direction, freqHz: number): number {
  return airyPower(separation({ raRad: track.raRad[k], decRad: track.decRad[k] }, direction), freqHz)
}

/** Primary beam power towards a direction, the plain mean over the integrations of a track and the frequencies. */
export function meanBeam(track: BeamTrack, direction: Direction, freqsHz: ArrayLike<number>): number {
  return meanBeamTimes(track, direction, freqsHz)
}

/** Mean over integrations and frequencies of the beam power times `weights`, one for each frequency (default 1). */
export function meanBeamTimes(
  track: BeamTrack,
  direction: Direction,
  freqsHz: ArrayLike<number>,
  weights?: ArrayLike<number>,
): number {
  let sum = 0
  for (let k = 0; k < track.raRad.length; k++) {
    const thetaRad = separation({ raRad: track.raRad[k], decRad: track.decRad[k] }, direction)
    for (let c = 0; c < freqsHz.length; c++) sum += airyPower(thetaRad, freqsHz[c]) * (weights ? weights[c] : 1)
  }
  return sum / (track.raRad.length * freqsHz.length)
}

/** Value and derivative in x^2 of the pattern: F = 2 J1(x)/x, dF/d(x^2) = -J2(x)/x^2. */
function airyNode(xSquared: number): [number, number] {
  const voltage = 2 * besselJ1OverX(Math.sqrt(xSquared))
  return [voltage * voltage, 2 * voltage * -besselJ2OverX2(xSquared)]
}

function besselJ2OverX2(xSquared: number): number {
  if (xSquared < 144) return besselSeries(xSquared, 2) / 8
  // d(J1/x)/dx = -J2/x (Abramowitz & Stegun 9.1.30), by central difference: only the far end of the table is so made.
  const x = Math.sqrt(xSquared)
  const h = 1e-3
  const derivative = (besselJ1OverX(x + h) - besselJ1OverX(x - h)) / (2 * h)
  return -derivative / x
}

function airyOfSquare(xSquared: number): number {
  const voltage = 2 * besselJ1OverX(Math.sqrt(xSquared))
  return voltage * voltage
}
