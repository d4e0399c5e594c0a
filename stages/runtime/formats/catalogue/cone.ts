const RAD = Math.PI / 180

export interface ConeWindows {
  decMinDeg: number
  decMaxDeg: number
  /** Ranges of right ascension in [0, 360] that hold the cone; two where it crosses 0 h. */
  raWindowsDeg: readonly (readonly [number, number])[]
}

/**
 * Coordinate windows that enclose a cone: half-width in right ascension asin(sin r / cos dec), the whole circle when
 * the cone holds a pole, split at 0 h.
 */
export function coneWindows(centre: { raRad: number; decRad: number }, radiusRad: number): ConeWindows {
  const decMinDeg = Math.max(-90, (centre.decRad - radiusRad) / RAD)
  const decMaxDeg = Math.min(90, (centre.decRad + radiusRad) / RAD)
  if (Math.abs(centre.decRad) + radiusRad >= Math.PI / 2) return { decMinDeg, decMaxDeg, raWindowsDeg: [[0, 360]] }
  const half = Math.asin(Math.min(1, Math.sin(radiusRad) / Math.cos(centre.decRad))) / RAD
  const middle = (((centre.raRad / RAD) % 360) + 360) % 360
  const low = middle - half
  const high = middle + half
  return { decMinDeg, decMaxDeg, raWindowsDeg: splitAtZero(low, high) }
}

function splitAtZero(lowDeg: number, highDeg: number): (readonly [number, number])[] {
  if (lowDeg < 0) {
    return [
      [0, highDeg],
      [lowDeg + 360, 360],
    ]
  }
  if (highDeg > 360) {
    return [
      [0, highDeg - 360],
      [lowDeg, 360],
    ]
  }
  return [[lowDeg, highDeg]]
}
