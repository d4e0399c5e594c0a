import {
  fitGaussians,
  gaussianAt,
  type FitPixels,
  type Gaussian,
  type GaussianShape,
  type GaussianStart,
} from './gaussian-fit.ts'
import { findIslands, type Island, type IslandOptions } from './islands.ts'

/** Why a source deserves a second look; a source without one is an isolated, cleanly fitted point or Gaussian. */
export type SourceFlag = 'blended' | 'fixed-shape' | 'edge' | 'near-bright' | 'fit-failed'

/** A fitted component on the flat-noise image. Pixel coordinates are 0-based, x to the right, y up. */
export interface FoundSource extends Gaussian {
  /** Label of its island and the number of components in it. */
  island: number
  components: number
  /** Local noise and background, unit of the image. */
  rms: number
  background: number
  /** peak / rms */
  snr: number
  flags: SourceFlag[]
}

export interface FindOptions extends IslandOptions {
  background: Float32Array
  rms: Float32Array
  beam: GaussianShape
  /** Most Gaussians in one island. */
  maxComponents: number
  /** Only this many islands, the brightest, are fitted: a broken image can have any number. */
  maxIslands: number
}

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
const NEAR_BRIGHT_RATIO = 100
const NEAR_BRIGHT_BEAMS = 3

/**
 * Finds sources on a flat-noise image: islands in (image - background) / rms, and in each up to `maxComponents`
 * elliptical Gaussians, fitted on the island and one beam around it. Shapes are fixed to the beam below a
 * signal-to-noise ratio of 10 and where the fitted area is no larger than the beam's within errors.
 *
 * @param image height x width, Jy/beam; NaN is blank
 * @returns brightest first
 */
export function findSources(image: Float32Array, width: number, height: number, options: FindOptions): FoundSource[] {
  const { background, rms, beam } = options
  const snr = new Float32Array(image.length)
  for (let i = 0; i < image.length; i++) snr[i] = (image[i] - background[i]) / rms[i]
  const islands = findIslands(snr, width, height, options)
    .sort((a, b) => b.peak - a.peak || a.label - b.label)
    .slice(0, options.maxIslands)
  const owner = new Int32Array(image.length)
  for (const island of islands) for (const pixel of island.pixels) owner[pixel] = island.label
  const field: Field = { image, width, height, options, owner, footprint: beamFootprint(beam) }
  // A spike narrower than the beam is noise, however high its pixel: its fit falls below the threshold of growth.
  const sources = islands
    .flatMap((island) => fitIsland(island, field))
    .filter(({ snr: fitted }) => fitted >= options.growSigma)
  sources.sort((a, b) => b.peak - a.peak || a.y - b.y || a.x - b.x)
  flagNearBright(sources, beam)
  return sources
}

interface Field {
  image: Float32Array
  width: number
  height: number
  options: FindOptions
  /** Island label of each pixel; 0 outside islands. */
  owner: Int32Array
  footprint: readonly { dy: number; x0: number; x1: number }[]
}

function fitIsland(island: Island, field: Field): FoundSource[] {
  const { width, options } = field
  const { beam, rms, background } = options
  const { pixels, edge, crowded } = fitRegion(island, field)
  const localRms = rms[island.peakIndex]
  const peak = field.image[island.peakIndex] - background[island.peakIndex]
  const first = { peak, x: island.peakIndex % width, y: Math.floor(island.peakIndex / width), ...beam }
  const fitted = fitComponents(pixels, first, {
    beam,
    rms: localRms,
    maxComponents: options.maxComponents,
    area: island.pixels.length,
  })
  return fitted.components.map((component): FoundSource => {
    const at = pixelOf(component, field) ?? island.peakIndex
    const flags: SourceFlag[] = []
    if (fitted.components.length > 1 || crowded) flags.push('blended')
    if (component.fixedShape) flags.push('fixed-shape')
    if (edge) flags.push('edge')
    if (fitted.failed) flags.push('fit-failed')
    const { majorPixels, minorPixels, paRad, x, y } = component
    return {
      peak: component.peak,
      x,
      y,
      majorPixels,
      minorPixels,
      paRad,
      island: island.label,
      components: fitted.components.length,
      rms: rms[at],
      background: background[at],
      snr: component.peak / rms[at],
      flags,
    }
  })
}

interface FitContext {
  beam: GaussianShape
  rms: number
  maxComponents: number
  /** Pixels of the island. */
  area: number
}

function fitComponents(
  pixels: FitPixels,
  first: Gaussian,
  context: FitContext,
): { components: GaussianStart[]; failed: boolean } {
  const { beam, rms, maxComponents } = context
  const threshold = Math.max(5 * rms, COMPONENT_FRACTION * first.peak)
  const start = [{ ...first, fixedShape: true }]
  let points = pixels.value.length > MAX_FIT_PIXELS ? undefined : fitGaussians(pixels, start)
  // A source whose fit does not converge is reported as found: the peak pixel with the shape of the beam.
  if (points === undefined) return { components: start, failed: true }
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
  return last?.map((component, i) => ({ ...result[i], ...component })) ?? fixed
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
  const stride = Math.max(1, Math.floor(beam.minorPixels / PIXELS_PER_BEAM))
  const inside = components.every(({ peak, x, y, majorPixels, minorPixels }) => {
    const near = pixels.x.some((px, i) => Math.abs(px - x) <= stride && Math.abs(pixels.y[i] - y) <= stride)
    return peak > 3 * rms && near && majorPixels < 8 * beam.majorPixels && minorPixels > 0.5 * beam.minorPixels
  })
  if (!inside) return false
  return components.every((a, i) => components.every((b, j) => j <= i || beamDistance(a, b, beam) > CLOSEST_BEAMS))
}

