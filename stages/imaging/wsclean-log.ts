/** Why a clean ended. `running` until the log says so. */
export type StopReason = 'running' | 'threshold' | 'niter' | 'nmiter'

/** What a log of WSClean has told so far. */
export interface CleanLog {
  /** Largest absolute residual at the start of each major cycle, Jy/beam. */
  peaksJy: readonly number[]
  /** Absolute residual on which each major cycle stopped, Jy/beam. */
  endPeaksJy: readonly number[]
  minorIterations: number
  majorCycles: number
  stop: StopReason
  /** Passes over the visibilities begun: gridding and predicting. */
  passes: number
  /** The last pass, in words for people. */
  step: string
}

export const emptyCleanLog: CleanLog = {
  peaksJy: [],
  endPeaksJy: [],
  minorIterations: 0,
  majorCycles: 0,
  stop: 'running',
  passes: 0,
  step: 'starting',
}

/** Major cycles in a row whose first peak grew, after which a clean counts as diverging. */
const growingCycles = 2

/** A cycle that ends on a peak this many times the first one of all has run away. */
const runawayFactor = 1.5

/** Growth below this factor is noise in the peak, not divergence. */
const growthFactor = 1.05

/** Folds one line into the log; lines of no interest leave it as it is. */
export function readLogLine(log: CleanLog, line: string): CleanLog {
  const pass = passPatterns.find(([pattern]) => pattern.test(line))
  if (pass !== undefined) return { ...log, passes: log.passes + 1, step: pass[1] }
  const first = /Initial peak: (\S+) (\S*Jy)/.exec(line)
  if (first !== null) return { ...log, peaksJy: [...log.peaksJy, parsePeak(first[1], first[2])] }
  const performed = /Performed (\d+) iterations in total/.exec(line)
  if (performed !== null) return { ...log, minorIterations: Number(performed[1]) }
  const majors = /(\d+) major iterations were performed/.exec(line)
  if (majors !== null) return { ...log, majorCycles: Number(majors[1]) }
  const end = /Stopped on peak (\S+) (\S*Jy)/.exec(line)
  const endPeaksJy = end === null ? log.endPeaksJy : [...log.endPeaksJy, parsePeak(end[1], end[2])]
  const stop = stopPatterns.find(([pattern]) => pattern.test(line))
  return end === null && stop === undefined ? log : { ...log, endPeaksJy, stop: stop?.[1] ?? log.stop }
}

/**
 * Whether a residual peak is not a number, has grown in two successive major cycles, or ended a cycle above all that the
 * image held when it began.
 */
export function isDiverging({ peaksJy, endPeaksJy }: CleanLog): boolean {
  if ([...peaksJy, ...endPeaksJy].some((peak) => !Number.isFinite(peak))) return true
  if (Math.max(...endPeaksJy) > runawayFactor * (peaksJy[0] ?? Infinity)) return true
  const last = peaksJy.slice(-growingCycles - 1)
  return last.length > growingCycles && last.every((peak, i) => i === 0 || peak > last[i - 1] * growthFactor)
}

const passPatterns: [RegExp, string][] = [
  [/== Constructing PSF ==/, 'psf'],
  [/== Constructing image ==/, 'inversion'],
  [/== Converting model image to visibilities ==/, 'prediction'],
]

const stopPatterns: [RegExp, StopReason][] = [
  [/Maximum number of major iterations was reached/, 'nmiter'],
  [/Maximum number of minor deconvolution iterations was reached/, 'niter'],
  [/maximum number of iterations was reached/, 'niter'],
  [/because the threshold was reached/, 'threshold'],
  [/final major iteration/, 'threshold'],
]

const prefixes: Record<string, number> = {
  G: 1e9,
  M: 1e6,
  K: 1e3,
  k: 1e3,
  '': 1,
  m: 1e-3,
  µ: 1e-6,
  u: 1e-6,
  n: 1e-9,
  p: 1e-12,
}

/** A flux density as WSClean prints it, absolute, Jy; NaN for nan and inf. */
function parsePeak(value: string, unit: string): number {
  const number = Number(value)
  return Number.isFinite(number) ? Math.abs(number) * (prefixes[unit.slice(0, -2)] ?? Number.NaN) : Number.NaN
}
