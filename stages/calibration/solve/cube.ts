import { createCellSums, type CellSums } from './stefcal.ts'

type Floats = Float32Array | Float64Array

/**
 * Sums per baseline and cell, the input of every solve; see `CellSums`. A cell is (channel, polarisation) for the
 * bandpass and (bin, polarisation) for gains. Layout (parts, baselines, cells of a part): a part is a subband, so that the
 * cells that are solved together lie together. Backed by shared memory when workers fill it.
 */
export interface SumCube {
  readonly baselines: number
  readonly cells: number
  /** Cells of one part. */
  readonly part: number
  /** Twice as long: re/im. */
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

/** Position of a baseline's first cell of a part. */
export function partStart({ baselines, part }: SumCube, baseline: number, index: number): number {
  return (index * baselines + baseline) * part
}

/** Position of a baseline's cell. */
export function cellAt(cube: SumCube, baseline: number, cell: number): number {
  const index = Math.floor(cell / cube.part)
  return partStart(cube, baseline, index) + cell - index * cube.part
}

/** Loads one cell: its baselines with data that are not left out. */
export function loadCell(
  cube: SumCube,
  cell: number,
  { geometry, out }: { geometry: SolveGeometry; out: CellSums },
): void {
  const { antenna1, antenna2, excluded } = geometry
  const bit = 1 << (cell % geometry.polarizations)
  const start = cellAt(cube, 0, cell)
  let edge = 0
  for (let b = 0; b < cube.baselines; b++) {
    const k = start + b * cube.part
    const weight = cube.w[k]
    if (!(weight > 0) || (excluded[b] & bit) !== 0) continue
    out.baseline[edge] = b
    out.i[edge] = antenna1[b]
    out.j[edge] = antenna2[b]
    out.aRe[edge] = cube.a[2 * k]
    out.aIm[edge] = cube.a[2 * k + 1]
    out.w[edge] = weight
    out.q[edge] = cube.q[k]
    out.samples[edge] = cube.n[k]
    edge++
  }
  out.edges = edge
}

/** Loads the sum over the cells of one part and polarisation, for start values. */
export function loadPart(
  cube: SumCube,
  index: number,
  { p, geometry, out }: { p: number; geometry: SolveGeometry; out: CellSums },
): void {
  const { antenna1, antenna2, excluded, polarizations } = geometry
  let edge = 0
  for (let b = 0; b < cube.baselines; b++) {
    if ((excluded[b] & (1 << p)) !== 0) continue
    const start = partStart(cube, b, index)
    let [re, im, w, q, n] = [0, 0, 0, 0, 0]
    for (let k = start + p; k < start + cube.part; k += polarizations) {
      re += cube.a[2 * k]
      im += cube.a[2 * k + 1]
      w += cube.w[k]
      q += cube.q[k]
      n += cube.n[k]
    }
    if (!(w > 0)) continue
    out.baseline[edge] = b
    out.i[edge] = antenna1[b]
    out.j[edge] = antenna2[b]
    out.aRe[edge] = re
    out.aIm[edge] = im
    out.w[edge] = w
    out.q[edge] = q
    out.samples[edge] = n
    edge++
  }
  out.edges = edge
}

export function createSumsFor(geometry: SolveGeometry): CellSums {
  return createCellSums(geometry.antennas, geometry.antenna1.length)
}
