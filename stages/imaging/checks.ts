import type { Check, Verdict } from '#runtime/stage/quality.ts'

/** How a clean ended; `none`: nothing was to be cleaned, or the preset makes a dirty image. */
export type CleanStop = 'threshold' | 'niter' | 'nmiter' | 'diverged' | 'none'

export const cleanStopCodes: Record<CleanStop, number> = { threshold: 0, niter: 1, nmiter: 2, diverged: 3, none: 4 }

/** Limits (good, uncertain) of the checks; start values for real data, to be derived again from the first 500 tiles. */
const limits = {
  /** rms over thermal and confusion noise; a source above 1 Jy in the field may double it. */
  noise: [1.5, 10],
  noiseWithBrightSource: [2, 10],
  residualSnr: [6, 10],
  flagged: [0.1, 0.4],
  smearing: [0.015, 0.05],
} as const

/** Apparent flux density from which a source counts as bright for the noise check, Jy. */
const brightJy = 1

export interface ImageFindings {
  cleanStop: CleanStop
  minorIterations: number
  majorCycles: number
  retries: number
  noiseRatio: number
  /** As above with confusion in the expectation. */
  noiseOverExpected: number
  residualPeakSnr: number
  brightestJy: number
  flaggedFraction: number
  smearLoss: number
  uncalibrated: boolean
}

/** The checks of an image. A diverged or uncalibrated image is kept and goes on to validation, marked. */
export function imageChecks(found: ImageFindings): Check[] {
  const noise = found.brightestJy > brightJy ? limits.noiseWithBrightSource : limits.noise
  return [
    cleanCheck(found),
    limitCheck('noise', found.noiseOverExpected, noise, {
      unit: '1',
      message: 'Rms of the residual at the centre over thermal noise and confusion.',
    }),
    limitCheck('residual', found.residualPeakSnr, limits.residualSnr, {
      unit: '1',
      message: 'Largest residual inside the field, in units of the noise.',
    }),
    limitCheck('flagged', found.flaggedFraction, limits.flagged, { unit: '1', message: 'Flagged part of the data.' }),
    limitCheck('smearing', found.smearLoss, limits.smearing, {
      unit: '1',
      message: 'Loss of peak by averaging in frequency and time, where the beam is 0.5.',
    }),
    {
      name: 'calibrated',
      verdict: found.uncalibrated ? 'bad' : 'good',
      message: found.uncalibrated ? 'No calibration was applied.' : 'The visibilities are calibrated.',
      // Validation grades the calibration; here the mark alone must not pass silently.
      gating: false,
      blocking: false,
    },
  ]
}

function cleanCheck({ cleanStop, minorIterations, majorCycles, retries }: ImageFindings): Check {
  const done = `${minorIterations} components in ${majorCycles} major cycles${retries > 0 ? `, after ${retries} retry` : ''}`
  const verdicts: Record<CleanStop, [Verdict, string]> = {
    threshold: ['good', `CLEAN reached its threshold: ${done}.`],
    none: ['good', 'Nothing was to be cleaned.'],
    niter: ['uncertain', `CLEAN stopped at its limit of components: ${done}.`],
    nmiter: ['uncertain', `CLEAN stopped at its limit of major cycles: ${done}.`],
    diverged: ['bad', 'CLEAN diverged, also with a lower gain: the dirty image is kept.'],
  }
  const [verdict, message] = verdicts[cleanStop]
  return { name: 'clean', verdict, message, gating: true, blocking: false }
}

function limitCheck(
  name: string,
  value: number,
  [good, uncertain]: readonly [number, number],
  { unit, message }: { unit: string; message: string },
): Check {
  if (!Number.isFinite(value)) {
    return { name, verdict: 'not run', message: `${message} It could not be measured.`, gating: false, blocking: false }
  }
  const verdict = value <= good ? 'good' : value <= uncertain ? 'uncertain' : 'bad'
  return {
    name,
    verdict,
    value,
    unit,
    limits: { good: `<= ${good}`, uncertain: `<= ${uncertain}` },
    message,
    gating: false,
    blocking: false,
  }
}
