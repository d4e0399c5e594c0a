import type { RotationFrame } from '#runtime/sky/phase-rotation.ts'
import type { Vec3 } from '#runtime/sky/vector.ts'
import type { RowGeometry } from './array-geometry.ts'

/** What the rotation needs and gives for every row, in the order of the file. */
export interface RotatedRows {
  /** (rows), shared: b . (s1 - s0), metres: the path by which the phase of each row is turned back. */
  pathM: Float64Array
  /** (rows, 3): b . (u, v, w), metres, J2000 orientation. Exactly zero for autocorrelations. */
  uvwM: Float64Array
}

/**
 * Phase paths and UVW of all rows, b = r_1 - r_2. The path is exactly 0 where s1 is s0: the data keep their centre.
 * @param positionsM (antennas, 3), ITRF axes @param frames one an integration
 */
export function rotateRows(
  positionsM: Float64Array,
  { antenna1, antenna2, integration }: RowGeometry,
  frames: readonly RotationFrame[],
): RotatedRows {
  const rows = antenna1.length
  const turns = frames.map(({ s0, s1 }): Vec3 => [s1[0] - s0[0], s1[1] - s0[1], s1[2] - s0[2]])
  const pathM = new Float64Array(new SharedArrayBuffer(8 * rows))
  const uvwM = new Float64Array(3 * rows)
  for (let row = 0; row < rows; row++) {
    const [a, b] = [3 * antenna1[row], 3 * antenna2[row]]
    const x = positionsM[a] - positionsM[b]
    const y = positionsM[a + 1] - positionsM[b + 1]
    const z = positionsM[a + 2] - positionsM[b + 2]
    const { u, v, w } = frames[integration[row]]
    const turn = turns[integration[row]]
    pathM[row] = x * turn[0] + y * turn[1] + z * turn[2]
    uvwM[3 * row] = x * u[0] + y * u[1] + z * u[2]
    uvwM[3 * row + 1] = x * v[0] + y * v[1] + z * v[2]
    uvwM[3 * row + 2] = x * w[0] + y * w[1] + z * w[2]
  }
  return { pathM, uvwM }
}
