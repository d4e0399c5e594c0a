import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { readFitsTable, writeFitsTable, type FitsColumn } from '#runtime/formats/fits/table.ts'
import { needs, runPython } from '../../../../oracles/oracle.ts'
import { scratchFolder } from './scratch.ts'

const folder = await scratchFolder()

const columns: FitsColumn[] = [
  {
    name: 'id',
    type: 'str',
    values: ['J1331+3030', 'b', ''],
    ucd: 'meta.id;meta.main',
    description: 'Name of the source',
  },
  { name: 'ra', type: 'f8', unit: 'deg', ucd: 'pos.eq.ra;meta.main', values: [359.9, 1 / 3, 202.78453] },
  { name: 'peak', type: 'f4', unit: 'Jy/beam', values: Float32Array.of(0.5, Number.NaN, -1) },
  { name: 'flags', type: 'i4', values: Int32Array.of(0, -7, 2147483647) },
]
const cards = [{ key: 'EXTNAME', value: 'SOURCES' }]

test('a table comes back with its values, units and descriptors', async () => {
  const path = join(folder, 'sources.fits')
  await writeFitsTable(path, { columns, cards })
  const table = await readFitsTable(path)
  assert.equal(table.rows, 3)
  assert.equal(table.cards.get('EXTNAME'), 'SOURCES')
  assert.deepEqual(
    table.columns.map(({ name, unit, ucd, values }) => ({ name, unit, ucd, values: [...values] })),
    columns.map(({ name, unit, ucd, values }) => ({ name, unit, ucd, values: Array.from<unknown>(values) })),
  )
  assert.equal(table.columns[0].description, 'Name of the source')
})

test('an empty table is a table', async () => {
  const path = join(folder, 'none.fits')
  await writeFitsTable(path, { columns: columns.map((column) => ({ ...column, values: [] })), cards })
  const table = await readFitsTable(path)
  assert.equal(table.rows, 0)
  assert.deepEqual(
    table.columns.map((column) => column.values.length),
    [0, 0, 0, 0],
  )
})

test('columns can be chosen by name, in any letter case', async () => {
  const path = join(folder, 'chosen.fits')
  await writeFitsTable(path, { columns, cards })
  const table = await readFitsTable(path, { columns: ['RA', 'flags'] })
  assert.deepEqual(
    table.columns.map((column) => column.name),
    ['ra', 'flags'],
  )
})

test('many rows cross the borders of the read blocks intact', async () => {
  const path = join(folder, 'many.fits')
  const values = Float64Array.from({ length: 600_000 }, (_, i) => i / 3)
  await writeFitsTable(path, { columns: [{ name: 'x', type: 'f8', values }], cards: [] })
  const { columns: read } = await readFitsTable(path)
  assert.deepEqual(read[0].values, values)
})

test('columns of unequal length are an error of the caller, equal tables give equal bytes', async () => {
  const path = join(folder, 'unequal.fits')
  await assert.rejects(
    writeFitsTable(path, { columns: [columns[0], { name: 'y', type: 'f4', values: [1] }], cards }),
    /column y has 1 values, the table 3 rows/,
  )
  const [first, second] = [join(folder, '1.fits'), join(folder, '2.fits')]
  await writeFitsTable(first, { columns, cards })
  await writeFitsTable(second, { columns, cards })
  assert.deepEqual(await readFile(first), await readFile(second))
})

test('fitsverify finds no error and no warning', { skip: needs('fitsverify') }, async () => {
  for (const values of [undefined, []]) {
    const path = join(folder, 'verify.fits')
    await writeFitsTable(path, {
      columns: columns.map((column) => ({ ...column, values: values ?? column.values })),
      cards,
    })
    const { stdout } = spawnSync('fitsverify', ['-l', path], { encoding: 'utf8' })
    assert.match(stdout, /0 warning\(s\) and 0 error\(s\)/, stdout)
  }
})

test('astropy reads our table', { skip: needs('astropy') }, async () => {
  const path = join(folder, 'astropy.fits')
  await writeFitsTable(path, {
    columns: columns.map((c) => (c.name === 'peak' ? { ...c, values: [0.5, 2, -1] } : c)),
    cards,
  })
  const read = runPython('fits-files.py', ['table', path]) as {
    values: Record<string, unknown[]>
    columns: Record<string, { unit: string | null }>
    warnings: string[]
  }
  assert.deepEqual(read.warnings, [])
  assert.deepEqual(read.values, {
    id: ['J1331+3030', 'b', ''],
    ra: [359.9, 1 / 3, 202.78453],
    peak: [0.5, 2, -1],
    flags: [0, -7, 2147483647],
  })
  assert.equal(read.columns['peak'].unit, 'Jy/beam')
})

test(
  'a table written by astropy is read: every type of column, after an image',
  { skip: needs('astropy') },
  async () => {
    const path = join(folder, 'by-astropy.fits')
    runPython('fits-table-make.py', [path])
    const table = await readFitsTable(path)
    const values = Object.fromEntries(table.columns.map((column) => [column.name, [...column.values]]))
    assert.deepEqual(values, {
      ra: [359.9, 0.1, 10],
      flux: [1.5, Number.NaN, 3.25],
      count: [1, Number.NaN, 3],
      long: [1, 2 ** 40, -3],
      small: [10, 11.5, 12],
      byte: [0, 127, 255],
      flag: [1, 0, 1],
      name: ['J0001+01', 'b', ''],
      pair: [0, 1, 2, 3, 4, 5],
    })
    assert.deepEqual(table.skipped, ['wave'])
    assert.equal(table.columns.find((column) => column.name === 'pair')?.repeat, 2)
  },
)
