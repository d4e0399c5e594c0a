import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ArrayCell, ColumnCells } from '#runtime/formats/measurement-set/column.ts'
import { tileFileBytes, type MsLayout } from '#runtime/formats/measurement-set/layout.ts'
import { typed, type KeywordRecord } from '#runtime/formats/measurement-set/record.ts'
import { readTable, writeTable, type FilledColumn, type TableContent } from '#runtime/formats/measurement-set/table.ts'
import { encodeTiledHeader } from '#runtime/formats/measurement-set/tiled-header.ts'
import { needs, runPython } from '../../../../oracles/oracle.ts'

async function inFolder(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'contimg-table-'))
  try {
    await work(dir)
  } finally {
    await rm(dir, { recursive: true })
  }
}

const keywords: KeywordRecord = {
  FLAG: true,
  TEXT: 'text',
  NUMBER: 2.5,
  INT: typed('Int', -7),
  FLOAT: typed('float', 0.5),
  TEXTS: ['', 'eight by', 'more than eight bytes'],
  INTS: Int32Array.of(-1, 2),
  UINTS: Uint32Array.of(1, 4294967295),
  FLOATS: Float32Array.of(0.25),
  DOUBLES: Float64Array.of(Math.PI, -0),
  NONE: [],
  NESTED: { int: 3, DEEPER: { A: 'b' } },
}

/** Strings of every kind of length: none, in the cell, in a bucket, over several buckets. */
const texts = ['', '12345678', '123456789', 'x'.repeat(5000), 'ü€ß', '']

function column(name: string, spec: Omit<FilledColumn, 'name' | 'cells'>, cells: ColumnCells): FilledColumn {
  return { name, ...spec, cells }
}

/** An array cell, not defined in row 2. */
function cell(row: number, shape: number[], values: readonly number[]): ArrayCell | undefined {
  return row === 2 ? undefined : { shape, values }
}

/** A table with a cell of every type in every kind of storage, and cells that are not defined. */
function allTypes(): TableContent & { columns: FilledColumn[] } {
  const rows = texts.length
  const ramp = Array.from({ length: 6 * rows }, (_, i) => i - 7)
  const perRow = <T>(make: (row: number) => T): T[] => Array.from({ length: rows }, (_, row) => make(row))
  return {
    rows,
    keywords,
    columns: [
      column('BOOL', { type: 'Bool', storage: 'scalar' }, [1, 0, 0, 1, 1, 0]),
      column('INT', { type: 'Int', storage: 'scalar' }, ramp.slice(0, rows)),
      column(
        'FLOAT',
        { type: 'float', storage: 'scalar' },
        ramp.slice(0, rows).map((v) => v / 4),
      ),
      column(
        'DOUBLE',
        { type: 'double', storage: 'scalar', keywords: { UNIT: 's' } },
        ramp.slice(0, rows).map((v) => v / 3),
      ),
      column('TEXT', { type: 'String', storage: 'scalar' }, texts),
      column('BOOLS', { type: 'Bool', storage: 'direct', shape: [3] }, perRow((row) => [row & 1, 1, 0]).flat()),
      column('DOUBLES', { type: 'double', storage: 'direct', shape: [2, 3] }, ramp),
      column('COMPLEXES', { type: 'Complex', storage: 'direct', shape: [3] }, ramp),
      column(
        'ANY_DOUBLE',
        { type: 'double', storage: 'indirect', dimensions: 2 },
        perRow((row) => cell(row, [2, row + 1], ramp.slice(0, 2 * row + 2))),
      ),
      column(
        'ANY_BOOL',
        { type: 'Bool', storage: 'indirect', dimensions: 1 },
        perRow((row) => cell(row, [3], [1, 0, row & 1])),
      ),
      column(
        'ANY_COMPLEX',
        { type: 'Complex', storage: 'indirect', dimensions: 1 },
        perRow((row) => cell(row, [2], ramp.slice(row, row + 4))),
      ),
      column(
        'ANY_INT',
        { type: 'Int', storage: 'indirect', dimensions: -1 },
        perRow((row) => cell(row, [1, 1, 2], [row, -row - 1])),
      ),
      column(
        'ANY_TEXT',
        { type: 'String', storage: 'indirect', dimensions: 1 },
        perRow((row) => (row === 1 ? undefined : { shape: [2], values: [texts[row], 'b'] })),
      ),
    ],
  }
}

/** A table so narrow and long that its index fills several buckets. */
function longTable(): TableContent & { columns: FilledColumn[] } {
  const cells = Uint8Array.from({ length: 120_000 }, (_, row) => (row % 7 === 0 ? 1 : 0))
  return { rows: cells.length, keywords: {}, columns: [{ name: 'BOOL', type: 'Bool', storage: 'scalar', cells }] }
}

const emptyTable: TableContent & { columns: FilledColumn[] } = {
  rows: 0,
  keywords: {},
  columns: [
    { name: 'TEXT', type: 'String', storage: 'scalar', cells: [] },
    { name: 'ANY', type: 'double', storage: 'indirect', dimensions: 2, cells: [] },
  ],
}

