/** The dirty beam: the response to a source of 1 Jy at the middle of the image (pixel width / 2, height / 2). */
export interface PointSpread {
  data: Float32Array
  width: number
  height: number
  /** Largest absolute response at or beyond each radius in pixels; the main lobe counts as its first sidelobe. */
  envelope: Float32Array
  /** Largest absolute sidelobe outside of the main lobe. */
  sidelobe: number
  nearLobes: LobeMap
  /** Of a coarse dirty beam of twice the field: an image covers half of the separations in it only. */
  farLobes: LobeMap
}

/** Largest absolute response within a few pixels of each: where lobes are expected when beam and frequency blur them. */
interface LobeMap {
  values: Float32Array
  width: number
  height: number
  /** Pixels of the image in one of the map. */
  step: number
}

/** A coarse dirty beam of twice the field, `step` pixels of the image in one of its own. */
export interface WideBeam {
  data: Float32Array
  width: number
  height: number
  step: number
}

/**
 * Reach of the maximum filter that makes a lobe map, in pixels of the image: near the source, and far from it, where the
 * w-term moves lobes by up to tan(zenith distance) x (n - n'), a pixel in 200.
 */
const nearReachPixels = 4
const farReachPixels = 12

/** Distance in pixels up to which lobes are near. */
const nearPixels = 300

/**
 * Profile, sidelobes and lobe maps of a dirty beam; the main lobe ends `mainLobePixels` from its centre. Without a wide one
 * nothing is known of lobes beyond its edge: enough for an image in which no sources are sought.
 */
export function describePointSpread(
  data: Float32Array,
  width: number,
  { height, mainLobePixels, wide }: { height: number; mainLobePixels: number; wide?: WideBeam | undefined },
): PointSpread {
  const envelope = radialEnvelope(data, width, height)
  const edge = Math.min(Math.ceil(mainLobePixels), envelope.length - 1)
  for (let r = envelope.length - 2; r >= edge; r -= 1) envelope[r] = Math.max(envelope[r], envelope[r + 1])
  envelope.fill(envelope[edge], 0, edge)
  return {
    data,
    width,
    height,
    envelope,
    sidelobe: envelope[edge],
    nearLobes: lobeMap({ data, width, height, step: 1 }, nearReachPixels),
    farLobes: lobeMap(wide ?? { data, width, height, step: 1 }, farReachPixels),
  }
}

/** Whether the image of the dirty beam reaches from one pixel to another. */
export function isCovered({ width, height }: PointSpread, source: number, at: number): boolean {
  const { dx, dy } = offset(width, source, at)
  return 2 * Math.abs(dx) < width && 2 * Math.abs(dy) < height
}

/** Whether two pixels are so far apart that grating lobes, not sidelobes, join them, or the dirty beam ends between them. */
export function isFar(psf: PointSpread, source: number, at: number): boolean {
  const { dx, dy } = offset(psf.width, source, at)
  return Math.hypot(dx, dy) >= nearPixels || !isCovered(psf, source, at)
}

/**
 * Largest response near pixel `at` to a source of 1 Jy at pixel `source`. Far from the source it comes from the coarse
 * dirty beam: the grating lobes of 5.75 m spacings lie just beyond the edge of a field of 4 degrees.
 */
export function lobeAt(psf: PointSpread, source: number, at: number): number {
  const { dx, dy } = offset(psf.width, source, at)
  const { values, width, height, step } = isFar(psf, source, at) ? psf.farLobes : psf.nearLobes
  const x = Math.round(dx / step) + width / 2
  const y = Math.round(dy / step) + height / 2
  return x >= 0 && y >= 0 && x < width && y < height ? values[y * width + x] : 0
}

function offset(width: number, source: number, at: number): { dx: number; dy: number } {
  return { dx: (at % width) - (source % width), dy: Math.floor(at / width) - Math.floor(source / width) }
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

function radialEnvelope(data: Float32Array, width: number, height: number): Float32Array {
  const [cx, cy] = [width / 2, height / 2]
  const envelope = new Float32Array(Math.ceil(Math.hypot(cx, cy)) + 2)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const radius = Math.floor(Math.hypot(x - cx, y - cy))
      const value = Math.abs(data[y * width + x])
      if (value > envelope[radius]) envelope[radius] = value
    }
  }
  return envelope
}

function lobeMap({ data, width, height, step }: WideBeam, reachPixels: number): LobeMap {
  return { values: maximumFilter(data, width, Math.max(1, Math.ceil(reachPixels / step))), width, height, step }
}

/** Largest absolute value in the square of 2 x reach + 1 about each pixel: along rows, then along columns. */
function maximumFilter(data: Float32Array, width: number, reach: number): Float32Array {
  const height = data.length / width
  const rows = new Float32Array(data.length)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      let largest = 0
      const end = Math.min(width - 1, x + reach)
      for (let i = Math.max(0, x - reach); i <= end; i += 1) {
        const value = Math.abs(data[y * width + i])
        if (value > largest) largest = value
      }
      rows[y * width + x] = largest
    }
  }
  const out = new Float32Array(data.length)
  for (let y = 0; y < height; y += 1) {
    const end = Math.min(height - 1, y + reach)
    for (let j = Math.max(0, y - reach); j <= end; j += 1) {
      for (let x = 0, o = y * width, i = j * width; x < width; x += 1, o += 1, i += 1) {
        if (rows[i] > out[o]) out[o] = rows[i]
      }
    }
  }
  return out
}
