import type { Ellipse } from '#runtime/sky/gaussian-beam.ts'
import type { GaussianShape } from '#runtime/sky/gaussian-fit.ts'
import { pixelToSky, skyToPixel, type ImageWcs } from '#runtime/sky/projection.ts'

/** One flat-noise image with what is needed to read it. */
export interface Field {
  width: number
  height: number
  wcs: ImageWcs
  /** Restoring beam, radians. */
  beam: Ellipse
  /** Jy/beam, height x width. */
  image: Float32Array
  /** Mean primary beam, height x width. */
  primaryBeam: Float32Array
  /** 1 where the image is finite and the mean beam is at or above the cut. */
  covered: Uint8Array
  freqHz: number
}

/** 1 where the image is finite and the mean beam is at least `beamCut`. */
export function coverage(image: Float32Array, primaryBeam: Float32Array, beamCut: number): Uint8Array {
  const covered = new Uint8Array(image.length)
  for (let i = 0; i < image.length; i++) covered[i] = Number.isFinite(image[i]) && primaryBeam[i] >= beamCut ? 1 : 0
  return covered
}

/** Part of the pixels within the cut of the mean beam that are finite; 0 when the beam is nowhere that high. */
export function finiteFraction(
  { covered, primaryBeam }: Pick<Field, 'covered' | 'primaryBeam'>,
  beamCut: number,
): number {
  let inside = 0
  let finite = 0
  for (let i = 0; i < covered.length; i++) {
    if (primaryBeam[i] >= beamCut) inside++
    finite += covered[i]
  }
  return inside === 0 ? 0 : finite / inside
}

/** The restoring beam in pixels. */
export function beamPixels({ beam, wcs }: Field): GaussianShape {
  return { majorPixels: beam.major / wcs.cellRad, minorPixels: beam.minor / wcs.cellRad, paRad: beam.paRad }
}

/** Geometric mean of the beam's full widths, radians. */
export function beamWidthRad({ beam }: Pick<Field, 'beam'>): number {
  return Math.sqrt(beam.major * beam.minor)
}

/** Bilinear value of a plane at 0-based pixel coordinates; NaN outside or next to a blank pixel. */
export function planeAt(
  plane: Float32Array,
  { width, height }: { width: number; height: number },
  x: number,
  y: number,
): number {
  const x0 = Math.floor(x)
  const y0 = Math.floor(y)
  if (!(x >= 0 && y >= 0 && x <= width - 1 && y <= height - 1)) return NaN
  const x1 = Math.min(x0 + 1, width - 1)
  const y1 = Math.min(y0 + 1, height - 1)
  const fx = x - x0
  const fy = y - y0
  const lower = plane[y0 * width + x0] * (1 - fx) + plane[y0 * width + x1] * fx
  const upper = plane[y1 * width + x0] * (1 - fx) + plane[y1 * width + x1] * fx
  return lower * (1 - fy) + upper * fy
}

/** Whether the pixel nearest to a place is covered. */
export function isCovered({ covered, width, height }: Field, x: number, y: number): boolean {
  const column = Math.round(x)
  const row = Math.round(y)
  if (!(column >= 0 && row >= 0 && column < width && row < height)) return false
  return covered[row * width + column] === 1
}

/** Angle of local north at a pixel from the y axis of the image, east positive: SIN images turn away from their centre. */
export function northAngleRad({ wcs }: Pick<Field, 'wcs'>, x: number, y: number): number {
  const here = pixelToSky(wcs, x, y)
  const step = Math.min(1e-5, Math.PI / 2 - Math.abs(here.decRad)) * (here.decRad > 0 ? -1 : 1)
  const there = skyToPixel(wcs, { raRad: here.raRad, decRad: here.decRad + step })
  const sign = step > 0 ? 1 : -1
  return Math.atan2(-(there.x - x) * sign, (there.y - y) * sign)
}

/** Smallest circle about the image's centre that holds its covered pixels. */
export function coveredRadiusRad({ covered, width, height, wcs }: Field): number {
  let largest = 0
  for (let y = 0; y < height; y++) {
    const first = covered.indexOf(1, y * width)
    if (first < 0) break
    if (first >= (y + 1) * width) continue
    // The farthest pixel of a row is one of its ends.
    const last = covered.lastIndexOf(1, (y + 1) * width - 1)
    for (const pixel of [first, last]) {
      largest = Math.max(largest, Math.hypot((pixel % width) - wcs.referenceX, y - wcs.referenceY))
    }
  }
  return Math.asin(Math.min(1, (largest + 1) * wcs.cellRad))
}
