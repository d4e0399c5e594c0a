import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CatalogueInfo, CatalogueSource } from '#runtime/formats/catalogue/info.ts'
import { createRandom } from '#runtime/numeric/random.ts'
import { assess } from '../../../stages/validation/assess.ts'
import { compareWithCatalogue } from '../../../stages/validation/comparison.ts'
import { validation } from '../../../stages/validation/contract.ts'
import { expectedDetections, integralCounts, sampleDepth, sourceCounts } from '../../../stages/validation/counts.ts'
import { coverage, coveredRadiusRad, northAngleRad, type Field } from '../../../stages/validation/field.ts'
import { fitLine, largestOf, twoSidedChance } from '../../../stages/validation/line.ts'
import { coveredByCatalogue, predictSources } from '../../../stages/validation/prediction.ts'
import { detectSources } from '../../../stages/validation/sources.ts'
import { addSources, correlatedNoise, syntheticField, truthRows, type SyntheticField } from './synthetic-field.ts'

const params = validation.params.parse({})
const DEG = Math.PI / 180
const ARCSEC = DEG / 3600

const info: CatalogueInfo = {
  format: 'contimg-catalogue/1',
  name: 'truth',
  version: '1',
  freqHz: 1.405e9,
  resolutionArcsec: 0,
  epoch: 2000,
  completeMjy: 0,
  coverage: { kind: 'declinations', minDeg: -90, maxDeg: 90 },
  sizes: 'deconvolved',
  simulated: true,
  spectralIndex: -0.7,
  citation: '',
  rows: 1,
  rejected: 0,
  sha256: '',
  hash12: '',
}

function fieldOf(synthetic: SyntheticField, image: Float32Array): Field {
  const { width, wcs, beam, primaryBeam, freqHz } = synthetic
  return {
    width,
    height: width,
    wcs,
    beam: { major: beam.majorPixels * wcs.cellRad, minor: beam.minorPixels * wcs.cellRad, paRad: beam.paRad },
    image,
    primaryBeam,
    covered: coverage(image, primaryBeam, params.beamCut),
    freqHz,
  }
}

interface Scene {
  synthetic: SyntheticField
  field: Field
  detections: ReturnType<typeof detectSources>
}

function scene(
  options: {
    centreDeg?: readonly [number, number]
    perSide?: number
    seed?: number
    snr?: readonly [number, number]
    change?: (image: Float32Array) => void
  } = {},
): Scene {
  const synthetic = syntheticField({
    width: 600,
    cellArcsec: 16,
    beamArcsec: [80, 60],
    perSide: options.perSide ?? 8,
    snr: options.snr ?? [6, 300],
    seed: options.seed ?? 1,
    ...(options.centreDeg === undefined ? {} : { centreDeg: options.centreDeg }),
  })
  const image = correlatedNoise(synthetic, createRandom(options.seed ?? 1).fork('noise'))
  addSources(image, synthetic)
  options.change?.(image)
  const field = fieldOf(synthetic, image)
  return { synthetic, field, detections: detectSources(field, params) }
}

function compare(
  { synthetic, field, detections }: Scene,
  rows: CatalogueSource[] = truthRows(synthetic),
  about: Partial<CatalogueInfo> = {},
) {
  const predicted = predictSources({ info: { ...info, ...about }, sources: rows }, field, {
    rms: detections.rms,
    params,
  })
  return compareWithCatalogue(detections.sources, predicted, { field, params })
}

const plain = scene()

test('the truth of a synthetic field is found again: fluxes within 1 %, positions within 0.2 arcsec, all complete', () => {
  const here = plain
  const { pairs, expected, unexpected } = compare(here)
  const sample = pairs.filter(({ inFluxSample }) => inFluxSample)
  assert.ok(sample.length > 25)
  const ratios = sample.map(({ ratio }) => ratio).sort((a, b) => a - b)
  assert.ok(Math.abs(ratios[ratios.length >> 1] - 1) < 0.01)
  const offsets = pairs.filter(({ inPositionSample }) => inPositionSample)
  const mean = offsets.reduce((sum, { offsetRaRad }) => sum + offsetRaRad, 0) / offsets.length / ARCSEC
  assert.ok(Math.abs(mean) < 0.3, `mean offset ${mean}`)
  assert.ok(expected.length > 20 && expected.every(({ found }) => found))
  assert.equal(unexpected.length, 0)
})

