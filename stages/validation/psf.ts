import type { Ellipse } from '#runtime/sky/gaussian-beam.ts'
import { fitGaussians, type FitPixels } from '#runtime/sky/gaussian-fit.ts'

export interface PointSpread {
  /** Gaussian fitted to the main lobe, full widths in radians. */
  beam: Ellipse
  /** Largest absolute response beyond the main lobe. */
  sidelobe: number
  /** Response along the major and the minor axis at multiples of `stepRad` from the centre. */
  cut: { stepRad: number; major: number[]; minor: number[] }
}

/** The main lobe is fitted above this response, as far out as a Gaussian describes it. */
const FIT_LEVEL = 0.35
/** The main lobe ends this many full widths from the centre. */
const LOBE_WIDTHS = 1.5
const CUT_WIDTHS = 5
const CUT_POINTS = 121

/**
 * Fits the main lobe of the point spread function and measures what is left outside; undefined when its peak is not
 * finite or the fit fails.
 *
 * @param psf height x width, about 1 at its centre (width / 2, height / 2)
 * @param start the restoring beam
 */
export function measurePointSpread(
  psf: Float32Array,
  { width, height, cellRad }: { width: number; height: number; cellRad: number },
  start: Ellipse,
): PointSpread | undefined {
  const cx = width / 2
  const cy = height / 2
  const peak = psf[cy * width + cx]
  if (!(peak > 0)) return undefined
  const reach = Math.ceil((1.5 * start.major) / cellRad)
  const shape = { majorPixels: start.major / cellRad, minorPixels: start.minor / cellRad, paRad: start.paRad }
  const lobe = mainLobe(psf, { width, height, reach, level: FIT_LEVEL * peak })
  const fitted = fitGaussians(lobe, [{ peak, x: cx, y: cy, ...shape, fixedShape: false }])?.[0]
  if (fitted === undefined) return undefined
  const beam = { major: fitted.majorPixels * cellRad, minor: fitted.minorPixels * cellRad, paRad: fitted.paRad }
  let sidelobe = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const u = -(x - cx) * Math.sin(fitted.paRad) + (y - cy) * Math.cos(fitted.paRad)
      const v = (x - cx) * Math.cos(fitted.paRad) + (y - cy) * Math.sin(fitted.paRad)
      if (Math.hypot(u / fitted.majorPixels, v / fitted.minorPixels) < LOBE_WIDTHS) continue
      const value = Math.abs(psf[y * width + x])
      if (value > sidelobe) sidelobe = value
    }
  }
  const stepRad = (2 * CUT_WIDTHS * beam.major) / (CUT_POINTS - 1)
  const along = (east: number, north: number): number[] =>
    Array.from({ length: CUT_POINTS }, (_, k) => {
      const offset = ((k - (CUT_POINTS - 1) / 2) * stepRad) / cellRad
      const x = Math.round(cx - offset * east)
      const y = Math.round(cy + offset * north)
      return x >= 0 && y >= 0 && x < width && y < height ? psf[y * width + x] / peak : NaN
    })
  const [sin, cos] = [Math.sin(beam.paRad), Math.cos(beam.paRad)]
  return { beam, sidelobe: sidelobe / peak, cut: { stepRad, major: along(sin, cos), minor: along(cos, -sin) } }
}

/** Pixels of the island around the centre that lies above the level. */
function mainLobe(
  psf: Float32Array,
  options: { width: number; height: number; reach: number; level: number },
): FitPixels {
  const { width, height, reach, level } = options
  const cx = width / 2
  const cy = height / 2
  const x: number[] = []
  const y: number[] = []
  const value: number[] = []
  const seen = new Set<number>([cy * width + cx])
  const stack = [cy * width + cx]
  for (let pixel = stack.pop(); pixel !== undefined; pixel = stack.pop()) {
    const px = pixel % width
    const py = Math.floor(pixel / width)
    x.push(px)
    y.push(py)
    value.push(psf[pixel])
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ] as const) {
      const [nx, ny] = [px + dx, py + dy]
      const next = ny * width + nx
      const inside =
        nx >= 0 && ny >= 0 && nx < width && ny < height && Math.abs(nx - cx) <= reach && Math.abs(ny - cy) <= reach
      if (!inside || seen.has(next) || !(psf[next] >= level)) continue
      seen.add(next)
      stack.push(next)
    }
  }
  return { x: Float64Array.from(x), y: Float64Array.from(y), value: Float64Array.from(value) }
}

/** Largest relative difference of the widths of two beams. */
export function beamDifference(a: Ellipse, b: Ellipse): number {
  return Math.max(Math.abs(a.major / b.major - 1), Math.abs(a.minor / b.minor - 1))
}
