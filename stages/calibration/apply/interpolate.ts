import { wrapPi } from '#runtime/sky/projection.ts'

/** Neighbouring phases further apart than this are not interpolated: the nearer one holds. */
const LARGEST_STEP_RAD = Math.PI / 2

export interface PhaseSeries {
  /** (bins) ascending, MJD seconds UTC. */
  timeMjdS: ArrayLike<number>
  /** (bins) radians. */
  phaseRad: ArrayLike<number>
  /** (bins) whether the solution may be used. */
  good: ArrayLike<boolean>
}

/**
 * Phase at a time, linear along the shorter arc between the neighbouring good solutions, constant outside of them (CASA
 * `linear`); where two neighbours differ by more than 90 degrees the nearer one. Undefined without any good solution.
 */
export function interpolatePhase(
  { timeMjdS, phaseRad, good }: PhaseSeries,
  at: number,
): { phaseRad: number; jump: boolean } | undefined {
  let left = -1
  let right = -1
  for (let k = 0; k < timeMjdS.length; k++) {
    if (!good[k]) continue
    if (timeMjdS[k] <= at) left = k
    else {
      right = k
      break
    }
  }
  if (left < 0 && right < 0) return undefined
  if (left < 0) return { phaseRad: phaseRad[right], jump: false }
  if (right < 0) return { phaseRad: phaseRad[left], jump: false }
  const part = (at - timeMjdS[left]) / (timeMjdS[right] - timeMjdS[left])
  const step = wrapPi(phaseRad[right] - phaseRad[left])
  if (Math.abs(step) > LARGEST_STEP_RAD) return { phaseRad: part < 0.5 ? phaseRad[left] : phaseRad[right], jump: true }
  return { phaseRad: phaseRad[left] + part * step, jump: false }
}
