import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { foldVerdict, quality, type Check } from '#runtime/stage/quality.ts'
import { astrometryChecks, type Astrometry } from '../../../stages/validation/astrometry-checks.ts'
import {
  completenessCheck,
  reliabilityCheck,
  type Completeness,
} from '../../../stages/validation/completeness-checks.ts'
import { validation } from '../../../stages/validation/contract.ts'
import { countsCheck } from '../../../stages/validation/counts.ts'
import { calibrationCheck, cleanCheck, dataChecks, type DataFacts } from '../../../stages/validation/data-checks.ts'
import { fluxChecks, type FluxScale } from '../../../stages/validation/flux-checks.ts'
import { grade, overriddenLimits } from '../../../stages/validation/grade.ts'
import { imageChecks, resolvedCheck, type ImageNumbers } from '../../../stages/validation/image-checks.ts'
import { checkTable, type CheckKey } from '../../../stages/validation/limits.ts'

const { limits } = validation.params.parse({})

const flux: FluxScale = {
  ratio: 1.01,
  eRatio: 0.005,
  scatter: 0.03,
  n: 40,
  slopes: [
    { against: 'ln flux density', slope: 0.001, eSlope: 0.002 },
    { against: 'radius (deg)', slope: 0, eSlope: 0.01 },
  ],
}
const positions: Astrometry = {
  n: 40,
  offsetRaArcsec: 0.3,
  offsetDecArcsec: -0.4,
  eOffsetArcsec: 0.1,
  typicalArcsec: 0.6,
  scatterRaArcsec: 0.5,
  scatterDecArcsec: 0.7,
  pull: 1,
  beamArcsec: 50,
  affine: { rotationArcsec: 1, scale: 1, edgeBeams: 0.02 },
}
const complete: Completeness = { found: 40, expected: 40, fraction: 1, low: 0.976, high: 1 }
const seen = { matches: 40, expectedMatches: 40, catalogueCoverage: 1 }
const numbers: ImageNumbers = {
  rmsCentreJy: 2.6e-4,
  noiseThJy: 2.4e-4,
  noiseExpectedJy: 2.35e-4,
  confusionJy: 1e-4,
  peakJy: 0.2,
  residualPeakSnr: 5,
  brightestJy: 0.2,
  expectedNegatives: 0.5,
}
const facts: DataFacts = {
  flaggedFraction: 0.05,
  antennas: 96,
  subbandsPresent: 16,
  subbandsExpected: 16,
  integrations: 24,
  integrationsExpected: 24,
  uncalibrated: false,
  calibrationQuality: 'good',
  solutionGrade: 'good',
  cleanStop: 'threshold',
}

const byTitle = (checks: readonly Check[], key: CheckKey): Check => {
  const found = checks.find(({ name }) => name === checkTable[key].title)
  assert.ok(found, key)
  return found
}
const fluxGrade = (key: CheckKey, change: Partial<FluxScale>): string =>
  byTitle(fluxChecks({ ...flux, ...change }, limits), key).verdict
const positionGrade = (key: CheckKey, change: Partial<Astrometry>): string =>
  byTitle(astrometryChecks({ ...positions, ...change }, limits), key).verdict
const imageGrade = (key: CheckKey, change: Partial<ImageNumbers>): string =>
  byTitle(imageChecks({ ...numbers, ...change }, limits), key).verdict
const dataGrade = (key: CheckKey, change: Partial<DataFacts>): string =>
  byTitle(dataChecks({ ...facts, ...change }, limits), key).verdict

test('flux scale: 10 % good, 20 % uncertain, in both directions; fewer than five sources: not run', () => {
  assert.equal(fluxGrade('fluxScale', {}), 'good')
  assert.equal(fluxGrade('fluxScale', { ratio: 0.85 }), 'uncertain')
  assert.equal(fluxGrade('fluxScale', { ratio: 1.19 }), 'uncertain')
  assert.equal(fluxGrade('fluxScale', { ratio: 0.75 }), 'bad')
  assert.equal(fluxGrade('fluxScale', { ratio: 1.5 }), 'bad')
  assert.equal(fluxGrade('fluxScale', { n: 4 }), 'not run')
})

