import { beamDistance, fitComponents, fitStride } from './gaussian-components.ts'
import type { FitPixels, Gaussian, GaussianShape } from './gaussian-fit.ts'
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
  const stride = fitStride(field.options.beam)
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
