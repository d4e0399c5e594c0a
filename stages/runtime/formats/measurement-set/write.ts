import { mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tiledColumns, tiledManager, tileFile, tileFileBytes, type MsLayout } from './layout.ts'
import { mainInfo, mainTable } from './main-table.ts'
import type { MsMetadata, MsRows } from './schema.ts'
import { subtables } from './subtables.ts'
import { writeTable } from './table.ts'
import { encodeTiledHeader } from './tiled-header.ts'

/**
 * Makes the directory of a MeasurementSet and its tile files at their full size, all zeros and sparse, so that
 * workers can write tiles in any order (`openTiles`). Throws when the tile files exist already.
 */
export async function createMeasurementSet(layout: MsLayout): Promise<void> {
  await mkdir(layout.path, { recursive: true })
  for (const column of tiledColumns(layout)) {
    const file = await open(join(layout.path, tileFile(column)), 'wx')
    try {
      await file.truncate(tileFileBytes(layout, column))
    } finally {
      await file.close()
    }
  }
}

/**
 * Writes everything but the tiles: MAIN, its tiled headers and the subtables. The last step of making a set; table.dat
 * of MAIN comes last of all, so a directory that has one is complete. Same arguments, same bytes.
 */
export async function writeMetadata(layout: MsLayout, metadata: MsMetadata, rows: MsRows): Promise<void> {
  checkShapes(layout, metadata, rows)
  for (const [name, content] of Object.entries(subtables(metadata))) await writeTable(join(layout.path, name), content)
  for (const column of tiledColumns(layout)) {
    await writeFile(join(layout.path, `table.f${tiledManager[column]}`), encodeTiledHeader(layout, column))
  }
  await writeTable(layout.path, mainTable(layout, metadata, rows), mainInfo)
}

function checkShapes(layout: MsLayout, metadata: MsMetadata, rows: MsRows): void {
  const expected: [string, number, number][] = [
    ['freqHz', metadata.freqHz.length, layout.channels],
    ['stokes', metadata.stokes.length, layout.polarizations],
    ['timeMjdS', rows.timeMjdS.length, layout.rows],
    ['intervalS', rows.intervalS.length, layout.rows],
    ['exposureS', rows.exposureS.length, layout.rows],
    ['antenna1', rows.antenna1.length, layout.rows],
    ['antenna2', rows.antenna2.length, layout.rows],
    ['uvwM', rows.uvwM.length, 3 * layout.rows],
    ['weight', rows.weight.length, layout.polarizations * layout.rows],
    ['sigma', rows.sigma.length, layout.polarizations * layout.rows],
    ['flagRow', rows.flagRow.length, layout.rows],
  ]
  for (const [name, length, wanted] of expected) {
    if (length !== wanted) throw new RangeError(`${name} has ${length} elements, the layout wants ${wanted}`)
  }
}
