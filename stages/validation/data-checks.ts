import { verdicts, type Check, type Verdict } from '#runtime/stage/quality.ts'
import { categorical, grade, notRun } from './grade.ts'
import type { Limits } from './limits.ts'

/** Numbers of the earlier stages and what the image's header says of its calibration; absent: unknown. */
export interface DataFacts {
  flaggedFraction?: number | undefined
  antennas?: number | undefined
  subbandsPresent?: number | undefined
  subbandsExpected?: number | undefined
  integrations?: number | undefined
  integrationsExpected?: number | undefined
  uncalibrated: boolean | undefined
  /** Verdict of the calibration step. */
  calibrationQuality?: string | undefined
  /** Header of the image: solution set, its grade and age (hours), calibrator, flux anchor. */
  solutionSet?: string | undefined
  solutionGrade?: string | undefined
  solutionAgeHours?: number | undefined
  calibrator?: string | undefined
  fluxAnchor?: string | undefined
  /** Why CLEAN stopped. */
  cleanStop?: CleanStop | undefined
}

export const cleanStops = ['threshold', 'niter', 'nmiter', 'diverged', 'none'] as const
export type CleanStop = (typeof cleanStops)[number]

/** The checks of the data: flags, antennas, subbands, integrations. A number that is not known is not run. */
export function dataChecks(facts: DataFacts, limits: Limits): Check[] {
  const { flaggedFraction, antennas, subbandsPresent, subbandsExpected, integrations, integrationsExpected } = facts
  return [
    flaggedFraction === undefined
      ? notRun('flagged', 'the flagged part of the data is not known')
      : grade(
          'flagged',
          { graded: flaggedFraction, message: `${(100 * flaggedFraction).toFixed(1)} % of the data are flagged.` },
          limits,
        ),
    antennas === undefined
      ? notRun('antennas', 'the number of antennas is not known')
      : grade('antennas', { graded: antennas, message: `${antennas} antennas with data.` }, limits),
    part('subbands', subbandsPresent, subbandsExpected, limits),
    part('integrations', integrations, integrationsExpected, limits),
  ]
}

function part(
  key: 'subbands' | 'integrations',
  present: number | undefined,
  expected: number | undefined,
  limits: Limits,
): Check {
  if (present === undefined || expected === undefined || !(expected > 0))
    return notRun(key, `the number of ${key} is not known`)
  return grade(key, { graded: present / expected, message: `${present} of ${expected} ${key}.` }, limits)
}

/**
 * The check of the calibration: the grade of the solution set as the image tells it, else the verdict of the step. A bad
 * step is bad whatever the image says.
 */
export function calibrationCheck(facts: DataFacts): Check {
  const title = 'calibration'
  const { uncalibrated, calibrationQuality, solutionGrade, solutionSet, calibrator, solutionAgeHours, fluxAnchor } =
    facts
  if (uncalibrated === true)
    return categorical(
      title,
      'bad',
      'Uncalibrated: no solution set was applied; flux densities and positions mean little.',
    )
  const told = calibrationQuality === 'bad' ? 'bad' : (solutionGrade ?? calibrationQuality)
  if (uncalibrated === undefined || told === undefined) {
    return categorical(title, 'not run', 'neither the calibration step nor the image tells how it was calibrated')
  }
  const verdict: Verdict = verdicts.find((known) => known === told) ?? 'not run'
  const details = [
    solutionSet === undefined ? undefined : `solution set ${solutionSet}`,
    calibrator === undefined ? undefined : `on ${calibrator}`,
    solutionAgeHours === undefined ? undefined : `${Math.abs(solutionAgeHours).toFixed(1)} h away`,
    fluxAnchor === undefined ? undefined : `flux anchor ${fluxAnchor}`,
  ].filter((detail) => detail !== undefined)
  return categorical(
    title,
    verdict,
    details.length === 0 ? `Graded ${told}.` : `Graded ${told}: ${details.join(', ')}.`,
  )
}

const stops: Record<CleanStop, { verdict: Verdict; message: string }> = {
  none: { verdict: 'good', message: 'Nothing was to be cleaned.' },
  threshold: { verdict: 'good', message: 'CLEAN reached its threshold.' },
  niter: { verdict: 'uncertain', message: 'CLEAN stopped at its number of iterations, above its threshold.' },
  nmiter: { verdict: 'uncertain', message: 'CLEAN stopped at its number of major cycles, above its threshold.' },
  diverged: { verdict: 'bad', message: 'CLEAN diverged.' },
}

/** The check of the deconvolution. */
export function cleanCheck({ cleanStop }: DataFacts): Check {
  if (cleanStop === undefined) return categorical('clean', 'not run', 'why CLEAN stopped is not known')
  const { verdict, message } = stops[cleanStop]
  return categorical('clean', verdict, message)
}
