import type { Check } from '#runtime/stage/quality.ts'
import { gradeValue, setLimits } from './solutions/grade.ts'
import { flaggedFraction } from './solutions/set-statistics.ts'
import type { SurveyResults } from './survey/survey-results.ts'

/** Flagged part of the data. */
export function dataFlaggedCheck({ counts }: SurveyResults): Check {
  const value = flaggedFraction(counts)
  const { good, uncertain, title } = setLimits.dataFlagged
  return {
    name: 'dataFlagged',
    verdict: gradeValue(value, good, uncertain),
    gating: true,
    blocking: false,
    value,
    unit: '1',
    limits: { good: `<= ${good[1]}`, uncertain: `<= ${uncertain[1]}` },
    message: `${title}: ${(100 * value).toFixed(2)} %`,
  }
}

/** Antennas of the data that a foreign set covers. */
export function coverageCheck(covered: number, present: number): Check {
  const { good, uncertain } = setLimits.antennasSolved
  const value = covered / present
  return {
    name: 'antennasSolved',
    verdict: gradeValue(value, good, uncertain),
    gating: true,
    blocking: false,
    value,
    unit: '1',
    limits: { good: `>= ${good[0]}`, uncertain: `>= ${uncertain[0]}` },
    message: `${covered} of ${present} antennas are in the solution set`,
  }
}

/** The set as a whole; a bad one keeps the observation from being imaged. */
export function gradeCheck(id: string, grade: Check['verdict']): Check {
  const message =
    grade === 'bad' ? `solution set ${id} is bad: it is kept and not applied` : `solution set ${id} is ${grade}`
  return { name: 'solutionSet', verdict: grade, gating: true, blocking: grade === 'bad', message }
}

/** Without a catalogue the model is the calibrator alone. */
export function noCatalogueCheck(): Check {
  return {
    name: 'skyModel',
    verdict: 'not run',
    gating: false,
    blocking: false,
    message: 'no catalogue: other sources in the beam are not in the model, gains are less precise',
  }
}

/** Measured over expected SEFD beyond which something is unlike the telescope. */
const SEFD_RANGE = [0.5, 2] as const

/** Measured noise against what the antennas should have. */
export function sefdCheck(measuredJy: number, expectedJy: number): Check {
  const ratio = measuredJy / expectedJy
  const good = ratio >= SEFD_RANGE[0] && ratio <= SEFD_RANGE[1]
  return {
    name: 'sefd',
    verdict: Number.isFinite(ratio) ? (good ? 'good' : 'uncertain') : 'not run',
    gating: false,
    blocking: false,
    ...(Number.isFinite(measuredJy) ? { value: measuredJy, unit: 'Jy' } : {}),
    limits: { good: `${SEFD_RANGE[0]} to ${SEFD_RANGE[1]} of ${expectedJy} Jy` },
    message: `system equivalent flux density ${measuredJy.toFixed(0)} Jy, expected ${expectedJy} Jy`,
  }
}

/** Phases that could not be interpolated, where there are any. */
export function jumpChecks(jumps: number): Check[] {
  if (jumps === 0) return []
  return [
    {
      name: 'phaseJumps',
      verdict: 'uncertain',
      gating: true,
      blocking: false,
      value: jumps,
      unit: '1',
      message: `${jumps} phases lie between solutions more than 90 degrees apart: the nearer one was used`,
    },
  ]
}
