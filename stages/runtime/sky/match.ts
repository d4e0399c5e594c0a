import { separation, type Direction } from './frames.ts'
import { wrapPi } from './projection.ts'

/** A position with its 1-sigma error (one number for both axes, the larger). */
export interface Placed {
  direction: Direction
  sigmaRad: number
}

export interface MatchOptions {
  /** Largest separation of a pair, from the errors of both. */
  radiusRad(ours: Placed, theirs: Placed): number
  /** No pair is wider than this, whatever its radius. */
  maxRadiusRad: number
}

export interface Match {
  /** Indices into the two lists. */
  ours: number
  theirs: number
  separationRad: number
  /** Ours minus theirs: right ascension times cos dec, declination. */
  offsetRaRad: number
  offsetDecRad: number
}

/**
 * Pairs of mutual nearest neighbours closer than their radius. Separations are great-circle distances, so that 0 h and
 * the poles are like any other place; of two neighbours at one distance the first in its list counts.
 *
 * @returns in the order of ours
 */
export function matchCatalogue(ours: readonly Placed[], theirs: readonly Placed[], options: MatchOptions): Match[] {
  const forward = nearest(ours, theirs, options.maxRadiusRad)
  const backward = nearest(theirs, ours, options.maxRadiusRad)
  return ours.flatMap((source, i): Match[] => {
    const found = forward[i]
    if (found === undefined || backward[found.index]?.index !== i) return []
    const other = theirs[found.index]
    if (found.separationRad > options.radiusRad(source, other)) return []
    return [
      {
        ours: i,
        theirs: found.index,
        separationRad: found.separationRad,
        ...offset(source.direction, other.direction),
      },
    ]
  })
}

/** Offset of a from b on the sky: (delta RA, wrapped) x cos dec, and delta dec, in radians. */
export function offset(a: Direction, b: Direction): { offsetRaRad: number; offsetDecRad: number } {
  const cosDec = Math.cos((a.decRad + b.decRad) / 2)
  return { offsetRaRad: wrapPi(a.raRad - b.raRad) * cosDec, offsetDecRad: a.decRad - b.decRad }
}

/** Rounding of a separation: the window in declination is wider by this much than the radius, radians. */
const ROUNDING = 1e-14

/** Index lists of all members of `points` within `radiusRad` of each of `centres` (itself included), unsorted. */
export function neighbours(centres: readonly Direction[], points: readonly Direction[], radiusRad: number): number[][] {
  const order = byDeclination(points)
  const decs = order.map((index) => points[index].decRad)
  return centres.map((centre) => {
    const found: number[] = []
    for (
      let k = lowerBound(decs, centre.decRad - radiusRad - ROUNDING);
      k < order.length && decs[k] <= centre.decRad + radiusRad + ROUNDING;
      k++
    ) {
      if (separation(centre, points[order[k]]) <= radiusRad) found.push(order[k])
    }
    return found
  })
}

function nearest(
  from: readonly Placed[],
  to: readonly Placed[],
  radiusRad: number,
): ({ index: number; separationRad: number } | undefined)[] {
  const lists = neighbours(
    from.map(({ direction }) => direction),
    to.map(({ direction }) => direction),
    radiusRad,
  )
  return lists.map((list, i) => {
    let best: { index: number; separationRad: number } | undefined
    for (const index of list.sort((a, b) => a - b)) {
      const separationRad = separation(from[i].direction, to[index].direction)
      if (best === undefined || separationRad < best.separationRad) best = { index, separationRad }
    }
    return best
  })
}

function byDeclination(points: readonly Direction[]): number[] {
  return points.map((_, index) => index).sort((a, b) => points[a].decRad - points[b].decRad || a - b)
}

/** First place in an ascending list that is not below the value. */
function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle] < value) low = middle + 1
    else high = middle
  }
  return low
}
