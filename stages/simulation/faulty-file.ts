import type { Uvh5FileSpec, Uvh5Form } from '#runtime/formats/uvh5/write.ts'
import { ARCSEC_RAD, DAY_S, INTEGRATION_S } from '#runtime/sky/constants.ts'
import { horizonVector } from '#runtime/sky/frames.ts'
import { mjdToJd } from '#runtime/sky/time.ts'
import { site } from './array.ts'
import { faultsIn, type PlacedFault } from './faults.ts'

/** Integrations of a file of the telescope: its stamps count on by so many where nothing tells it the time. */
const FILE_INTEGRATIONS = 24

/** What a sound file holds, changed by the faults that are in its header or its layout. */
export function faultySpec(
  sound: Uvh5FileSpec,
  faults: readonly PlacedFault[],
  { subband, integrations }: { subband: number; integrations: number },
): Uvh5FileSpec {
  let spec = sound
  for (const { arcsec } of faultsIn(faults, subband, 'declination'))
    spec = { ...spec, decOfDateRad: spec.decOfDateRad + arcsec * ARCSEC_RAD }
  for (const { station, cm, towards } of faultsIn(faults, subband, 'station-moved'))
    spec = { ...spec, antennaPositionsM: movedAway(spec.antennaPositionsM, station - 1, { towards, metres: cm / 100 }) }
  if (faultsIn(faults, subband, 'rotated-positions').length > 0)
    spec = { ...spec, antennaPositionsM: localMeridian(spec.antennaPositionsM) }
  const { ant1, ant2, uvwM } = spec
  const swapped = reversedRows(spec, faults, subband)
  if (swapped.some(Boolean)) {
    spec = {
      ...spec,
      ant1: ant1.map((antenna, row) => (swapped[row] ? ant2[row] : antenna)),
      ant2: ant2.map((antenna, row) => (swapped[row] ? ant1[row] : antenna)),
      uvwM: uvwM.map((value, i) => (swapped[Math.floor(i / 3)] ? -value : value)),
    }
  }
  if (faultsIn(faults, subband, 'strings').some(({ kind }) => kind === 'non-ascii'))
    spec = { ...spec, history: `${spec.history}, gr\u00fc\u00dfe <script>` }
  if (isAscending(faults, subband)) spec = { ...spec, freqHz: spec.freqHz.toReversed() }
  return { ...spec, form: formOf(faults, subband, integrations) }
}

/** Whether each pair of one integration is listed the other way round. */
export function reversedRows(
  { ant1, ant2 }: Pick<Uvh5FileSpec, 'ant1' | 'ant2'>,
  faults: readonly PlacedFault[],
  subband: number,
): boolean[] {
  const found = faultsIn(faults, subband, 'reversed')
  return Array.from(
    ant1,
    (first, row) =>
      // Of an autocorrelation nothing tells which way round it is.
      first !== ant2[row] &&
      found.some(
        ({ antennas }) => antennas === undefined || antennas.includes(first + 1) || antennas.includes(ant2[row] + 1),
      ),
  )
}

export function isAscending(faults: readonly PlacedFault[], subband: number): boolean {
  return faultsIn(faults, subband, 'layout').some(({ variant }) => variant === 'ascending')
}

/** The times that a file states, by repeated addition as its writer counts. */
export function statedTimes(timeJd: Float64Array, faults: readonly PlacedFault[], subband: number): Float64Array {
  const short = faultsIn(faults, subband, 'short').reduce((total, { integrations }) => total + integrations, 0)
  const kept = Math.max(1, timeJd.length - short)
  let jd = timeJd[0]
  for (const { integrations } of faultsIn(faults, subband, 'shifted')) jd += (integrations * INTEGRATION_S) / DAY_S
  for (const { mjd, files } of faultsIn(faults, subband, 'clock'))
    jd = mjdToJd(mjd) + ((files * FILE_INTEGRATIONS + 0.5) * INTEGRATION_S) / DAY_S
  if (jd === timeJd[0]) return timeJd.slice(0, kept)
  const times = new Float64Array(kept)
  for (let k = 0; k < kept; k++, jd += INTEGRATION_S / DAY_S) times[k] = jd
  return times
}

function formOf(faults: readonly PlacedFault[], subband: number, integrations: number): Uvh5Form {
  const filters = faultsIn(faults, subband, 'compressed').flatMap(({ filter, datasets }) =>
    datasets.map((dataset) => [dataset, filter] as const),
  )
  const kinds = faultsIn(faults, subband, 'strings').map(({ kind }) => kind)
  const variants = faultsIn(faults, subband, 'layout').map(({ variant }) => variant)
  return {
    ...(filters.length === 0 ? {} : { filters: Object.fromEntries(filters) }),
    ...(kinds.includes('variable') ? { strings: 'variable' as const } : {}),
    ...(kinds.includes('fixed') ? { strings: 'fixed' as const } : {}),
    ...(variants.includes('rank-3') ? { windowAxis: false as const } : {}),
    ...(variants.includes('version-1') ? { version: '1.1' } : {}),
    ...(variants.includes('flags-uint8') ? { flags: 'uint8' as const } : {}),
    ...(variants.includes('negative-width') ? { channelWidthSign: -1 as const } : {}),
    ...(variants.includes('chunks') ? { dataChunk: [100, 7] as const } : {}),
    ...(variants.includes('contiguous') ? { contiguousIntegrations: integrations } : {}),
  }
}

/** The header has the station where it is not: so far the other way. */
function movedAway(
  positionsM: Float64Array,
  antenna: number,
  { towards, metres }: { towards: 'north' | 'east' | 'up'; metres: number },
): Float64Array {
  const direction = {
    north: horizonVector(0, 0, site),
    east: horizonVector(Math.PI / 2, 0, site),
    up: horizonVector(0, Math.PI / 2, site),
  }[towards]
  const out = positionsM.slice()
  direction.forEach((component, axis) => (out[3 * antenna + axis] -= metres * component))
  return out
}

/** x along the local meridian instead of Greenwich's. */
function localMeridian(positionsM: Float64Array): Float64Array {
  const [cos, sin] = [Math.cos(site.longitudeRad), Math.sin(site.longitudeRad)]
  return positionsM.map((value, i) => {
    const [x, y] = [positionsM[i - (i % 3)], positionsM[i - (i % 3) + 1]]
    return i % 3 === 0 ? cos * x + sin * y : i % 3 === 1 ? cos * y - sin * x : value
  })
}
