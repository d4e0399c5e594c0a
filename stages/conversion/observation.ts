import type { MsAntenna } from '#runtime/formats/measurement-set/schema.ts'
import type { Uvh5Header } from '#runtime/formats/uvh5/header.ts'
import type { Phasing } from '#runtime/formats/uvh5/phasing.ts'
import { ARCSEC_RAD } from '#runtime/sky/constants.ts'
import { horizonVector, type Site } from '#runtime/sky/frames.ts'
import { meridianVector, targetFrame, type RotationFrame } from '#runtime/sky/phase-rotation.ts'
import { earthOrientationAt, type EarthOrientationTable } from '#runtime/sky/time.ts'
import type { Vec3 } from '#runtime/sky/vector.ts'
import { absoluteAntennas, rowGeometry, type RowGeometry } from './array-geometry.ts'
import { pointingOf, type Pointing } from './pointing.ts'
import type { MemberFile } from './raw-file.ts'
import { rotateRows, type RotatedRows } from './rotation.ts'
import { statedW, type StatedW } from './stated-w.ts'
import { fitW, type WFit } from './w-fit.ts'

/** Beyond this the header's direction is not the one that was fringe-stopped, and the fitted one is used. */
const W_FIT_TOLERANCE_RAD = 1 * ARCSEC_RAD

/** The geometry of one observation: what its rows are and where they look. */
export interface Observation {
  /** All antennas of the header, absolute ITRF. */
  antennas: MsAntenna[]
  rows: RowGeometry
  /** As it is rotated from: with the fitted declination where the header's is off by more than 1". */
  phasing: Phasing
  /** Of the telescope's files, whose w coordinates tell what they are fringe-stopped to. */
  meridian: { wFit: WFit; fitted: boolean } | undefined
  /** Of the files of others, whose phases are taken as they are stated. */
  statedW: StatedW | undefined
  pointing: Pointing
  /** One an integration. */
  frames: RotationFrame[]
  rotated: RotatedRows
}

/** Works out the geometry from the header of any member of the observation. */
export function observationGeometry(header: Uvh5Header, file: MemberFile, table: EarthOrientationTable): Observation {
  const rows = rowGeometry(header)
  const { site, phasing, meridian } = whereToFrom(header, file.site, rows)
  const pointing = pointingOf(phasing, file.timesMjd, { site, table })
  const s0 = phasedTo(phasing, site)
  const frames = Array.from(file.timesMjd, (mjdUtc): RotationFrame => {
    const frame = targetFrame({ mjdUtc, eop: earthOrientationAt(table, mjdUtc), site, target: pointing.centre })
    return { s0: s0 ?? frame.s1, ...frame }
  })
  return {
    antennas: absoluteAntennas(header, file.site),
    rows,
    phasing,
    meridian,
    statedW: meridian === undefined ? statedW(header, rows, wDirections(phasing, site, frames)) : undefined,
    pointing,
    frames,
    rotated: rotateRows(header.antennaPositionsM, rows, frames),
  }
}

/** The Earth-fixed direction without phase, zero for data that are not phased; undefined for that of the target. */
function phasedTo(phasing: Phasing, site: Site): Vec3 | undefined {
  switch (phasing.kind) {
    case 'meridian':
      return meridianVector(0, phasing.decOfDateRad, site.longitudeRad)
    case 'driftscan':
      return horizonVector(phasing.azimuthRad, phasing.elevationRad, site)
    case 'unprojected':
      return [0, 0, 0]
    case 'sidereal':
      return undefined
  }
}

/** One an integration: the direction along which w of a file is measured; the zenith for data that are not phased. */
function wDirections(phasing: Phasing, site: Site, frames: readonly RotationFrame[]): Vec3[] {
  const zenith = horizonVector(0, Math.PI / 2, site)
  return frames.map(({ s0 }) => (phasing.kind === 'unprojected' ? zenith : s0))
}

function whereToFrom(
  header: Uvh5Header,
  site: Site,
  rows: RowGeometry,
): Pick<Observation, 'phasing' | 'meridian'> & { site: Site } {
  const { phasing } = header
  if (phasing.kind === 'driftscan')
    return { site, phasing: turnedAsW(phasing, header, { site, rows }), meridian: undefined }
  if (phasing.kind !== 'meridian') return { site, phasing, meridian: undefined }
  const stated = { longitudeRad: site.longitudeRad, decRad: phasing.decOfDateRad }
  const wFit = fitW(firstBaselines(header, rows), fileW(header, rows.swapped), stated)
  const meridian = { wFit, fitted: wFit.offsetRad > W_FIT_TOLERANCE_RAD }
  if (!meridian.fitted) return { site, phasing, meridian }
  return {
    site: { ...site, longitudeRad: wFit.longitudeRad },
    phasing: { kind: 'meridian', decOfDateRad: wFit.decRad },
    meridian,
  }
}

/**
 * The azimuth of the two, as stated and mirrored at the meridian, for which the w coordinates of the file were made, and
 * with which its phases go. pyuvdata (3.2.8, calc_app_coords) adds the hour angle to the sidereal time where the right
 * ascension is their difference, and so phases to the mirrored one.
 */
function turnedAsW(
  phasing: Extract<Phasing, { kind: 'driftscan' }>,
  { uvwM, antennaPositionsM }: Uvh5Header,
  { site, rows: { antenna1, antenna2, swapped } }: { site: Site; rows: RowGeometry },
): Phasing {
  const mirrored = { ...phasing, azimuthRad: -phasing.azimuthRad }
  const [asStated, asMirrored] = [phasing, mirrored].map(({ azimuthRad, elevationRad }) => {
    const s = horizonVector(azimuthRad, elevationRad, site)
    let sum = 0
    for (let row = 0; row < swapped.length; row++) {
      const [a, b] = [3 * antenna1[row], 3 * antenna2[row]]
      const wM = [0, 1, 2].reduce((w, i) => w + s[i] * (antennaPositionsM[b + i] - antennaPositionsM[a + i]), 0)
      sum += Math.abs(wM - (swapped[row] === 1 ? -1 : 1) * uvwM[3 * row + 2])
    }
    return sum
  })
  return asMirrored < asStated ? mirrored : phasing
}

/** (baselines, 3): r_1 - r_2 of the rows of the first integration of a file of the telescope. */
function firstBaselines(
  { baselines, antennaPositionsM }: Uvh5Header,
  { antenna1, antenna2 }: RowGeometry,
): Float64Array {
  return Float64Array.from({ length: 3 * baselines }, (_, i) => {
    const [row, axis] = [Math.floor(i / 3), i % 3]
    return antennaPositionsM[3 * antenna1[row] + axis] - antennaPositionsM[3 * antenna2[row] + axis]
  })
}

/** w of the first integration in MeasurementSet orientation: the file has position(ant_2) - position(ant_1). */
function fileW({ uvwM, baselines }: Uvh5Header, swapped: Uint8Array): Float64Array {
  return Float64Array.from({ length: baselines }, (_, i) => (swapped[i] === 1 ? uvwM[3 * i + 2] : -uvwM[3 * i + 2]))
}