test('a median whose error reaches half of the limit is uncertain, unless it is surely bad', () => {
  assert.equal(fluxGrade('fluxScale', { ratio: 1, eRatio: 0.06 }), 'uncertain')
  assert.equal(fluxGrade('fluxScale', { ratio: 1.25, eRatio: 0.06 }), 'uncertain')
  assert.equal(fluxGrade('fluxScale', { ratio: 2, eRatio: 0.06 }), 'bad')
  assert.equal(fluxGrade('fluxScale', { ratio: 1, eRatio: NaN }), 'uncertain')
})

test('the flux scale shows the ratio, not its distance from 1', () => {
  const check = byTitle(fluxChecks({ ...flux, ratio: 0.93 }, limits), 'fluxScale')
  assert.equal(check.value, 0.93)
  assert.match(check.message, /7\.0 % below/)
})

test('flux scatter and slope', () => {
  assert.equal(fluxGrade('fluxScatter', {}), 'good')
  assert.equal(fluxGrade('fluxScatter', { scatter: 0.15 }), 'uncertain')
  assert.equal(fluxGrade('fluxScatter', { scatter: 0.3 }), 'bad')
  assert.equal(fluxGrade('fluxScatter', { n: 7 }), 'not run')
  const slope = (sigma: number): string =>
    fluxGrade('fluxSlope', { slopes: [{ against: 'x', slope: sigma, eSlope: 1 }] })
  assert.equal(slope(1.9), 'good')
  assert.equal(slope(-3), 'uncertain')
  assert.equal(slope(5), 'bad')
  assert.equal(fluxGrade('fluxSlope', { n: 14 }), 'not run')
})

test('astrometry: 2 arcsec good, 5 uncertain, of the length of the median offset', () => {
  assert.equal(positionGrade('astrometry', {}), 'good')
  assert.equal(positionGrade('astrometry', { offsetRaArcsec: 2, offsetDecArcsec: 2 }), 'uncertain')
  assert.equal(positionGrade('astrometry', { offsetRaArcsec: -4, offsetDecArcsec: 4 }), 'bad')
  assert.equal(positionGrade('astrometry', { n: 4 }), 'not run')
  assert.equal(positionGrade('astrometryScatter', { scatterRaArcsec: 7 }), 'uncertain')
  assert.equal(positionGrade('astrometryScatter', { scatterDecArcsec: 12 }), 'bad')
  assert.equal(positionGrade('astrometryScatter', { n: 7 }), 'not run')
  assert.equal(positionGrade('astrometryDistortion', {}), 'good')
  assert.equal(
    positionGrade('astrometryDistortion', { affine: { rotationArcsec: 1, scale: 1, edgeBeams: 0.2 } }),
    'uncertain',
  )
  assert.equal(
    positionGrade('astrometryDistortion', { affine: { rotationArcsec: 1, scale: 1, edgeBeams: 0.5 } }),
    'bad',
  )
  assert.equal(positionGrade('astrometryDistortion', { n: 14 }), 'not run')
})

test('completeness grades the lower bound', () => {
  const verdict = (found: number, expected: number, low: number, change: Partial<typeof seen> = {}): string =>
    completenessCheck({ found, expected, fraction: found / expected, low, high: 1 }, { ...seen, ...change }, limits)
      .verdict
  assert.equal(completenessCheck(complete, seen, limits).verdict, 'good')
  assert.equal(verdict(35, 40, 0.82), 'uncertain')
  assert.equal(verdict(20, 40, 0.42), 'bad')
  assert.equal(verdict(9, 9, 0.9, { expectedMatches: 9, matches: 9 }), 'not run')
})

test('an empty image where twenty matches are expected is bad, not "too few sources"', () => {
  const none = { found: 0, expected: 0, fraction: NaN, low: 0, high: 1 }
  assert.equal(
    completenessCheck(none, { matches: 0, expectedMatches: 20, catalogueCoverage: 1 }, limits).verdict,
    'bad',
  )
  assert.equal(
    completenessCheck(none, { matches: 4, expectedMatches: 180, catalogueCoverage: 1 }, limits).verdict,
    'bad',
  )
  assert.equal(
    completenessCheck(none, { matches: 0, expectedMatches: 5, catalogueCoverage: 1 }, limits).verdict,
    'not run',
  )
})

