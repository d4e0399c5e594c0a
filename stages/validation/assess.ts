import type { CatalogueInfo, CatalogueSource } from '#runtime/formats/catalogue/info.ts'
import { quality, type Check, type Quality } from '#runtime/stage/quality.ts'
import { astrometry, astrometryChecks, type Astrometry } from './astrometry-checks.ts'
import { compareWithCatalogue, type Comparison } from './comparison.ts'
import { completeness, completenessCheck, reliabilityCheck, type Completeness } from './completeness-checks.ts'
import type { ValidationParams } from './contract.ts'
import { countsCheck, expectedDetections, sampleDepth, sourceCounts, type CountBin, type Depth } from './counts.ts'
import { calibrationCheck, cleanCheck, dataChecks, type DataFacts } from './data-checks.ts'
import { finiteFraction, type Field } from './field.ts'
import { fluxChecks, fluxScale, type FluxScale } from './flux-checks.ts'
import { notRun } from './grade.ts'
import { imageChecks, resolvedCheck, type ImageNumbers } from './image-checks.ts'
import { coveredByCatalogue, predictSources } from './prediction.ts'
import type { Detections } from './sources.ts'

/** The comparison with one catalogue. */
export interface CatalogueResult {
  info: CatalogueInfo
  /** Part of the field that the catalogue covers. */
  coverage: number
  comparison: Comparison
  flux: FluxScale
  astrometry: Astrometry
  completeness: Completeness
}

export interface Assessment {
  quality: Quality
  detections: Detections
  numbers: ImageNumbers
  data: DataFacts
  counts: CountBin[]
  depth: Depth
  catalogue?: CatalogueResult
}

/** Everything that is graded, and the verdict. Pure: the field, its detections, what was measured on the other planes, and the catalogue. */
export function assess(input: {
  field: Field
  detections: Detections
  /** Local noise, height x width, Jy/beam. */
  rms: Float32Array
  numbers: ImageNumbers
  data: DataFacts
  catalogue: { info: CatalogueInfo; sources: readonly CatalogueSource[] } | undefined
  params: ValidationParams
}): Assessment {
  const { field, detections, rms, numbers, data, catalogue, params } = input
  const { limits } = params
  const depth = sampleDepth({ ...field, rms }, field.wcs.cellRad)
  const result = catalogue === undefined ? undefined : compare(catalogue, { field, detections, rms, params })
  const simulated = result?.info.simulated === true
  const counts = sourceCounts(detections.sources, depth, {
    seedSigma: params.seedSigma,
    freqHz: field.freqHz,
    spectralIndex: params.spectralIndex,
  })
  const checks: Check[] = [
    ...(result === undefined
      ? withoutCatalogue()
      : [
          ...fluxChecks(result.flux, limits),
          ...astrometryChecks(result.astrometry, limits),
          completenessCheck(
            result.completeness,
            {
              matches: result.comparison.pairs.length,
              expectedMatches: expectedMatches(result, depth, { field, params }),
              catalogueCoverage: result.coverage,
            },
            limits,
          ),
        ]),
    reliabilityCheck(
      {
        positives: detections.sources.length,
        negatives: detections.negatives,
        expectedNegatives: numbers.expectedNegatives,
        finiteFraction: finiteFraction(field, params.beamCut),
      },
      limits,
    ),
    ...imageChecks(numbers, limits),
    resolvedCheck(detections.sources, { simulated, minSnr: params.positionSnr }, limits),
    simulated
      ? notRun('sourceCounts', 'shown only: the sky is simulated', { n: counts.length })
      : countsCheck(counts, limits),
    notRun('spectralIndex', 'needs images of parts of the band'),
    ...dataChecks(data, limits),
    calibrationCheck(data),
    cleanCheck(data),
  ]
  return {
    quality: quality(checks),
    detections,
    numbers,
    data,
    counts,
    depth,
    ...(result === undefined ? {} : { catalogue: result }),
  }
}

function compare(
  catalogue: { info: CatalogueInfo; sources: readonly CatalogueSource[] },
  {
    field,
    detections,
    rms,
    params,
  }: { field: Field; detections: Detections; rms: Float32Array; params: ValidationParams },
): CatalogueResult {
  const predicted = predictSources(catalogue, field, { rms, params })
  const comparison = compareWithCatalogue(detections.sources, predicted, { field, params })
  return {
    info: catalogue.info,
    coverage: coveredByCatalogue(catalogue.info, field),
    comparison,
    flux: fluxScale(comparison.pairs, params.fluxFloor),
    astrometry: astrometry(comparison.pairs, field),
    completeness: completeness(comparison),
  }
}

/**
 * A simulated sky, or a list whose completeness nobody knows, is its own expectation; a survey is held against the source
 * counts, so that a hole in it shows.
 */
function expectedMatches(
  { info, comparison, coverage }: CatalogueResult,
  depth: Depth,
  { field, params }: { field: Field; params: ValidationParams },
): number {
  if (info.simulated || info.completeMjy === 0) return comparison.expected.length
  const { freqHz } = field
  return (
    coverage *
    expectedDetections(depth, {
      snr: params.completenessSnr,
      floorMjy: info.completeMjy,
      freqHz,
      spectralIndex: params.spectralIndex,
    })
  )
}

function withoutCatalogue(): Check[] {
  const reason = 'no catalogue was given'
  return [
    notRun('fluxScale', reason),
    notRun('fluxScatter', reason),
    notRun('fluxSlope', reason),
    notRun('astrometry', reason),
    notRun('astrometryScatter', reason),
    notRun('astrometryDistortion', reason),
    notRun('completeness', reason),
  ]
}
