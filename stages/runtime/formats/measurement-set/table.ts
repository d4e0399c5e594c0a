import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AipsWriter } from './aips-io.ts'
import type { ColumnCells, ColumnSpec } from './column.ts'
import type { KeywordRecord } from './record.ts'
import { openStandard } from './standard-read.ts'
import { encodeStandard } from './standard-write.ts'
import { decodeTableDescription, encodeTableDescription } from './table-file.ts'
import { TableFault } from './unreadable.ts'

/** Bytes of table.lock that casacore keeps for its request list. */
const lockRequestBytes = 260

/** A table to be written: the cells of every column that is not tiled; tiled columns are declared only. */
export interface TableContent {
  rows: number
  keywords: KeywordRecord
  columns: readonly (ColumnSpec & { cells?: ColumnCells })[]
}

/** A column to write, with its cells. */
export type FilledColumn = ColumnSpec & { cells: ColumnCells }

/** Writes the files of a table but those of its tiled columns. `info` is the text of table.info. */
export async function writeTable(dir: string, content: TableContent, info = 'Type = \nSubType = \n\n'): Promise<void> {
  await mkdir(dir, { recursive: true })
  const untiled = content.columns.filter((column): column is FilledColumn => column.storage !== 'tiled')
  const cells = untiled.map((column) => column.cells)
  const standard = encodeStandard(untiled, cells, content.rows)
  const description = encodeTableDescription({ ...content, columnOffsets: standard.columnOffsets })
  await writeFile(join(dir, 'table.f0'), standard.file)
  if (standard.indirect !== undefined) await writeFile(join(dir, 'table.f0i'), standard.indirect)
  await writeFile(join(dir, 'table.lock'), encodeLock(content))
  await writeFile(join(dir, 'table.info'), info)
  await writeFile(join(dir, 'table.dat'), description)
}

/** A table as read: its keywords and its untiled columns, decoded when asked for. */
export interface Table {
  rows: number
  keywords: KeywordRecord
  columns: ReadonlyMap<string, ColumnSpec>
  cells(name: string): ColumnCells
}

/** Opens a table that `writeTable` wrote. Throws TableFault when it has another layout or is damaged. */
export async function readTable(dir: string): Promise<Table> {
  const description = decodeTableDescription(await readFile(join(dir, 'table.dat')))
  const untiled = description.columns.filter((column) => column.storage !== 'tiled')
  const needsIndirect = untiled.some((column) => column.storage === 'indirect' && column.type !== 'String')
  const indirect = needsIndirect ? await readFile(join(dir, 'table.f0i')) : undefined
  const standard = openStandard(await readFile(join(dir, 'table.f0')), indirect, description.rows)
  return {
    rows: description.rows,
    keywords: description.keywords,
    columns: new Map(description.columns.map((column) => [column.name, column])),
    cells(name) {
      const index = untiled.findIndex((column) => column.name === name)
      const column = untiled[index]
      if (column === undefined) throw new TableFault(`there is no column ${name}`)
      return standard.column(column, description.columnOffsets[index])
    },
  }
}

/** table.lock: the request list, empty, and the sync object that tells readers the size of the table. */
function encodeLock(content: TableContent): Uint8Array {
  const managers = 1 + content.columns.filter((column) => column.storage === 'tiled').length
  const sync = new AipsWriter()
  sync.object('sync', 1, () => {
    sync.uint(content.rows)
    sync.int(content.columns.length)
    sync.uint(1)
    sync.uint(1)
    sync.block(Array.from({ length: managers }, () => 1))
  })
  const body = sync.finish()
  const bytes = new Uint8Array(lockRequestBytes + 4 + body.length)
  new DataView(bytes.buffer).setUint32(lockRequestBytes, body.length)
  bytes.set(body, lockRequestBytes + 4)
  return bytes
}
