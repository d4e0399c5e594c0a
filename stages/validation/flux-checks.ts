import { median, robustSigma } from '#runtime/numeric/statistics.ts'
import type { Check } from '#runtime/stage/quality.ts'
import type { Pair } from './comparison.ts'
import { grade } from './grade.ts'
import { fitLine, largestOf } from './line.ts'
import type { Limits } from './limits.ts'

/** Error of a median of normal data over sigma / sqrt(n). */
export const MEDIAN_ERROR = 1.253

export interface FluxScale {
  ratio: number
  eRatio: number
  scatter: number
  n: number
  slopes: { against: string; slope: number; eSlope: number }[]
}

/** Flux scale of the flux sample: median ratio with the error of a median, scatter, and slopes of ln(ratio). */
export function fluxScale(pairs: readonly Pair[], fluxFloor: number): FluxScale {
  const sample = pairs.filter(({ inFluxSample }) => inFluxSample)
  const ratios = sample.map(({ ratio }) => ratio)
  const scatter = sample.length > 1 ? robustSigma(ratios) : NaN
  const logs = ratios.map(Math.log)
  const sigma = sample.map(({ ratio, eRatio }) => Math.hypot(eRatio / ratio, fluxFloor))
  const slope = (against: string, x: (pair: Pair) => number) => {
    const { slope: value, eSlope } = fitLine(sample.map(x), logs, sigma)
    return { against, slope: value, eSlope }
  }
  const centreRa = sample[0]?.source.direction.raRad ?? 0
  return {
    ratio: median(ratios),
    eRatio: (MEDIAN_ERROR * scatter) / Math.sqrt(sample.length),
    scatter,
    n: sample.length,
    slopes: [
      slope('ln flux density', ({ predicted }) => Math.log(predicted.predictedJy)),
      slope('radius (deg)', ({ source }) => degrees(source.radiusRad)),
      slope('right ascension (deg)', ({ source }) =>
        degrees(wrap(source.direction.raRad - centreRa) * Math.cos(source.direction.decRad)),
      ),
      slope('declination (deg)', ({ source }) => degrees(source.direction.decRad)),
    ],
  }
}

/** The checks of the flux scale. */
export function fluxChecks(scale: FluxScale, limits: Limits): Check[] {
  const { ratio, eRatio, scatter, n, slopes } = scale
  const steepest = slopes.reduce((a, b) => (significance(b) > significance(a) ? b : a))
  return [
    grade(
      'fluxScale',
      {
        graded: Math.abs(ratio - 1),
        value: ratio,
        error: eRatio,
        n,
        message: `Flux densities are ${percent(Math.abs(ratio - 1))} ${ratio < 1 ? 'below' : 'above'} the catalogue (median of ${n}).`,
      },
      limits,
    ),
    grade(
      'fluxScatter',
      {
        graded: scatter,
        error: scatter / Math.sqrt(2 * Math.max(1, n)),
        n,
        message: `Single flux densities scatter by ${percent(scatter)}.`,
      },
      limits,
    ),
    grade(
      'fluxSlope',
      {
        graded: n > 2 ? largestOf(slopes.map(({ slope, eSlope }) => slope / eSlope)) : NaN,
        n,
        message: `The steepest is against ${steepest.against}: ${steepest.slope.toPrecision(2)} +- ${steepest.eSlope.toPrecision(2)} in ln(ratio); the significance allows for four trials.`,
      },
      limits,
    ),
  ]
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`
}

function significance({ slope, eSlope }: { slope: number; eSlope: number }): number {
  return Math.abs(slope / eSlope) || 0
}

function wrap(angleRad: number): number {
  return angleRad - 2 * Math.PI * Math.round(angleRad / (2 * Math.PI))
}

function degrees(angleRad: number): number {
  return (angleRad * 180) / Math.PI
}