test('a catalogue that hardly covers the field tells no completeness', () => {
  assert.equal(completenessCheck(complete, { ...seen, catalogueCoverage: 0.3 }, limits).verdict, 'not run')
  assert.equal(completenessCheck(complete, { ...seen, catalogueCoverage: NaN }, limits).verdict, 'not run')
})

const reliability = (positives: number, negatives: number, finiteFraction = 1): string =>
  reliabilityCheck({ positives, negatives, expectedNegatives: 0, finiteFraction }, limits).verdict

test('reliability: negative over positive detections, but for what Gaussian noise gives', () => {
  const check = reliabilityCheck({ positives: 30, negatives: 2, expectedNegatives: 0.6, finiteFraction: 1 }, limits)
  assert.deepEqual([check.verdict, check.value], ['good', 2 / 30], 'two where 0.6 are expected are no surprise')
  const surprise = reliabilityCheck({ positives: 30, negatives: 5, expectedNegatives: 0.6, finiteFraction: 1 }, limits)
  assert.equal(surprise.verdict, 'uncertain')
  assert.equal(reliability(100, 1), 'good')
  assert.equal(reliability(100, 5), 'uncertain')
  assert.equal(reliability(100, 20), 'bad')
  assert.equal(reliability(0, 3), 'bad')
  assert.equal(reliability(0, 0), 'not run')
  assert.equal(reliability(100, 0, 0.4), 'bad', 'a mostly blank image')
})

test('noise: thermal and image, with twice the floor allowed beside a source above 1 Jy', () => {
  assert.equal(imageGrade('noiseThermal', {}), 'good')
  assert.equal(imageGrade('noiseThermal', { noiseExpectedJy: 1.8e-4 }), 'uncertain')
  assert.equal(imageGrade('noiseThermal', { noiseExpectedJy: 1e-4 }), 'bad')
  assert.equal(imageGrade('noiseThermal', { noiseExpectedJy: 5e-4 }), 'uncertain', 'less noise than the system allows')
  assert.equal(imageGrade('noiseThermal', { noiseExpectedJy: NaN }), 'not run')
  assert.equal(imageGrade('noiseImage', {}), 'good')
  assert.equal(imageGrade('noiseImage', { rmsCentreJy: 4.7e-4 }), 'uncertain')
  assert.equal(imageGrade('noiseImage', { rmsCentreJy: 4.7e-4, brightestJy: 15 }), 'good')
  assert.equal(imageGrade('noiseImage', { rmsCentreJy: 5e-3 }), 'bad')
  assert.equal(imageGrade('noiseImage', { rmsCentreJy: NaN }), 'bad', 'a blank centre')
})

test('dynamic range counts only above 400 times the thermal noise', () => {
  assert.equal(imageGrade('dynamicRange', { peakJy: 0.05 }), 'not run')
  assert.equal(imageGrade('dynamicRange', {}), 'good')
  assert.equal(imageGrade('dynamicRange', { rmsCentreJy: 4e-3 }), 'uncertain')
  assert.equal(imageGrade('dynamicRange', { rmsCentreJy: 1e-2 }), 'bad')
})

test('residual, point spread function', () => {
  assert.equal(imageGrade('residual', {}), 'good')
  assert.equal(imageGrade('residual', { residualPeakSnr: 8 }), 'uncertain')
  assert.equal(imageGrade('residual', { residualPeakSnr: 11 }), 'bad')
  assert.equal(imageGrade('residual', { residualPeakSnr: undefined }), 'not run')
  assert.equal(imageGrade('psf', {}), 'not run', 'nobody predicts the beam')
})

const madeUp = (n: number, resolved: number) =>
  Array.from({ length: n }, (_, i) => ({ snr: 30, resolved: i < resolved }))

test('resolved fraction is a range, shown only on a simulated sky', () => {
  const verdict = (n: number, resolved: number, simulated = false): string =>
    resolvedCheck(madeUp(n, resolved), { simulated, minSnr: 10 }, limits).verdict
  assert.equal(verdict(100, 15), 'good')
  assert.equal(verdict(100, 2), 'uncertain')
  assert.equal(verdict(100, 40), 'uncertain')
  assert.equal(verdict(100, 60), 'bad')
  assert.equal(verdict(19, 3), 'not run')
  const shown = resolvedCheck(madeUp(100, 1), { simulated: true, minSnr: 10 }, limits)
  assert.deepEqual([shown.verdict, shown.value, shown.gating], ['not run', 0.01, false])
})

