import type { RestoringBeam } from '#runtime/formats/fits/image.ts'
import { ARCSEC_RAD } from '#runtime/sky/constants.ts'
import type { ImageWcs } from '#runtime/sky/projection.ts'
import { characterHeight, textWidth } from './bitmap-font.ts'
import { greyLevels, highSigma, labelAt, lowSigma, stepFor, type Canvas } from './picture-canvas.ts'

const margin = 10

/** Grey scale at the right, with flux densities at fixed numbers of sigma. */
export function drawColourBar(canvas: Canvas, { scale, rmsJy }: { scale: number; rmsJy: number }): void {
  const height = Math.round(canvas.height * 0.4)
  const barWidth = 7 * scale
  const left = canvas.width - margin - barWidth
  const top = Math.round((canvas.height - height) / 2)
  const at = (sigma: number): number =>
    top +
    Math.round(
      height * (1 - (Math.asinh(sigma) - Math.asinh(lowSigma)) / (Math.asinh(highSigma) - Math.asinh(lowSigma))),
    )
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
export function drawBeam(canvas: Canvas, wcs: ImageWcs, { beam, scale }: { beam: RestoringBeam; scale: number }): void {
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
export function drawDirections(canvas: Canvas, scale: number): void {
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

function formatMilli(jy: number): string {
  const milli = jy * 1000
  if (milli === 0) return '0'
  return Math.abs(milli) >= 100 ? milli.toFixed(0) : Math.abs(milli) >= 10 ? milli.toFixed(1) : milli.toFixed(2)
}
