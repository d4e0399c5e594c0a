import type { Vec3 } from '#runtime/sky/vector.ts'
import type { RotationFrame } from '#runtime/sky/phase-rotation.ts'

/** What the rotation needs and gives for every row: integration slowest, then the baselines of the array. */
export interface RotatedRows {
  /** (rows): b . (s1 - s0), metres: the path by which the phase of each row is turned back. */
  pathM: Float64Array
  /** (rows, 3): b . (u, v, w), metres, J2000 orientation. */
  uvwM: Float64Array
}

/**
 * Phase paths and UVW of all rows. @param baselineM (baselines, 3) r_1 - r_2 in ITRF axes @param frames one an
 * integration
 */
export function rotateBaselines(baselineM: Float64Array, frames: readonly RotationFrame[]): RotatedRows {
  const baselines = baselineM.length / 3
  const pathM = new Float64Array(new SharedArrayBuffer(8 * baselines * frames.length))
  const uvwM = new Float64Array(3 * baselines * frames.length)
  frames.forEach(({ s0, s1, u, v, w }, k) => {
    const turn: Vec3 = [s1[0] - s0[0], s1[1] - s0[1], s1[2] - s0[2]]
    for (let i = 0; i < baselines; i++) {
      const x = baselineM[3 * i]
      const y = baselineM[3 * i + 1]
      const z = baselineM[3 * i + 2]
      const row = k * baselines + i
      pathM[row] = x * turn[0] + y * turn[1] + z * turn[2]
      uvwM[3 * row] = x * u[0] + y * u[1] + z * u[2]
      uvwM[3 * row + 1] = x * v[0] + y * v[1] + z * v[2]
      uvwM[3 * row + 2] = x * w[0] + y * w[1] + z * w[2]
    }
  })
  return { pathM, uvwM }
}
