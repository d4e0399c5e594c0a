import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { fftInPlace, fftPlaneInPlace } from '#runtime/numeric/fft.ts'

const value = fc.double({ min: -1, max: 1, noNaN: true })

test('the transform of a series is the sum it stands for', () => {
  fc.assert(
    fc.property(fc.constantFrom(1, 2, 8, 32), fc.infiniteStream(value), (n, stream) => {
      const take = (): Float64Array => Float64Array.from({ length: n }, () => Number(stream.next().value))
      const [real, imaginary] = [take(), take()]
      const [re, im] = [real.slice(), imaginary.slice()]
      fftInPlace(re, im, { n })
      for (let k = 0; k < n; k++) {
        let [sumRe, sumIm] = [0, 0]
        for (let t = 0; t < n; t++) {
          const angle = (-2 * Math.PI * k * t) / n
          sumRe += real[t] * Math.cos(angle) - imaginary[t] * Math.sin(angle)
          sumIm += real[t] * Math.sin(angle) + imaginary[t] * Math.cos(angle)
        }
        assert.ok(Math.hypot(re[k] - sumRe, im[k] - sumIm) < 1e-12 * n)
      }
    }),
  )
})

test('a plane wave is one place of the transformed plane', () => {
  const n = 16
  const real = Float64Array.from({ length: n * n }, (_, i) =>
    Math.cos((2 * Math.PI * (3 * (i % n) + 5 * Math.floor(i / n))) / n),
  )
  const imaginary = new Float64Array(n * n)
  fftPlaneInPlace(real, imaginary, n)
  const strong = [...real.keys()].filter((i) => Math.hypot(real[i], imaginary[i]) > 1)
  assert.deepEqual(strong, [5 * n + 3, 11 * n + 13])
})

test('a length that is no power of two is refused', () => {
  assert.throws(() => fftInPlace(new Float64Array(6), new Float64Array(6), { n: 6 }), RangeError)
})