async function digest(dir: string): Promise<string> {
  const hash = createHash('sha256')
  for (const name of (await readdir(dir)).sort()) hash.update(`${name}\n`).update(await readFile(join(dir, name)))
  return hash.digest('hex').slice(0, 16)
}

for (const [kind, content, golden] of [
  ['every type and storage', allTypes(), '7c969ef76c44ce61'],
  ['an index of several buckets', longTable(), 'faaa13eb1004dca7'],
  ['no rows', emptyTable, 'a2b4c7f7e399ae71'],
] as const) {
  test(`a table is read back as it was written, in known bytes: ${kind}`, () =>
    inFolder(async (dir) => {
      await writeTable(dir, content)
      const table = await readTable(dir)
      assert.equal(table.rows, content.rows)
      assert.deepEqual(table.keywords, content.keywords)
      for (const { name, cells } of content.columns)
        assert.deepEqual(comparable(table.cells(name)), comparable(cells), name)
      assert.equal(await digest(dir), golden)
    }))

  test(`casacore reads the same table: ${kind}`, { skip: needs('casacore') }, () =>
    inFolder(async (dir) => {
      await writeTable(dir, content)
      const [seen] = runPython('table.py', [dir]) as {
        columns: Record<string, unknown[]>
        keywords: Record<string, unknown>
      }[]
      for (const { name, type, storage, shape, cells } of content.columns) {
        const expected = asCasacore({ type, storage, shape }, cells, content.rows)
        assert.deepEqual(seen.columns[name], expected, name)
      }
      if (content.keywords === keywords) {
        assert.deepEqual(seen.keywords['NESTED'], { int: 3, DEEPER: { A: 'b' } })
        assert.deepEqual(seen.keywords['TEXTS'], keywords['TEXTS'])
        assert.deepEqual(seen.keywords['UINTS'], { shape: [2], values: [1, 4294967295] })
        assert.deepEqual([seen.keywords['INT'], seen.keywords['FLOAT'], seen.keywords['FLAG']], [-7, 0.5, true])
      }
    }),
  )
}

/** Cells as plain arrays, whatever kind of array held them. */
function comparable(cells: ColumnCells): unknown[] {
  return Array.from(cells as ArrayLike<unknown>, (value) => {
    if (typeof value !== 'object' || value === null) return typeof value === 'number' ? Math.fround(value) : value
    const { shape, values } = value as { shape: readonly number[]; values: ArrayLike<number | string> }
    return { shape: [...shape], values: Array.from(values) }
  })
}

interface Kind {
  type: string
  storage: string
  shape: readonly number[] | undefined
}

/** Cells as python-casacore shows them: shapes reversed, Bool as booleans, Complex as pairs. */
function asCasacore({ type, storage, shape }: Kind, cells: ColumnCells, rows: number): unknown[] {
  const value = (values: ArrayLike<number | string>, index: number): unknown => {
    if (type === 'Complex')
      return [Math.fround(values[2 * index] as number), Math.fround(values[2 * index + 1] as number)]
    return type === 'Bool' ? values[index] === 1 : values[index]
  }
  const array = (fortran: readonly number[], values: ArrayLike<number | string>): unknown => {
    const count = fortran.reduce((product, length) => product * length, 1)
    const all = Array.from({ length: count }, (_, index) => value(values, index))
    return type === 'String' ? all : { shape: fortran.toReversed(), values: all }
  }
  return Array.from({ length: rows }, (_, row) => {
    if (storage === 'scalar') return value(cells as ArrayLike<number | string>, row)
    if (storage === 'direct') {
      const size = (shape ?? []).reduce((product, length) => product * length, type === 'Complex' ? 2 : 1)
      return array(shape ?? [], Array.from(cells as ArrayLike<number>).slice(row * size, (row + 1) * size))
    }
    const found = (cells as readonly ({ shape: readonly number[]; values: ArrayLike<number | string> } | undefined)[])[
      row
    ]
    return found === undefined ? null : array(found.shape, found.values)
  })
}

function headerHex(layout: MsLayout): string {
  return Buffer.from(encodeTiledHeader(layout, 'DATA')).toString('hex')
}

test('tiled headers state lengths below and from 2 GiB on', () => {
  const one = { path: '', channels: 1, polarizations: 1, tileRows: 1, tileChannels: 1, weightSpectrum: false }
  // Version 1 with 32 bits, version 2 with 64.
  const below = { ...one, rows: 2 ** 28 - 1 }
  assert.equal(tileFileBytes(below, 'DATA'), 2 ** 31 - 8)
  assert.ok(headerHex(below).includes(['01', '00000001', '00000000', '7ffffff8'].join('')))
  assert.ok(headerHex({ ...one, rows: 2 ** 28 }).includes(['01', '00000002', '00000000', '0000000080000000'].join('')))
})
