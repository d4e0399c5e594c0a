import { ARCSEC_RAD, DAY_S } from './constants.ts'
import type { EarthOrientation } from './earth-orientation.ts'
import { equationOfTheEquinoxes } from './precession-nutation.ts'

export { earthOrientationAt, type EarthOrientation, type EarthOrientationTable } from './earth-orientation.ts'

const TWO_PI = 2 * Math.PI
/** MJD of J2000.0, 2000 January 1, 12h. */
const J2000_MJD = 51544.5
const UNIX_EPOCH_MJD = 40587
const JD_OF_MJD_0 = 2400000.5
const CENTURY_DAYS = 36525
const TT_MINUS_TAI_S = 32.184

/** First day (MJD) of each value of TAI - UTC, s (IERS Bulletin C). */
const leapSeconds: readonly (readonly [number, number])[] = [
  [41317, 10],
  [41499, 11],
  [41683, 12],
  [42048, 13],
  [42413, 14],
  [42778, 15],
  [43144, 16],
  [43509, 17],
  [43874, 18],
  [44239, 19],
  [44786, 20],
  [45151, 21],
  [45516, 22],
  [46247, 23],
  [47161, 24],
  [47892, 25],
  [48257, 26],
  [48804, 27],
  [49169, 28],
  [49534, 29],
  [50083, 30],
  [50630, 31],
  [51179, 32],
  [53736, 33],
  [54832, 34],
  [56109, 35],
  [57204, 36],
  [57754, 37],
]

export function jdToMjd(jd: number): number {
  return jd - JD_OF_MJD_0
}

export function mjdToJd(mjd: number): number {
  return mjd + JD_OF_MJD_0
}

/** TAI - UTC in seconds on a day of UTC (1972 on; earlier days are refused). */
export function taiMinusUtcS(mjdUtc: number): number {
  for (let i = leapSeconds.length - 1; i >= 0; i--) {
    if (mjdUtc >= leapSeconds[i][0]) return leapSeconds[i][1]
  }
  throw new RangeError(`MJD ${mjdUtc} lies before 1972, where UTC has no whole leap seconds`)
}

/** MJD in Terrestrial Time of an MJD in UTC: TT = UTC + (TAI - UTC) + 32.184 s. */
export function mjdUtcToTt(mjdUtc: number): number {
  return mjdUtc + (taiMinusUtcS(mjdUtc) + TT_MINUS_TAI_S) / DAY_S
}

/** Julian centuries of TT since J2000.0. */
export function centuriesTt(mjdUtc: number): number {
  return (mjdUtcToTt(mjdUtc) - J2000_MJD) / CENTURY_DAYS
}

/** Earth rotation angle, radians in [0, 2 pi), of an MJD in UT1 (Capitaine, Guinot & McCarthy 2000). */
export function era(mjdUt1: number): number {
  const days = mjdUt1 - J2000_MJD
  // The whole turn a day is left to the day fraction: 0.00273781191135448 x days keeps full precision.
  const turns = (mjdUt1 % 1) + 0.5 + 0.779057273264 + 0.00273781191135448 * days
  return wrapTurns(turns)
}

/** Greenwich mean sidereal time, radians in [0, 2 pi), IAU 2006 (Capitaine, Wallace & Chapront 2003, eq. 42). */
export function gmst(mjdUt1: number, mjdTt: number): number {
  const t = (mjdTt - J2000_MJD) / CENTURY_DAYS
  const arcsec = 0.014506 + t * (4612.156534 + t * (1.3915817 + t * (-4.4e-7 + t * (-2.9956e-5 - t * 3.68e-8))))
  return wrapTurns((era(mjdUt1) + arcsec * ARCSEC_RAD) / TWO_PI)
}

/** Greenwich apparent sidereal time, radians in [0, 2 pi): GMST plus the equation of the equinoxes. */
export function gast(mjdUtc: number, eop: EarthOrientation): number {
  const mjdUt1 = mjdUtc + eop.dut1S / DAY_S
  return wrapTurns((gmst(mjdUt1, mjdUtcToTt(mjdUtc)) + equationOfTheEquinoxes(centuriesTt(mjdUtc))) / TWO_PI)
}

/** Local apparent sidereal time, radians in [0, 2 pi), at an east longitude. */
export function last(mjdUtc: number, eop: EarthOrientation, longitudeRad: number): number {
  return wrapTurns((gast(mjdUtc, eop) + longitudeRad) / TWO_PI)
}

/** Days from 1970 that the calendar of the language reaches. */
const CALENDAR_DAYS = 1e8

/** ISO 8601 with milliseconds and Z, of an MJD in UTC; of one beyond the calendar, as damaged files have, the MJD itself. */
export function isoUtc(mjdUtc: number): string {
  if (!(Math.abs(mjdUtc - UNIX_EPOCH_MJD) < CALENDAR_DAYS)) return `MJD ${mjdUtc}`
  return new Date(Math.round((mjdUtc - UNIX_EPOCH_MJD) * DAY_S * 1000)).toISOString()
}

/** MJD in UTC of an ISO 8601 time; without a zone it is UTC. Throws a RangeError for anything else. */
export function mjdFromIso(iso: string): number {
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d(?:\.\d+)?))?)?Z?$/.exec(iso.trim())
  const minuteMs = match ? Date.parse(`${match[1]}T${match[2] ?? '00:00'}:00Z`) : Number.NaN
  const seconds = Number(match?.[3] ?? 0)
  if (!Number.isFinite(minuteMs) || seconds >= 60) throw new RangeError(`not an ISO 8601 time in UTC: ${iso}`)
  return UNIX_EPOCH_MJD + (minuteMs / 1000 + seconds) / DAY_S
}

/** Identity of an observation, `YYYYMMDDTHHMMSS`: UTC of its leading edge, rounded to the second. */
export function observationId(mjdUtcOfLeadingEdge: number): string {
  const roundedMs = Math.round((mjdUtcOfLeadingEdge - UNIX_EPOCH_MJD) * DAY_S) * 1000
  return new Date(roundedMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')
}

function wrapTurns(turns: number): number {
  const fraction = turns - Math.floor(turns)
  return fraction < 1 ? fraction * TWO_PI : 0
}
