import { readFileSync } from 'node:fs'
import { ARCSEC_RAD, DEGREE_RAD, DSA110_SITE } from '#runtime/sky/constants.ts'
import type { Direction, Site } from '#runtime/sky/frames.ts'
import type { EarthOrientation } from '#runtime/sky/time.ts'

/** A fixture of test/fixtures/sky, made by test/oracles/sky-fixtures.py. */
export function readFixture(name: string): unknown {
  const url = new URL(`../../../fixtures/sky/${name}`, import.meta.url)
  return JSON.parse(readFileSync(url, 'utf8'))
}

export const site: Site = {
  latitudeRad: DSA110_SITE.latitudeDeg * DEGREE_RAD,
  longitudeRad: DSA110_SITE.longitudeDeg * DEGREE_RAD,
  altitudeM: DSA110_SITE.altitudeM,
}

export const noOrientation: EarthOrientation = { dut1S: 0, xpArcsec: 0, ypArcsec: 0, extrapolated: false }

export function orientationOf(row: { dut1S: number; xpArcsec: number; ypArcsec: number }): EarthOrientation {
  return { dut1S: row.dut1S, xpArcsec: row.xpArcsec, ypArcsec: row.ypArcsec, extrapolated: false }
}

export function direction(pair: readonly [number, number]): Direction {
  return { raRad: pair[0], decRad: pair[1] }
}

export function degrees(raDeg: number, decDeg: number): Direction {
  return { raRad: raDeg * DEGREE_RAD, decRad: decDeg * DEGREE_RAD }
}

export function arcsec(rad: number): number {
  return rad / ARCSEC_RAD
}