test('a field across 0 h and one at declination 88 are compared like any other', () => {
  for (const centreDeg of [
    [0.05, -20],
    [123, 88],
  ] as const) {
    const { pairs, expected } = compare(scene({ centreDeg }))
    assert.ok(expected.length > 20 && expected.every(({ found }) => found), String(centreDeg))
    const worst = Math.max(
      ...pairs
        .filter(({ source }) => source.snr > 50)
        .map(({ offsetRaRad, offsetDecRad }) => Math.hypot(offsetRaRad, offsetDecRad)),
    )
    assert.ok(worst < 1.5 * ARCSEC, `${worst / ARCSEC} at ${centreDeg}`)
  }
})

test('position angles on the sky allow for the turn of north away from the centre', () => {
  const { synthetic, field } = scene({ centreDeg: [123, 80] })
  // Two degrees east of the centre at declination 80, north points about 11 degrees away from the y axis.
  const x = synthetic.wcs.referenceX - (1.2 * DEG) / synthetic.wcs.cellRad
  const turn = northAngleRad(field, x, synthetic.wcs.referenceY)
  assert.ok(Math.abs(turn) > 5 * DEG && Math.abs(turn) < 9 * DEG, `${turn / DEG}`)
  assert.ok(Math.abs(northAngleRad(field, synthetic.wcs.referenceX, synthetic.wcs.referenceY)) < 1e-6)
})

test('a catalogue at another frequency is brought to ours by the spectral index', () => {
  const here = plain
  const low = truthRows(here.synthetic, (row) => ({ ...row, sIntMjy: row.sIntMjy * (0.8875 / 1.405) ** -0.7 }))
  const ratio = (rows: CatalogueSource[], about: Partial<CatalogueInfo>): number => {
    const sample = compare(here, rows, about)
      .pairs.filter(({ inFluxSample }) => inFluxSample)
      .map((pair) => pair.ratio)
      .sort((a, b) => a - b)
    return sample[sample.length >> 1]
  }
  assert.ok(Math.abs(ratio(low, { freqHz: 0.8875e9 }) - 1) < 0.01)
  assert.ok(Math.abs(ratio(low, { freqHz: 0.8875e9, spectralIndex: 0 }) - 0.725) < 0.01)
})

test('sources with a comparable neighbour, large sources and sources outside of the coverage are not compared', () => {
  const here = plain
  const rows = truthRows(here.synthetic)
  const count = (list: CatalogueSource[], about: Partial<CatalogueInfo> = {}): number =>
    compare(here, list, about).pairs.filter(({ inFluxSample }) => inFluxSample).length
  const base = count(rows)
  const neighbour = { ...rows[27], id: 'neighbour', raDeg: rows[27].raDeg + 90 / 3600, sIntMjy: 0.5 * rows[27].sIntMjy }
  assert.ok(
    compare(here, [...rows, neighbour]).pairs.every(
      ({ predicted, inFluxSample }) => predicted.id !== 'T27' || !inFluxSample,
    ),
  )
  assert.equal(count(rows.map((row) => ({ ...row, majArcsec: 40 }))), 0)
  assert.equal(count(rows.map((row) => ({ ...row, majArcsec: 40, sizeIsLimit: true }))), base)
  assert.equal(
    count(
      rows.map((row) => ({ ...row, sPeakMjy: row.sIntMjy / 1.4 })),
      { sizes: 'fitted' },
    ),
    0,
  )
})

