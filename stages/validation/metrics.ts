import type { Assessment } from './assess.ts'
import type { validation } from './contract.ts'

/** The stage's metrics; what could not be measured is NaN and left out by the harness. */
export function outcomeMetrics(assessment: Assessment): Partial<Record<keyof typeof validation.metrics, number>> {
  const { detections, numbers, catalogue } = assessment
  const bright = detections.sources.filter(({ snr }) => snr >= 10)
  return {
    sources: detections.sources.length,
    negativeSources: detections.negatives,
    expectedNegatives: numbers.expectedNegatives,
    falseFraction: detections.negatives / detections.sources.length,
    rmsCentreJy: numbers.rmsCentreJy,
    noiseThJy: numbers.noiseThJy,
    noiseExpectedJy: numbers.noiseExpectedJy,
    thermalRatio: numbers.noiseThJy / numbers.noiseExpectedJy,
    noiseRatio: numbers.rmsCentreJy / numbers.noiseThJy,
    dynamicRange: numbers.peakJy / numbers.rmsCentreJy,
    residualPeakSnr: numbers.residualPeakSnr ?? NaN,
    resolvedFraction: bright.filter(({ resolved }) => resolved).length / bright.length,
    ...(catalogue === undefined ? {} : catalogueMetrics(catalogue)),
  }
}

function catalogueMetrics({ comparison, flux, astrometry, completeness }: NonNullable<Assessment['catalogue']>) {
  return {
    catalogueSources: completeness.expected,
    matched: comparison.pairs.length,
    missed: completeness.expected - completeness.found,
    unexpected: comparison.unexpected.length,
    fluxRatio: flux.ratio,
    fluxRatioError: flux.eRatio,
    fluxScatter: flux.scatter,
    fluxSample: flux.n,
    offsetRaArcsec: astrometry.offsetRaArcsec,
    offsetDecArcsec: astrometry.offsetDecArcsec,
    offsetArcsec: Math.hypot(astrometry.offsetRaArcsec, astrometry.offsetDecArcsec),
    offsetMedianArcsec: astrometry.typicalArcsec,
    offsetBeams: Math.hypot(astrometry.offsetRaArcsec, astrometry.offsetDecArcsec) / astrometry.beamArcsec,
    offsetScatterArcsec: Math.max(astrometry.scatterRaArcsec, astrometry.scatterDecArcsec),
    completeness: completeness.fraction,
    completenessLow: completeness.low,
  }
}
