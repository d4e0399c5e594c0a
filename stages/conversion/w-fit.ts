import { solveSymmetric } from '#runtime/numeric/linear-algebra.ts'
import { meridianVector } from '#runtime/sky/phase-rotation.ts'
import { dot, length, subtract } from '#runtime/sky/vector.ts'

/** The Earth-fixed direction for which the w coordinates of a file were made. */
export interface WFit {
  longitudeRad: number
  decRad: number
  /** Angle between it and the direction that the header states, radians. */
  offsetRad: number
  /** Largest difference of a w coordinate of the file from b . s with the header's direction, and with the fitted one, metres. */
  headerResidualM: number
  fittedResidualM: number
}

/** Gauss-Newton from within degrees of the answer needs four steps to reach rounding. */
const STEPS = 6

/**
 * Fits longitude of the meridian and declination to w = b . s(0, dec) by least squares. The writer makes w with the
 * same vector to which it fringe-stops, so this recovers it to milliarcseconds whatever the header says.
 * @param baselineM (baselines, 3), metres, ITRF axes @param wM (baselines), metres, same orientation
 */
export function fitW(
  baselineM: Float64Array,
  wM: Float64Array,
  header: { longitudeRad: number; decRad: number },
): WFit {
  let { longitudeRad, decRad } = header
  for (let step = 0; step < STEPS; step++) {
    const s = meridianVector(0, decRad, longitudeRad)
    const byLongitude = [-s[1], s[0], 0]
    const byDec = [
      -Math.sin(decRad) * Math.cos(longitudeRad),
      -Math.sin(decRad) * Math.sin(longitudeRad),
      Math.cos(decRad),
    ]
    const normal = new Float64Array(4)
    const right = new Float64Array(2)
    for (let i = 0; i < wM.length; i++) {
      const [x, y, z] = [baselineM[3 * i], baselineM[3 * i + 1], baselineM[3 * i + 2]]
      const residual = wM[i] - (x * s[0] + y * s[1] + z * s[2])
      const a = x * byLongitude[0] + y * byLongitude[1]
      const b = x * byDec[0] + y * byDec[1] + z * byDec[2]
      normal[0] = normal[0] + a * a
      normal[1] = normal[1] + a * b
      normal[3] = normal[3] + b * b
      right[0] = right[0] + a * residual
      right[1] = right[1] + b * residual
    }
    normal[2] = normal[1]
    const change = solveSymmetric(normal, right, 2)
    longitudeRad += change[0]
    decRad += change[1]
  }
  const stated = meridianVector(0, header.decRad, header.longitudeRad)
  const fitted = meridianVector(0, decRad, longitudeRad)
  return {
    longitudeRad,
    decRad,
    offsetRad: 2 * Math.asin(Math.min(1, length(subtract(stated, fitted)) / 2)),
    headerResidualM: largestResidual(baselineM, wM, stated),
    fittedResidualM: largestResidual(baselineM, wM, fitted),
  }
}

function largestResidual(baselineM: Float64Array, wM: Float64Array, s: readonly [number, number, number]): number {
  let largest = 0
  for (let i = 0; i < wM.length; i++) {
    const b = [baselineM[3 * i], baselineM[3 * i + 1], baselineM[3 * i + 2]] as const
    largest = Math.max(largest, Math.abs(wM[i] - dot(b, s)))
  }
  return largest
}
