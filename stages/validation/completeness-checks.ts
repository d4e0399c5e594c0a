import { wilson } from '#runtime/numeric/statistics.ts'
import type { Check } from '#runtime/stage/quality.ts'
import type { Comparison } from './comparison.ts'
import { grade, notRun } from './grade.ts'
import type { Limits } from './limits.ts'
import { checkTable } from './limits.ts'

export interface Completeness {
  found: number
  expected: number
  fraction: number
  low: number
  high: number
}

/** Found part of the catalogue sources that ought to be found, with its Wilson interval of one sigma. */
export function completeness({ expected }: Comparison): Completeness {
  const found = expected.filter((entry) => entry.found).length
  const { low, high } = wilson(found, expected.length)
  return { found, expected: expected.length, fraction: found / expected.length, low, high }
}

/** A field that ought to give this many matches and gives fewer than `FEW_MATCHES` is not "too few sources": it is bad. */
const MANY_EXPECTED = 20
const FEW_MATCHES = 5

/**
 * The check of the completeness.
 *
 * @param facts.matches sources matched with the catalogue
 * @param facts.expectedMatches how many the source counts (or a simulated sky itself) predict for the depth of the image
 * @param facts.catalogueCoverage part of the field that the catalogue covers
 */
export function completenessCheck(
  result: Completeness,
  facts: { matches: number; expectedMatches: number; catalogueCoverage: number },
  limits: Limits,
): Check {
  const { found, expected, low, fraction } = result
  const { matches, expectedMatches, catalogueCoverage } = facts
  if (expectedMatches >= MANY_EXPECTED && matches < FEW_MATCHES) {
    const spec = checkTable.completeness
    return {
      name: spec.title,
      verdict: 'bad',
      value: expected === 0 ? 0 : fraction,
      unit: '1',
      n: expected,
      limits: { good: `>= ${limits.completeness.good}`, uncertain: `>= ${limits.completeness.uncertain}` },
      message: `Only ${matches} sources match the catalogue, about ${Math.round(expectedMatches)} are expected at this depth.`,
      gating: spec.gating,
      blocking: false,
    }
  }
  if (!(catalogueCoverage >= 0.5)) {
    return notRun('completeness', `the catalogue covers ${Math.round(100 * (catalogueCoverage || 0))} % of the field`, {
      n: expected,
    })
  }
  return grade(
    'completeness',
    {
      graded: low,
      value: fraction,
      n: expected,
      message: `${found} of ${expected} catalogue sources found; the lower bound ${low.toFixed(3)} is graded.`,
    },
    limits,
  )
}

/** A field that is blank in more than half of its beam shows nothing that could be relied on. */
const MIN_FINITE = 0.5

/**
 * The check of the reliability: detections on the negative image are false, and as many of the positive ones are. What
 * Gaussian noise gives in a field of this size, with two sigma of its Poisson scatter, is no fault of the image.
 */
export function reliabilityCheck(
  facts: { positives: number; negatives: number; expectedNegatives: number; finiteFraction: number },
  limits: Limits,
): Check {
  const { positives, negatives, expectedNegatives, finiteFraction } = facts
  const { title, gating } = checkTable.reliability
  const bad = { name: title, verdict: 'bad' as const, gating, blocking: false }
  if (finiteFraction < MIN_FINITE) {
    return { ...bad, message: `The image is blank in ${Math.round(100 * (1 - finiteFraction))} % of its primary beam.` }
  }
  const excess = Math.max(0, negatives - expectedNegatives - 2 * Math.sqrt(expectedNegatives))
  if (positives === 0 && excess > 0) {
    return { ...bad, message: `No source, but ${negatives} detections on the negative image.` }
  }
  return grade(
    'reliability',
    {
      graded: excess / positives,
      value: negatives / positives,
      n: positives,
      message: `Detections on the negative image: ${negatives}, where Gaussian noise gives ${expectedNegatives.toFixed(1)}; on the image: ${positives}.`,
    },
    limits,
  )
}
