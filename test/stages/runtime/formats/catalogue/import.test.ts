import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { importCatalogue, type ImportOptions } from '#runtime/formats/catalogue/import.ts'
import { openCatalogue, type CatalogueInfo, type CatalogueSource } from '#runtime/formats/catalogue/strips.ts'
import { writeFitsTable } from '#runtime/formats/fits/table.ts'
import { StageError } from '#runtime/stage/errors.ts'

interface Imported {
  info: CatalogueInfo
  path: string
  sources: CatalogueSource[]
}

function room(t: TestContext): {
  root: string
  file: (name: string, content: string) => string
  take: (file: string, options?: Partial<ImportOptions>) => Promise<Imported>
} {
  const root = mkdtempSync(join(tmpdir(), 'contimg-import-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  return {
    root,
    file(name, content) {
      const path = join(root, name)
      writeFileSync(path, content)
      return path
    },
    async take(file, options = {}) {
      const { info, path } = await importCatalogue(file, { root, ...options })
      const catalogue = await openCatalogue(path)
      const sources = catalogue.cone({ raRad: 0, decRad: 0 }, Math.PI).sort((a, b) => b.sIntMjy - a.sIntMjy)
      catalogue.close()
      return { info, path, sources }
    },
  }
}

const close = (actual: number, expected: number, tolerance = 1e-9): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, expected ${expected}`)

// The layout of a VizieR download: comments, names, units, dashes, rows, and a further table behind a blank line.
const nvss = `#
#   VizieR Astronomical Server vizier.cds.unistra.fr
#Table\tVIII_65_nvss:
#Column\tRAJ2000\t(A11)\tRight Ascension J2000
RAJ2000\tDEJ2000\te_RAJ2000\te_DEJ2000\tS1.4\te_S1.4\tl_MajAxis\tMajAxis\tl_MinAxis\tMinAxis\tPA
"h:m:s"\t"d:m:s"\ts\tarcsec\tmJy\tmJy\t \tarcsec\t \tarcsec\tdeg
-----------\t-----------\t-----\t-----\t--------\t-----\t-\t-----\t-\t-----\t-----
13 31 08.29\t+30 30 32.9\t 0.03\t 0.6\t 14902.7\t447.1\t<\t 12.6\t<\t 12.5\t
00 00 00.10\t-00 12 30.0\t 0.22\t 3.3\t     8.0\t  0.5\t \t 43.5\t<\t 40.9\t 12.0

#Table\tanother:
x\ty
1\t2
`

const isUnusable = (error: unknown): boolean => error instanceof StageError && error.code === 'DATA_UNUSABLE'
const refused = (pattern: RegExp) => (error: unknown) => error instanceof StageError && pattern.test(error.message)

test('NVSS as VizieR writes it: sexagesimal positions, seconds of time, limits of sizes', async (t) => {
  const { file, take } = room(t)
  const { info, sources, path } = await take(file('nvss.tsv', nvss))
  assert.equal(info.name, 'nvss')
  assert.equal(info.freqHz, 1.4e9)
  assert.equal(info.rows, 2)
  assert.ok(path.endsWith(`catalogues/nvss@${info.hash12}`))
  const [bright, faint] = sources
  close(bright.raDeg, 15 * (13 + 31 / 60 + 8.29 / 3600))
  close(bright.decDeg, 30 + 30 / 60 + 32.9 / 3600)
  close(bright.eRaArcsec, 0.03 * 15 * Math.cos((bright.decDeg * Math.PI) / 180))
  assert.equal(bright.sIntMjy, 14902.7)
  assert.equal(bright.sizeIsLimit, true)
  assert.ok(Number.isNaN(bright.paDeg) && Number.isNaN(bright.sPeakMjy))
  close(faint.decDeg, -(12 / 60 + 30 / 3600))
  assert.equal(faint.sizeIsLimit, false)
  assert.equal(faint.majArcsec, 43.5)
})

const racs = `#
RACS-MID1\tRAJ2000\tDEJ2000\tDEdegc\te_RAJ2000\te_DEJ2000\tFtot\tFpeak\tNoise\tMaj\tMin\tPA\tFlag
\tdeg\tdeg\tdeg\tarcsec\tarcsec\tmJy\tmJy\tmJy\tarcsec\tarcsec\tdeg\t
---\t---\t---\t---\t---\t---\t---\t---\t---\t---\t---\t---\t---
RACS-MID1_J000010.1+001020\t0.042083\t0.172200\t0.172300\t0.10\t0.12\t20.0\t19.0\t0.2\t11.5\t9.9\t80\t0
RACS-MID1_J000020.1+001020\t0.083750\t0.172200\t0.172350\t0.10\t0.12\t5.0\t3.0\t0.2\t21.5\t9.9\t80\t4
`

test('RACS-mid: corrected declinations, fitted sizes, and an assumed error where the column is missing', async (t) => {
  const { file, take } = room(t)
  const { info, sources } = await take(file('racs.tsv', racs))
  assert.equal(info.name, 'racs-mid')
  assert.equal(info.sizes, 'fitted')
  assert.equal(info.completeMjy, 2)
  assert.equal(sources[0].id, 'RACS-MID1_J000010.1+001020')
  assert.equal(sources[0].decDeg, 0.1723)
  close(sources[0].eSIntMjy, Math.hypot(0.6, 0.2))
  assert.equal(sources[1].sPeakMjy, 3)
  assert.equal(sources[1].flags, 4)
})

test('a CSV of unknown origin needs a frequency, then its columns are found by their names', async (t) => {
  const { file, take } = room(t)
  const path = file(
    'my List.csv',
    'Name,RA,Dec,Flux_Jy,note\n"J1, the first",10.5,20.25,0.5,"a ""quote"""\nJ2,00:42:00,-20:15:00,0.25,\n',
  )
  await assert.rejects(
    take(path),
    (error: unknown) =>
      error instanceof StageError && error.code === 'PARAMS_INVALID' && /freq-mhz/.test(error.hint ?? ''),
  )
  const { info, sources } = await take(path, { freqHz: 8.87e8, resolutionArcsec: 25 })
  assert.equal(info.name, 'my-list')
  assert.deepEqual(
    sources.map(({ id, raDeg, decDeg, sIntMjy }) => [id, raDeg, decDeg, sIntMjy]),
    [
      ['J1, the first', 10.5, 20.25, 500],
      ['J2', 10.5, -20.25, 250],
    ],
  )
})

const votable = `<?xml version="1.0"?>
<VOTABLE version="1.4"><RESOURCE><TABLE name="x">
<FIELD name="NVSS" datatype="char" arraysize="14"/>
<FIELD ID="a" name="_RAJ2000" unit="deg" datatype="double"><DESCRIPTION>a &lt; b</DESCRIPTION></FIELD>
<FIELD name='_DEJ2000' unit='deg' datatype='double'/>
<FIELD name="S1.4" unit="Jy" datatype="float"/>
<DATA><TABLEDATA>
<TR><TD>A&amp;B</TD><TD>1.5</TD><TD>-2.5</TD><TD>0.1</TD></TR>
<TR>
  <TD><![CDATA[C<D]]></TD><TD>1.6</TD><TD>-2.5</TD><TD/></TR>
<TR><TD></TD><TD>1.7</TD><TD>-2.5</TD><TD>0.05</TD></TR>
</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>`

test('a VOTable: units, entities, empty cells', async (t) => {
  const { file, take } = room(t)
  const { info, sources } = await take(file('x.xml', votable))
  assert.equal(info.name, 'nvss')
  assert.equal(info.rejected, 1, 'the row without a flux density')
  assert.deepEqual(
    sources.map(({ id, raDeg, sIntMjy }) => [id, raDeg, sIntMjy]),
    [
      ['A&B', 1.5, 100],
      ['J000648.0-023000', 1.7, 50],
    ],
  )
})

test('a truncated VOTable and a binary one are refused', async (t) => {
  const { file, take } = room(t)
  await assert.rejects(take(file('cut.xml', votable.slice(0, -60))), isUnusable)
  await assert.rejects(take(file('binary.xml', votable.replace('<TABLEDATA>', '<BINARY2><STREAM>'))), isUnusable)
})

test('a FITS table gives the same catalogue as the text it was made from', async (t) => {
  const { root, file, take } = room(t)
  const path = join(root, 'x.fits')
  await writeFitsTable(path, {
    cards: [],
    columns: [
      { name: 'RACS-MID1', type: 'str', values: ['RACS-MID1_J000010.1+001020', 'RACS-MID1_J000020.1+001020'] },
      { name: 'RAJ2000', type: 'f8', unit: 'deg', values: [0.042083, 0.08375] },
      { name: 'DEdegc', type: 'f8', unit: 'deg', values: [0.1723, 0.17235] },
      { name: 'e_RAJ2000', type: 'f8', unit: 'arcsec', values: [0.1, 0.1] },
      { name: 'e_DEJ2000', type: 'f8', unit: 'arcsec', values: [0.12, 0.12] },
      { name: 'Ftot', type: 'f8', unit: 'mJy', values: [20, 5] },
      { name: 'Fpeak', type: 'f8', unit: 'mJy', values: [19, 3] },
      { name: 'Noise', type: 'f8', unit: 'mJy', values: [0.2, 0.2] },
      { name: 'Maj', type: 'f8', unit: 'arcsec', values: [11.5, 21.5] },
      { name: 'Min', type: 'f8', unit: 'arcsec', values: [9.9, 9.9] },
      { name: 'PA', type: 'f8', unit: 'deg', values: [80, 80] },
      { name: 'Flag', type: 'i4', values: [0, 4] },
    ],
  })
  assert.deepEqual((await take(path)).sources, (await take(file('racs.tsv', racs))).sources)
})

test('importing the same file again gives the same directory and leaves nothing else', async (t) => {
  const { root, file, take } = room(t)
  const path = file('nvss.tsv', nvss)
  const first = await take(path)
  const second = await take(path)
  assert.equal(first.path, second.path)
  assert.deepEqual(readdirSync(join(root, 'catalogues')), [`nvss@${first.info.hash12}`])
})

test('files that are no tables are refused with a message that names them', async (t) => {
  const { root, file, take } = room(t)
  await assert.rejects(take(join(root, 'none.csv')), refused(/none\.csv/))
  await assert.rejects(take(file('empty.csv', '')), refused(/no table/))
  await assert.rejects(take(file('bin.dat', 'ab\0cd')), refused(/neither text nor/))
  await assert.rejects(take(file('cols.csv', 'a,b\n1,2\n'), { freqHz: 1e9 }), refused(/right ascension.*a, b/))
  await assert.rejects(take(file('name.tsv', nvss), { name: '../evil' }), refused(/not valid/))
  assert.ok(!readdirSync(root).includes('catalogues') || readdirSync(join(root, 'catalogues')).length === 0)
})
