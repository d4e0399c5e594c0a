import type { RestoringBeam } from '#runtime/formats/fits/image.ts'
import type { PngPixels } from '#runtime/formats/png.ts'
import { ARCSEC_RAD, DEGREE_RAD } from '#runtime/sky/constants.ts'
import { pixelToSky, skyToPixel, wrapPi, wrapRa, type ImageWcs } from '#runtime/sky/projection.ts'
import { characterHeight, drawText, textWidth } from './bitmap-font.ts'

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

/** The stretch runs from -3 to +50 sigma by asinh, always: two nights can be compared by eye. */
const lowSigma = -3
const highSigma = 50

/** Grey levels: as many as fit half a megabyte with the noise in them. */
const greyLevels = 24

type Rgb = readonly [number, number, number]
const colours = {
  blank: [38, 42, 66],
  grid: [70, 110, 150],
  text: [255, 214, 102],
  contour: [120, 200, 190],
  beam: [255, 255, 255],
  box: [0, 0, 0],
} as const satisfies Record<string, Rgb>
type Colour = keyof typeof colours
const colourNames = Object.keys(colours) as Colour[]

/** Contours of the mean primary beam. */
const beamContours = [0.5, 0.2]

const margin = 10

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

interface Canvas {
  width: number
  height: number
  pixels: Uint8Array
  /** Coordinates from the top left corner; outside of the canvas nothing happens. */
  paint(x: number, y: number, index: number): void
  draw(x: number, y: number, colour: Colour): void
}

function createCanvas(width: number, height: number): Canvas {
  const pixels = new Uint8Array(width * height)
  const paint = (x: number, y: number, index: number): void => {
    if (x >= 0 && x < width && y >= 0 && y < height) pixels[y * width + x] = index
  }
  return {
    width,
    height,
    pixels,
    paint,
    draw: (x, y, colour) => paint(Math.round(x), Math.round(y), greyLevels + colourNames.indexOf(colour)),
  }
}

function palette(): Rgb[] {
  const greys = Array.from({ length: greyLevels }, (_, k): Rgb => {
    const grey = Math.round((255 * k) / (greyLevels - 1))
    return [grey, grey, grey]
  })
  return [...greys, ...colourNames.map((name) => colours[name])]
}

