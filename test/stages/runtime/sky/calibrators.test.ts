import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { BeamTrack } from '#runtime/sky/beam.ts'
import {
  fluxAt,
  nearestCalibrator,
  PERLEY_BUTLER_2017,
  predictTransit,
  rankCalibrators,
  type CalibratorSource,
} from '#runtime/sky/calibrators.ts'
import { DEGREE_RAD } from '#runtime/sky/constants.ts'
import { hourAngle, icrsToApparent, meridianPlaceIcrs, type Direction } from '#runtime/sky/frames.ts'
import { noOrientation, site } from './fixtures.ts'

const freqsHz = Array.from({ length: 16 }, (_, s) => 1317e6 + s * 11.71875e6)

function source(name: string): CalibratorSource {
  const found = PERLEY_BUTLER_2017.find((candidate) => candidate.name === name)
  assert.ok(found, name)
  return found
}

/** An observation pointed `offsetDeg` south of a source, `lateS` seconds after its transit. */
function trackNear(target: Direction, { offsetDeg, lateS }: { offsetDeg: number; lateS: number }): BeamTrack {
  const transit = predictTransit({ direction: target }, 61104.2, noOrientation, site)
  const decOfDateRad = icrsToApparent(target, transit, noOrientation, site).decRad - offsetDeg * DEGREE_RAD
  const times = Array.from({ length: 24 }, (_, k) => transit + (lateS + (k - 11.5) * 12.884901888) / 86400)
  const centres = times.map((mjd) => meridianPlaceIcrs(decOfDateRad, mjd, noOrientation, site))
  return {
    timeMjdS: Float64Array.from(times, (mjd) => mjd * 86400),
    raRad: Float64Array.from(centres, (centre) => centre.raRad),
    decRad: Float64Array.from(centres, (centre) => centre.decRad),
    decOfDateRad,
  }
}

test('flux densities are those of Perley and Butler 2017', () => {
  const table: [string, number, number, number][] = [
    ['3C286', 15.58, 15.06, 14.57],
    ['3C295', 23.77, 22.43, 21.22],
    ['3C196', 15.3, 14.38, 13.57],
    ['3C147', 23.28, 22.11, 21.06],
    ['3C48', 17.13, 16.21, 15.38],
    ['3C138', 8.87, 8.55, 8.25],
    ['3C123', 50.98, 48.19, 45.7],
  ]
  for (const [name, ...fluxes] of table) {
    for (const [i, freqHz] of [1311.387e6, 1405.015e6, 1498.643e6].entries()) {
      assert.ok(Math.abs(fluxAt(source(name).flux, freqHz) - fluxes[i]) < 0.0075, `${name} ${freqHz}`)
    }
  }
})

test('a power law has its flux at the reference and its slope elsewhere', () => {
  const model = { kind: 'power-law', fluxJy: 2, refFreqHz: 1.4e9, spectralIndex: -0.7 } as const
  assert.equal(fluxAt(model, 1.4e9), 2)
  assert.ok(Math.abs(fluxAt(model, 2.8e9) - 2 * 2 ** -0.7) < 1e-12)
})

test('a first-choice source in the middle of the beam serves by rule 3', () => {
  const [best] = rankCalibrators(trackNear(source('3C286').direction, { offsetDeg: 0, lateS: 0 }), freqsHz)
  assert.equal(best?.source.name, '3C286')
  assert.equal(best.rule, 3)
  assert.ok(Math.abs(best.meanBeam - 0.965) < 0.005, `${best.meanBeam}`)
  assert.ok(Math.abs(best.apparentFluxJy - 15.06 * best.meanBeam) < 0.05)
  assert.ok(best.separationRad < 0.03 * DEGREE_RAD)
})

test('another source serves by rule 4, and either by rule 6 at the edge of the beam', () => {
  assert.equal(rankCalibrators(trackNear(source('3C48').direction, { offsetDeg: 0.5, lateS: 0 }), freqsHz)[0]?.rule, 4)
  for (const name of ['3C286', '3C48']) {
    const [edge] = rankCalibrators(trackNear(source(name).direction, { offsetDeg: 1.6, lateS: 0 }), freqsHz)
    assert.equal(edge?.rule, 6)
    assert.ok(edge.meanBeam >= 0.2 && edge.meanBeam < 0.5)
  }
  assert.deepEqual(rankCalibrators(trackNear(source('3C286').direction, { offsetDeg: 2.1, lateS: 0 }), freqsHz), [])
})

test('a full beam with a faint source is rule 6 too', () => {
  const faint: CalibratorSource = {
    ...source('3C286'),
    flux: { kind: 'power-law', fluxJy: 3, refFreqHz: 1.4e9, spectralIndex: 0 },
  }
  const track = trackNear(faint.direction, { offsetDeg: 0, lateS: 0 })
  assert.equal(rankCalibrators(track, freqsHz, [faint])[0]?.rule, 6)
  const fainter: CalibratorSource = {
    ...faint,
    flux: { ...faint.flux, kind: 'power-law', fluxJy: 0.5, refFreqHz: 1.4e9, spectralIndex: 0 },
  }
  assert.deepEqual(rankCalibrators(track, freqsHz, [fainter]), [])
})

test('the rule comes before the flux, and the flux decides within a rule', () => {
  const direction = source('3C286').direction
  const track = trackNear(direction, { offsetDeg: 0, lateS: 0 })
  const make = (name: string, tier: 'first-choice' | 'other', fluxJy: number): CalibratorSource => ({
    ...source('3C286'),
    name,
    tier,
    flux: { kind: 'power-law', fluxJy, refFreqHz: 1.4e9, spectralIndex: -0.7 },
  })
  const candidates = [make('bright', 'other', 90), make('small', 'first-choice', 8), make('large', 'first-choice', 9)]
  const names = rankCalibrators(track, freqsHz, candidates).map((ranked) => ranked.source.name)
  assert.deepEqual(names, ['large', 'small', 'bright'])
})

test('a resolved source is never offered', () => {
  assert.deepEqual(rankCalibrators(trackNear(source('3C123').direction, { offsetDeg: 0, lateS: 0 }), freqsHz), [])
})

test('two to three observations around a transit hold the calibrator', () => {
  const full = [-3, -2, -1, 0, 1, 2, 3].filter((cadences) => {
    const track = trackNear(source('3C286').direction, { offsetDeg: 0, lateS: cadences * 309.237645 })
    const [best] = rankCalibrators(track, freqsHz)
    return best?.rule === 3
  })
  assert.deepEqual(full, [-1, 0, 1])
})

test('the nearest source is named where none can serve', () => {
  const track = trackNear(source('3C286').direction, { offsetDeg: 8, lateS: 0 })
  const nearest = nearestCalibrator(track)
  assert.equal(nearest?.source.name, '3C286')
  assert.ok(Math.abs(nearest.separationRad / DEGREE_RAD - 8) < 0.05)
})

test('at its predicted transit a source has hour angle 0, within half a day of the time asked for', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 58849, max: 64000, noNaN: true }),
      fc.double({ min: 0, max: 6.28, noNaN: true }),
      fc.double({ min: -0.5, max: 1.5, noNaN: true }),
      (mjd, raRad, decRad) => {
        const transit = predictTransit({ direction: { raRad, decRad } }, mjd, noOrientation, site)
        const place = icrsToApparent({ raRad, decRad }, transit, noOrientation, site)
        assert.ok(Math.abs(hourAngle(place.raRad, transit, noOrientation, site)) < 2e-9)
        assert.ok(Math.abs(transit - mjd) < 0.502)
      },
    ),
  )
})
