import { solveSymmetric } from '#runtime/numeric/linear-algebra.ts'
import { median, robustSigma } from '#runtime/numeric/statistics.ts'
import type { Check } from '#runtime/stage/quality.ts'
import type { Pair } from './comparison.ts'
import { beamWidthRad, coveredRadiusRad, type Field } from './field.ts'
import { MEDIAN_ERROR } from './flux-checks.ts'
import { grade } from './grade.ts'
import type { Limits } from './limits.ts'

const ARCSEC = Math.PI / 648000

export interface Astrometry {
  n: number
  offsetRaArcsec: number
  offsetDecArcsec: number
  eOffsetArcsec: number
  /** Median length of single offsets. */
  typicalArcsec: number
  scatterRaArcsec: number
  scatterDecArcsec: number
  /** Scatter over predicted error, the larger of the two axes. */
  pull: number
  beamArcsec: number
  affine?: { rotationArcsec: number; scale: number; edgeBeams: number }
}

/** Offsets of the position sample from the catalogue: median, scatter, and the affine part across the field. */
export function astrometry(pairs: readonly Pair[], field: Field): Astrometry {
  const sample = pairs.filter(({ inPositionSample }) => inPositionSample)
  const ra = sample.map(({ offsetRaRad }) => offsetRaRad / ARCSEC)
  const dec = sample.map(({ offsetDecRad }) => offsetDecRad / ARCSEC)
  const [scatterRa, scatterDec] = [robustSigma(ra), robustSigma(dec)]
  const pulls = (offsets: number[], sigma: (pair: Pair) => number): number =>
    robustSigma(offsets.map((offset, i) => (offset * ARCSEC) / sigma(sample[i])))
  const beamArcsec = beamWidthRad(field) / ARCSEC
  const affine = sample.length < 4 ? undefined : affinePart(sample, field)
  return {
    n: sample.length,
    offsetRaArcsec: median(ra),
    offsetDecArcsec: median(dec),
    eOffsetArcsec: (MEDIAN_ERROR * Math.hypot(scatterRa, scatterDec)) / Math.sqrt(sample.length),
    typicalArcsec: median(sample.map(({ separationRad }) => separationRad / ARCSEC)),
    scatterRaArcsec: scatterRa,
    scatterDecArcsec: scatterDec,
    pull: Math.max(
      pulls(ra, ({ source, predicted }) => Math.hypot(source.eRaRad, predicted.sigmaRad)),
      pulls(dec, ({ source, predicted }) => Math.hypot(source.eDecRad, predicted.sigmaRad)),
    ),
    beamArcsec,
    ...(affine === undefined ? {} : { affine }),
  }
}

/** The checks of the astrometry. */
export function astrometryChecks(found: Astrometry, limits: Limits): Check[] {
  const { n, offsetRaArcsec, offsetDecArcsec, eOffsetArcsec, scatterRaArcsec, scatterDecArcsec, pull, affine } = found
  const scatter = Math.max(scatterRaArcsec, scatterDecArcsec)
  return [
    grade(
      'astrometry',
      {
        graded: Math.hypot(offsetRaArcsec, offsetDecArcsec),
        error: eOffsetArcsec,
        n,
        message: `Median offset ${offsetRaArcsec.toFixed(2)} arcsec in right ascension, ${offsetDecArcsec.toFixed(2)} arcsec in declination.`,
      },
      limits,
    ),
    grade(
      'astrometryScatter',
      {
        graded: n > 1 ? scatter : NaN,
        error: scatter / Math.sqrt(2 * Math.max(1, n)),
        n,
        message: `Single positions scatter by ${scatter.toFixed(2)} arcsec, ${pull.toFixed(1)} times their errors.`,
      },
      limits,
    ),
    grade(
      'astrometryDistortion',
      {
        graded: affine?.edgeBeams ?? NaN,
        n,
        message:
          affine === undefined
            ? ''
            : `Rotation ${affine.rotationArcsec.toFixed(0)} arcsec, scale ${((affine.scale - 1) * 1e6).toFixed(0)} parts in a million.`,
      },
      limits,
    ),
  ]
}

/**
 * Weighted least-squares affine fit of the offsets: (dx, dy) = c + M (l, m) about the sample's mean place. Outliers
 * beyond 5 robust sigmas are left out.
 */
function affinePart(sample: readonly Pair[], field: Field): NonNullable<Astrometry['affine']> | undefined {
  const { wcs } = field
  const east = sample.map(({ source }) => (wcs.referenceX - source.x) * wcs.cellRad)
  const north = sample.map(({ source }) => (source.y - wcs.referenceY) * wcs.cellRad)
  const fitAxis = (offsets: number[], sigma: (pair: Pair) => number): Float64Array => {
    const centre = median(offsets)
    const spread = robustSigma(offsets)
    const normal = new Float64Array(9)
    const right = new Float64Array(3)
    offsets.forEach((offset, i) => {
      if (Math.abs(offset - centre) > 5 * spread) return
      const weight = 1 / sigma(sample[i]) ** 2
      const row = [1, east[i], north[i]]
      row.forEach((a, j) => {
        right[j] += weight * a * offset
        row.forEach((b, k) => (normal[3 * j + k] += weight * a * b))
      })
    })
    return solveSymmetric(normal, right, 3)
  }
  try {
    const dx = fitAxis(sample.map(({ offsetRaRad }) => offsetRaRad), ({ source, predicted }) => Math.hypot(source.eRaRad, predicted.sigmaRad)) // prettier-ignore
    const dy = fitAxis(sample.map(({ offsetDecRad }) => offsetDecRad), ({ source, predicted }) => Math.hypot(source.eDecRad, predicted.sigmaRad)) // prettier-ignore
    const radius = coveredRadiusRad(field)
    let largest = 0
    for (let angle = 0; angle < 2 * Math.PI; angle += Math.PI / 18) {
      const [l, m] = [radius * Math.cos(angle), radius * Math.sin(angle)]
      largest = Math.max(largest, Math.hypot(dx[1] * l + dx[2] * m, dy[1] * l + dy[2] * m))
    }
    return {
      rotationArcsec: (dx[2] - dy[1]) / 2 / ARCSEC,
      scale: 1 + (dx[1] + dy[2]) / 2,
      edgeBeams: largest / beamWidthRad(field),
    }
  } catch (error) {
    // All sources on one line: the affine part is not determined.
    if (error instanceof RangeError) return undefined
    throw error
  }
}
