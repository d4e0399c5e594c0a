/** Clipping of the box statistics: three rounds at 3 sigma, as SExtractor (Bertin & Arnouts 1996) and PyBDSF do. */
const CLIP_SIGMA = 3
const CLIP_ROUNDS = 3
const MAD_TO_SIGMA = 1.482602218505602

// Histogram bins: sign x float32 exponent and 5 bits of mantissa of 1 + |value - centre|/scale, up to 2^20 times the scale.
const MANTISSA_BITS = 5
const OCTAVES = 20
const HALF_BINS = OCTAVES << MANTISSA_BITS
export const BINS = 2 * HALF_BINS
const SHIFT = 23 - MANTISSA_BITS
const ONE_BITS = 0x3f800000

/** Lower edges of the bins about the centre in units of the scale, BINS + 1 values, ascending. */
const BIN_EDGES = binEdges()

function binEdges(): Float64Array {
  const edges = new Float64Array(BINS + 1)
  const bits = new Uint32Array(1)
  const value = new Float32Array(bits.buffer)
  for (let k = 0; k <= HALF_BINS; k++) {
    bits[0] = ONE_BITS + (k << SHIFT)
    edges[HALF_BINS + k] = value[0] - 1
    edges[HALF_BINS - k] = 1 - value[0]
  }
  return edges
}

/** Returns a function that makes the histograms of the cells of one mesh row, nx x BINS. */
export function rowHistograms(
  image: Float32Array,
  grid: {
    width: number
    height: number
    nx: number
    ny: number
    centre: number
    scale: number
    valid: Uint8Array | undefined
  },
): (cy: number) => Uint32Array {
  const { width, height, nx, ny, centre, scale, valid } = grid
  const cellOfColumn = Int32Array.from(
    { length: width },
    (_, x) => Math.min(nx - 1, Math.floor((x * nx) / width)) * BINS,
  )
  const bits = new Uint32Array(1)
  const value = new Float32Array(bits.buffer)
  const inverse = 1 / scale
  return (cy) => {
    const counts = new Uint32Array(nx * BINS)
    const yEnd = Math.ceil(((cy + 1) * height) / ny)
    for (let y = Math.ceil((cy * height) / ny); y < yEnd; y++) {
      for (let x = 0, i = y * width; x < width; x++, i++) {
        const scaled = (image[i] - centre) * inverse
        if (scaled !== scaled || (valid !== undefined && valid[i] === 0)) continue
        value[0] = scaled >= 0 ? 1 + scaled : 1 - scaled
        const octaves = (bits[0] - ONE_BITS) >>> SHIFT
        const bin = octaves < HALF_BINS ? octaves : HALF_BINS - 1
        counts[cellOfColumn[x] + (scaled >= 0 ? HALF_BINS + bin : HALF_BINS - 1 - bin)]++
      }
    }
    return counts
  }
}

export function addRange(into: Uint32Array, from: Uint32Array, offset: number, length: number): void {
  for (let i = 0; i < length; i++) into[i] += from[offset + i]
}

export function subtractRange(into: Uint32Array, from: Uint32Array, offset: number, length: number): void {
  for (let i = 0; i < length; i++) into[i] -= from[offset + i]
}

/** Clipped median and 1.4826 MAD of a histogram in units of the scale; undefined with fewer than `minimum` entries. */
export function boxStatistics(box: Uint32Array, minimum: number): { median: number; sigma: number } | undefined {
  let low = 0
  let high = BINS - 1
  while (low <= high && box[low] === 0) low++
  while (high > low && box[high] === 0) high--
  let total = 0
  for (let bin = low; bin <= high; bin++) total += box[bin]
  if (total === 0 || total < minimum) return undefined
  let lowEdge = BIN_EDGES[low]
  let highEdge = BIN_EDGES[high + 1]
  let median = 0
  let sigma = 0
  for (let round = 0; round <= CLIP_ROUNDS; round++) {
    const below = countBelow(box, low, high, lowEdge)
    const inside = countBelow(box, low, high, highEdge) - below
    if (inside <= 0) break
    median = valueAt(box, low, high, below + inside / 2)
    sigma = MAD_TO_SIGMA * medianDeviation(box, { low, high, median, lowEdge, highEdge, half: inside / 2 })
    const nextLow = Math.max(lowEdge, median - CLIP_SIGMA * sigma)
    const nextHigh = Math.min(highEdge, median + CLIP_SIGMA * sigma)
    if (sigma === 0 || (nextLow === lowEdge && nextHigh === highEdge)) break
    lowEdge = nextLow
    highEdge = nextHigh
  }
  return { median, sigma }
}

/** Entries below a value, those of its own bin in proportion. */
function countBelow(box: Uint32Array, low: number, high: number, value: number): number {
  let count = 0
  for (let bin = low; bin <= high; bin++) {
    if (BIN_EDGES[bin + 1] <= value) count += box[bin]
    else {
      if (BIN_EDGES[bin] < value) count += (box[bin] * (value - BIN_EDGES[bin])) / (BIN_EDGES[bin + 1] - BIN_EDGES[bin])
      break
    }
  }
  return count
}

/** The value below which `target` entries lie. */
function valueAt(box: Uint32Array, low: number, high: number, target: number): number {
  let count = 0
  for (let bin = low; bin <= high; bin++) {
    if (count + box[bin] >= target && box[bin] > 0) {
      return BIN_EDGES[bin] + ((target - count) / box[bin]) * (BIN_EDGES[bin + 1] - BIN_EDGES[bin])
    }
    count += box[bin]
  }
  return BIN_EDGES[high + 1]
}

/** The half-width d with `half` entries in median +- d (cut at the clipping edges): bisection on the counts. */
function medianDeviation(
  box: Uint32Array,
  range: {
    low: number
    high: number
    median: number
    lowEdge: number
    highEdge: number
    half: number
  },
): number {
  const { low, high, median, lowEdge, highEdge, half } = range
  let smallest = 0
  let largest = Math.max(highEdge - median, median - lowEdge)
  for (let step = 0; step < 24 && largest - smallest > 1e-4 * largest; step++) {
    const middle = (smallest + largest) / 2
    const inside =
      countBelow(box, low, high, Math.min(highEdge, median + middle)) -
      countBelow(box, low, high, Math.max(lowEdge, median - middle))
    if (inside < half) smallest = middle
    else largest = middle
  }
  return (smallest + largest) / 2
}
