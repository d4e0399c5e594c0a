import type { RestoringBeam } from '#runtime/formats/fits/image.ts'
import type { PngPixels } from '#runtime/formats/png.ts'
import { ARCSEC_RAD, DEGREE_RAD } from '#runtime/sky/constants.ts'
import { pixelToSky, wrapPi, wrapRa, type ImageWcs } from '#runtime/sky/projection.ts'
import { drawGrid } from './coordinate-grid.ts'
import { createCanvas, levelOf, palette, type Canvas } from './picture-canvas.ts'
import { drawBeam, drawColourBar, drawDirections } from './picture-legend.ts'

export interface QuicklookInput {
  image: Float32Array
  primaryBeam: Float32Array
  wcs: ImageWcs
  beam: RestoringBeam
  /** Noise at the centre, Jy/beam: unit of the stretch. */
  rmsJy: number
  text?: Record<string, string>
}

/** Largest width and height of the picture. */
const maxPixels = 1024

/** Contours of the mean primary beam. */
const beamContours = [0.5, 0.2]

/** The picture of a restored image: block means, coordinate grid, beam, scale bar, directions, colour bar, beam contours. */
export function drawQuicklook(input: QuicklookInput): PngPixels {
  const block = Math.max(1, Math.ceil(input.wcs.width / maxPixels))
  const width = Math.floor(input.wcs.width / block)
  const height = Math.floor(input.wcs.height / block)
  const wcs = blockWcs(input.wcs, { block, width, height })
  const canvas = createCanvas(width, height)
  const means = blockMeans(input.image, input.wcs.width, { block, width, height })
  means.forEach((value, i) => canvas.paint(i % width, height - 1 - Math.floor(i / width), levelOf(value / input.rmsJy)))
  const response = blockMeans(input.primaryBeam, input.wcs.width, { block, width, height })
  drawContours(canvas, response)
  drawGrid(canvas, wcs)
  const scale = width >= 700 ? 2 : 1
  drawColourBar(canvas, { scale, rmsJy: input.rmsJy })
  drawBeam(canvas, wcs, { beam: input.beam, scale })
  drawDirections(canvas, scale)
  return {
    width,
    height,
    indexed: { pixels: canvas.pixels, palette: palette() },
    text: { ...input.text, WCS: wcsSummary(wcs) },
  }
}

function blockWcs(wcs: ImageWcs, { block, width, height }: { block: number; width: number; height: number }): ImageWcs {
  return {
    centre: wcs.centre,
    width,
    height,
    cellRad: wcs.cellRad * block,
    referenceX: (wcs.referenceX - (block - 1) / 2) / block,
    referenceY: (wcs.referenceY - (block - 1) / 2) / block,
  }
}

/** Means of block x block pixels; a block with a blank pixel is blank. */
function blockMeans(
  image: Float32Array,
  stride: number,
  { block, width, height }: { block: number; width: number; height: number },
): Float32Array {
  const means = new Float32Array(width * height)
  for (let y = 0; y < height * block; y += 1) {
    const row = Math.floor(y / block) * width
    for (let x = 0; x < width * block; x += 1) means[row + Math.floor(x / block)] += image[y * stride + x]
  }
  return means.map((sum) => sum / (block * block))
}

/** Dashes of a contour, pixels along it. */
const dashPixels = 8

/** Pixels where the response crosses a contour, dashed by their angle about the middle. */
function drawContours(canvas: Canvas, response: Float32Array): void {
  const { width, height } = canvas
  const dashed = (x: number, y: number): boolean => {
    const [dx, dy] = [x - width / 2, y - height / 2]
    return Math.floor((Math.atan2(dy, dx) * Math.hypot(dx, dy)) / dashPixels) % 2 === 0
  }
  for (let y = 0; y + 1 < height; y += 1) {
    for (let x = 0; x + 1 < width; x += 1) {
      const here = response[y * width + x]
      for (const level of beamContours) {
        const crosses = [response[y * width + x + 1], response[(y + 1) * width + x]].some(
          (there) => here >= level !== there >= level,
        )
        if (crosses && dashed(x, y)) canvas.draw(x, height - 1 - y, 'contour')
      }
    }
  }
}

/** Enough of the geometry to lay overlays over the picture: rows are counted from the bottom, as in FITS. */
function wcsSummary(wcs: ImageWcs): string {
  const corner = pixelToSky(wcs, 0, 0)
  return JSON.stringify({
    projection: 'SIN',
    raDeg: Number((wrapRa(wcs.centre.raRad) / DEGREE_RAD).toFixed(9)),
    decDeg: Number((wcs.centre.decRad / DEGREE_RAD).toFixed(9)),
    cellArcsec: Number((wcs.cellRad / ARCSEC_RAD).toFixed(6)),
    referenceX: wcs.referenceX,
    referenceY: wcs.referenceY,
    cornerRaOffsetDeg: Number((wrapPi(corner.raRad - wcs.centre.raRad) / DEGREE_RAD).toFixed(6)),
  })
}
