import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldVerdict } from '#runtime/stage/quality.ts'
import { imageChecks, type ImageFindings } from '../../../stages/imaging/checks.ts'

const fine: ImageFindings = {
  cleanStop: 'threshold',
  minorIterations: 4000,
  majorCycles: 3,
  retries: 0,
  noiseRatio: 1.02,
  noiseOverExpected: 0.95,
  residualPeakSnr: 5,
  brightestJy: 0.4,
  flaggedFraction: 0.02,
  smearLoss: 0.011,
  uncalibrated: false,
}
const verdictOf = (found: Partial<ImageFindings>, name?: string): string => {
  const checks = imageChecks({ ...fine, ...found })
  return name === undefined ? foldVerdict(checks) : (checks.find((check) => check.name === name)?.verdict ?? 'absent')
}

test('a clean image is good', () => assert.equal(verdictOf({}), 'good'))

test('a divergence is bad, a guard that was reached is uncertain, nothing to clean is good', () => {
  assert.equal(verdictOf({ cleanStop: 'diverged' }), 'bad')
  assert.equal(verdictOf({ cleanStop: 'niter' }), 'uncertain')
  assert.equal(verdictOf({ cleanStop: 'nmiter' }), 'uncertain')
  assert.equal(verdictOf({ cleanStop: 'none' }), 'good')
})

test('an uncalibrated image is marked and never good', () => {
  assert.equal(verdictOf({ uncalibrated: true }, 'calibrated'), 'bad')
  assert.equal(verdictOf({ uncalibrated: true }), 'uncertain')
})

test('noise may be higher beside a source above 1 Jy', () => {
  assert.equal(verdictOf({ noiseOverExpected: 1.8 }, 'noise'), 'uncertain')
  assert.equal(verdictOf({ noiseOverExpected: 1.8, brightestJy: 14 }, 'noise'), 'good')
  assert.equal(verdictOf({ noiseOverExpected: 12 }, 'noise'), 'bad')
})

test('a number that could not be measured is not run, never good', () => {
  assert.equal(verdictOf({ noiseOverExpected: Number.NaN }, 'noise'), 'not run')
})
