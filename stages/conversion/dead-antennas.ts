import type { MsTiles } from '#runtime/formats/measurement-set/tiles.ts'
import type { RowGeometry } from './array-geometry.ts'
import type { BlockResults } from './blocks.ts'

export interface DeadAntennas {
  geometry: RowGeometry
  dead: ReadonlySet<number>
  /** Counts and weights are brought up to date. */
  results: BlockResults
  /** Samples of a row in present subbands. */
  samplesPerRow: number
}

/** Flags every sample of every baseline of the dead antennas. Rows that are flagged whole already are left alone. */
export function flagDeadAntennas(tiles: MsTiles, { geometry, dead, results, samplesPerRow }: DeadAntennas): void {
  const { rows, channels, polarizations, tileRows } = tiles.layout
  const rowElements = channels * polarizations
  const flags = new Uint8Array(tileRows * rowElements)
  const isDead = (row: number): boolean => dead.has(geometry.antenna1[row]) || dead.has(geometry.antenna2[row])
  for (let row0 = 0; row0 < rows; row0 += tileRows) {
    const count = Math.min(tileRows, rows - row0)
    const wanted = Array.from({ length: count }, (_, i) => row0 + i).filter(
      (row) => isDead(row) && results.flagCount[row] < samplesPerRow,
    )
    if (wanted.length > 0) {
      tiles.readFlags(row0, count, 0, channels, flags)
      for (const row of wanted) flags.fill(1, (row - row0) * rowElements, (row - row0 + 1) * rowElements)
      tiles.writeFlags(row0, count, 0, channels, flags)
    }
    for (const row of wanted) {
      results.flagCount[row] = samplesPerRow
      results.weight.fill(0, row * polarizations, (row + 1) * polarizations)
    }
  }
}