/** Distance of two pixels in units of the beam's full width in that direction. */
function beamDistance(a: { x: number; y: number }, b: { x: number; y: number }, beam: GaussianShape): number {
  const dx = a.x - b.x
  const dy = a.y - b.y
  const u = -dx * Math.sin(beam.paRad) + dy * Math.cos(beam.paRad)
  const v = dx * Math.cos(beam.paRad) + dy * Math.sin(beam.paRad)
  return Math.hypot(u / beam.majorPixels, v / beam.minorPixels)
}

/** Rows of an ellipse with the beam's full widths as semi-axes, as pixel offsets. */
function beamFootprint(beam: GaussianShape): { dy: number; x0: number; x1: number }[] {
  const reach = Math.ceil(beam.majorPixels)
  return Array.from({ length: 2 * reach + 1 }, (_, row) => {
    const dy = row - reach
    const inside = Array.from({ length: 2 * reach + 1 }, (_unused, column) => column - reach).filter(
      (dx) => beamDistance({ x: dx, y: dy }, { x: 0, y: 0 }, beam) <= 1,
    )
    return { dy, x0: inside[0] ?? 0, x1: inside.at(-1) ?? -1 }
  }).filter(({ x0, x1 }) => x1 >= x0)
}

/** The island and one beam around it, without blank pixels and those of other islands. */
function fitRegion(island: Island, field: Field): { pixels: FitPixels; edge: boolean; crowded: boolean } {
  const { image, width, height, owner, footprint } = field
  const { background, valid } = field.options
  const margin = Math.ceil(field.options.beam.majorPixels)
  const x0 = Math.max(0, island.x0 - margin)
  const x1 = Math.min(width - 1, island.x1 + margin)
  const y0 = Math.max(0, island.y0 - margin)
  const y1 = Math.min(height - 1, island.y1 + margin)
  const columns = x1 - x0 + 1
  const inside = new Uint8Array(columns * (y1 - y0 + 1))
  let edge = island.x0 === 0 || island.y0 === 0 || island.x1 === width - 1 || island.y1 === height - 1
  for (const pixel of island.pixels) {
    const x = pixel % width
    const y = Math.floor(pixel / width)
    const isInner =
      owner[pixel - 1] === island.label && owner[pixel + 1] === island.label &&
      owner[pixel - width] === island.label && owner[pixel + width] === island.label // prettier-ignore
    if (isInner) {
      inside[(y - y0) * columns + x - x0] = 1
      continue
    }
    for (const row of footprint) {
      const py = y + row.dy
      if (py < y0 || py > y1) continue
      const from = (py - y0) * columns
      inside.fill(1, from + Math.max(x0, x + row.x0) - x0, from + Math.min(x1, x + row.x1) - x0 + 1)
    }
  }
  const xs: number[] = []
  const ys: number[] = []
  const values: number[] = []
  let crowded = false
  // The grid of kept pixels goes through the peak.
  const stride = Math.max(1, Math.floor(field.options.beam.minorPixels / PIXELS_PER_BEAM))
  const peakX = island.peakIndex % width
  const peakY = Math.floor(island.peakIndex / width)
  for (let i = 0; i < inside.length; i++) {
    if (inside[i] === 0) continue
    const x = x0 + (i % columns)
    const y = y0 + Math.floor(i / columns)
    if ((x - peakX) % stride !== 0 || (y - peakY) % stride !== 0) continue
    const pixel = y * width + x
    const label = owner[pixel]
    if (label !== 0 && label !== island.label) {
      crowded = true
      continue
    }
    if (!Number.isFinite(image[pixel]) || (valid !== undefined && valid[pixel] === 0)) {
      edge = true
      continue
    }
    xs.push(x)
    ys.push(y)
    values.push(image[pixel] - background[pixel])
  }
  return {
    pixels: { x: Float64Array.from(xs), y: Float64Array.from(ys), value: Float64Array.from(values) },
    edge,
    crowded,
  }
}

function pixelOf({ x, y }: { x: number; y: number }, { width, height }: Field): number | undefined {
  const column = Math.round(x)
  const row = Math.round(y)
  return column >= 0 && column < width && row >= 0 && row < height ? row * width + column : undefined
}

/** Expects the brightest first. */
function flagNearBright(sources: readonly FoundSource[], beam: GaussianShape): void {
  sources.forEach((source, i) => {
    const near = sources
      .slice(0, i)
      .some(
        (other) =>
          other.peak > NEAR_BRIGHT_RATIO * source.peak && beamDistance(source, other, beam) < NEAR_BRIGHT_BEAMS,
      )
    if (near) source.flags.push('near-bright')
  })
}
