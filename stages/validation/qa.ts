import type { Assessment } from './assess.ts'
import type { ValidationParams } from './contract.ts'
import type { Field } from './field.ts'
import { overriddenLimits } from './grade.ts'
import type { ImageFacts } from './header.ts'
import type { PointSpread } from './psf.ts'

const DEG = 180 / Math.PI
const ARCSEC = DEG * 3600

/** The content of `qa.json`: every number behind the verdict and the plots. Numbers that are not finite are null. */
export function qaDocument(input: {
  observation: string
  key: string
  assessment: Assessment
  field: Pick<Field, 'width' | 'height' | 'wcs' | 'beam' | 'freqHz'>
  facts: ImageFacts
  params: ValidationParams
  psf: PointSpread | undefined
}): unknown {
  const { observation, key, assessment, field, facts, params, psf } = input
  const { quality, detections, numbers, data, counts, catalogue } = assessment
  return {
    apiVersion: 'contimg/v1',
    observation,
    key,
    verdict: quality.verdict,
    checks: quality.checks,
    changedLimits: overriddenLimits(params.limits),
    params,
    image: {
      ...facts,
      widthPixels: field.width,
      heightPixels: field.height,
      cellArcsec: field.wcs.cellRad * ARCSEC,
      centreRaDeg: field.wcs.centre.raRad * DEG,
      centreDecDeg: field.wcs.centre.decRad * DEG,
      beamMajorArcsec: field.beam.major * ARCSEC,
      beamMinorArcsec: field.beam.minor * ARCSEC,
      beamPaDeg: field.beam.paRad * DEG,
    },
    data,
    noise: numbers,
    pointSpread:
      psf === undefined
        ? null
        : {
            halfPowerMajorArcsec: psf.halfPower.major * ARCSEC,
            halfPowerMinorArcsec: psf.halfPower.minor * ARCSEC,
            sidelobe: psf.sidelobe,
          },
    detections: { sources: detections.sources.length, negatives: detections.negatives },
    sourceCounts: counts,
    catalogue: catalogue === undefined ? null : catalogueDocument(catalogue),
  }
}

function catalogueDocument({
  info,
  coverage,
  comparison,
  flux,
  astrometry,
  completeness,
}: NonNullable<Assessment['catalogue']>): unknown {
  return {
    name: info.name,
    version: info.version,
    hash12: info.hash12,
    sha256: info.sha256,
    simulated: info.simulated,
    freqHz: info.freqHz,
    coverage,
    flux,
    astrometry,
    completeness,
    pairs: comparison.pairs.map(
      ({ source, predicted, ratio, eRatio, offsetRaRad, offsetDecRad, inFluxSample, inPositionSample }) => ({
        source: source.name,
        catalogue: predicted.id,
        snr: source.snr,
        meanBeam: source.meanBeam,
        predictedJy: predicted.predictedJy,
        integratedJy: source.integratedJy,
        ratio,
        eRatio,
        offsetRaArcsec: offsetRaRad * ARCSEC,
        offsetDecArcsec: offsetDecRad * ARCSEC,
        inFluxSample,
        inPositionSample,
      }),
    ),
    missed: comparison.expected
      .filter(({ found }) => !found)
      .map(({ predicted }) => ({
        catalogue: predicted.id,
        predictedJy: predicted.predictedJy,
        predictedSnr: predicted.predictedSnr,
      })),
    unexpected: comparison.unexpected.map(({ name, snr, integratedJy }) => ({ source: name, snr, integratedJy })),
  }
}
