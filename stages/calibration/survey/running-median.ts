import { median } from '#runtime/numeric/statistics.ts'

/**
 * Running median over `values[first, end)` with windows that shrink symmetrically towards the ends, so that a slope is
 * reproduced (a bandpass falls off at its edges); the two end values are extrapolated from their two neighbours. NaN are
 * skipped.
 */
export function runningMedian(
  values: Float64Array,
  halfWidth: number,
  { first, end }: { first: number; end: number },
): Float64Array {
  const out = new Float64Array(end - first)
  for (let c = first; c < end; c++) {
    const half = Math.min(halfWidth, c - first, end - 1 - c)
    if (half > 0 || end - first < 3) out[c - first] = median(values.subarray(c - half, c + half + 1))
    else out[c - first] = c === first ? 2 * values[c + 1] - values[c + 2] : 2 * values[c - 1] - values[c - 2]
  }
  return out
}
