import { createHash } from 'node:crypto'
import type { Uvh5Header } from '#runtime/formats/uvh5/header.ts'
import { hasPeriod } from './row-arrays.ts'

/** What the antenna numbers of all rows say, in short. */
export interface AntennaRows {
  /** Whether every integration names the antennas of the first, in its order. */
  readonly periodic: boolean
  /** The first row with an antenna that antenna_numbers does not list; -1 when there is none. */
  readonly strayRow: number
  /** Whether a pair of antennas occurs twice in the first integration, whichever way round. */
  readonly repeatedPair: boolean
  /** Number of different antennas. */
  readonly antennas: number
  /** Of ant_1_array and ant_2_array. Of rows that repeat themselves their number and the first integration stand for all. */
  readonly digests: readonly [string, string]
}

const known = new WeakMap<object, { baselines: number; rows: AntennaRows }>()

/**
 * Looks at the antenna numbers of a header, a hundred thousand and more a file. Files of one array say the same again and
 * again: what was found for one holds for all with its `antennaKey`.
 */
export function antennaRows(header: Uvh5Header): AntennaRows {
  const { antennaKey, baselines } = header
  if (antennaKey === undefined) return describe(header)
  const last = known.get(antennaKey)
  if (last?.baselines === baselines) return last.rows
  const rows = describe(header)
  known.set(antennaKey, { baselines, rows })
  return rows
}

function describe({ antennaNumbers, ant1, ant2, baselines }: Uvh5Header): AntennaRows {
  const periodic = hasPeriod(ant1, baselines) && hasPeriod(ant2, baselines)
  const listed = new Set(antennaNumbers)
  const seen = new Set<number>()
  // Where all integrations name the same antennas, the first speaks for all.
  const looked = periodic ? baselines : ant1.length
  let strayRow = -1
  for (let row = 0; row < looked; row++) {
    if (strayRow < 0 && !(listed.has(ant1[row]) && listed.has(ant2[row]))) strayRow = row
    seen.add(ant1[row]).add(ant2[row])
  }
  return {
    periodic,
    strayRow,
    repeatedPair: repeatsPair({ antennaNumbers, ant1, ant2 }, baselines),
    antennas: seen.size,
    digests: [repeatedDigest(ant1, baselines), repeatedDigest(ant2, baselines)],
  }
}

function repeatsPair(
  { antennaNumbers, ant1, ant2 }: Pick<Uvh5Header, 'antennaNumbers' | 'ant1' | 'ant2'>,
  rows: number,
): boolean {
  const indexOf = new Map([...antennaNumbers].map((number, index) => [number, index]))
  const pairs = new Set<number>()
  for (let row = 0; row < rows; row++) {
    const a = indexOf.get(ant1[row]) ?? -1
    const b = indexOf.get(ant2[row]) ?? -1
    pairs.add(Math.min(a, b) * antennaNumbers.length + Math.max(a, b))
  }
  return pairs.size !== rows
}

function repeatedDigest(rows: Int32Array, period: number): string {
  const periodic = hasPeriod(rows, period)
  const digest = digestOf(periodic ? rows.subarray(0, period) : rows)
  return periodic ? `${rows.length}/${period} ${digest}` : digest
}

/** sha1 of the bytes of an array. */
export function digestOf(array: Float64Array | Int32Array): string {
  return createHash('sha1')
    .update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    .digest('hex')
}