test('a close catalogue pair is predicted as the one source that the beam sees', () => {
  const here = plain
  const [row] = truthRows(here.synthetic).slice(27)
  const half = { ...row, sIntMjy: row.sIntMjy / 2 }
  const predicted = predictSources(
    {
      info,
      sources: [
        { ...half, id: 'a' },
        { ...half, id: 'b', decDeg: row.decDeg + 2 / 3600 },
      ],
    },
    here.field,
    { rms: here.detections.rms, params },
  )
  assert.ok(Math.abs(predicted[0].predictedJy / (row.sIntMjy / 1000) - 1) < 0.002)
  assert.equal(predicted[0].isolated, false)
})

test('catalogue rows with negative or zero flux densities, and repeated ones, predict nothing strange', () => {
  const here = plain
  const rows = truthRows(here.synthetic)
  const strange = [
    ...rows,
    { ...rows[3], id: 'again' },
    { ...rows[5], id: 'negative', sIntMjy: -50 },
    { ...rows[6], id: 'zero', sIntMjy: 0 },
  ]
  const { pairs } = compare(here, strange)
  assert.ok(pairs.every(({ predicted, ratio }) => Number.isFinite(ratio) && predicted.fluxJy > 0))
})

test('catalogue sources on blank pixels are not expected', () => {
  const { synthetic } = plain
  const blank = scene({
    change: (image) => {
      for (let i = 0; i < image.length; i++) if (i % 600 < 300) image[i] = NaN
    },
  })
  const { expected } = compare(blank)
  assert.ok(expected.length > 8 && expected.length < synthetic.sources.length / 1.5)
  assert.ok(expected.every(({ predicted }) => predicted.x > 299 && Number.isFinite(predicted.predictedSnr)))
})

test('a blank image gives a bad verdict and no exception', () => {
  const here = scene({ change: (image) => image.fill(NaN) })
  assert.deepEqual(here.detections.sources, [])
  const numbers = { rmsCentreJy: NaN, noiseThJy: NaN, noiseExpectedJy: NaN, confusionJy: 1e-4, peakJy: NaN, residualPeakSnr: undefined, expectedNegatives: 0, brightestJy: 0 } // prettier-ignore
  const { quality } = assess({
    field: here.field,
    detections: here.detections,
    rms: here.detections.rms,
    numbers,
    data: { uncalibrated: false },
    catalogue: { info, sources: truthRows(here.synthetic) },
    params,
  })
  assert.equal(quality.verdict, 'bad')
  assert.ok(quality.checks.every(({ verdict }) => verdict !== 'good'))
})

test('an empty field where the truth holds sources is bad; without a catalogue it is uncertain at most', () => {
  const here = scene({
    change: (image) =>
      image.set(
        correlatedNoise(
          { width: 600, beam: { majorPixels: 5, minorPixels: 3.75, paRad: 0 }, rmsJy: 2.4e-4 },
          createRandom(9),
        ),
      ),
  })
  const numbers = { rmsCentreJy: 2.4e-4, noiseThJy: 2.4e-4, noiseExpectedJy: 2.4e-4, confusionJy: 1e-4, peakJy: 1e-3, residualPeakSnr: 4, expectedNegatives: 0.5, brightestJy: 0 } // prettier-ignore
  const data = { uncalibrated: false, calibrationQuality: 'good', solutionGrade: 'good', flaggedFraction: 0, antennas: 96, subbandsPresent: 16, subbandsExpected: 16, integrations: 24, integrationsExpected: 24, cleanStop: 'threshold' } as const // prettier-ignore
  const common = { field: here.field, detections: here.detections, rms: here.detections.rms, numbers, data, params }
  assert.equal(assess({ ...common, catalogue: { info, sources: truthRows(here.synthetic) } }).quality.verdict, 'bad')
  const without = assess({ ...common, catalogue: undefined }).quality
  assert.equal(without.verdict, 'uncertain')
  for (const name of ['flux scale', 'astrometry', 'completeness'])
    assert.equal(without.checks.find((check) => check.name === name)?.verdict, 'not run')
})

