import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode } from 'fast-png'
import { encodePng } from '#runtime/formats/png.ts'

const pixels = Uint8Array.from({ length: 12 }, (_, i) => i * 20)

test('grey, colour and palette pixels come back, with their texts', () => {
  const text = { observation: '20260125T222605', wcs: '{"cellArcsec":7}' }
  const grey = decode(encodePng({ width: 4, height: 3, grey: pixels, text }))
  assert.deepEqual([grey.width, grey.height, grey.channels, grey.depth], [4, 3, 1, 8])
  assert.deepEqual([...grey.data], [...pixels])
  assert.deepEqual(grey.text, text)
  const rgb = decode(encodePng({ width: 2, height: 2, rgb: pixels }))
  assert.deepEqual([rgb.channels, ...rgb.data], [3, ...pixels])
  const indexed = decode(
    encodePng({
      width: 2,
      height: 1,
      indexed: {
        pixels: Uint8Array.of(1, 0),
        palette: [
          [1, 2, 3],
          [250, 251, 252],
        ],
      },
    }),
  )
  assert.deepEqual([...indexed.data], [1, 0])
  assert.deepEqual(indexed.palette, [
    [1, 2, 3],
    [250, 251, 252],
  ])
})

test('equal pixels give equal bytes, wrong sizes and nothing at all are errors of the caller', () => {
  assert.deepEqual(encodePng({ width: 4, height: 3, grey: pixels }), encodePng({ width: 4, height: 3, grey: pixels }))
  assert.throws(() => encodePng({ width: 5, height: 3, grey: pixels }), RangeError)
  assert.throws(() => encodePng({ width: 4, height: 3 }), /needs grey, rgb or indexed pixels/)
})
