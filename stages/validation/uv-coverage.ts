import { fftPlaneInPlace } from '#runtime/numeric/fft.ts'

/** Side of the part of the point spread function that is transformed: its far sidelobes only sharpen the picture. */
const SIDE = 512

export interface UvCoverage {
  /** Sum of the weights near each place of the uv plane, over the largest; size x size, u and v growing with the index. */
  density: Float32Array
  size: number
  /** Largest u and v, wavelengths. */
  reachWavelengths: number
}

/**
 * Where visibilities were measured, from the point spread function, whose Fourier transform it is (Thompson, Moran &
 * Swenson 2017, section 10.2). A cosine taper keeps the edge of the cut out of the picture.
 *
 * @param psf height x width, its centre at (width / 2, height / 2)
 */
export function uvCoverage(
  psf: Float32Array,
  { width, height, cellRad }: { width: number; height: number; cellRad: number },
): UvCoverage | undefined {
  let size = SIDE
  while (size > Math.min(width, height)) size /= 2
  if (size < 16) return undefined
  const real = new Float64Array(size * size)
  const imaginary = new Float64Array(size * size)
  const taper = Float64Array.from({ length: size }, (_, k) => Math.sin((Math.PI * k) / size) ** 2)
  for (let y = 0; y < size; y++) {
    const from = (height / 2 - size / 2 + y) * width + width / 2 - size / 2
    for (let x = 0; x < size; x++) {
      const value = psf[Math.floor(from) + x] * taper[x] * taper[y]
      real[y * size + x] = Number.isFinite(value) ? value : 0
    }
  }
  fftPlaneInPlace(real, imaginary, size)
  const density = new Float32Array(size * size)
  let largest = 0
  const half = size / 2
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      // Frequency zero into the middle; columns of an image grow to the west, u to the east.
      const value = Math.hypot(real[y * size + x], imaginary[y * size + x])
      density[((y + half) % size) * size + ((size - x + half) % size)] = value
      if (value > largest) largest = value
    }
  }
  if (!(largest > 0)) return undefined
  for (let i = 0; i < density.length; i++) density[i] /= largest
  return { density, size, reachWavelengths: 1 / (2 * cellRad) }
}
