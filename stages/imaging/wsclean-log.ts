/** Why a clean ended. `running` until the log says so. */
export type StopReason = 'running' | 'threshold' | 'niter' | 'nmiter'

/** What a log of WSClean has told so far. */
export interface CleanLog {
  /** Largest absolute residual at the start of each major cycle, Jy/beam. */
  peaksJy: readonly number[]
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
  minorIterations: 0,
  majorCycles: 0,
  stop: 'running',
  passes: 0,
  step: 'starting',
}

/** Major cycles in a row whose first peak grew, after which a clean counts as diverging. */
const growingCycles = 2

/** Growth below this factor is noise in the peak, not divergence. */
const growthFactor = 1.05

/** Folds one line into the log; lines of no interest leave it as it is. */
export function readLogLine(log: CleanLog, line: string): CleanLog {
  const pass = passPatterns.find(([pattern]) => pattern.test(line))
  if (pass !== undefined) return { ...log, passes: log.passes + 1, step: pass[1] }
  const peak = /Initial peak: (-?[\d.eE+-]+|-?inf|-?nan) ?(\S*Jy)/i.exec(line)
  if (peak !== null) return { ...log, peaksJy: [...log.peaksJy, Math.abs(parseFlux(peak[1], peak[2]))] }
  const performed = /Performed (\d+) iterations in total/.exec(line)
  if (performed !== null) return { ...log, minorIterations: Number(performed[1]) }
  const majors = /(\d+) major iterations were performed/.exec(line)
  if (majors !== null) return { ...log, majorCycles: Number(majors[1]) }
  const stop = stopPatterns.find(([pattern]) => pattern.test(line))
  return stop === undefined ? log : { ...log, stop: stop[1] }
}

/** Whether the residual peak is not a number, or has grown in two successive major cycles. */
export function isDiverging({ peaksJy }: CleanLog): boolean {
  if (peaksJy.some((peak) => !Number.isFinite(peak))) return true
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

const prefixes: Record<string, number> = { G: 1e9, M: 1e6, K: 1e3, k: 1e3, '': 1, m: 1e-3, µ: 1e-6, u: 1e-6, n: 1e-9, p: 1e-12 }

function parseFlux(value: string, unit: string): number {
  const prefix = unit.slice(0, -2)
  return /inf|nan/i.test(value) ? Number.NaN : Number(value) * (prefixes[prefix] ?? 1)
}
