import { DEGREE_RAD, DSA110_SITE } from '#runtime/sky/constants.ts'
import { siteItrf, type Site } from '#runtime/sky/frames.ts'
import { add, scale, subtract, type Vec3 } from '#runtime/sky/vector.ts'

/** Station slots of the telescope; names are "1" to "117", antenna numbers one less. */
export const STATIONS = 117

/** Height of the arms above the WGS84 ellipsoid, m (station table of dsa110/dsa110-antpos). */
const ARM_HEIGHT_M = 1182.6

/** Outriggers: east, north, up of the array centre in metres, rounded (station table of dsa110/dsa110-antpos). */
const OUTRIGGERS_ENU_M: readonly Vec3[] = [
  [154, -378, -7],
  [547, 206, -6],
  [555, 1063, -4],
  [553, 1511, -3],
  [551, 1683, -2],
  [556, 1842, -2],
  [319, 1838, -2],
  [-77, 1834, -2],
  [-281, 1836, -2],
  [-439, 1831, -3],
  [-732, 1836, -2],
  [-1139, 1837, -4],
  [-1081, 1285, -8],
  [-1029, -221, -10],
  [-1212, -208, -6],
]
const FIRST_OUTRIGGER = 103

/** The array centre of the file headers. */
export const site: Site = {
  latitudeRad: DSA110_SITE.latitudeDeg * DEGREE_RAD,
  longitudeRad: DSA110_SITE.longitudeDeg * DEGREE_RAD,
  altitudeM: DSA110_SITE.altitudeM,
}

/**
 * Positions of all stations relative to the array centre, (station, 3), metres in ITRF axes. The arms follow the rule
 * that reproduces the published station table to 1.1 cm; the outriggers are rounded to a metre.
 */
export function stationPositions(): Float64Array {
  const centre = siteItrf(site)
  const out = new Float64Array(3 * STATIONS)
  for (let station = 1; station <= STATIONS; station++) {
    const offset =
      station < FIRST_OUTRIGGER
        ? subtract(siteItrf(armSite(station)), centre)
        : fromEnu(OUTRIGGERS_ENU_M[station - FIRST_OUTRIGGER])
    out.set(offset, 3 * (station - 1))
  }
  return out
}

/** The east-west arm (1-51, steps of 5.75 m with gaps) and the north-south arm (52-102, steps of 8.65 m). */
function armSite(station: number): Site {
  if (station > 51) return geodetic(37.2334531 + 7.7968e-5 * (station - 52), -118.2834051)
  const stepDeg = 6.48e-5
  if (station < 23) return geodetic(37.2333752, -118.2856408 + stepDeg * (station - 1))
  const gaps = [29, 30, 36].filter((first) => station >= first).length
  return geodetic(37.2333752, -118.2835671 + stepDeg * (station - 23 + 3 * gaps))
}

function geodetic(latitudeDeg: number, longitudeDeg: number): Site {
  return {
    latitudeRad: latitudeDeg * DEGREE_RAD,
    longitudeRad: longitudeDeg * DEGREE_RAD,
    altitudeM: ARM_HEIGHT_M,
  }
}

function fromEnu([east, north, up]: Vec3): Vec3 {
  const { latitudeRad: lat, longitudeRad: lon } = site
  const eastward: Vec3 = [-Math.sin(lon), Math.cos(lon), 0]
  const northward: Vec3 = [-Math.sin(lat) * Math.cos(lon), -Math.sin(lat) * Math.sin(lon), Math.cos(lat)]
  const upward: Vec3 = [Math.cos(lat) * Math.cos(lon), Math.cos(lat) * Math.sin(lon), Math.sin(lat)]
  return add(add(scale(eastward, east), scale(northward, north)), scale(upward, up))
}

/** The 96 stations in use in 2025-2026: 47 of the east-west arm, 35 of the north-south arm, 14 outriggers. */
export function activeStations(): number[] {
  const absent = new Set([10, 21, 22, 23])
  return [...range(1, 51).filter((station) => !absent.has(station)), ...range(68, 102), ...range(103, 116)]
}

/** Stations 101 and 115 stand out of order in the correlator: 101 behind 104, 115 before 112. */
const MOVED = [
  { station: 101, after: 104 },
  { station: 115, after: 111 },
] as const

/**
 * The stations in correlator order. It is not monotonic, so that some pairs with 101 and 115 have ant_1 > ant_2.
 * @param wanted a number of stations, evenly thinned from the active set (beyond it idle ones are added), or a list
 */
export function correlatorOrder(wanted: number | readonly number[]): number[] {
  const stations = typeof wanted === 'number' ? chosenStations(wanted) : wanted.toSorted((a, b) => a - b)
  return MOVED.reduce((order, { station, after }) => {
    if (!order.includes(station)) return order
    const others = order.filter((other) => other !== station)
    const place = others.findIndex((other) => other > after)
    return others.toSpliced(place < 0 ? others.length : place, 0, station)
  }, stations)
}

function chosenStations(count: number): number[] {
  const active = activeStations()
  if (count >= active.length) {
    const idle = range(1, STATIONS).filter((station) => !active.includes(station))
    return [...active, ...idle.slice(0, count - active.length)].sort((a, b) => a - b)
  }
  // 101 and 115 stay in, so that a small array has reversed pairs as well.
  const kept = [101, 115].slice(0, Math.max(0, count - 2))
  const others = active.filter((station) => !kept.includes(station))
  const thinned = Array.from(
    { length: count - kept.length },
    (_, index) => others[Math.floor(((index + 0.5) * others.length) / (count - kept.length))],
  )
  return [...thinned, ...kept].sort((a, b) => a - b)
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

/** Antenna numbers of all rows of one integration: for i, for j <= i: (order[j], order[i]). */
export function baselineRows(order: readonly number[]): { ant1: Int32Array; ant2: Int32Array } {
  const rows = (order.length * (order.length + 1)) / 2
  const ant1 = new Int32Array(rows)
  const ant2 = new Int32Array(rows)
  let row = 0
  for (let i = 0; i < order.length; i++) {
    for (let j = 0; j <= i; j++, row++) {
      ant1[row] = order[j] - 1
      ant2[row] = order[i] - 1
    }
  }
  return { ant1, ant2 }
}
