import type { RestoringBeam } from '#runtime/formats/fits/image.ts'
import { skyToPixel, type ImageWcs } from '#runtime/sky/projection.ts'
import type { Direction } from '#runtime/sky/frames.ts'

/** A source that was subtracted from the visibilities, to be put back into the images. */
export interface RestoredSource {
  direction: Direction
  /** Mean over time and frequency of flux density times beam: what the image would show. */
  apparentFluxJy: number
}

/** The Gaussian is drawn out to this many FWHM of the major axis, where it is below 1e-10. */
const reachBeams = 3

/** Adds sources to a restored image as restoring beams at their exact places, in place. */
export function restoreSources(
  image: Float32Array,
  wcs: ImageWcs,
  { sources, beam }: { sources: readonly RestoredSource[]; beam: RestoringBeam },
): void {
  const perFwhm = 4 * Math.LN2
  const major = beam.majorRad / wcs.cellRad
  const minor = beam.minorRad / wcs.cellRad
  // The position angle runs from north (y) to east (-x).
  const sin = Math.sin(beam.positionAngleRad)
  const cos = Math.cos(beam.positionAngleRad)
  const reach = Math.ceil(reachBeams * major)
  for (const { direction, apparentFluxJy } of sources) {
    const { x, y } = skyToPixel(wcs, direction)
    if (!Number.isFinite(x)) continue
    const [x0, x1] = [Math.max(0, Math.ceil(x - reach)), Math.min(wcs.width - 1, Math.floor(x + reach))]
    const [y0, y1] = [Math.max(0, Math.ceil(y - reach)), Math.min(wcs.height - 1, Math.floor(y + reach))]
    for (let j = y0; j <= y1; j += 1) {
      for (let i = x0; i <= x1; i += 1) {
        const along = (j - y) * cos - (i - x) * sin
        const across = (j - y) * sin + (i - x) * cos
        const r2 = (along / major) ** 2 + (across / minor) ** 2
        image[j * wcs.width + i] += apparentFluxJy * Math.exp(-perFwhm * r2)
      }
    }
  }
}

/** Adds sources to a model image (Jy/pixel) at their nearest pixels, in place. */
export function addToModel(model: Float32Array, wcs: ImageWcs, sources: readonly RestoredSource[]): void {
  for (const { direction, apparentFluxJy } of sources) {
    const { x, y } = skyToPixel(wcs, direction)
    const [i, j] = [Math.round(x), Math.round(y)]
    if (i >= 0 && i < wcs.width && j >= 0 && j < wcs.height) model[j * wcs.width + i] += apparentFluxJy
  }
}
