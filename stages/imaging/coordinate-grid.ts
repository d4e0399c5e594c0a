import { DEGREE_RAD } from '#runtime/sky/constants.ts'
import { skyToPixel, type ImageWcs } from '#runtime/sky/projection.ts'
import { characterHeight, textWidth } from './bitmap-font.ts'
import { labelAt, stepFor, type Canvas } from './picture-canvas.ts'

/** Steps of grid lines: declination in degrees, right ascension in minutes of time. */
const declinationSteps = [10, 5, 2, 1, 0.5, 0.25, 1 / 6, 1 / 12, 1 / 30, 1 / 60]
const ascensionSteps = [120, 60, 30, 20, 10, 5, 2, 1, 0.5, 0.25, 1 / 6, 1 / 12]
const wantedLines = 4

/** Lines of equal declination and right ascension, with their coordinates at the left and the top edge. */
export function drawGrid(canvas: Canvas, wcs: ImageWcs): void {
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
  const write = createLabels(canvas, scale)
  for (let k = -reach; k <= reach; k += 1) {
    const dec = (Math.round(decDeg / decStep) + k) * decStep
    const ra = (Math.round(raDeg / raStepDeg) + k) * raStepDeg
    if (Math.abs(dec) < 90) {
      const label = formatDec(dec, decStep)
      const edge = drawLine(canvas, wcs, (t) => ({ raDeg: raDeg + (t * fieldDeg * 1.5) / cosDec, decDeg: dec }))
      if (edge.left !== undefined) write(label, { x: 4, y: edge.left - (characterHeight + 2) * scale })
    }
    if (Math.abs(k) * raStepDeg > 180) continue
    const edge = drawLine(canvas, wcs, (t) => ({
      raDeg: ra,
      decDeg: Math.max(-90, Math.min(90, decDeg + t * fieldDeg * 1.5)),
    }))
    if (edge.top !== undefined) write(formatRa(ra, raStepMinutes), { x: edge.top + 4, y: 4 })
  }
}

/** Writes labels that fit into the picture and touch none before them; the others are left out. */
function createLabels(canvas: Canvas, scale: number): (text: string, at: { x: number; y: number }) => void {
  const written: { x: number; y: number; width: number }[] = []
  const height = (characterHeight + 2) * scale
  const gap = 4 * scale
  return (text, { x, y }) => {
    const width = textWidth(text, scale)
    const touches = (other: { x: number; y: number; width: number }): boolean =>
      x < other.x + other.width + gap && other.x < x + width + gap && Math.abs(y - other.y) < height
    if (y < 2 || x + width > canvas.width - 2 || written.some(touches)) return
    written.push({ x, y, width })
    labelAt(canvas, text, { x, y, scale })
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