function levelOf(sigmas: number): number {
  if (!Number.isFinite(sigmas)) return greyLevels + colourNames.indexOf('blank')
  const part = (Math.asinh(sigmas) - Math.asinh(lowSigma)) / (Math.asinh(highSigma) - Math.asinh(lowSigma))
  return Math.min(greyLevels - 1, Math.max(0, Math.floor(part * greyLevels)))
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

/** Steps of grid lines: declination in degrees, right ascension in minutes of time. */
const declinationSteps = [10, 5, 2, 1, 0.5, 0.25, 1 / 6, 1 / 12, 1 / 30, 1 / 60]
const ascensionSteps = [120, 60, 30, 20, 10, 5, 2, 1, 0.5, 0.25, 1 / 6, 1 / 12]
const wantedLines = 4

function drawGrid(canvas: Canvas, wcs: ImageWcs): void {
  const { width, height } = canvas
  const scale = width >= 700 ? 2 : 1
  const fieldDeg = (height * wcs.cellRad) / DEGREE_RAD
  const decStep = stepFor(declinationSteps, fieldDeg / wantedLines)
  const decDeg = wcs.centre.decRad / DEGREE_RAD
  const cosDec = Math.max(0.02, Math.cos(wcs.centre.decRad))
  const raStepMinutes = stepFor(ascensionSteps, (fieldDeg * 4) / cosDec / wantedLines)
  const raStepDeg = raStepMinutes / 4
  const raDeg = wcs.centre.raRad / DEGREE_RAD
  const reach = wantedLines + 3
  for (let k = -reach; k <= reach; k += 1) {
    const dec = (Math.round(decDeg / decStep) + k) * decStep
    const ra = (Math.round(raDeg / raStepDeg) + k) * raStepDeg
    if (Math.abs(dec) < 90) {
      const label = formatDec(dec, decStep)
      const edge = drawLine(canvas, wcs, (t) => ({ raDeg: raDeg + (t * fieldDeg * 1.5) / cosDec, decDeg: dec }))
      if (edge.left !== undefined) labelAt(canvas, label, { x: 4, y: edge.left - (characterHeight + 2) * scale, scale })
    }
    if (Math.abs(k) * raStepDeg > 180) continue
    const edge = drawLine(canvas, wcs, (t) => ({ raDeg: ra, decDeg: Math.max(-90, Math.min(90, decDeg + t * fieldDeg * 1.5)) }))
    if (edge.top !== undefined) labelAt(canvas, formatRa(ra, raStepMinutes), { x: edge.top + 4, y: 4, scale })
  }
}

/** Draws a curve over t from -1 to 1 and tells where it crosses the left and the top edge. */
function drawLine(
  canvas: Canvas,
  wcs: ImageWcs,
  curve: (t: number) => { raDeg: number; decDeg: number },
): { left?: number; top?: number } {
  const samples = 8 * canvas.width
  const edge: { left?: number; top?: number } = {}
  let previous: { x: number; y: number } | undefined
  for (let k = 0; k <= samples; k += 1) {
    const { raDeg, decDeg } = curve((2 * k) / samples - 1)
    const pixel = skyToPixel(wcs, { raRad: raDeg * DEGREE_RAD, decRad: decDeg * DEGREE_RAD })
    const x = pixel.x
    const y = canvas.height - 1 - pixel.y
    canvas.draw(x, y, 'grid')
    if (previous !== undefined) {
      if (x < 0 !== previous.x < 0 && y >= 0 && y < canvas.height) edge.left = y
      if (y < 0 !== previous.y < 0 && x >= 0 && x < canvas.width) edge.top = x
    }
    previous = { x, y }
  }
  return edge
}

function labelAt(canvas: Canvas, text: string, { x, y, scale }: { x: number; y: number; scale: number }): void {
  const left = Math.round(Math.min(Math.max(x, 2), canvas.width - textWidth(text, scale) - 2))
  const top = Math.round(y)
  for (let j = -1; j <= characterHeight * scale; j += 1) {
    for (let i = -1; i <= textWidth(text, scale); i += 1) canvas.draw(left + i, top + j, 'box')
  }
  drawText(text, { x: left, y: top, scale }, (px, py) => canvas.draw(px, py, 'text'))
}

/** Grey scale at the right, with flux densities at fixed numbers of sigma. */
function drawColourBar(canvas: Canvas, { scale, rmsJy }: { scale: number; rmsJy: number }): void {
  const height = Math.round(canvas.height * 0.4)
  const barWidth = 7 * scale
  const left = canvas.width - margin - barWidth
  const top = Math.round((canvas.height - height) / 2)
  const at = (sigma: number): number =>
    top + Math.round(height * (1 - (Math.asinh(sigma) - Math.asinh(lowSigma)) / (Math.asinh(highSigma) - Math.asinh(lowSigma))))
  for (let y = 0; y < height; y += 1) {
    const level = Math.floor((1 - (y + 0.5) / height) * greyLevels)
    for (let x = 0; x < barWidth; x += 1) canvas.paint(left + x, top + y, level)
  }
  for (let y = -1; y <= height; y += 1) {
    canvas.draw(left - 1, top + y, 'text')
    canvas.draw(left + barWidth, top + y, 'text')
  }
  const labels = [lowSigma, 0, 10, highSigma].map((sigma): [number, string] => [at(sigma), formatMilli(sigma * rmsJy)])
  for (const [y, text] of labels) {
    const offset = Math.round((characterHeight * scale) / 2)
    labelAt(canvas, text, { x: left - textWidth(text, scale) - 4 * scale, y: y - offset, scale })
  }
  const unit = 'mJy/beam'
  labelAt(canvas, unit, { x: left + barWidth - textWidth(unit, scale), y: top - (characterHeight + 8) * scale, scale })
}

/** The restoring beam in a box at the lower left, and a bar of known length beside it. */
function drawBeam(canvas: Canvas, wcs: ImageWcs, { beam, scale }: { beam: RestoringBeam; scale: number }): void {
  const major = beam.majorRad / wcs.cellRad / 2
  const minor = beam.minorRad / wcs.cellRad / 2
  const half = Math.ceil(Math.max(major, 3)) + 4
  const cx = margin + half
  const cy = canvas.height - margin - half
  const [sin, cos] = [Math.sin(beam.positionAngleRad), Math.cos(beam.positionAngleRad)]
  for (let y = -half; y <= half; y += 1) {
    for (let x = -half; x <= half; x += 1) {
      const border = Math.abs(x) === half || Math.abs(y) === half
      // Up is north and left is east: y is counted downwards here.
      const along = -y * cos - x * sin
      const across = -y * sin + x * cos
      const inside = (along / major) ** 2 + (across / minor) ** 2 <= 1
      canvas.draw(cx + x, cy + y, border ? 'text' : inside ? 'beam' : 'box')
    }
  }
  const barArcmin = stepFor([60, 30, 20, 10, 5, 2, 1], (canvas.width * wcs.cellRad) / ARCSEC_RAD / 60 / 5)
  const length = Math.round((barArcmin * 60 * ARCSEC_RAD) / wcs.cellRad)
  const left = cx + half + 2 * margin
  for (let x = 0; x <= length; x += 1) {
    for (let y = -1; y <= 1; y += 1) canvas.draw(left + x, canvas.height - margin - 2 + y, 'text')
  }
  const label = barArcmin >= 60 ? `${barArcmin / 60}°` : `${barArcmin}'`
  labelAt(canvas, label, {
    x: left + (length - textWidth(label, scale)) / 2,
    y: canvas.height - margin - (characterHeight + 4) * scale,
    scale,
  })
}

/** Arrows to north and east at the lower right. */
function drawDirections(canvas: Canvas, scale: number): void {
  const length = 20 * scale
  const x0 = canvas.width - margin - 8 * scale
  const y0 = canvas.height - margin - 8 * scale
  for (let k = 0; k <= length; k += 1) {
    for (let thick = 0; thick < scale; thick += 1) {
      canvas.draw(x0 + thick, y0 - k, 'text')
      canvas.draw(x0 - k, y0 + thick, 'text')
    }
  }
  for (let k = 0; k <= 3 * scale; k += 1) {
    for (const side of [-1, 1]) {
      canvas.draw(x0 + side * k, y0 - length + k, 'text')
      canvas.draw(x0 - length + k, y0 + side * k, 'text')
    }
  }
  labelAt(canvas, 'N', { x: x0 - 2 * scale, y: y0 - length - (characterHeight + 2) * scale, scale })
  labelAt(canvas, 'E', { x: x0 - length - 8 * scale, y: y0 - 3 * scale, scale })
}

function stepFor(steps: readonly number[], wanted: number): number {
  return steps.find((step) => step <= wanted) ?? steps[steps.length - 1]
}

function formatDec(deg: number, step: number): string {
  const minutes = Math.round(Math.abs(deg) * 60)
  const sign = deg < 0 && minutes > 0 ? '-' : '+'
  const whole = `${sign}${Math.floor(minutes / 60)}°`
  return step >= 1 ? whole : `${whole}${String(minutes % 60).padStart(2, '0')}'`
}

function formatRa(deg: number, stepMinutes: number): string {
  const seconds = Math.round((((deg % 360) + 360) % 360) * 240) % 86_400
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0')
  const text = `${two(seconds / 3600)}h${two((seconds % 3600) / 60)}m`
  return stepMinutes >= 1 ? text : `${text}${two(seconds % 60)}s`
}

function formatMilli(jy: number): string {
  const milli = jy * 1000
  if (milli === 0) return '0'
  return Math.abs(milli) >= 100 ? milli.toFixed(0) : Math.abs(milli) >= 10 ? milli.toFixed(1) : milli.toFixed(2)
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
