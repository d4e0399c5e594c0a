import { characterHeight, drawText, textWidth } from './bitmap-font.ts'

/** The stretch runs from -3 to +50 sigma by asinh, always: two nights can be compared by eye. */
export const lowSigma = -3
export const highSigma = 50

/** Grey levels: as many as fit half a megabyte with the noise in them. */
export const greyLevels = 24

export type Rgb = readonly [number, number, number]
const colours = {
  blank: [38, 42, 66],
  grid: [70, 110, 150],
  text: [255, 214, 102],
  contour: [120, 200, 190],
  beam: [255, 255, 255],
  box: [0, 0, 0],
} as const satisfies Record<string, Rgb>
export type Colour = keyof typeof colours
const colourNames = Object.keys(colours) as Colour[]

export interface Canvas {
  width: number
  height: number
  pixels: Uint8Array
  /** Coordinates from the top left corner; outside of the canvas nothing happens. */
  paint(x: number, y: number, index: number): void
  draw(x: number, y: number, colour: Colour): void
}

/** An empty picture. */
export function createCanvas(width: number, height: number): Canvas {
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

/** Grey levels, then the colours of what is drawn over them. */
export function palette(): Rgb[] {
  const greys = Array.from({ length: greyLevels }, (_, k): Rgb => {
    const grey = Math.round((255 * k) / (greyLevels - 1))
    return [grey, grey, grey]
  })
  return [...greys, ...colourNames.map((name) => colours[name])]
}

/** Level of a value in units of the noise; blanks have their own colour. */
export function levelOf(sigmas: number): number {
  if (!Number.isFinite(sigmas)) return greyLevels + colourNames.indexOf('blank')
  const part = (Math.asinh(sigmas) - Math.asinh(lowSigma)) / (Math.asinh(highSigma) - Math.asinh(lowSigma))
  return Math.min(greyLevels - 1, Math.max(0, Math.floor(part * greyLevels)))
}

/** Text on a black box, kept inside of the picture. */
export function labelAt(canvas: Canvas, text: string, { x, y, scale }: { x: number; y: number; scale: number }): void {
  const left = Math.round(Math.min(Math.max(x, 2), canvas.width - textWidth(text, scale) - 2))
  const top = Math.round(y)
  for (let j = -1; j <= characterHeight * scale; j += 1) {
    for (let i = -1; i <= textWidth(text, scale); i += 1) canvas.draw(left + i, top + j, 'box')
  }
  drawText(text, { x: left, y: top, scale }, (px, py) => canvas.draw(px, py, 'text'))
}

/** The largest step that is at most the wanted one. */
export function stepFor(steps: readonly number[], wanted: number): number {
  return steps.find((step) => step <= wanted) ?? steps[steps.length - 1]
}
