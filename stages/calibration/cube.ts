import type { CellSums } from './stefcal.ts'

type Floats = Float32Array | Float64Array

/**
 * Sums per baseline and cell, the input of every solve; see `CellSums`. A cell is (channel, polarisation) for the
 * bandpass and (bin, polarisation) for gains. Layout (baselines, cells); backed by shared memory when workers fill it.
 */
export interface SumCube {
  readonly baselines: number
  readonly cells: number
  /** (baselines, cells, re/im) */
  readonly a: Floats
  readonly w: Floats
  readonly q: Floats
  readonly n: Uint16Array | Float64Array
}

/** How baselines map to antennas, and which of them take part. */
export interface SolveGeometry {
  antennas: number
  antenna1: ArrayLike<number>
  antenna2: ArrayLike<number>
  polarizations: number
  /** (baselines) polarisation bits: 1 leaves the baseline out (uv range, dead antennas, outliers). */
  excluded: Uint8Array
}

/** Loads one cell into dense antenna matrices; baselines that are left out are zero. */
export function loadCell(cube: SumCube, cell: number, { geometry, out }: { geometry: SolveGeometry; out: CellSums }): void {
  const { antennas: n, antenna1, antenna2, excluded } = geometry
  const bit = 1 << cell % geometry.polarizations
  out.aRe.fill(0)
  out.aIm.fill(0)
  out.w.fill(0)
  out.q.fill(0)
  out.samples.fill(0)
  for (let b = 0; b < cube.baselines; b++) {
    const k = b * cube.cells + cell
    const weight = cube.w[k]
    if (!(weight > 0) || (excluded[b] & bit) !== 0) continue
    const ij = antenna1[b] * n + antenna2[b]
    const ji = antenna2[b] * n + antenna1[b]
    out.aRe[ij] = out.aRe[ji] = cube.a[2 * k]
    out.aIm[ij] = cube.a[2 * k + 1]
    out.aIm[ji] = -cube.a[2 * k + 1]
    out.w[ij] = out.w[ji] = weight
    out.q[ij] = out.q[ji] = cube.q[k]
    out.samples[ij] = out.samples[ji] = cube.n[k]
  }
}

/** Adds every cell of a group into one (for start values): cells `group` of one polarisation. */
export function loadGroup(
  cube: SumCube,
  group: readonly number[],
  { geometry, out, scratch }: { geometry: SolveGeometry; out: CellSums; scratch: CellSums },
): void {
  loadCell(cube, group[0], { geometry, out })
  for (const cell of group.slice(1)) {
    loadCell(cube, cell, { geometry, out: scratch })
    for (let k = 0; k < out.w.length; k++) {
      out.aRe[k] += scratch.aRe[k]
      out.aIm[k] += scratch.aIm[k]
      out.w[k] += scratch.w[k]
      out.q[k] += scratch.q[k]
      out.samples[k] += scratch.samples[k]
    }
  }
}
