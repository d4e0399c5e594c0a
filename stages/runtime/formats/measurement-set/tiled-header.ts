import { AipsWriter } from './aips-io.ts'
import { cellTypes, type CellType } from './column.ts'
import { tileFileBytes, tiledManager, type MsLayout, type TiledColumn } from './layout.ts'
import { writeRecord } from './record.ts'
import { tiledName } from './table-file.ts'

/** Element type of each tiled column. */
export const tiledCellType: Record<TiledColumn, CellType> = { FLAG: 'Bool', DATA: 'Complex', WEIGHT_SPECTRUM: 'float' }

/** Lengths from here on do not fit the 32-bit field of a file entry. */
const longFile = 2 ** 31

/** The header file table.fN of a TiledColumnStMan with one column, one cube and one tile file (AipsIO, big-endian). */
export function encodeTiledHeader(layout: MsLayout, column: TiledColumn): Uint8Array {
  const { polarizations, channels, rows } = layout
  const tileShape = [polarizations, layout.tileChannels, layout.tileRows]
  const out = new AipsWriter()
  out.object('TiledColumnStMan', 1, () => {
    out.position(tileShape)
    out.object('TiledStMan', 2, () => {
      out.bool(false)
      out.uint(tiledManager[column])
      out.uint(rows)
      out.uint(1)
      out.int(cellTypes[tiledCellType[column]].code)
      out.string(tiledName(column))
      out.uint(0)
      out.uint(tileShape.length)
      out.uint(1)
      out.bool(true)
      writeFileEntry(out, tileFileBytes(layout, column))
      out.uint(1)
      out.uint(1)
      writeRecord(out, {}, 'Record')
      out.bool(true)
      out.uint(tileShape.length)
      out.position([polarizations, channels, rows])
      out.position(tileShape)
      out.int(0)
      out.uint(0)
    })
  })
  return out.finish()
}

function writeFileEntry(out: AipsWriter, length: number): void {
  const long = length >= longFile
  out.uint(long ? 2 : 1)
  out.uint(0)
  if (long) out.int64(length)
  else out.uint(length)
}