test('a good field with its truth is good, and 20 % wrong fluxes or 6 arcsec make it bad', () => {
  const here = plain
  const numbers = { rmsCentreJy: 2.4e-4, noiseThJy: 2.4e-4, noiseExpectedJy: 2.4e-4, confusionJy: 1e-4, peakJy: 1e-2, residualPeakSnr: 4, expectedNegatives: 0.5, brightestJy: 0.1 } // prettier-ignore
  const data = { uncalibrated: false, calibrationQuality: 'good', solutionGrade: 'good', flaggedFraction: 0, antennas: 96, subbandsPresent: 16, subbandsExpected: 16, integrations: 24, integrationsExpected: 24, cleanStop: 'threshold' } as const // prettier-ignore
  const verdict = (change: (row: CatalogueSource) => CatalogueSource): string =>
    assess({
      field: here.field,
      detections: here.detections,
      rms: here.detections.rms,
      numbers,
      data,
      params,
      catalogue: { info, sources: truthRows(here.synthetic, change) },
    }).quality.verdict
  assert.equal(
    verdict((row) => row),
    'good',
  )
  assert.equal(
    verdict((row) => ({ ...row, sIntMjy: row.sIntMjy * 1.35 })),
    'bad',
  )
  assert.equal(
    verdict((row) => ({ ...row, sIntMjy: row.sIntMjy * 1.17 })),
    'uncertain',
  )
  assert.equal(
    verdict((row) => ({ ...row, decDeg: row.decDeg + 6 / 3600 })),
    'bad',
  )
  assert.equal(
    verdict((row) => ({ ...row, decDeg: row.decDeg + 3 / 3600 })),
    'uncertain',
  )
})

test('a shear of the positions shows as distortion, not as offset', () => {
  const here = plain
  const centre = here.field.wcs.centre
  const numbers = { rmsCentreJy: 2.4e-4, noiseThJy: 2.4e-4, noiseExpectedJy: 2.4e-4, confusionJy: 1e-4, peakJy: 1e-2, residualPeakSnr: 4, expectedNegatives: 0.5, brightestJy: 0.1 } // prettier-ignore
  // The sky scaled by 0.2 % in declination: 9 arcsec at 1.3 degrees.
  const rows = truthRows(here.synthetic, (row) => ({
    ...row,
    decDeg: row.decDeg + 0.002 * (row.decDeg - centre.decRad / DEG),
  }))
  const { catalogue, quality } = assess({
    field: here.field,
    detections: here.detections,
    rms: here.detections.rms,
    numbers,
    data: { uncalibrated: undefined },
    params,
    catalogue: { info, sources: rows },
  })
  assert.ok(
    catalogue?.astrometry.affine &&
      Math.abs(catalogue.astrometry.affine.edgeBeams - (0.002 * coveredRadiusRad(here.field)) / ARCSEC / 69.3) < 0.03,
  )
  assert.notEqual(quality.checks.find(({ name }) => name === 'astrometric distortion')?.verdict, 'good')
})

test('the coverage of a catalogue is a part of the field', () => {
  const { field } = plain
  assert.equal(coveredByCatalogue(info, field), 1)
  const { raRad, decRad } = field.wcs.centre
  const half = coveredByCatalogue(
    { ...info, coverage: { kind: 'declinations', minDeg: -90, maxDeg: decRad / DEG + 2 } },
    field,
  )
  assert.ok(Math.abs(half - 0.5) < 0.05)
  const cone = coveredByCatalogue(
    { ...info, coverage: { kind: 'cone', raDeg: raRad / DEG, decDeg: decRad / DEG, radiusDeg: 0.5 } },
    field,
  )
  assert.ok(Math.abs(cone - (Math.PI * 0.25) / ((600 * 16) / 3600) ** 2) < 0.02, `${cone}`)
})

