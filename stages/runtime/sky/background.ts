import { addRange, BINS, boxStatistics, rowHistograms, subtractRange } from './background-histogram.ts'

export interface BackgroundOptions {
  /** Side of a statistics box in pixels; about 20 beams. */
  boxPixels: number
  /** Distance of box centres in pixels; about 4 beams. */
  stepPixels: number
  /** 1 where a pixel counts; absent: every finite pixel counts. */
  valid?: Uint8Array | undefined
}

/** A box with fewer usable pixels than this fraction borrows the values of its neighbours. */
const MIN_VALID_FRACTION = 0.5
const MAD_TO_SIGMA = 1.482602218505602

/**
 * Background and noise maps of an image by robust statistics in overlapping boxes.
 *
 * Each box gives the median and 1.4826 MAD after 3 rounds of 3 sigma clipping; boxes less than half valid take the mean
 * of their nearest good neighbours; bicubic (Catmull-Rom) interpolation brings both to full size. Boxes are sums of
 * cell histograms with log-linear bins, so that the cost per box does not grow with its pixels. Bins are 1/32 of the
 * global noise wide near zero and 3 % far from it, quantiles are interpolated in them: errors stay below 1 % of sigma.
 *
 * @param image height x width, row by row, any unit; NaN is never used
 * @returns maps of the same size and unit; NaN everywhere when no pixel is usable
 */
export function estimateBackground(
  image: Float32Array,
  width: number,
  height: number,
  options: BackgroundOptions,
): { background: Float32Array; rms: Float32Array } {
  const background = new Float32Array(width * height)
  const rms = new Float32Array(width * height)
  const mesh = backgroundMesh(image, width, height, options)
  if (mesh === undefined) return { background: background.fill(NaN), rms: rms.fill(NaN) }
  interpolateMesh(mesh, mesh.median, width, height, background)
  interpolateMesh(mesh, mesh.sigma, width, height, rms)
  return { background, rms }
}

interface Mesh {
  /** Cells along x and y; values belong to the centres of the cells. */
  nx: number
  ny: number
  stepX: number
  stepY: number
  median: Float64Array
  sigma: Float64Array
}

function backgroundMesh(
  image: Float32Array,
  width: number,
  height: number,
  options: BackgroundOptions,
): Mesh | undefined {
  const { valid } = options
  const global = globalLevel(image, valid)
  if (global === undefined) return undefined
  const { centre, scale } = global
  const nx = Math.max(1, Math.round(width / Math.max(1, options.stepPixels)))
  const ny = Math.max(1, Math.round(height / Math.max(1, options.stepPixels)))
  const stepX = width / nx
  const stepY = height / ny
  // Cells on each side of the central one, so that a box is (2r+1) cells wide.
  const radius = Math.max(0, Math.round((options.boxPixels / options.stepPixels - 1) / 2))
  const rows = new Map<number, Uint32Array>()
  const histogram = rowHistograms(image, { width, height, nx, ny, centre, scale, valid })
  const median = new Float64Array(nx * ny).fill(NaN)
  const sigma = new Float64Array(nx * ny).fill(NaN)
  const column = new Uint32Array(nx * BINS)
  const box = new Uint32Array(BINS)
  for (let cy = 0; cy < ny; cy++) {
    const y0 = Math.max(0, cy - radius)
    const y1 = Math.min(ny - 1, cy + radius)
    // The rows of cells slide: only those of one box are held at a time.
    const leaving = rows.get(cy - radius - 1)
    if (leaving !== undefined) subtractRange(column, leaving, 0, nx * BINS)
    rows.delete(cy - radius - 1)
    for (let y = y0; y <= y1; y++) {
      if (rows.has(y)) continue
      const entering = histogram(y)
      addRange(column, entering, 0, nx * BINS)
      rows.set(y, entering)
    }
    box.fill(0)
    for (let x = 0; x <= Math.min(nx - 1, radius); x++) addRange(box, column, x * BINS, BINS)
    for (let cx = 0; cx < nx; cx++) {
      if (cx > 0) {
        if (cx - radius - 1 >= 0) subtractRange(box, column, (cx - radius - 1) * BINS, BINS)
        if (cx + radius < nx) addRange(box, column, (cx + radius) * BINS, BINS)
      }
      const cells = (y1 - y0 + 1) * (Math.min(nx - 1, cx + radius) - Math.max(0, cx - radius) + 1)
      const statistics = boxStatistics(box, cells * stepX * stepY * MIN_VALID_FRACTION)
      if (statistics === undefined) continue
      median[cy * nx + cx] = centre + statistics.median * scale
      sigma[cy * nx + cx] = statistics.sigma * scale
    }
  }
  if (!borrowFromNeighbours(median, sigma, nx, ny)) return undefined
  return { nx, ny, stepX, stepY, median, sigma }
}

/** Relative spread below which pixels count as equal: the precision of float32. */
const SMALLEST_SPREAD = 1e-7

