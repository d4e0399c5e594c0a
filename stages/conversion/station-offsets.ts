import type { MeasurementSet } from '#runtime/formats/measurement-set/read.ts'
import { stationKey, type StationTable } from '#runtime/formats/station-table.ts'
import { length, subtract } from '#runtime/sky/vector.ts'
import type { Check } from '#runtime/stage/quality.ts'

/** The antennas of the data beside a table of surveyed stations, by name. */
export interface StationOffsets {
  /** Distance of each antenna from its station in the table, metres; NaN when a position is not finite. */
  offsetsM: ReadonlyMap<string, number>
  /** Not in the table. */
  unknown: readonly string[]
  /** In the table, without an elevation. */
  withoutElevation: readonly string[]
}

/** How far an antenna may be from its station: a quarter of a wavelength at 1.5 GHz (contimg choice). */
const STATION_M = 0.05

/** Antennas that a message names before it counts the others. */
const NAMED = 8

/** Holds every antenna that has a row in a set against the table, in absolute ITRF. */
export function stationOffsets(
  { metadata, rows }: Pick<MeasurementSet, 'metadata' | 'rows'>,
  { stations }: Pick<StationTable, 'stations'>,
): StationOffsets {
  const present = new Set([...rows.antenna1, ...rows.antenna2])
  const offsetsM = new Map<string, number>()
  const unknown: string[] = []
  const withoutElevation: string[] = []
  for (const [index, { name, positionM }] of metadata.antennas.entries()) {
    if (!present.has(index)) continue
    const key = stationKey(name)
    const surveyedM = stations.get(key)
    if (surveyedM !== undefined) offsetsM.set(name, length(subtract(positionM, surveyedM)))
    else (stations.has(key) ? withoutElevation : unknown).push(name)
  }
  return { offsetsM, unknown, withoutElevation }
}

/** Whether the antennas are where the table has them; uncertain where it does not say of all. */
export function stationTableCheck({ offsetsM, unknown, withoutElevation }: StationOffsets): Check {
  const beyond = [...offsetsM].filter(([, offsetM]) => !(offsetM <= STATION_M)).sort(([, a], [, b]) => b - a)
  const worstM = Math.max(...offsetsM.values())
  const found =
    beyond.length > 0
      ? `not where the station table has them: ${listed(beyond.map(([name, offsetM]) => `${name} by ${offsetM.toPrecision(3)} m`))} (of ${offsetsM.size} antennas)`
      : offsetsM.size > 0
        ? `the antennas are within ${(100 * worstM).toFixed(1)} cm of the station table (${offsetsM.size} compared)`
        : 'no antenna could be held against the station table'
  return {
    name: 'station-table',
    verdict: beyond.length > 0 ? 'bad' : unknown.length + withoutElevation.length > 0 ? 'uncertain' : 'good',
    ...(Number.isFinite(worstM) ? { value: worstM } : {}),
    unit: 'm',
    n: offsetsM.size,
    limits: { good: `<= ${STATION_M}, every antenna in the table` },
    message: [
      found,
      ...(unknown.length > 0 ? [`not in the table: ${listed(unknown)}`] : []),
      ...(withoutElevation.length > 0 ? [`without an elevation there: ${listed(withoutElevation)}`] : []),
    ].join('; '),
    gating: true,
    blocking: true,
  }
}

function listed(names: readonly string[]): string {
  const more = names.length - NAMED
  return more > 1 ? `${names.slice(0, NAMED).join(', ')} and ${more} more` : names.join(', ')
}
