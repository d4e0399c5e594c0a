import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { findIslands, maskFromIslands } from '#runtime/sky/islands.ts'

const options = { seedSigma: 5, growSigma: 4, minPixels: 1 }

/** Rows of digits, first row at the bottom. */
function plane(...rows: string[]): { snr: Float32Array; width: number; height: number } {
  const width = rows[0].length
  return { snr: Float32Array.from(rows.flatMap((row) => [...row].map(Number))), width, height: rows.length }
}

test('an island is the pixels above the growth threshold around a seed', () => {
  const { snr, width, height } = plane('0000000', '0446000', '0000000', '0004400')
  const islands = findIslands(snr, width, height, options)
  assert.equal(islands.length, 1, 'a group without a seed is none')
  assert.deepEqual([...islands[0].pixels], [8, 9, 10])
  assert.equal(islands[0].peak, 6)
  assert.equal(islands[0].peakIndex, 10)
  assert.deepEqual([islands[0].x0, islands[0].x1, islands[0].y0, islands[0].y1], [1, 3, 1, 1])
})

test('pixels that touch at a corner are one island', () => {
  const { snr, width, height } = plane('5000', '0500', '0005')
  assert.equal(findIslands(snr, width, height, options).length, 2)
})

test('rows do not wrap around', () => {
  const { snr, width, height } = plane('0005', '5000')
  assert.equal(findIslands(snr, width, height, options).length, 2)
})

test('small islands are dropped and labels count on', () => {
  const { snr, width, height } = plane('5000550', '0000050')
  const islands = findIslands(snr, width, height, { ...options, minPixels: 3 })
  assert.deepEqual(
    islands.map(({ label, pixels }) => [label, pixels.length]),
    [[1, 3]],
  )
})

test('NaN and invalid pixels belong to no island', () => {
  const { snr, width, height } = plane('05950', '00000')
  snr[2] = NaN
  assert.equal(findIslands(snr, width, height, options).length, 2)
  const valid = new Uint8Array(snr.length).fill(1)
  valid[1] = 0
  assert.equal(findIslands(snr, width, height, { ...options, valid }).length, 1)
})

test('islands of any image are disjoint, connected to a seed, and hold every pixel above the seed threshold', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 64, maxLength: 64 }), (values) => {
      const snr = Float32Array.from(values)
      const islands = findIslands(snr, 8, 8, options)
      const seen = new Set<number>()
      for (const { pixels, peak } of islands) {
        assert.ok(peak >= 5)
        for (const pixel of pixels) {
          assert.ok(!seen.has(pixel) && snr[pixel] >= 4)
          seen.add(pixel)
        }
      }
      values.forEach((value, i) => assert.ok(value < 5 || seen.has(i)))
    }),
  )
})

test('a grown mask holds exactly the pixels within the radius of an island', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 144, maxLength: 144 }),
      fc.double({ min: 0, max: 4, noNaN: true }),
      (values, radius) => {
        const snr = Float32Array.from(values, (value) => (value > 36 ? 6 : 0))
        const islands = findIslands(snr, 12, 12, options)
        const mask = maskFromIslands(islands, 12, 12, radius)
        for (let i = 0; i < 144; i++) {
          const near = [...snr].some(
            (value, k) =>
              value > 0 && Math.hypot((i % 12) - (k % 12), Math.floor(i / 12) - Math.floor(k / 12)) <= radius,
          )
          assert.equal(mask[i], near ? 1 : 0)
        }
      },
    ),
  )
})
