import type { MsAntenna } from '#runtime/formats/measurement-set/schema.ts'
import type { Uvh5Header } from '#runtime/formats/uvh5/header.ts'
import { DISH_DIAMETER_M } from '#runtime/sky/constants.ts'
import { siteItrf, type Site } from '#runtime/sky/frames.ts'

/** The array and its baselines in MeasurementSet orientation: antenna1 <= antenna2, b = r_1 - r_2. */
export interface ArrayGeometry {
  /** All antennas of the header, absolute ITRF. Indices below are into this list. */
  antennas: MsAntenna[]
  /** (baselines) */
  antenna1: Int32Array
  antenna2: Int32Array
  /** (baselines): 1 where the file lists the pair the other way round. */
  swapped: Uint8Array
  /** (baselines, 3): r_1 - r_2, metres, ITRF axes. Exactly zero for autocorrelations. */
  baselineM: Float64Array
}

/** Geometry of the first integration of a file; the others have the same baselines in the same order. */
export function arrayGeometry(header: Uvh5Header, site: Site): ArrayGeometry {
  const { baselines, antennaPositionsM } = header
  const indexOf = new Map(Array.from(header.antennaNumbers, (number, index) => [number, index]))
  const antenna1 = new Int32Array(baselines)
  const antenna2 = new Int32Array(baselines)
  const swapped = new Uint8Array(baselines)
  const baselineM = new Float64Array(3 * baselines)
  for (let i = 0; i < baselines; i++) {
    const a = indexOf.get(header.ant1[i]) as number
    const b = indexOf.get(header.ant2[i]) as number
    antenna1[i] = Math.min(a, b)
    antenna2[i] = Math.max(a, b)
    swapped[i] = a > b ? 1 : 0
    for (let axis = 0; axis < 3; axis++) {
      const r1 = antennaPositionsM[3 * antenna1[i] + axis]
      const r2 = antennaPositionsM[3 * antenna2[i] + axis]
      baselineM[3 * i + axis] = r1 - r2
    }
  }
  return { antennas: absoluteAntennas(header, site), antenna1, antenna2, swapped, baselineM }
}

function absoluteAntennas(header: Uvh5Header, site: Site): MsAntenna[] {
  const centre = siteItrf(site)
  return Array.from(header.antennaNumbers, (_, index) => {
    const offset = (axis: number): number => header.antennaPositionsM[3 * index + axis]
    const diameterM = header.antennaDiametersM[index]
    return {
      name: header.antennaNames[index],
      positionM: [centre[0] + offset(0), centre[1] + offset(1), centre[2] + offset(2)] as const,
      diameterM: Number.isFinite(diameterM) ? diameterM : DISH_DIAMETER_M,
    }
  })
}
