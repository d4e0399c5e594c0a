/** Ratio of the standard deviation of a normal distribution to its median absolute deviation. */
export const SIGMA_PER_MAD = 1.4826

/** Arithmetic mean of the values that are not NaN; NaN when there are none. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0
  let n = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (Number.isNaN(value)) continue
    sum += value
    n++
  }
  return sum / n
}

/** Median of the values that are not NaN (the mean of the middle two when even); NaN when there are none. */
export function median(values: ArrayLike<number>): number {
  return quantileInPlace(finiteCopy(values), 0.5)
}

/** Quantile 0 <= q <= 1 by linear interpolation between order statistics (Hyndman & Fan type 7); NaN are skipped. */
export function quantile(values: ArrayLike<number>, q: number): number {
  return quantileInPlace(finiteCopy(values), q)
}

/** Median absolute deviation from `centre` (default: the median). */
export function mad(values: ArrayLike<number>, centre?: number): number {
  const copy = finiteCopy(values)
  return madInPlace(copy, centre ?? quantileInPlace(copy, 0.5))
}

/** Standard deviation of normal data from the median absolute deviation: 1.4826 MAD. */
export function robustSigma(values: ArrayLike<number>): number {
  return SIGMA_PER_MAD * mad(values)
}

/**
 * Median and 1.4826 MAD after dropping, `rounds` times or until nothing changes, what lies further than `sigma` of them
 * from the median.
 */
export function clippedStatistics(
  values: ArrayLike<number>,
  { sigma, rounds }: { sigma: number; rounds: number },
): { median: number; sigma: number; n: number } {
  let kept = finiteCopy(values)
  for (let round = 0; ; round++) {
    const centre = quantileInPlace(kept, 0.5)
    const spread = SIGMA_PER_MAD * madInPlace(kept.slice(), centre)
    const result = { median: centre, sigma: spread, n: kept.length }
    if (round >= rounds) return result
    const inside = kept.filter((value) => Math.abs(value - centre) <= sigma * spread)
    if (inside.length === kept.length || inside.length === 0) return result
    kept = inside
  }
}

/** Wilson score interval of a proportion k / n at `z` standard deviations (Wilson 1927); [0, 1] when n is 0. */
export function wilson(k: number, n: number, z = 1): { low: number; high: number } {
  if (n === 0) return { low: 0, high: 1 }
  const p = k / n
  const z2 = z * z
  const centre = (p + z2 / (2 * n)) / (1 + z2 / n)
  const half = (z * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n))) / (1 + z2 / n)
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) }
}

type Floats = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>

function finiteCopy(values: ArrayLike<number>): Floats {
  const copy = values instanceof Float32Array ? new Float32Array(values.length) : new Float64Array(values.length)
  let n = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (!Number.isNaN(value)) copy[n++] = value
  }
  return copy.subarray(0, n)
}

function madInPlace(values: Floats, centre: number): number {
  for (let i = 0; i < values.length; i++) values[i] = Math.abs(values[i] - centre)
  return quantileInPlace(values, 0.5)
}

function quantileInPlace(values: Floats, q: number): number {
  if (!(q >= 0 && q <= 1)) throw new RangeError(`a quantile lies in [0, 1], got ${q}`)
  if (values.length === 0) return Number.NaN
  const position = q * (values.length - 1)
  const k = Math.floor(position)
  const lower = select(values, k)
  if (position === k) return lower
  // After the selection everything behind k is at least as large: the next order statistic is their minimum.
  let upper = Infinity
  for (let i = k + 1; i < values.length; i++) if (values[i] < upper) upper = values[i]!
  return lower + (position - k) * (upper - lower)
}

/** The k-th smallest value, reordering the array around it (Hoare 1961, median of three, three-way partition). */
function select(values: Floats, k: number): number {
  let low = 0
  let high = values.length - 1
  while (low < high) {
    const pivot = middle(values[low], values[(low + high) >>> 1], values[high])
    let i = low
    let j = high
    while (i <= j) {
      while (values[i] < pivot) i++
      while (values[j] > pivot) j--
      if (i > j) break
      const swap = values[i]
      values[i++] = values[j]!
      values[j--] = swap
    }
    if (k <= j) high = j
    else if (k >= i) low = i
    else break
  }
  return values[k]
}

function middle(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))
}
