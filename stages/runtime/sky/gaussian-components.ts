import {
  fitGaussians,
  gaussianAt,
  type FitPixels,
  type Gaussian,
  type GaussianShape,
  type GaussianStart,
} from './gaussian-fit.ts'

/** Below this signal-to-noise ratio a shape cannot be told from the beam: widths are uncertain by more than 10 %. */
const FREE_SHAPE_SNR = 10
/** A fit needs more than this area in beams, and 2 sigma of its own error, to keep its own shape. */
const FREE_SHAPE_AREA = 1.1
const FREE_SHAPE_SIGMA = 2
/** A further component must exceed this part of the island's peak: restored CLEAN components are no exact Gaussians. */
const COMPONENT_FRACTION = 0.01
/** Components nearer than this part of the beam are one. */
const CLOSEST_BEAMS = 0.4
/** Pixels finer than this part of the minor axis are thinned out before a fit: they are not independent. */
const PIXELS_PER_BEAM = 5
/** Islands with more pixels than this after thinning (some hundred beams) are not fitted. */
const MAX_FIT_PIXELS = 8000

export interface FitContext {
  beam: GaussianShape
  rms: number
  maxComponents: number
  /** Pixels of the island. */
  area: number
}

/**
 * Gaussians for one island: points first, one more where they leave a peak, then shapes of their own where they are needed.
 *
 * @param first the peak of the island with the shape of the beam
 * @returns `failed` when the residual stays above 5 sigma or nothing can be fitted
 */
export function fitComponents(
  pixels: FitPixels,
  first: Gaussian,
  context: FitContext,
): { components: GaussianStart[]; failed: boolean } {
  const { beam, rms, maxComponents } = context
  const threshold = Math.max(5 * rms, COMPONENT_FRACTION * first.peak)
  const start = [{ ...first, fixedShape: true }]
  let points = pixels.value.length > MAX_FIT_PIXELS ? undefined : fitGaussians(pixels, start)
  // A source whose fit does not converge or runs away is reported as found: the peak pixel with the shape of the beam.
  if (points === undefined || !areDistinct(points, { beam, pixels, rms })) return { components: start, failed: true }
  for (;;) {
    const components = freeShapes(pixels, points, context)
    if (largestResidual(pixels, components).value < threshold) return { components, failed: false }
    // What points leave over shows where the next one is; a shape of its own would have swallowed it.
    const { value, x, y } = largestResidual(pixels, points)
    if (points.length >= maxComponents || value < threshold) return { components, failed: true }
    const more = [...points, { peak: value, x, y, ...beam }].map((point) => ({ ...point, fixedShape: true }))
    const next = fitGaussians(pixels, more)
    if (next === undefined || !areDistinct(next, { beam, pixels, rms })) return { components, failed: true }
    points = next
  }
}

/** Frees the shapes of bright components and fixes again those no larger than the beam. */
function freeShapes(pixels: FitPixels, points: readonly Gaussian[], context: FitContext): GaussianStart[] {
  const { beam, rms } = context
  const fixed = points.map((point) => ({ ...point, fixedShape: true }))
  const bright = points.map(({ peak }) => peak / rms >= FREE_SHAPE_SNR)
  if (!bright.includes(true)) return fixed
  const grow =
    points.length === 1 ? Math.max(1, Math.sqrt(context.area / (12 * beam.majorPixels * beam.minorPixels))) : 1
  const freed = fixed.map((component, i) =>
    bright[i]
      ? {
          ...component,
          fixedShape: false,
          majorPixels: component.majorPixels * grow,
          minorPixels: component.minorPixels * grow,
        }
      : component,
  )
  const shaped = fitGaussians(pixels, freed)
  if (shaped === undefined || !areDistinct(shaped, { beam, pixels, rms })) return fixed
  const beamArea = beam.majorPixels * beam.minorPixels
  const result = shaped.map((component, i): GaussianStart => {
    const area = (component.majorPixels * component.minorPixels) / beamArea
    // Area error of a point source: sqrt(2) / (S/N), Condon 1997.
    const limit = Math.max(FREE_SHAPE_AREA, 1 + (FREE_SHAPE_SIGMA * Math.SQRT2 * rms) / component.peak)
    const free = bright[i] && area > limit
    return free ? { ...component, fixedShape: false } : { ...component, ...beam, fixedShape: true }
  })
  if (result.every(({ fixedShape }) => !fixedShape)) return result
  const last = fitGaussians(pixels, result)
  if (last === undefined || !areDistinct(last, { beam, pixels, rms })) return fixed
  return last.map((component, i) => ({ ...result[i], ...component }))
}

function largestResidual(pixels: FitPixels, components: readonly Gaussian[]): { value: number; x: number; y: number } {
  let largest = { value: -Infinity, x: 0, y: 0 }
  for (let i = 0; i < pixels.value.length; i++) {
    let value = pixels.value[i]
    for (const component of components) value -= gaussianAt(component, pixels.x[i], pixels.y[i])
    if (value > largest.value) largest = { value, x: pixels.x[i], y: pixels.y[i] }
  }
  return largest
}

/** Whether components are positive, inside their pixels, of a sane size and apart from each other. */
function areDistinct(
  components: readonly Gaussian[],
  { beam, pixels, rms }: { beam: GaussianShape; pixels: FitPixels; rms: number },
): boolean {
  const stride = fitStride(beam)
  const inside = components.every(({ peak, x, y, majorPixels, minorPixels }) => {
    const near = pixels.x.some((px, i) => Math.abs(px - x) <= stride && Math.abs(pixels.y[i] - y) <= stride)
    return peak > 3 * rms && near && majorPixels < 8 * beam.majorPixels && minorPixels > 0.5 * beam.minorPixels
  })
  if (!inside) return false
  return components.every((a, i) => components.every((b, j) => j <= i || beamDistance(a, b, beam) > CLOSEST_BEAMS))
}

/** Distance of two pixels in units of the beam's full width in that direction. */
export function beamDistance(a: { x: number; y: number }, b: { x: number; y: number }, beam: GaussianShape): number {
  const dx = a.x - b.x
  const dy = a.y - b.y
  const u = -dx * Math.sin(beam.paRad) + dy * Math.cos(beam.paRad)
  const v = dx * Math.cos(beam.paRad) + dy * Math.sin(beam.paRad)
  return Math.hypot(u / beam.majorPixels, v / beam.minorPixels)
}

/** Step of the pixels that a fit sees: finer ones are not independent. */
export function fitStride(beam: GaussianShape): number {
  return Math.max(1, Math.floor(beam.minorPixels / PIXELS_PER_BEAM))
}
