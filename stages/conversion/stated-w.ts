import type { Uvh5Header } from '#runtime/formats/uvh5/header.ts'
import { ARCSEC_RAD } from '#runtime/sky/constants.ts'
import type { Check } from '#runtime/stage/quality.ts'
import type { Vec3 } from '#runtime/sky/vector.ts'
import type { RowGeometry } from './array-geometry.ts'

/**
 * Angles at the longest baseline, as for the fit of w of the telescope's own files. pyuvdata 3.2.8 is right to 0.01" here
 * (test/oracles/pypi); programs that leave out polar motion are off by up to 0.6", those without aberration by 20".
 */
const WARN_ARCSEC = 1
const FAIL_ARCSEC = 60
/** Positions that are rounded to a millimetre say no more, however short the baselines. */
const ROUNDING_M = 1e-3

/** How the w coordinates of a file go with the direction that it states. */
export interface StatedW {
  /** Largest difference of w from b . s, metres; NaN where one is not finite. */
  differenceM: number
  /** Longest baseline, metres. */
  longestM: number
}

/**
 * Holds w of each row against b . s, b = position(ant_2) - position(ant_1). What makes w makes the phases too: a
 * difference says that the direction, the antenna positions or their axes are not those that the data were made with.
 * @param towards unit vector in ITRF axes, one an integration: what the file says that it is phased to
 */
export function statedW(
  { uvwM, antennaPositionsM }: Pick<Uvh5Header, 'uvwM' | 'antennaPositionsM'>,
  { antenna1, antenna2, swapped, integration }: RowGeometry,
  towards: readonly Vec3[],
): StatedW {
  let [differenceM, longestM] = [0, 0]
  for (let row = 0; row < swapped.length; row++) {
    const [a, b] = [3 * antenna1[row], 3 * antenna2[row]]
    const s = towards[integration[row]]
    const x = antennaPositionsM[b] - antennaPositionsM[a]
    const y = antennaPositionsM[b + 1] - antennaPositionsM[a + 1]
    const z = antennaPositionsM[b + 2] - antennaPositionsM[a + 2]
    const wM = (swapped[row] === 1 ? -1 : 1) * uvwM[3 * row + 2]
    differenceM = Math.max(differenceM, Math.abs(wM - (x * s[0] + y * s[1] + z * s[2])))
    longestM = Math.max(longestM, Math.hypot(x, y, z))
  }
  return { differenceM, longestM }
}

/** The check `w-stated`. Data keep the direction that the file states, whatever it says. */
export function statedWCheck({ differenceM, longestM }: StatedW): Check {
  const limitM = (arcsec: number): number => ROUNDING_M + arcsec * ARCSEC_RAD * longestM
  const verdict = differenceM <= limitM(WARN_ARCSEC) ? 'good' : differenceM <= limitM(FAIL_ARCSEC) ? 'uncertain' : 'bad'
  const millimetres = (1000 * differenceM).toPrecision(3)
  return {
    gating: true,
    blocking: true,
    name: 'w-stated',
    verdict,
    ...(Number.isFinite(differenceM) ? { value: 1000 * differenceM } : {}),
    unit: 'mm',
    limits: {
      good: `<= ${(1000 * limitM(WARN_ARCSEC)).toPrecision(3)}`,
      uncertain: `<= ${(1000 * limitM(FAIL_ARCSEC)).toPrecision(3)}`,
    },
    message:
      verdict === 'good'
        ? `w coordinates of the files go with their stated direction and antenna positions to ${millimetres} mm`
        : `w coordinates of the files differ by up to ${millimetres} mm from their stated direction and antenna positions, on baselines of up to ${longestM.toFixed(1)} m: the direction, the positions or their axes are not those that the data were made with`,
  }
}