/** A robust global level and noise (median and MAD of a regular subsample), only to place the bins; undefined without usable pixels. */
function globalLevel(
  image: Float32Array,
  valid: Uint8Array | undefined,
): { centre: number; scale: number } | undefined {
  // A stride prime to common widths walks over all columns.
  const stride = Math.max(1, Math.floor(image.length / 40_000)) | 1
  const samples: number[] = []
  for (let start = 0; start < stride && samples.length < 1000; start += Math.max(1, stride >> 4)) {
    for (let i = start; i < image.length; i += stride) {
      if (Number.isFinite(image[i]) && (valid === undefined || valid[i] === 1)) samples.push(image[i])
    }
  }
  if (samples.length === 0) return undefined
  const sorted = Float64Array.from(samples).sort()
  const median = sorted[sorted.length >> 1]
  const deviations = sorted.map((value) => Math.abs(value - median)).sort()
  const mad = deviations[deviations.length >> 1]
  // More than half of the pixels are equal (blank or noiseless): any positive spread will do.
  const spread = mad > 0 ? mad * MAD_TO_SIGMA : deviations[deviations.length - 1] / 1000
  return { centre: median, scale: Math.max(spread, Math.abs(median) * SMALLEST_SPREAD, 1e-30) }
}

/** Fills undefined mesh points with the mean of defined neighbours, ring by ring; false when none is defined. */
function borrowFromNeighbours(median: Float64Array, sigma: Float64Array, nx: number, ny: number): boolean {
  let missing = median.reduce((count, value) => count + (Number.isNaN(value) ? 1 : 0), 0)
  if (missing === median.length) return false
  while (missing > 0) {
    const filled: { index: number; median: number; sigma: number }[] = []
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++) {
        if (!Number.isNaN(median[y * nx + x])) continue
        let n = 0
        let sumMedian = 0
        let sumSigma = 0
        for (let j = Math.max(0, y - 1); j <= Math.min(ny - 1, y + 1); j++) {
          for (let i = Math.max(0, x - 1); i <= Math.min(nx - 1, x + 1); i++) {
            if (Number.isNaN(median[j * nx + i])) continue
            n++
            sumMedian += median[j * nx + i]
            sumSigma += sigma[j * nx + i]
          }
        }
        if (n > 0) filled.push({ index: y * nx + x, median: sumMedian / n, sigma: sumSigma / n })
      }
    }
    for (const point of filled) {
      median[point.index] = point.median
      sigma[point.index] = point.sigma
    }
    missing -= filled.length
  }
  return true
}

/** Catmull-Rom interpolation of mesh values, kept within the four surrounding values so that noise stays positive. */
function interpolateMesh(mesh: Mesh, values: Float64Array, width: number, height: number, out: Float32Array): void {
  const { nx, ny, stepX, stepY } = mesh
  const taps = cubicTaps(width, nx, stepX)
  const rows = cubicTaps(height, ny, stepY)
  const line = new Float64Array(nx)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < nx; x++) {
      line[x] = cubic(
        rows,
        y,
        values[rows.index[4 * y] * nx + x],
        values[rows.index[4 * y + 1] * nx + x],
        values[rows.index[4 * y + 2] * nx + x],
        values[rows.index[4 * y + 3] * nx + x],
      )
    }
    for (let x = 0, i = y * width; x < width; x++, i++) {
      const t = 4 * x
      out[i] = cubic(
        taps,
        x,
        line[taps.index[t]],
        line[taps.index[t + 1]],
        line[taps.index[t + 2]],
        line[taps.index[t + 3]],
      )
    }
  }
}

interface CubicTaps {
  index: Int32Array
  weight: Float64Array
}

function cubicTaps(pixels: number, cells: number, step: number): CubicTaps {
  const index = new Int32Array(4 * pixels)
  const weight = new Float64Array(4 * pixels)
  for (let p = 0; p < pixels; p++) {
    const position = Math.min(cells - 1, Math.max(0, (p + 0.5) / step - 0.5))
    const base = Math.min(Math.max(0, cells - 2), Math.floor(position))
    const f = position - base
    for (let k = 0; k < 4; k++) index[4 * p + k] = Math.min(cells - 1, Math.max(0, base - 1 + k))
    weight[4 * p] = ((2 - f) * f - 1) * f * 0.5
    weight[4 * p + 1] = ((3 * f - 5) * f * f + 2) * 0.5
    weight[4 * p + 2] = ((4 - 3 * f) * f + 1) * f * 0.5
    weight[4 * p + 3] = (f - 1) * f * f * 0.5
  }
  return { index, weight }
}

function cubic(taps: CubicTaps, p: number, a: number, b: number, c: number, d: number): number {
  const { weight } = taps
  const value = weight[4 * p] * a + weight[4 * p + 1] * b + weight[4 * p + 2] * c + weight[4 * p + 3] * d
  const low = Math.min(a, b, c, d)
  const high = Math.max(a, b, c, d)
  return value < low ? low : value > high ? high : value
}
