import { levenbergMarquardt } from '../numeric/levenberg-marquardt.ts'

/** An elliptical Gaussian on the pixel grid. Widths are full widths at half maximum. */
export interface GaussianShape {
  majorPixels: number
  minorPixels: number
  /** Of the major axis, from north (y) to east (-x). */
  paRad: number
}

export interface Gaussian extends GaussianShape {
  peak: number
  x: number
  y: number
}

/** Pixels that a fit sees: values with the background taken off. */
export interface FitPixels {
  x: Float64Array
  y: Float64Array
  value: Float64Array
}

/** A component to fit; with `fixedShape` only peak and position are free. */
export interface GaussianStart extends Gaussian {
  fixedShape: boolean
}

const FOUR_LN2 = 4 * Math.LN2
const MAX_ITERATIONS = 60
/** Widths stay within this factor of the start. */
const WIDTH_RANGE = 20

/**
 * Least-squares fit of a sum of elliptical Gaussians. Pixels are weighted by the square of the start profile: the noise
 * of an interferometer image is correlated like its beam, so that the core of a source holds nearly all that can be
 * known. In such noise equal weights scatter positions by 1.4 times the errors of Condon (1997), these by 1.1; errors
 * come from `gaussianErrors`, not from the covariance of the fit, which takes pixels as independent.
 *
 * @returns the fitted components in the order of the start; undefined when the fit does not converge to finite values
 */
export function fitGaussians(pixels: FitPixels, start: readonly GaussianStart[]): Gaussian[] | undefined {
  const free = start.reduce((sum, { fixedShape }) => sum + (fixedShape ? 3 : 6), 0)
  const n = pixels.value.length
  if (n <= free) return undefined
  const scale = Math.max(...start.map(({ peak }) => Math.abs(peak)))
  if (!(scale > 0)) return undefined
  const weight = rootWeights(pixels, start)
  const fit = levenbergMarquardt({
    n,
    start: encode(start, scale),
    maxIterations: MAX_ITERATIONS,
    residuals(p, out) {
      for (let i = 0; i < n; i++) out[i] = (-weight[i] * pixels.value[i]) / scale
      walk(pixels, { p, start }, (i, _column, { peak, shape }) => {
        out[i] += weight[i] * peak * shape
      })
    },
    jacobian(p, out) {
      out.fill(0)
      walk(pixels, { p, start }, (i, column, { peak, shape, u, v, model, fixed }) => {
        const row = i * free + column
        const f = weight[i] * peak * shape
        const { major, minor, sin, cos } = model
        const alongU = (2 * FOUR_LN2 * u) / (major * major)
        const alongV = (2 * FOUR_LN2 * v) / (minor * minor)
        out[row] = weight[i] * shape
        out[row + 1] = f * (-alongU * sin + alongV * cos)
        out[row + 2] = f * (alongU * cos + alongV * sin)
        if (fixed) return
        out[row + 3] = f * alongU * u
        out[row + 4] = f * alongV * v
        out[row + 5] = f * (alongU * v - alongV * u)
      })
    },
  })
  const fitted = decode(fit.parameters, start, scale)
  return fitted.every(isPlausible) ? fitted : undefined
}

/** Square roots of the weights: at each pixel the profile of the component that is strongest there. */
function rootWeights(pixels: FitPixels, start: readonly GaussianStart[]): Float64Array {
  const unit = start.map((component) => ({ ...component, peak: 1 }))
  return Float64Array.from(pixels.value, (_, i) => {
    let weight = 0
    for (const component of unit) weight = Math.max(weight, gaussianAt(component, pixels.x[i], pixels.y[i]))
    return weight
  })
}

interface Point {
  peak: number
  /** exp(-4 ln2 (u^2/major^2 + v^2/minor^2)) */
  shape: number
  /** Offsets along the major and the minor axis. */
  u: number
  v: number
  model: { major: number; minor: number; sin: number; cos: number }
  fixed: boolean
}

/** Calls `visit` for each pixel and component; parameters are peak, x, y [, ln major, ln minor, pa]. */
function walk(
  pixels: FitPixels,
  { p, start }: { p: Float64Array; start: readonly GaussianStart[] },
  visit: (i: number, column: number, point: Point) => void,
): void {
  let column = 0
  for (const { fixedShape, majorPixels, minorPixels, paRad } of start) {
    const major = fixedShape ? majorPixels : Math.exp(p[column + 3])
    const minor = fixedShape ? minorPixels : Math.exp(p[column + 4])
    const pa = fixedShape ? paRad : p[column + 5]
    const model = { major, minor, sin: Math.sin(pa), cos: Math.cos(pa) }
    const point: Point = { peak: p[column], shape: 0, u: 0, v: 0, model, fixed: fixedShape }
    for (let i = 0; i < pixels.value.length; i++) {
      const dx = pixels.x[i] - p[column + 1]
      const dy = pixels.y[i] - p[column + 2]
      point.u = -dx * model.sin + dy * model.cos
      point.v = dx * model.cos + dy * model.sin
      point.shape = Math.exp(-FOUR_LN2 * ((point.u / major) ** 2 + (point.v / minor) ** 2))
      visit(i, column, point)
    }
    column += fixedShape ? 3 : 6
  }
}

function encode(start: readonly GaussianStart[], scale: number): Float64Array {
  return Float64Array.from(
    start.flatMap(({ peak, x, y, majorPixels, minorPixels, paRad, fixedShape }) =>
      fixedShape ? [peak / scale, x, y] : [peak / scale, x, y, Math.log(majorPixels), Math.log(minorPixels), paRad],
    ),
  )
}

function decode(p: Float64Array, start: readonly GaussianStart[], scale: number): (Gaussian & { limit: number })[] {
  let column = 0
  return start.map((component) => {
    const at = column
    column += component.fixedShape ? 3 : 6
    const place = { peak: p[at] * scale, x: p[at + 1], y: p[at + 2], limit: WIDTH_RANGE * component.majorPixels }
    if (component.fixedShape) {
      const { majorPixels, minorPixels, paRad } = component
      return { ...place, majorPixels, minorPixels, paRad }
    }
    const first = Math.exp(p[at + 3])
    const second = Math.exp(p[at + 4])
    const swapped = second > first
    return {
      ...place,
      majorPixels: swapped ? second : first,
      minorPixels: swapped ? first : second,
      paRad: halfTurn(p[at + 5] + (swapped ? Math.PI / 2 : 0)),
    }
  })
}

function isPlausible({ peak, x, y, majorPixels, minorPixels, limit }: Gaussian & { limit: number }): boolean {
  return [peak, x, y, majorPixels, minorPixels].every(Number.isFinite) && majorPixels < limit && minorPixels > 0
}

/** The same axis with an angle in [-pi/2, pi/2). */
export function halfTurn(paRad: number): number {
  return paRad - Math.PI * Math.floor(paRad / Math.PI + 0.5)
}

/** Value of a Gaussian at a pixel. */
export function gaussianAt(gaussian: Gaussian, x: number, y: number): number {
  const { peak, majorPixels, minorPixels, paRad } = gaussian
  const dx = x - gaussian.x
  const dy = y - gaussian.y
  const u = -dx * Math.sin(paRad) + dy * Math.cos(paRad)
  const v = dx * Math.cos(paRad) + dy * Math.sin(paRad)
  return peak * Math.exp(-FOUR_LN2 * ((u / majorPixels) ** 2 + (v / minorPixels) ** 2))
}
