/**
 * The shape of the tiled columns of a MeasurementSet of ours. Plain JSON: it crosses to worker threads as it is, and
 * from it alone a worker knows the byte offset of every tile.
 */
export interface MsLayout {
  /** Directory of the MeasurementSet. */
  path: string
  rows: number
  channels: number
  polarizations: number
  tileRows: number
  tileChannels: number
  /** Whether MAIN has a WEIGHT_SPECTRUM column. */
  weightSpectrum: boolean
}

export type TiledColumn = 'FLAG' | 'DATA' | 'WEIGHT_SPECTRUM'

/** Number of the storage manager of each tiled column, which names its files; 0 is the StandardStMan. */
export const tiledManager: Record<TiledColumn, number> = { FLAG: 1, DATA: 2, WEIGHT_SPECTRUM: 3 }

/** The tiled columns of a layout in the order of their manager numbers. */
export function tiledColumns(layout: MsLayout): TiledColumn[] {
  return layout.weightSpectrum ? ['FLAG', 'DATA', 'WEIGHT_SPECTRUM'] : ['FLAG', 'DATA']
}

/** Tiles along the channel axis and along the row axis; the tiles at the end are stored at full size. */
export function tileGrid(layout: MsLayout): { acrossChannels: number; acrossRows: number } {
  return {
    acrossChannels: Math.ceil(layout.channels / layout.tileChannels),
    acrossRows: Math.ceil(layout.rows / layout.tileRows),
  }
}

/** Bytes of one stored tile: complex64, float32, or one bit an element. */
export function tileBytes(layout: MsLayout, column: TiledColumn): number {
  const elements = layout.polarizations * layout.tileChannels * layout.tileRows
  if (column === 'FLAG') return Math.ceil(elements / 8)
  return column === 'DATA' ? 8 * elements : 4 * elements
}

/** Length in bytes of the tile file of a column. */
export function tileFileBytes(layout: MsLayout, column: TiledColumn): number {
  const { acrossChannels, acrossRows } = tileGrid(layout)
  return acrossChannels * acrossRows * tileBytes(layout, column)
}

/** Name of the file that holds the tiles of a column. */
export function tileFile(column: TiledColumn): string {
  return `table.f${tiledManager[column]}_TSM0`
}
