import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ARCSEC_RAD } from '#runtime/sky/constants.ts'
import { quality, qualitySchema } from '#runtime/stage/quality.ts'
import { conversionChecks, type GateFacts } from '../../../stages/conversion/gates.ts'
import type { StationOffsets } from '../../../stages/conversion/station-offsets.ts'
import type { WFit } from '../../../stages/conversion/w-fit.ts'

const good: GateFacts = {
  rows: { found: 111_744, expected: 111_744 },
  integrations: { found: 24, expected: 24 },
  freqHz: Float64Array.from({ length: 768 }, (_, i) => 1311387329.1015625 + 244140.625 * i),
  channelWidthHz: 244140.625,
  fields: 1,
  centreErrorRad: 0,
  subbands: { present: 16, expected: 16, absent: [] },
  shortestM: 5.75,
  longestM: 2601.6,
  uvwErrorM: 1e-9,
  autoUvwM: 0,
  farthestAntennaM: 1900,
  siteOffsetDeg: 0,
  stations: undefined,
  dialect: 'dsa110',
  wFit: wFit(0.001, 1e-4),
  zeroFraction: 0.01,
  antennas: { present: 96, dead: [] },
  reopen: { cells: 64, different: 0, largestError: 6e-8 },
  earthOrientation: { beyondDays: 0, source: 'IERS' },
}

function wFit(offsetArcsec: number, residualM: number): WFit {
  const offsetRad = offsetArcsec * ARCSEC_RAD
  return { longitudeRad: -2, decRad: 0.3, offsetRad, headerResidualM: residualM, fittedResidualM: residualM }
}

function stations({ offsetM = 0.01, ...others }: Partial<StationOffsets> & { offsetM?: number }): StationOffsets {
  const offsetsM = new Map([
    ['1', 0.01],
    ['2', offsetM],
  ])
  return { offsetsM, unknown: [], withoutElevation: [], ...others }
}

const cases: [string, Partial<GateFacts>, string, string][] = [
  ['a row too few', { rows: { found: 111_743, expected: 111_744 } }, 'rows', 'bad'],
  ['descending channels', { freqHz: good.freqHz.toReversed() }, 'frequency-order', 'bad'],
  [
    'a channel 2 mHz off',
    { freqHz: good.freqHz.map((freqHz, i) => freqHz + (i === 5 ? 2e-3 : 0)) },
    'frequency-order',
    'bad',
  ],
  ['a second field', { fields: 2 }, 'phase-centre', 'bad'],
  ['a centre beside the target', { centreErrorRad: 2e-9 }, 'phase-centre', 'bad'],
  ['12 of 16 subbands', { subbands: { present: 12, expected: 16, absent: [1, 2, 3, 4] } }, 'subbands', 'good'],
  ['11 of 16 subbands', { subbands: { present: 11, expected: 16, absent: [1, 2, 3, 4, 5] } }, 'subbands', 'uncertain'],
  ['baselines below 5 m', { shortestM: 4.9 }, 'baseline-length', 'bad'],
  ['baselines beyond the array', { longestM: 2708.1 }, 'baseline-length', 'bad'],
  ['UVW of twice the length', { uvwErrorM: 2600 }, 'uvw-length', 'bad'],
  ['autocorrelations with UVW', { autoUvwM: 1e-12 }, 'uvw-length', 'bad'],
  ['an antenna 6 km away', { farthestAntennaM: 6000 }, 'antenna-positions', 'bad'],
  ['a site 10 m off', { siteOffsetDeg: 1e-4 }, 'site', 'uncertain'],
  ['a site 2 km off', { siteOffsetDeg: 0.02 }, 'site', 'bad'],
  ['stations where the table has them', { stations: stations({ offsetM: 0.05 }) }, 'station-table', 'good'],
  ['a station 5.1 cm off', { stations: stations({ offsetM: 0.051 }) }, 'station-table', 'bad'],
  ['a station nowhere', { stations: stations({ offsetM: Number.NaN }) }, 'station-table', 'bad'],
  ['a station not in the table', { stations: stations({ unknown: ['9'] }) }, 'station-table', 'uncertain'],
  ['a station of no height', { stations: stations({ withoutElevation: ['9'] }) }, 'station-table', 'uncertain'],
  [
    'a station off beside an unknown one',
    { stations: stations({ offsetM: 1, unknown: ['9'] }) },
    'station-table',
    'bad',
  ],
  ['w of a place 2 arcsec off', { wFit: wFit(2, 1e-4) }, 'w-fit', 'uncertain'],
  ['w of a place 61 arcsec off', { wFit: wFit(61, 1e-4) }, 'w-fit', 'bad'],
  ['a station moved by 10 cm', { wFit: wFit(0.001, 0.1) }, 'w-residual', 'uncertain'],
  ['a third of the data zero', { zeroFraction: 0.33 }, 'zero-data', 'uncertain'],
  ['half of the data zero', { zeroFraction: 0.51 }, 'zero-data', 'bad'],
  ['a cell that differs', { reopen: { cells: 64, different: 1, largestError: 1 } }, 'reopen', 'bad'],
  ['a short observation', { integrations: { found: 20, expected: 24 } }, 'integrations', 'uncertain'],
  ['a third of the antennas dead', { antennas: { present: 6, dead: ['1', '2'] } }, 'dead-antennas', 'uncertain'],
  [
    'times beyond the table',
    { earthOrientation: { beyondDays: 12.5, source: 'IERS' } },
    'earth-orientation',
    'uncertain',
  ],
]

