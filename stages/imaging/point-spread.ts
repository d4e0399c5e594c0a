/** The dirty beam: the response to a source of 1 Jy at the middle of the image (pixel width / 2, height / 2). */
export interface PointSpread {
  data: Float32Array
  width: number
  height: number
  /** Largest absolute response at or beyond each radius in pixels; the main lobe counts as its first sidelobe. */
  envelope: Float32Array
  /** Largest absolute sidelobe outside of the main lobe. */
  sidelobe: number
  /** Largest absolute response within a few pixels: where lobes are expected when beam and frequency blur them. */
  lobes: Float32Array
}

/** Samples along a spoke of the dirty beam, over the outer half of its image. */
const spokeSamples = 64

/** Reach of the maximum filter that makes `lobes`, in pixels. */
const lobePixels = 4

/** Profile and sidelobes of a dirty beam; the main lobe ends `mainLobePixels` from its centre. */
export function describePointSpread(
  data: Float32Array,
  width: number,
  options: { height: number; mainLobePixels: number },
): PointSpread {
  const { height, mainLobePixels } = options
  const cx = width / 2
  const cy = height / 2
  const envelope = new Float32Array(Math.ceil(Math.hypot(cx, cy)) + 2)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const radius = Math.floor(Math.hypot(x - cx, y - cy))
      const value = Math.abs(data[y * width + x])
      if (value > envelope[radius]) envelope[radius] = value
    }
  }
  const edge = Math.min(Math.ceil(mainLobePixels), envelope.length - 1)
  for (let r = envelope.length - 2; r >= edge; r -= 1) envelope[r] = Math.max(envelope[r], envelope[r + 1])
  envelope.fill(envelope[edge], 0, edge)
  return { data, width, height, envelope, sidelobe: envelope[edge], lobes: maximumFilter(data, width, height) }
}

/** Whether the image of the dirty beam reaches from one pixel to another. */
export function isCovered({ width, height }: PointSpread, source: number, at: number): boolean {
  const dx = (at % width) - (source % width)
  const dy = Math.floor(at / width) - Math.floor(source / width)
  return 2 * Math.abs(dx) < width && 2 * Math.abs(dy) < height
}

/**
 * Largest response near pixel `at` to a source of 1 Jy at pixel `source`. The image of the dirty beam covers half of the
 * separations in a field; what lies beyond (grating lobes of 5.75 m spacings, for one) is taken as bad as the worst of
 * the outer half of the image in the same direction, because the lobes of an array of straight arms are spokes.
 */
export function lobeAt(psf: PointSpread, source: number, at: number): number {
  const { lobes, width, height } = psf
  const dx = (at % width) - (source % width)
  const dy = Math.floor(at / width) - Math.floor(source / width)
  if (isCovered(psf, source, at)) return lobes[(dy + height / 2) * width + dx + width / 2]
  const toEdge = Math.min((width / 2 - 1) / Math.abs(dx), (height / 2 - 1) / Math.abs(dy))
  let largest = 0
  for (let k = 0; k < spokeSamples; k += 1) {
    const part = toEdge * (1 - (0.5 * k) / spokeSamples)
    const value = lobes[Math.round(dy * part + height / 2) * width + Math.round(dx * part + width / 2)]
    if (value > largest) largest = value
  }
  return largest
}

/** image -= fluxJy x the dirty beam about a pixel, out to where its envelope falls below `floorJy`. */
export function subtractPointSpread(
  image: Float32Array,
  psf: PointSpread,
  source: { pixel: number; fluxJy: number; floorJy: number },
): void {
  const { width, height, data, envelope } = psf
  const sx = source.pixel % width
  const sy = Math.floor(source.pixel / width)
  let reach = envelope.findIndex((value) => value * Math.abs(source.fluxJy) < source.floorJy)
  if (reach < 0) reach = envelope.length
  const left = Math.max(0, sx - reach, sx - width / 2)
  const right = Math.min(width - 1, sx + reach, sx + width / 2 - 1)
  const top = Math.min(height - 1, sy + reach, sy + height / 2 - 1)
  for (let y = Math.max(0, sy - reach, sy - height / 2); y <= top; y += 1) {
    const at = y * width
    const from = (y - sy + height / 2) * width + width / 2 - sx
    for (let x = left; x <= right; x += 1) image[at + x] -= source.fluxJy * data[from + x]
  }
}

/** Largest absolute value in the square of 2 x lobePixels + 1 about each pixel: along rows, then along columns. */
function maximumFilter(data: Float32Array, width: number, height: number): Float32Array {
  const rows = new Float32Array(data.length)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      let largest = 0
      const end = Math.min(width - 1, x + lobePixels)
      for (let i = Math.max(0, x - lobePixels); i <= end; i += 1) {
        const value = Math.abs(data[y * width + i])
        if (value > largest) largest = value
      }
      rows[y * width + x] = largest
    }
  }
  const out = new Float32Array(data.length)
  for (let y = 0; y < height; y += 1) {
    const end = Math.min(height - 1, y + lobePixels)
    for (let j = Math.max(0, y - lobePixels); j <= end; j += 1) {
      for (let x = 0, o = y * width, i = j * width; x < width; x += 1, o += 1, i += 1) {
        if (rows[i] > out[o]) out[o] = rows[i]
      }
    }
  }
  return out
}
