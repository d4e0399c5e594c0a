import type { MsAntenna } from '#runtime/formats/measurement-set/schema.ts'
import type { Uvh5Header } from '#runtime/formats/uvh5/header.ts'
import { DISH_DIAMETER_M } from '#runtime/sky/constants.ts'
import { siteItrf, type Site } from '#runtime/sky/frames.ts'

/** What each row of a file is, in its order, in MeasurementSet orientation: antenna1 <= antenna2, b = r_1 - r_2. */
export interface RowGeometry {
  /** (rows): indices into the antennas of the header. */
  antenna1: Int32Array
  antenna2: Int32Array
  /** (rows), shared: 1 where the file lists the pair the other way round. */
  swapped: Uint8Array
  /** (rows): index into the times of the observation. */
  integration: Int32Array
}

/** The different times of a file, ascending: Julian dates as they stand there. */
export function distinctTimes({ timeJd }: Pick<Uvh5Header, 'timeJd'>): Float64Array {
  return Float64Array.from(new Set(timeJd)).sort()
}

/** Geometry of the rows of a file, whatever their order and whatever is missing. */
export function rowGeometry(header: Uvh5Header): RowGeometry {
  const { rows, timeJd, ant1, ant2 } = header
  const indexOf = new Map(Array.from(header.antennaNumbers, (number, index) => [number, index]))
  const integrationOf = new Map(Array.from(distinctTimes(header), (time, index) => [time, index]))
  const geometry = {
    antenna1: new Int32Array(rows),
    antenna2: new Int32Array(rows),
    swapped: new Uint8Array(new SharedArrayBuffer(rows)),
    integration: new Int32Array(rows),
  }
  for (let row = 0; row < rows; row++) {
    const a = indexOf.get(ant1[row]) as number
    const b = indexOf.get(ant2[row]) as number
    geometry.antenna1[row] = Math.min(a, b)
    geometry.antenna2[row] = Math.max(a, b)
    geometry.swapped[row] = a > b ? 1 : 0
    geometry.integration[row] = integrationOf.get(timeJd[row]) as number
  }
  return geometry
}

/** All antennas of a header, absolute ITRF. A diameter that it leaves out is the telescope's, or 0: unknown. */
export function absoluteAntennas(header: Uvh5Header, site: Site): MsAntenna[] {
  const centre = siteItrf(site)
  const unknownM = header.dialect === 'dsa110' ? DISH_DIAMETER_M : 0
  return Array.from(header.antennaNumbers, (_, index) => {
    const offset = (axis: number): number => header.antennaPositionsM[3 * index + axis]
    const diameterM = header.antennaDiametersM[index]
    return {
      name: header.antennaNames[index],
      positionM: [centre[0] + offset(0), centre[1] + offset(1), centre[2] + offset(2)] as const,
      diameterM: Number.isFinite(diameterM) ? diameterM : unknownM,
    }
  })
}