test('what only files of the DSA-110 can be held against is not asked of others', () => {
  const names = conversionChecks({ ...good, dialect: 'other', wFit: undefined, longestM: 3e7 }).map(({ name }) => name)
  assert.deepEqual(
    conversionChecks(good).flatMap(({ name }) => (names.includes(name) ? [] : [name])),
    ['baseline-length', 'antenna-positions', 'site', 'w-fit', 'w-residual'],
  )
})

test('an ordinary observation passes all gates', () => {
  const { verdict, checks } = quality(conversionChecks(good))
  assert.equal(verdict, 'good')
  assert.ok(checks.every((check) => check.verdict === 'good'))
  assert.ok(checks.every(({ message }) => message.length > 10))
})

for (const [name, change, check, verdict] of cases) {
  test(`${name} is ${verdict}`, () => {
    const checks = conversionChecks({ ...good, ...change })
    assert.equal(checks.find((entry) => entry.name === check)?.verdict, verdict)
    assert.ok(checks.every((entry) => entry.name === check || entry.verdict === 'good'))
    if (verdict === 'bad') {
      assert.equal(quality(checks).verdict, 'bad')
      assert.equal(checks.find((entry) => entry.name === check)?.blocking, true)
    }
  })
}

test('what cannot be measured is bad, and still a result that can be written', () => {
  const unmeasured: [Partial<GateFacts>, string][] = [
    [{ uvwErrorM: Number.NaN }, 'uvw-length'],
    [{ farthestAntennaM: Number.NaN }, 'antenna-positions'],
    [{ freqHz: Float64Array.of(1e9, Number.NaN) }, 'frequency-order'],
    [{ siteOffsetDeg: Number.NaN }, 'site'],
    [{ zeroFraction: Number.NaN }, 'zero-data'],
    [{ reopen: { cells: 64, different: 1, largestError: Infinity } }, 'reopen'],
    [{ wFit: wFit(Number.NaN, Number.NaN) }, 'w-fit'],
  ]
  for (const [facts, name] of unmeasured) {
    const { checks, verdict } = qualitySchema.parse(
      JSON.parse(JSON.stringify(quality(conversionChecks({ ...good, ...facts })))),
    )
    const check = checks.find((candidate) => candidate.name === name)
    assert.equal(check?.verdict, 'bad')
    assert.equal(check?.value, undefined)
    assert.equal(verdict, 'bad')
  }
})
