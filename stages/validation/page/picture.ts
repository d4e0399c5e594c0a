/** Grey pixels, rows from the top, ready for a PNG. */
export interface GreyPicture {
  width: number
  height: number
  grey: Uint8Array
}

/**
 * A reduced picture of a plane by block means, linear from `low` to `high`; blank blocks are black.
 *
 * @param plane height x width, row 0 at the bottom
 */
export function greyPicture(
  plane: Float32Array,
  size: { width: number; height: number },
  stretch: { low: number; high: number; pixels: number; covered?: Uint8Array },
): GreyPicture {
  const block = Math.max(1, Math.ceil(Math.max(size.width, size.height) / stretch.pixels))
  const width = Math.floor(size.width / block)
  const height = Math.floor(size.height / block)
  const grey = new Uint8Array(width * height)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      let sum = 0
      for (let y = row * block; y < (row + 1) * block; y++) {
        const from = y * size.width + column * block
        for (let i = from; i < from + block; i++) sum += stretch.covered?.[i] === 0 ? NaN : plane[i]
      }
      const fraction = (sum / (block * block) - stretch.low) / (stretch.high - stretch.low)
      // 0 is kept for blank pixels.
      grey[(height - 1 - row) * width + column] = Number.isNaN(fraction)
        ? 0
        : 1 + Math.round(254 * Math.min(1, Math.max(0, fraction)))
    }
  }
  return { width, height, grey }
}

/** A square cut-out around a pixel, with the same stretch; outside of the plane it is black. */
export function cutOut(
  plane: Float32Array,
  size: { width: number; height: number },
  options: { x: number; y: number; half: number; low: number; high: number },
): GreyPicture {
  const { half, low, high } = options
  const x0 = Math.round(options.x) - half
  const y0 = Math.round(options.y) - half
  const side = 2 * half + 1
  const grey = new Uint8Array(side * side)
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [x, y] = [x0 + column, y0 + row]
      if (x < 0 || y < 0 || x >= size.width || y >= size.height) continue
      const fraction = (plane[y * size.width + x] - low) / (high - low)
      grey[(side - 1 - row) * side + column] = Number.isNaN(fraction)
        ? 0
        : 1 + Math.round(254 * Math.min(1, Math.max(0, fraction)))
    }
  }
  return { width: side, height: side, grey }
}
