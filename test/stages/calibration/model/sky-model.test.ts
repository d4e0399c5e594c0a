import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PERLEY_BUTLER_2017 } from '#runtime/sky/calibrators.ts'
import { DEGREE_RAD } from '#runtime/sky/constants.ts'
import { buildSkyModel, type CatalogueEntry } from '../../../../stages/calibration/model/sky-model.ts'
import { solutionSetId } from '../../../../stages/calibration/solutions/set-id.ts'
import { calibrationParams } from '../../../../stages/calibration/contract.ts'

const calibrator = PERLEY_BUTLER_2017.find(({ name }) => name === '3C286')!
const raDeg = calibrator.direction.raRad / DEGREE_RAD
const decDeg = calibrator.direction.decRad / DEGREE_RAD
const beam = {
  timeMjdS: Float64Array.of(0, 13),
  raRad: new Float64Array(2).fill(calibrator.direction.raRad),
  decRad: new Float64Array(2).fill(calibrator.direction.decRad),
  decOfDateRad: calibrator.direction.decRad,
}
const freqHz = Float64Array.from({ length: 96 }, (_, c) => 1.32e9 + 1.95e6 * c)

function entry(id: string, offsetDeg: number, sIntMjy: number): CatalogueEntry {
  return { id, raDeg, decDeg: decDeg + offsetDeg, sIntMjy }
}

function model(catalogue: CatalogueEntry[], most = 30) {
  return buildSkyModel({
    calibrator,
    catalogue,
    catalogueFreqHz: 1.4e9,
    spectralIndex: -0.7,
    beam,
    freqHz,
    fraction: 0.01,
    most,
  })
}

test('sources above one per cent of the calibrator enter, by apparent flux, strongest first', () => {
  // 1 Jy at 1.36 degrees is seen at half power; 200 mJy there is not enough, at the centre it is.
  const { others, calibrator: own } = model([
    entry('half', 1.36, 1000),
    entry('weak', 1.36, 200),
    entry('near', 0.2, 200),
    entry('faint', 0.1, 100),
  ])
  assert.deepEqual(
    others.map(({ name }) => name),
    ['half', 'near'],
  )
  assert.ok(Math.abs(others[0].apparentFluxJy - 0.5) < 0.02)
  assert.ok(Math.abs(own.apparentFluxJy - 15.05) < 0.05)
})

test('the entry of the calibrator itself is not counted twice', () => {
  assert.equal(model([entry('itself', 5 / 3600, 15000)]).others.length, 0)
  assert.equal(model([entry('neighbour', 90 / 3600, 2000)]).others.length, 1)
})

test('the number of sources is bounded', () => {
  assert.equal(
    model(
      Array.from({ length: 40 }, (_, k) => entry(`s${k}`, 0.1 + k / 50, 900)),
      12,
    ).others.length,
    12,
  )
})

test('the identity of a set does not depend on averaging, and does on everything that is solved with', () => {
  const base = {
    contractVersion: 1,
    measurementSet: 'a',
    catalogue: 'b',
    calibrator: '3C286',
    params: calibrationParams.parse({}),
  }
  const id = solutionSetId(base)
  const same = {
    ...base,
    params: calibrationParams.parse({ averageToHz: 1e6, applyWindowHours: 3, calibrator: '3C286' }),
  }
  assert.equal(solutionSetId(same), id)
  const others = [
    { ...base, measurementSet: 'c' },
    { ...base, catalogue: undefined },
    { ...base, calibrator: '3C48' },
    { ...base, params: calibrationParams.parse({ uvMinLambda: 500 }) },
    { ...base, contractVersion: 2 },
  ]
  assert.equal(new Set([id, ...others.map(solutionSetId)]).size, 6)
})
