import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { didYouMean, editDistance } from '../../../orchestrator/pipeline/did-you-mean.ts'

const blocks = ['conversion', 'calibration', 'imaging', 'validation', 'ingest']

test('a slip of the finger finds its word', () => {
  assert.equal(didYouMean('imging', blocks), 'imaging')
  assert.equal(didYouMean('Imaging', blocks), 'imaging')
  assert.equal(didYouMean('calibratoin', blocks), 'calibration')
})

test('another word finds nothing', () => {
  assert.equal(didYouMean('weather', blocks), undefined)
  assert.equal(didYouMean('x', []), undefined)
})

test('the distance is a metric that counts a swap as one', () => {
  assert.equal(editDistance('kitten', 'sitting'), 3)
  assert.equal(editDistance('ab', 'ba'), 1)
  const word = fc.string({ maxLength: 12 })
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.equal(editDistance(a, b), editDistance(b, a))
      assert.equal(editDistance(a, b) === 0, a === b)
      assert.ok(editDistance(a, b) <= Math.max(a.length, b.length))
    }),
  )
})
