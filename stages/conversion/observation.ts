import type { EarthOrientationTable } from '#runtime/sky/time.ts'
import { earthOrientationAt } from '#runtime/sky/time.ts'
import { ARCSEC_RAD } from '#runtime/sky/constants.ts'
import type { Site } from '#runtime/sky/frames.ts'
import { rotationFrame, type RotationFrame } from '#runtime/sky/phase-rotation.ts'
import type { Uvh5Header } from '#runtime/formats/uvh5/header.ts'
import { arrayGeometry, type ArrayGeometry } from './array-geometry.ts'
import { meridianPointing, type Pointing } from './pointing.ts'
import type { RawFile } from './raw-file.ts'
import { rotateBaselines, type RotatedRows } from './rotation.ts'
import { fitW, type WFit } from './w-fit.ts'

/** Beyond this the header's direction is not the one that was fringe-stopped, and the fitted one is used. */
const W_FIT_TOLERANCE_RAD = 1 * ARCSEC_RAD

/** The geometry of one observation: what its rows are and where they look. */
export interface Observation {
  array: ArrayGeometry
  wFit: WFit
  /** Site and declination of the rotation: the header's, or the fitted ones when they differ by more than 1". */
  site: Site
  decOfDateRad: number
  fitted: boolean
  pointing: Pointing
  /** One an integration. */
  frames: RotationFrame[]
  rotated: RotatedRows
}

/** Works out the geometry from the header of any member of the observation. */
export function observationGeometry(header: Uvh5Header, file: RawFile, table: EarthOrientationTable): Observation {
  const array = arrayGeometry(header, file.site)
  const stated = { longitudeRad: file.site.longitudeRad, decRad: file.decOfDateRad }
  const wFit = fitW(array.baselineM, fileW(header, array.swapped), stated)
  const fitted = wFit.offsetRad > W_FIT_TOLERANCE_RAD
  const site = fitted ? { ...file.site, longitudeRad: wFit.longitudeRad } : file.site
  const decOfDateRad = fitted ? wFit.decRad : file.decOfDateRad
  const pointing = meridianPointing(file.timesMjd, decOfDateRad, { site, table })
  const frames = Array.from(file.timesMjd, (mjdUtc) =>
    rotationFrame({ mjdUtc, eop: earthOrientationAt(table, mjdUtc), site, decOfDateRad, target: pointing.centre }),
  )
  return {
    array,
    wFit,
    site,
    decOfDateRad,
    fitted,
    pointing,
    frames,
    rotated: rotateBaselines(array.baselineM, frames),
  }
}

/** w of the first integration in MeasurementSet orientation: the file has position(ant_2) - position(ant_1). */
function fileW({ uvwM, baselines }: Uvh5Header, swapped: Uint8Array): Float64Array {
  return Float64Array.from({ length: baselines }, (_, i) => (swapped[i] === 1 ? uvwM[3 * i + 2] : -uvwM[3 * i + 2]))
}
