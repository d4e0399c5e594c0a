import type { Quality, Verdict } from '#runtime/stage/quality.ts'

/** A set is refused beyond this distance in declination: gains absorb position and delay errors only near their calibrator. */
const MAX_DECLINATION_OFFSET_DEG = 5
/** Two pointings of one strip: a drift-scan telescope repeats its declination to better than this. */
const SAME_STRIP_DEG = 1

/** What the choice depends on, of an observation to calibrate. */
export interface SolutionTarget {
  observation: string
  midMjdUtc: number
  decOfDateDeg: number
  /** Band and grid: sets of another grid are refused. */
  grid: string
}

/** A solution set that exists, or that a step of this run will make. */
export interface SolutionCandidate extends SolutionTarget {
  /** The key of its solve. */
  solveKey: string
  calibrator: string
  apparentFluxJy: number
  /** Its grade; absent while it is not solved yet. */
  grade?: Verdict
  /** The product that holds it (relative to the data root); absent while it is only planned. */
  product?: string
}

export type CalibrationChoice =
  | { kind: 'none' }
  | { kind: 'own'; calibrator: string; solveKey: string; reason: string }
  | {
      kind: 'set'
      calibrator: string
      solveKey: string
      observation: string
      product?: string
      reason: string
      rejected: string[]
    }
  | { kind: 'missing'; reason: string; rejected: string[] }

/**
 * The solution set for an observation that solves none itself, a pure function of what is known: of the sets that cover
 * it (within `windowHours` of their mid time on either side), same day and strip first, then the nearest in time, the better grade, the brighter calibrator, the smaller key.
 */
export function chooseSolutions(
  target: SolutionTarget,
  candidates: readonly SolutionCandidate[],
  limits: { bad: ReadonlySet<string>; windowHours: number },
): { chosen: SolutionCandidate | undefined; rejected: string[] } {
  const rejected: string[] = []
  const covering = candidates.filter((candidate) => {
    const why = refusal(target, candidate, limits)
    if (why !== undefined) rejected.push(`${candidate.observation} (${candidate.calibrator}): ${why}`)
    return why === undefined
  })
  const [chosen] = covering.sort(
    (a, b) =>
      stripRank(target, a) - stripRank(target, b) ||
      hoursApart(target, a) - hoursApart(target, b) ||
      gradeRank(a) - gradeRank(b) ||
      b.apparentFluxJy - a.apparentFluxJy ||
      (a.solveKey < b.solveKey ? -1 : 1),
  )
  return { chosen, rejected }
}

/**
 * The grade of the set that a calibration solved: bad when a check that blocks is bad, for such a set is applied to
 * nothing; a step that is bad for other reasons leaves a set that is at most uncertain.
 */
export function gradeOfSet({ verdict, checks }: Quality): Verdict {
  if (checks.some((check) => check.blocking && check.verdict === 'bad')) return 'bad'
  return verdict === 'good' ? 'good' : 'uncertain'
}

function refusal(
  target: SolutionTarget,
  candidate: SolutionCandidate,
  { bad, windowHours }: { bad: ReadonlySet<string>; windowHours: number },
): string | undefined {
  if (candidate.grade === 'bad' || bad.has(candidate.solveKey)) return 'its solution set is bad or was refused'
  const offsetDeg = Math.abs(target.decOfDateDeg - candidate.decOfDateDeg)
  if (offsetDeg > MAX_DECLINATION_OFFSET_DEG) {
    return `${offsetDeg.toFixed(1)} deg away in declination, at most ${MAX_DECLINATION_OFFSET_DEG} are allowed`
  }
  const hours = hoursApart(target, candidate)
  if (hours > windowHours) return `${hours.toFixed(1)} h away, at most ${windowHours} are allowed`
  return target.grid === candidate.grid ? undefined : `another frequency grid (${candidate.grid}, not ${target.grid})`
}

function hoursApart(a: SolutionTarget, b: SolutionTarget): number {
  return Math.abs(a.midMjdUtc - b.midMjdUtc) * 24
}

function stripRank(target: SolutionTarget, candidate: SolutionCandidate): number {
  return Math.abs(target.decOfDateDeg - candidate.decOfDateDeg) <= SAME_STRIP_DEG ? 0 : 1
}

function gradeRank({ grade }: SolutionCandidate): number {
  return grade === 'good' || grade === undefined ? 0 : 1
}
