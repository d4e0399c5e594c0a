import type { Check, Verdict } from '#runtime/stage/quality.ts'

/** Limits of one graded number. `low` bounds it from below where small is bad. */
interface Limits {
  title: string
  unit: string
  good: readonly [number, number]
  uncertain: readonly [number, number]
}

/**
 * The limits of a solution set, in one table. They follow the operational limits of the telescope's earlier pipeline
 * (flagged solutions, signal-to-noise, normalised bandpass) and, where it had none, what a bad set looks like in phase,
 * chi-square and flux.
 */
export const setLimits = {
  bandpassFlagged: { title: 'flagged bandpass solutions', unit: '1', good: [0, 0.05], uncertain: [0, 0.2] },
  gainFlagged: { title: 'flagged gain solutions', unit: '1', good: [0, 0.05], uncertain: [0, 0.3] },
  antennasSolved: { title: 'antennas with a solution', unit: '1', good: [0.95, 1], uncertain: [0.8, 1] },
  bandpassSnr: {
    title: 'signal-to-noise of the bandpass, one channel',
    unit: '1',
    good: [10, Infinity],
    uncertain: [5, Infinity],
  },
  gainSnr: { title: 'signal-to-noise of the gains', unit: '1', good: [10, Infinity], uncertain: [3, Infinity] },
  bandpassLowest: {
    title: 'lowest normalised bandpass amplitude',
    unit: '1',
    good: [0.3, Infinity],
    uncertain: [0.1, Infinity],
  },
  bandpassHighest: { title: 'highest normalised bandpass amplitude', unit: '1', good: [0, 3], uncertain: [0, 10] },
  phaseRms: { title: 'phase residual on the calibrator', unit: 'deg', good: [0, 10], uncertain: [0, 30] },
  phaseStep: { title: 'phase step between time bins', unit: 'deg', good: [0, 10], uncertain: [0, 30] },
  chi2: { title: 'chi-square per degree of freedom', unit: '1', good: [0.8, 1.5], uncertain: [0, 3] },
  closure: { title: 'closure phase over its thermal scatter', unit: '1', good: [0, 1.5], uncertain: [0, 3] },
  calibratorFlux: {
    title: 'calibrator amplitude recovered, deviation',
    unit: '1',
    good: [0, 0.02],
    uncertain: [0, 0.1],
  },
  xyRatio: { title: 'gain amplitude ratio of the polarisations', unit: '1', good: [0.8, 1.25], uncertain: [0.5, 2] },
  dataFlagged: { title: 'flagged data', unit: '1', good: [0, 0.1], uncertain: [0, 0.4] },
  notConverged: { title: 'solves that did not converge', unit: '1', good: [0, 0.01], uncertain: [0, 0.1] },
  subbands: { title: 'subbands with data', unit: '1', good: [0.75, 1], uncertain: [0, 1] },
} as const satisfies Record<string, Limits>

export type SetCheckName = keyof typeof setLimits

/** Least antennas of a set that is not bad. */
const LEAST_ANTENNAS = 10

export interface SetStatistics extends Record<SetCheckName, number> {
  /** Antennas with a solution. */
  antennas: number
  antennasPresent: number
  fluxAnchor: string
  calibrator: string
  meanBeam: number
  apparentFluxJy: number
  /** The rule of the calibrator ladder by which the calibrator serves; 6 is a weak one. */
  rule: 3 | 4 | 6
  /** The data have no noise: signal-to-noise, chi-square and closure say nothing. */
  noiseless: boolean
}

/** Checks that noise-free data cannot fail or pass. */
const NOISE_CHECKS: readonly SetCheckName[] = ['chi2', 'closure']

/** Grades a set: one check per limit, the flux anchor and the strength of the calibrator. */
export function gradeSet(statistics: SetStatistics): Check[] {
  const names = Object.keys(setLimits) as SetCheckName[]
  const checks = names.map((name) => {
    if (statistics.noiseless && NOISE_CHECKS.includes(name)) {
      return check(name, { verdict: 'not run', message: 'the data hold no noise to compare with', gating: false })
    }
    return gradeNumber(name, statistics)
  })
  return [...checks, fluxAnchorCheck(statistics), strengthCheck(statistics)]
}

function gradeNumber(name: SetCheckName, statistics: SetStatistics): Check {
  const { title, unit, good, uncertain }: Limits = setLimits[name]
  const value = statistics[name]
  const limits = { good: rangeText(good), uncertain: rangeText(uncertain) }
  if (!Number.isFinite(value)) {
    // With one time bin there is no step: the check has no subject.
    const gating = name !== 'phaseStep'
    return check(name, { verdict: 'not run', message: `${title} could not be measured`, limits, gating })
  }
  let verdict = gradeValue(value, good, uncertain)
  if (name === 'antennasSolved' && statistics.antennas < LEAST_ANTENNAS) verdict = 'bad'
  const message = `${title}: ${format(value)}${unit === '1' ? '' : ` ${unit}`}${name === 'antennasSolved' ? ` (${statistics.antennas} of ${statistics.antennasPresent})` : ''}`
  return check(name, { verdict, value, unit, limits, message })
}

export function gradeValue(
  value: number,
  good: readonly [number, number],
  uncertain: readonly [number, number],
): Verdict {
  if (value >= good[0] && value <= good[1]) return 'good'
  return value >= uncertain[0] && value <= uncertain[1] ? 'uncertain' : 'bad'
}

function fluxAnchorCheck({ fluxAnchor, calibrator }: SetStatistics): Check {
  const first = fluxAnchor === 'pb17-first-choice'
  return check('fluxAnchor', {
    verdict: first ? 'good' : 'uncertain',
    message: first
      ? `${calibrator} is a stable source of the Perley & Butler 2017 scale`
      : `${calibrator} is in the Perley & Butler 2017 scale, but varies`,
    limits: { good: 'stable source of the primary scale', uncertain: 'other source of the primary scale' },
  })
}

function strengthCheck({ rule, meanBeam, apparentFluxJy, calibrator }: SetStatistics): Check {
  return check('calibratorStrength', {
    verdict: rule === 6 ? 'uncertain' : 'good',
    value: apparentFluxJy,
    unit: 'Jy',
    message: `${calibrator}: ${apparentFluxJy.toFixed(2)} Jy apparent at a mean beam response of ${meanBeam.toFixed(2)}`,
    limits: { good: 'beam >= 0.5 and >= 5 Jy', uncertain: 'beam >= 0.2 and >= 1 Jy' },
  })
}

/** A check of the set; each gates its grade. Whether a bad grade blocks what follows is said by the check `solutionSet`. */
function check(name: string, rest: Omit<Check, 'name' | 'gating' | 'blocking'> & { gating?: boolean }): Check {
  return { name, gating: true, blocking: false, ...rest }
}

function rangeText([low, high]: readonly [number, number]): string {
  if (low === 0) return `<= ${high}`
  return high === Infinity || high === 1 ? `>= ${low}` : `${low} to ${high}`
}

function format(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : Number(value.toPrecision(3)).toString()
}
