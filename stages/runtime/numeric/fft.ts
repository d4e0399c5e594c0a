/**
 * Discrete Fourier transform of a complex series in place, sum of x(t) exp(-2 pi i k t / n), by halving (Cooley & Tukey
 * 1965).
 *
 * @param real, imaginary n values each, n a power of two
 * @param offset, stride where the series lies: value t is at offset + t stride
 * @throws RangeError when n is no power of two
 */
export function fftInPlace(
  real: Float64Array,
  imaginary: Float64Array,
  { n, offset = 0, stride = 1 }: { n: number; offset?: number; stride?: number },
): void {
  if (n < 1 || (n & (n - 1)) !== 0) throw new RangeError(`${n} is no power of two`)
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1
    for (; (j & bit) !== 0; bit >>= 1) j ^= bit
    j ^= bit
    if (i < j) {
      swap(real, offset + i * stride, offset + j * stride)
      swap(imaginary, offset + i * stride, offset + j * stride)
    }
  }
  for (let length = 2; length <= n; length *= 2) {
    const half = length / 2
    for (let k = 0; k < half; k++) {
      const angle = (-2 * Math.PI * k) / length
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
      for (let start = k; start < n; start += length) {
        const a = offset + start * stride
        const b = a + half * stride
        const re = real[b] * cos - imaginary[b] * sin
        const im = real[b] * sin + imaginary[b] * cos
        real[b] = real[a] - re
        imaginary[b] = imaginary[a] - im
        real[a] += re
        imaginary[a] += im
      }
    }
  }
}

/** The same over rows and columns of an n x n plane, in place. */
export function fftPlaneInPlace(real: Float64Array, imaginary: Float64Array, n: number): void {
  for (let row = 0; row < n; row++) fftInPlace(real, imaginary, { n, offset: row * n })
  for (let column = 0; column < n; column++) fftInPlace(real, imaginary, { n, offset: column, stride: n })
}

function swap(values: Float64Array, i: number, j: number): void {
  const value = values[i]
  values[i] = values[j]
  values[j] = value
}