test('integral counts follow their table, and the number of expected detections that of the reference field', () => {
  for (const [mjy, count] of [
    [2.5, 44],
    [10, 17],
    [100, 1.6],
    [1000, 0.07],
  ] as const)
    assert.ok(Math.abs(integralCounts(mjy) / count - 1) < 1e-9)
  assert.ok(integralCounts(1) > 44 && integralCounts(3000) < 0.07)
  // A field like the telescope's: Airy beam, 0.24 mJy/beam; the reference gives 347 sources above 10 sigma within 20 %.
  const synthetic = syntheticField({
    width: 1024,
    cellArcsec: 15,
    beamArcsec: [68, 37],
    perSide: 2,
    snr: [10, 20],
    seed: 1,
  })
  const rms = new Float32Array(1024 * 1024).fill(2.4e-4)
  const covered = coverage(rms, synthetic.primaryBeam, 0.2)
  const depth = sampleDepth({ rms, primaryBeam: synthetic.primaryBeam, covered, width: 1024 }, synthetic.wcs.cellRad)
  const expected = expectedDetections(depth, { snr: 10, floorMjy: 0, freqHz: 1.405e9, spectralIndex: -0.7 })
  assert.ok(Math.abs(expected / 347 - 1) < 0.25, `${expected}`)
})

test('source counts of a sky drawn from the counts agree with them', () => {
  const synthetic = syntheticField({
    width: 256,
    cellArcsec: 60,
    beamArcsec: [240, 200],
    perSide: 1,
    snr: [10, 20],
    seed: 1,
  })
  const rms = new Float32Array(256 * 256).fill(1e-5)
  const primaryBeam = new Float32Array(256 * 256).fill(1)
  const depth = sampleDepth(
    { rms, primaryBeam, covered: new Uint8Array(256 * 256).fill(1), width: 256 },
    synthetic.wcs.cellRad,
  )
  const area = (256 * 256) / 3600
  // As many sources in each bin as the integral counts say.
  const sources = Array.from({ length: 12 }, (_, k) => 10 ** (-2.6 + 0.2 * k)).flatMap((low) => {
    const n = Math.round((integralCounts(low * 1000) - integralCounts(low * 1000 * 10 ** 0.2)) * area)
    return Array.from({ length: n }, (__, i) => ({ integratedJy: low * 10 ** ((0.2 * (i + 0.5)) / n), snr: 1000 }))
  })
  const bins = sourceCounts(sources, depth, { seedSigma: 5, freqHz: 1.4e9, spectralIndex: -0.7 })
  assert.ok(bins.length >= 6)
  for (const { count, expected } of bins)
    assert.ok(Math.abs(Math.log(count / expected)) < 0.6, `${count} against ${expected}`)
})

test('a line and its error', () => {
  const x = Array.from({ length: 200 }, (_, i) => i / 100)
  const random = createRandom(4)
  const { slope, intercept, eSlope } = fitLine(
    x,
    x.map((value) => 3 + 2 * value + 0.1 * random.normal()),
    x.map(() => 0.1),
  )
  assert.ok(Math.abs(slope - 2) < 4 * eSlope && Math.abs(intercept - 3) < 0.06)
  assert.ok(Math.abs(eSlope - 0.1 / Math.sqrt(200 * (2 ** 2 / 12))) < 0.003)
})

test('the largest of several deviates counts as less than alone', () => {
  assert.ok(Math.abs(twoSidedChance(1) - 0.317311) < 1e-6 && Math.abs(twoSidedChance(3) - 0.0026998) < 1e-7)
  assert.ok(Math.abs(largestOf([2.5]) - 2.5) < 1e-6)
  // 1 - (1 - 0.012419)^4 = 0.04876 is 1.971 sigma.
  assert.ok(Math.abs(largestOf([0.3, -2.5, 1, 0]) - 1.971) < 2e-3)
  assert.equal(largestOf([20, 1]), 20)
})
