import type { RowGeometry } from './array-geometry.ts'

/** How much of the data is missing, and because of which antennas. */
export interface AntennaHealth {
  /** Indices of antennas that occur in the data. */
  present: number[]
  /** Those of them with nearly no data. */
  dead: number[]
  /** Part of all samples of present subbands that are zero, not finite or without raw samples. */
  zeroFraction: number
  /** The same over the rows of antennas that are not dead; 1 when none is left. */
  zeroFractionOfLiving: number
}

/**
 * Counts missing samples by antenna over its baselines to others.
 * @param antennas number of antennas of the header @param badCount (rows) missing samples of each row @param samplesPerRow samples of a row in present subbands
 */
export function antennaHealth(
  { antenna1, antenna2 }: RowGeometry,
  badCount: Uint32Array,
  { antennas, samplesPerRow, deadFraction }: { antennas: number; samplesPerRow: number; deadFraction: number },
): AntennaHealth {
  const bad = new Float64Array(antennas)
  const all = new Float64Array(antennas)
  const alone = new Float64Array(antennas)
  let sum = 0
  for (let row = 0; row < badCount.length; row++) {
    const [a, b] = [antenna1[row], antenna2[row]]
    sum += badCount[row]
    if (a === b) {
      alone[a] += samplesPerRow
      continue
    }
    bad[a] += badCount[row]
    bad[b] += badCount[row]
    all[a] += samplesPerRow
    all[b] += samplesPerRow
  }
  const present = [...all.keys()].filter((antenna) => all[antenna] + alone[antenna] > 0)
  const dead = present.filter((antenna) => all[antenna] > 0 && bad[antenna] > deadFraction * all[antenna])
  const zeroFraction = sum / (badCount.length * samplesPerRow)
  const living =
    dead.length === 0
      ? zeroFraction
      : livingFraction({ antenna1, antenna2 }, badCount, { samplesPerRow, dead: new Set(dead) })
  return { present, dead, zeroFraction, zeroFractionOfLiving: living }
}

function livingFraction(
  { antenna1, antenna2 }: Pick<RowGeometry, 'antenna1' | 'antenna2'>,
  badCount: Uint32Array,
  { samplesPerRow, dead }: { samplesPerRow: number; dead: ReadonlySet<number> },
): number {
  let bad = 0
  let all = 0
  for (let row = 0; row < badCount.length; row++) {
    if (dead.has(antenna1[row]) || dead.has(antenna2[row])) continue
    bad += badCount[row]
    all += samplesPerRow
  }
  return all === 0 ? 1 : bad / all
}