const countBin = (off: number) => ({ fluxJy: 0.01, n: 10, count: 100 + off, eCount: 10, expected: 100 })

const countsGrade = (offs: number[]): string => countsCheck(offs.map(countBin), limits).verdict

test('source counts need five bins', () => {
  assert.equal(countsGrade([5, -5, 10, -10, 0]), 'good')
  assert.equal(countsGrade([30, 30, 30, 30, 30]), 'uncertain')
  assert.equal(countsGrade([90, 90, 90, 90, 90]), 'bad')
  assert.equal(countsGrade([0, 0, 0, 0]), 'not run')
  assert.equal(countsGrade([]), 'not run')
})

test('data: flags, antennas, subbands, integrations; a number that nobody tells is not run', () => {
  assert.deepEqual(
    dataChecks(facts, limits).map(({ verdict }) => verdict),
    ['good', 'good', 'good', 'good'],
  )
  assert.equal(dataGrade('flagged', { flaggedFraction: 0.3 }), 'uncertain')
  assert.equal(dataGrade('flagged', { flaggedFraction: 0.5 }), 'bad')
  assert.equal(dataGrade('antennas', { antennas: 80 }), 'uncertain')
  assert.equal(dataGrade('antennas', { antennas: 20 }), 'bad')
  assert.equal(dataGrade('subbands', { subbandsPresent: 12 }), 'uncertain')
  assert.equal(dataGrade('subbands', { subbandsPresent: 11 }), 'bad')
  assert.equal(dataGrade('integrations', { integrations: 18 }), 'uncertain')
  assert.equal(dataGrade('integrations', { integrations: 17 }), 'bad')
  const nothing = dataChecks({ uncalibrated: undefined }, limits)
  assert.deepEqual(
    nothing.map(({ verdict }) => verdict),
    ['not run', 'not run', 'not run', 'not run'],
  )
  assert.equal(dataGrade('subbands', { subbandsExpected: 0 }), 'not run')
})

const calibrationGrade = (change: Partial<DataFacts>): string => calibrationCheck({ ...facts, ...change }).verdict

test('calibration: the grade of the set; uncalibrated is bad; unknown is not run', () => {
  assert.equal(calibrationGrade({}), 'good')
  assert.equal(calibrationGrade({ solutionGrade: 'uncertain' }), 'uncertain')
  assert.equal(calibrationGrade({ solutionGrade: undefined, calibrationQuality: 'uncertain' }), 'uncertain')
  assert.equal(calibrationGrade({ calibrationQuality: 'bad' }), 'bad')
  assert.equal(calibrationGrade({ solutionGrade: 'bad' }), 'bad')
  assert.equal(calibrationGrade({ uncalibrated: true }), 'bad')
  assert.equal(calibrationGrade({ uncalibrated: undefined }), 'not run')
  assert.equal(calibrationGrade({ solutionGrade: undefined, calibrationQuality: undefined }), 'not run')
  assert.equal(calibrationGrade({ solutionGrade: 'splendid' }), 'not run')
})

const cleanGrade = (cleanStop: DataFacts['cleanStop']): string => cleanCheck({ ...facts, cleanStop }).verdict

test('clean: threshold good, a limit uncertain, divergence bad, unknown not run', () => {
  assert.deepEqual(
    ['threshold', 'none', 'niter', 'nmiter', 'diverged'].map((stop) => cleanGrade(stop as DataFacts['cleanStop'])),
    ['good', 'good', 'uncertain', 'uncertain', 'bad'],
  )
  assert.equal(cleanGrade(undefined), 'not run')
})

