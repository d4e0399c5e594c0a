import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { differences, explainMiss, productPath, stepKey, type KeyParts } from '../../../orchestrator/pipeline/key.ts'

const base: KeyParts = {
  stage: 'imaging',
  version: 1,
  params: { cellArcsec: 3, sizePixels: 4800, weighting: { briggs: 0.5 } },
  inputs: { calibrated: 'aaaaaaaaaaaabbbb:calibrated' },
}

test('a key does not depend on the order in which parameters are given', () => {
  const turned: KeyParts = { ...base, params: { weighting: { briggs: 0.5 }, sizePixels: 4800, cellArcsec: 3 } }
  assert.equal(stepKey(turned), stepKey(base))
  assert.match(stepKey(base), /^[0-9a-f]{64}$/)
})

test('every part of a key changes it', () => {
  const others: KeyParts[] = [
    { ...base, stage: 'validation' },
    { ...base, version: 2 },
    { ...base, params: { ...base.params, cellArcsec: 2.5 } },
    { ...base, inputs: { calibrated: 'c:calibrated' } },
  ]
  const keys = new Set([base, ...others].map(stepKey))
  assert.equal(keys.size, others.length + 1)
})

test('a product lies under the first twelve digits of its key', () => {
  const key = stepKey(base)
  assert.equal(
    productPath({ observation: '20260125T222605', stage: 'imaging', key }),
    `products/20260125T222605/imaging/${key.slice(0, 12)}`,
  )
})

const cases: [string, KeyParts, string | undefined][] = [
  ['a parameter', { ...base, params: { ...base.params, cellArcsec: 2.5 } }, 'params.cellArcsec 3 -> 2.5'],
  [
    'a nested parameter',
    { ...base, params: { ...base.params, weighting: { briggs: 0 } } },
    'params.weighting.briggs 0.5 -> 0',
  ],
  ['a new parameter', { ...base, params: { ...base.params, seed: 1 } }, 'params.seed unset -> 1'],
  ['the contract', { ...base, version: 2, params: { cellArcsec: 1 } }, 'contract version 1 -> 2'],
  [
    'an input',
    { ...base, inputs: { calibrated: 'ccccccccccccdddd:calibrated' } },
    'input calibrated aaaaaaaaaaaa -> cccccccccccc',
  ],
  ['an input that is gone', { ...base, inputs: {} }, 'input calibrated aaaaaaaaaaaa -> none'],
  [
    'what the planner made of it comes after what a person set',
    { ...base, params: { ...base.params, wscleanVersion: '3.6', zebra: 1 } },
    'params.zebra unset -> 1',
  ],
  ['nothing', base, undefined],
]
for (const [what, now, expected] of cases) {
  test(`a miss names the first part that differs: ${what}`, () => assert.equal(explainMiss(now, [base]), expected))
}

test('a miss is explained by the nearest product, not by the first', () => {
  const far: KeyParts = { ...base, version: 0, params: { cellArcsec: 9 } }
  const now: KeyParts = { ...base, params: { ...base.params, cellArcsec: 2.5 } }
  assert.equal(explainMiss(now, [far, base]), 'params.cellArcsec 3 -> 2.5')
  assert.equal(explainMiss(now, []), undefined)
})

test('lists of raw files differ as a whole', () => {
  const before: KeyParts = { ...base, stage: 'conversion', inputs: { raw: ['f1', 'f2'] } }
  const [found] = differences(before, { ...before, inputs: { raw: ['f1', 'f2', 'f3'] } })
  assert.match(found ?? '', /^input raw 2 files \([0-9a-f]{12}\) -> 3 files \([0-9a-f]{12}\)$/)
})

test('keys differ exactly when differences are found', () => {
  const params = fc.dictionary(
    fc.string({ minLength: 1, maxLength: 3 }),
    fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null)),
  )
  fc.assert(
    fc.property(params, params, (a, b) => {
      const [before, after] = [
        { ...base, params: a },
        { ...base, params: b },
      ]
      assert.equal(differences(before, after).length === 0, stepKey(before) === stepKey(after))
    }),
  )
})
