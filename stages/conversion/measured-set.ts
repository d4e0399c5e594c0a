import type { MeasurementSet } from '#runtime/formats/measurement-set/read.ts'
import { DEGREE_RAD, DSA110_SITE } from '#runtime/sky/constants.ts'
import { separation, siteItrf, type Direction, type Site } from '#runtime/sky/frames.ts'
import { length, subtract } from '#runtime/sky/vector.ts'

/** Geometry of a set as it was written. */
export interface MeasuredSet {
  freqHz: Float64Array
  channelWidthHz: number
  fields: number
  centreErrorRad: number
  shortestM: number
  longestM: number
  uvwErrorM: number
  autoUvwM: number
  farthestAntennaM: number
  siteOffsetDeg: number
}

/** Measures a set that was read back: every row, every antenna. */
export function measureSet(
  { metadata, rows }: MeasurementSet,
  { target, site }: { target: Direction; site: Site },
): MeasuredSet {
  const positions = metadata.antennas.map(({ positionM }) => positionM)
  const { antenna1, antenna2, uvwM: all } = rows
  const lengths = { shortestM: Infinity, longestM: 0, uvwErrorM: 0, autoUvwM: 0 }
  for (let row = 0; row < antenna1.length; row++) {
    const a = antenna1[row]
    const b = antenna2[row]
    const uvwM = norm(all[3 * row], all[3 * row + 1], all[3 * row + 2])
    if (a === b) {
      lengths.autoUvwM = Math.max(lengths.autoUvwM, uvwM)
      continue
    }
    const p = positions[a]
    const q = positions[b]
    const baselineM = norm(p[0] - q[0], p[1] - q[1], p[2] - q[2])
    lengths.shortestM = Math.min(lengths.shortestM, baselineM)
    lengths.longestM = Math.max(lengths.longestM, baselineM)
    lengths.uvwErrorM = Math.max(lengths.uvwErrorM, Math.abs(uvwM - baselineM))
  }
  const centre = siteItrf(site)
  return {
    ...lengths,
    freqHz: metadata.freqHz,
    channelWidthHz: metadata.channelWidthHz,
    // The reader refuses sets with any other number of fields and with directions that differ.
    fields: 1,
    centreErrorRad: separation(metadata.phaseCentre, target),
    // Positions in NaN make NaN, which no check takes for good.
    farthestAntennaM: Math.max(...positions.map((position) => length(subtract(position, centre)))),
    siteOffsetDeg: Math.max(
      Math.abs(site.latitudeRad / DEGREE_RAD - DSA110_SITE.latitudeDeg),
      Math.abs(site.longitudeRad / DEGREE_RAD - DSA110_SITE.longitudeDeg),
    ),
  }
}

/** Several times as fast as Math.hypot: a set has 100,000 rows. */
function norm(x: number, y: number, z: number): number {
  return Math.sqrt(x * x + y * y + z * z)
}
