import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  chooseSolutions,
  gradeOfSet,
  type SolutionCandidate,
  type SolutionTarget,
} from '../../../orchestrator/pipeline/solutions.ts'

const target: SolutionTarget = { observation: 'target', midMjdUtc: 61000.5, decOfDateDeg: 16, grid: '48' }

function candidate(
  observation: string,
  changes: Partial<SolutionCandidate> & { hours?: number } = {},
): SolutionCandidate {
  const { hours = 1, ...rest } = changes
  return {
    ...target,
    observation,
    midMjdUtc: target.midMjdUtc + hours / 24,
    solveKey: observation,
    calibrator: '3C286',
    apparentFluxJy: 10,
    ...rest,
  }
}

function chosen(candidates: SolutionCandidate[], bad: string[] = []): string | undefined {
  return chooseSolutions(target, candidates, { bad: new Set(bad), windowHours: 12 }).chosen?.observation
}

const refusals: [string, SolutionCandidate, RegExp][] = [
  ['too late', candidate('a', { hours: 12.5 }), /12\.5 h away/],
  ['too early', candidate('a', { hours: -12.5 }), /12\.5 h away/],
  ['another declination', candidate('a', { decOfDateDeg: 21.5 }), /5\.5 deg away/],
  ['another grid', candidate('a', { grid: '12' }), /frequency grid/],
  ['a bad grade', candidate('a', { grade: 'bad' }), /bad/],
]
for (const [what, set, reason] of refusals) {
  test(`a set is refused with its reason: ${what}`, () => {
    const { chosen: found, rejected } = chooseSolutions(target, [set], { bad: new Set(), windowHours: 12 })
    assert.equal(found, undefined)
    assert.match(rejected.join(), reason)
  })
}

test('a set that turned out bad in this run is refused', () => {
  assert.equal(chosen([candidate('a'), candidate('b', { hours: 3 })], ['a']), 'b')
})

const preferences: [string, SolutionCandidate, SolutionCandidate][] = [
  ['the same strip before a nearer time', candidate('a', { hours: 5 }), candidate('b', { decOfDateDeg: 18 })],
  ['the nearest in time', candidate('a', { hours: -2 }), candidate('b', { hours: 3 })],
  ['the better grade', candidate('b', { grade: 'good' }), candidate('a', { grade: 'uncertain' })],
  ['the brighter calibrator', candidate('b', { apparentFluxJy: 20 }), candidate('a')],
  ['the smaller key', candidate('a'), candidate('b')],
]
for (const [what, better, worse] of preferences) {
  test(`of two sets that cover, ${what} wins`, () => {
    assert.equal(chosen([worse, better]), better.observation)
    assert.equal(chosen([better, worse]), better.observation)
  })
}

test('the choice does not depend on the order of the candidates', () => {
  const arbitrary = fc.record({
    observation: fc.uuid(),
    hours: fc.double({ min: -15, max: 15, noNaN: true }),
    decOfDateDeg: fc.double({ min: 8, max: 24, noNaN: true }),
    apparentFluxJy: fc.double({ min: 1, max: 20, noNaN: true }),
  })
  fc.assert(
    fc.property(fc.array(arbitrary, { maxLength: 8 }), fc.nat(), (drawn, seed) => {
      const candidates = drawn.map(({ observation, ...rest }) => candidate(observation, rest))
      const shuffled = candidates
        .map((item, index) => ({ item, at: (index * 7919 + seed) % 97 }))
        .sort((a, b) => a.at - b.at)
      assert.equal(chosen(shuffled.map(({ item }) => item)), chosen(candidates))
    }),
  )
})

test('a set is bad by a check that blocks, and at most uncertain when its step is bad for other reasons', () => {
  const check = { name: 'x', message: '', gating: true }
  assert.equal(gradeOfSet({ verdict: 'bad', checks: [{ ...check, verdict: 'bad', blocking: true }] }), 'bad')
  assert.equal(gradeOfSet({ verdict: 'bad', checks: [{ ...check, verdict: 'bad', blocking: false }] }), 'uncertain')
  assert.equal(gradeOfSet({ verdict: 'good', checks: [] }), 'good')
  assert.equal(gradeOfSet({ verdict: 'not run', checks: [] }), 'uncertain')
})
