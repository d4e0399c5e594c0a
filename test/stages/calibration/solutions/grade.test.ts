import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldVerdict } from '#runtime/stage/quality.ts'
import { gradeSet, type SetStatistics } from '../../../../stages/calibration/solutions/grade.ts'

const perfect: SetStatistics = {
  bandpassFlagged: 0,
  gainFlagged: 0,
  antennasSolved: 1,
  bandpassSnr: 200,
  gainSnr: 5000,
  bandpassLowest: 0.7,
  bandpassHighest: 1.3,
  phaseRms: 0.3,
  phaseStep: 0.1,
  chi2: 1,
  closure: 1,
  calibratorFlux: 0.0001,
  xyRatio: 1.02,
  dataFlagged: 0.01,
  notConverged: 0,
  subbands: 1,
  antennas: 96,
  antennasPresent: 96,
  fluxAnchor: 'pb17-first-choice',
  calibrator: '3C286',
  meanBeam: 0.96,
  apparentFluxJy: 14,
  rule: 3,
  noiseless: false,
}

function verdictOf(change: Partial<SetStatistics>): string {
  return foldVerdict(gradeSet({ ...perfect, ...change }))
}

test('a clean set on a stable calibrator is good', () => {
  assert.equal(verdictOf({}), 'good')
})

test('each limit makes a set uncertain, and a wider one makes it bad', () => {
  const cases: [keyof SetStatistics, number, number][] = [
    ['bandpassFlagged', 0.1, 0.21],
    ['gainFlagged', 0.1, 0.31],
    ['antennasSolved', 0.9, 0.79],
    ['bandpassSnr', 7, 4],
    ['gainSnr', 5, 2],
    ['bandpassLowest', 0.2, 0.05],
    ['bandpassHighest', 5, 11],
    ['phaseRms', 20, 31],
    ['phaseStep', 20, 31],
    ['chi2', 2, 3.5],
    ['closure', 2, 3.5],
    ['calibratorFlux', 0.05, 0.2],
    ['xyRatio', 0.7, 0.4],
    ['xyRatio', 1.5, 2.5],
    ['dataFlagged', 0.2, 0.5],
    ['notConverged', 0.05, 0.2],
  ]
  for (const [name, doubtful, bad] of cases) {
    assert.equal(verdictOf({ [name]: doubtful }), 'uncertain', `${name} ${doubtful}`)
    assert.equal(verdictOf({ [name]: bad }), 'bad', `${name} ${bad}`)
  }
})

test('fewer than ten antennas are bad, whatever their fraction', () => {
  assert.equal(verdictOf({ antennas: 9, antennasPresent: 9 }), 'bad')
})

test('a variable or weak calibrator, or few subbands, leave a set uncertain at most', () => {
  assert.equal(verdictOf({ fluxAnchor: 'pb17-other', rule: 4 }), 'uncertain')
  assert.equal(verdictOf({ rule: 6 }), 'uncertain')
  assert.equal(verdictOf({ subbands: 0.5 }), 'uncertain')
})

test('what could not be measured is never good; noise-free data and a single bin have nothing to measure', () => {
  assert.equal(verdictOf({ phaseRms: Number.NaN }), 'uncertain')
  assert.equal(verdictOf({ noiseless: true, chi2: 0, closure: Number.NaN }), 'good')
  assert.equal(verdictOf({ phaseStep: Number.NaN }), 'good')
})
