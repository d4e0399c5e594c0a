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
  const raWindowsDeg: [number, number][] =
    half >= 180 ? [[0, 360]] : low < 0 ? [[0, high], [low + 360, 360]] : high > 360 ? [[0, high - 360], [low, 360]] : [[low, high]] // prettier-ignore
  return { decMinDeg, decMaxDeg, raWindowsDeg }
}

/** Great-circle distance in radians by haversines: exact at zero, never NaN. */
export function separationRad(a: { raRad: number; decRad: number }, b: { raDeg: number; decDeg: number }): number {
  const decB = b.decDeg * RAD
  const sinDec = Math.sin((decB - a.decRad) / 2)
  const sinRa = Math.sin((b.raDeg * RAD - a.raRad) / 2)
  return 2 * Math.asin(Math.min(1, Math.sqrt(sinDec ** 2 + Math.cos(a.decRad) * Math.cos(decB) * sinRa ** 2)))
}