test('no check passes on a number that is not one, whatever it is', () => {
  const broken = fc.constantFrom(NaN, Infinity, -Infinity)
  fc.assert(
    fc.property(
      fc.constantFrom(...(Object.keys(checkTable) as CheckKey[])),
      broken,
      fc.option(broken, { nil: undefined }),
      (key, graded, error) => {
        const check = grade(key, { graded, ...(error === undefined ? {} : { error }), n: 1000, message: '' }, limits)
        assert.equal(check.verdict, 'not run')
        assert.equal(check.value, undefined)
      },
    ),
  )
  for (const key of Object.keys(numbers) as (keyof ImageNumbers)[]) {
    const clean = imageChecks(numbers, limits)
    imageChecks({ ...numbers, [key]: NaN }, limits).forEach((check, i) => {
      if (check.value !== undefined) assert.ok(Number.isFinite(check.value))
      if (check.verdict === 'good')
        assert.equal(
          clean[i].value,
          check.value,
          `${check.name} is good with ${key} broken, so it must not depend on it`,
        )
    })
  }
})

test('no sample is too small to be called good: a check with fewer samples than it needs is not run', () => {
  for (const [key, spec] of Object.entries(checkTable) as [CheckKey, (typeof checkTable)[CheckKey]][]) {
    if (spec.needs === 0) continue
    const graded = spec.better === 'higher' ? 1e9 : 0.2 * spec.good
    assert.equal(grade(key, { graded, n: spec.needs - 1, message: '' }, limits).verdict, 'not run', key)
    assert.equal(grade(key, { graded, n: spec.needs, message: '' }, limits).verdict, 'good', key)
  }
})

test('the grades of a check get no better as its number gets worse', () => {
  const order = ['good', 'uncertain', 'bad']
  fc.assert(
    fc.property(
      fc.constantFrom(...(Object.keys(checkTable) as CheckKey[])),
      fc.double({ min: 0, max: 1000, noNaN: true }),
      fc.double({ min: 0, max: 1000, noNaN: true }),
      (key, a, b) => {
        const spec: { better: string } = checkTable[key]
        if (spec.better === 'range') return
        const [better, worse] = (spec.better === 'lower') === a < b ? [a, b] : [b, a]
        const verdict = (graded: number): number => order.indexOf(grade(key, { graded, message: '' }, limits).verdict)
        assert.ok(verdict(better) <= verdict(worse))
      },
    ),
  )
})

const allChecks = (): Check[] => [
  ...fluxChecks(flux, limits),
  ...astrometryChecks(positions, limits),
  completenessCheck(complete, seen, limits),
  reliabilityCheck({ positives: 40, negatives: 0, expectedNegatives: 0.5, finiteFraction: 1 }, limits),
  ...imageChecks(numbers, limits),
  ...dataChecks(facts, limits),
  calibrationCheck(facts),
  cleanCheck(facts),
]

test('the gating checks are those of the design, and the verdict folds them', () => {
  const gating = allChecks()
    .filter((check) => check.gating)
    .map(({ name }) => name)
  assert.deepEqual(gating.sort(), [
    'antennas',
    'astrometry',
    'calibration',
    'clean',
    'completeness',
    'flagged data',
    'flux scale',
    'integrations',
    'reliability',
    'subbands',
    'thermal noise',
  ])
  assert.equal(quality(allChecks()).verdict, 'good')
})

test('each gating check alone can make the verdict bad, uncertain, or uncertain by not running; the others only uncertain', () => {
  allChecks().forEach((check, i) => {
    const withGrade = (verdict: Check['verdict']): string => foldVerdict(allChecks().with(i, { ...check, verdict }))
    assert.equal(withGrade('bad'), check.gating ? 'bad' : 'uncertain', check.name)
    assert.equal(withGrade('uncertain'), 'uncertain', check.name)
    assert.equal(withGrade('not run'), check.gating ? 'uncertain' : 'good', check.name)
  })
})

test('limits can be changed, and every change is told', () => {
  const changed = validation.params.parse({ limits: { astrometry: { good: 8, uncertain: 9 } } }).limits
  assert.equal(byTitle(astrometryChecks({ ...positions, offsetRaArcsec: 6 }, changed), 'astrometry').verdict, 'good')
  assert.deepEqual(overriddenLimits(changed), [
    'astrometry: limit "good" is 8, by default 2',
    'astrometry: limit "uncertain" is 9, by default 5',
  ])
  assert.deepEqual(overriddenLimits(limits), [])
  assert.throws(() => validation.params.parse({ limits: { astronomy: { good: 1 } } }))
})
