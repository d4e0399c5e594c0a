/** A group of touching pixels above the growth threshold that holds a pixel above the seed threshold. */
export interface Island {
  /** Counts from 1, in the order of first pixels. */
  label: number
  /** Pixel indices (y * width + x), ascending. */
  pixels: Int32Array
  /** Largest signal-to-noise ratio and where it is. */
  peak: number
  peakIndex: number
  /** Bounding box, inclusive. */
  x0: number
  y0: number
  x1: number
  y1: number
}

export interface IslandOptions {
  /** An island holds a pixel at or above this (5: false alarm 2.9e-7 per independent beam). */
  seedSigma: number
  /** Pixels at or above this belong to it (4). */
  growSigma: number
  /** Smaller islands are dropped (3). */
  minPixels: number
  /** 1 where islands may be. */
  valid?: Uint8Array | undefined
}

/**
 * Islands of 8-connected pixels: flood fill from every pixel >= seedSigma over pixels >= growSigma.
 *
 * @param snr height x width signal-to-noise image; NaN belongs to no island
 */
export function findIslands(snr: Float32Array, width: number, height: number, options: IslandOptions): Island[] {
  const { seedSigma, growSigma, minPixels, valid } = options
  const taken = new Uint8Array(width * height)
  const islands: Island[] = []
  let stack = new Int32Array(1024)
  for (let seed = 0; seed < snr.length; seed++) {
    if (!(snr[seed] >= seedSigma) || taken[seed] === 1 || (valid !== undefined && valid[seed] === 0)) continue
    const pixels: number[] = []
    const island = {
      label: 0,
      peak: snr[seed],
      peakIndex: seed,
      x0: width,
      y0: height,
      x1: 0,
      y1: 0,
    }
    let depth = 0
    stack[depth++] = seed
    taken[seed] = 1
    while (depth > 0) {
      const pixel = stack[--depth]
      const y = Math.floor(pixel / width)
      const x = pixel - y * width
      pixels.push(pixel)
      if (snr[pixel] > island.peak || (snr[pixel] === island.peak && pixel < island.peakIndex)) {
        island.peak = snr[pixel]
        island.peakIndex = pixel
      }
      if (x < island.x0) island.x0 = x
      if (x > island.x1) island.x1 = x
      if (y < island.y0) island.y0 = y
      if (y > island.y1) island.y1 = y
      if (depth + 8 > stack.length) {
        const larger = new Int32Array(2 * stack.length)
        larger.set(stack)
        stack = larger
      }
      for (let j = y > 0 ? y - 1 : 0; j <= y + 1 && j < height; j++) {
        for (let i = x > 0 ? x - 1 : 0; i <= x + 1 && i < width; i++) {
          const next = j * width + i
          if (taken[next] === 1 || !(snr[next] >= growSigma) || (valid !== undefined && valid[next] === 0)) continue
          taken[next] = 1
          stack[depth++] = next
        }
      }
    }
    if (pixels.length < minPixels) continue
    islands.push({ ...island, label: islands.length + 1, pixels: Int32Array.from(pixels).sort() })
  }
  return islands
}

/**
 * A mask (1 inside) of the islands, each grown by a disc of `growPixels`.
 *
 * @returns height x width
 */
export function maskFromIslands(
  islands: readonly Island[],
  width: number,
  height: number,
  growPixels: number,
): Uint8Array {
  const mask = new Uint8Array(width * height)
  const core = new Uint8Array(width * height)
  for (const island of islands) for (const pixel of island.pixels) core[pixel] = 1
  const reach = Math.floor(growPixels)
  const halfWidths = Int32Array.from({ length: 2 * reach + 1 }, (_, k) =>
    Math.floor(Math.sqrt(growPixels * growPixels - (k - reach) ** 2)),
  )
  for (const island of islands) {
    for (const pixel of island.pixels) {
      mask[pixel] = 1
      const y = Math.floor(pixel / width)
      const x = pixel - y * width
      const inner =
        x > 0 &&
        x < width - 1 &&
        y > 0 &&
        y < height - 1 &&
        core[pixel - 1] === 1 &&
        core[pixel + 1] === 1 &&
        core[pixel - width] === 1 &&
        core[pixel + width] === 1
      // What an inner pixel would add is added by the border around it.
      if (inner) continue
      for (let j = Math.max(0, y - reach); j <= Math.min(height - 1, y + reach); j++) {
        const half = halfWidths[j - y + reach]
        mask.fill(1, j * width + Math.max(0, x - half), j * width + Math.min(width - 1, x + half) + 1)
      }
    }
  }
  return mask
}
