import type { Ellipse } from '#runtime/sky/gaussian-beam.ts'

export interface PointSpread {
  /** Full widths at half of the peak along the axes of the restoring beam, radians; NaN where it never falls that low. */
  halfPower: { major: number; minor: number }
  /** Largest absolute response outside of the main lobe. */
  sidelobe: number
  /** Response along the major and the minor axis at multiples of `stepRad` from the centre. */
  cut: { stepRad: number; major: number[]; minor: number[] }
}

/** The main lobe ends this many full widths of the restoring beam from the centre. */
const LOBE_WIDTHS = 1.5
const CUT_WIDTHS = 5
const CUT_POINTS = 241

/**
 * Widths, sidelobes and cuts of the point spread function; undefined when its peak is not positive.
 *
 * @param psf height x width, about 1 at its centre (width / 2, height / 2)
 */
export function measurePointSpread(
  psf: Float32Array,
  { width, height, cellRad }: { width: number; height: number; cellRad: number },
  beam: Ellipse,
): PointSpread | undefined {
  const cx = width / 2
  const cy = height / 2
  const peak = psf[cy * width + cx]
  if (!(peak > 0)) return undefined
  const [sin, cos] = [Math.sin(beam.paRad), Math.cos(beam.paRad)]
  let sidelobe = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = Math.abs(psf[y * width + x])
      if (!(value > sidelobe)) continue
      const u = (-(x - cx) * sin + (y - cy) * cos) * cellRad
      const v = ((x - cx) * cos + (y - cy) * sin) * cellRad
      if (Math.hypot(u / beam.major, v / beam.minor) >= LOBE_WIDTHS) sidelobe = value
    }
  }
  const response = (offsetRad: number, [east, north]: readonly [number, number]): number => {
    const x = cx - (offsetRad / cellRad) * east
    const y = cy + (offsetRad / cellRad) * north
    const [x0, y0] = [Math.floor(x), Math.floor(y)]
    if (x0 < 0 || y0 < 0 || x0 + 1 >= width || y0 + 1 >= height) return NaN
    const [fx, fy] = [x - x0, y - y0]
    const lower = psf[y0 * width + x0] * (1 - fx) + psf[y0 * width + x0 + 1] * fx
    const upper = psf[(y0 + 1) * width + x0] * (1 - fx) + psf[(y0 + 1) * width + x0 + 1] * fx
    return (lower * (1 - fy) + upper * fy) / peak
  }
  const stepRad = (2 * CUT_WIDTHS * beam.major) / (CUT_POINTS - 1)
  const cut = (axis: readonly [number, number]): number[] =>
    Array.from({ length: CUT_POINTS }, (_, k) => response((k - (CUT_POINTS - 1) / 2) * stepRad, axis))
  const halfPower = (axis: readonly [number, number]): number => {
    const step = cellRad / 50
    for (let offset = step; offset < CUT_WIDTHS * beam.major; offset += step) {
      const value = response(offset, axis)
      if (!(value > 0.5)) return Number.isNaN(value) ? NaN : 2 * offset
    }
    return NaN
  }
  const [alongMajor, alongMinor] = [[sin, cos] as const, [cos, -sin] as const]
  return {
    halfPower: { major: halfPower(alongMajor), minor: halfPower(alongMinor) },
    sidelobe: sidelobe / peak,
    cut: { stepRad, major: cut(alongMajor), minor: cut(alongMinor) },
  }
}
