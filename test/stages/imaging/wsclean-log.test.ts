import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { emptyCleanLog, isDiverging, readLogLine, type CleanLog } from '../../../stages/imaging/wsclean-log.ts'

/** Folds lines until the detector fires, as the stage does; tells how many lines that took. */
function follow(lines: readonly string[]): { log: CleanLog; stoppedAt: number | undefined } {
  let log = emptyCleanLog
  for (const [i, line] of lines.entries()) {
    log = readLogLine(log, line)
    if (isDiverging(log)) return { log, stoppedAt: i }
  }
  return { log, stoppedAt: undefined }
}

function recorded(name: string): string[] {
  return readFileSync(new URL(`logs/${name}`, import.meta.url), 'utf8').split('\n')
}

test('a recorded clean in a mask is followed to its threshold', () => {
  const { log, stoppedAt } = follow(recorded('converging.log'))
  assert.equal(stoppedAt, undefined)
  assert.equal(log.stop, 'threshold')
  assert.equal(log.majorCycles, log.peaksJy.length)
  assert.ok(log.peaksJy[0] > 0.4 && log.peaksJy.at(-1)! < 0.01)
  assert.equal(log.passes, 2 * log.majorCycles)
})

test('a recorded clean without a mask is stopped where it runs away, before it ends', () => {
  const lines = recorded('diverging.log')
  const { log, stoppedAt } = follow(lines)
  assert.ok(stoppedAt !== undefined && stoppedAt < lines.length - 5)
  assert.deepEqual(log.peaksJy, [13.23, 1.29, 0.12863, 0.01847])
  assert.ok(Number.isNaN(log.endPeaksJy.at(-1)))
})

const peaks = (...values: string[]): string[] =>
  values.map((value) => `2026-Nov-24 14:00:00.1 Initial peak: ${value} at 1,2`)

test('a peak that grows in two successive major cycles is a divergence, one that grows once is not', () => {
  assert.equal(isDiverging(follow(peaks('100 mJy', '10 mJy', '12 mJy')).log), false)
  assert.equal(isDiverging(follow(peaks('100 mJy', '10 mJy', '12 mJy', '20 mJy')).log), true)
  assert.equal(isDiverging(follow(peaks('1 mJy', '1.01 mJy', '1.02 mJy')).log), false)
})

test('a peak that is no number is a divergence', () => {
  assert.equal(isDiverging(follow(peaks('nan Jy')).log), true)
  assert.equal(isDiverging(follow(peaks('1 Jy', '-inf Jy')).log), true)
})

test('a cycle that ends above the first peak is a divergence', () => {
  const line = 'Stopped on peak -3.3686e+07 KJy, because maximum number of iterations was reached.'
  const { log } = follow([...peaks('13.23 Jy'), line])
  assert.equal(isDiverging(log), true)
  assert.equal(log.endPeaksJy[0], 3.3686e10)
})

test('all prefixes of flux densities are known', () => {
  const { log } = follow(peaks('1.5 KJy', '2 Jy', '-3 mJy', '4 µJy', '5 nJy'))
  const expected = [1500, 2, 3e-3, 4e-6, 5e-9]
  log.peaksJy.forEach((peak, i) => assert.ok(Math.abs(peak / expected[i] - 1) < 1e-12))
})

for (const [line, stop] of [
  ['Maximum number of major iterations was reached: not continuing deconvolution.', 'nmiter'],
  ['Maximum number of minor deconvolution iterations was reached: not continuing deconvolution.', 'niter'],
  ['Stopped on peak 1.2 mJy, because maximum number of iterations was reached.', 'niter'],
  ['Stopped on peak 280 µJy, because the threshold was reached.', 'threshold'],
] as const) {
  test(`"${line.slice(0, 60)}" stops by ${stop}`, () => assert.equal(readLogLine(emptyCleanLog, line).stop, stop))
}

test('the minor-loop threshold ends a cycle, not the clean', () => {
  const line =
    'Stopped on peak 39.4 mJy, because the minor-loop threshold was reached. Continuing cleaning after inversion/prediction round.'
  assert.equal(readLogLine(emptyCleanLog, line).stop, 'running')
})
