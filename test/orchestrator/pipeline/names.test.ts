import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { runName, runNamePattern } from '../../../orchestrator/pipeline/names.ts'

test('a name is two words, follows from the random numbers, and may be a folder', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 0.999999, noNaN: true }), { minLength: 4, maxLength: 4 }),
      (numbers) => {
        const name = runName(stream(numbers), () => false)
        assert.match(name, /^[a-z]+-[a-z]+$/)
        assert.match(name, runNamePattern)
        assert.equal(
          name,
          runName(stream(numbers), () => false),
        )
      },
    ),
  )
})

test('a taken name is not given again, however many are taken', () => {
  const taken = new Set<string>()
  let state = 1
  const random = (): number => (state = (state * 16807) % 2147483647) / 2147483647
  for (let i = 0; i < 4000; i++) {
    const name = runName(random, (candidate) => taken.has(candidate))
    assert.equal(taken.has(name), false)
    assert.match(name, runNamePattern)
    taken.add(name)
  }
})

for (const name of ['..', '.hidden', 'a/b', '', 'a b', 'x'.repeat(80), '-x']) {
  test(`"${name.slice(0, 12)}" cannot be the name of a run`, () => assert.doesNotMatch(name, runNamePattern))
}

function stream(numbers: readonly number[]): () => number {
  let index = 0
  return () => numbers[index++ % numbers.length]
}
