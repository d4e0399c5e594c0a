import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeVotable } from '#runtime/formats/catalogue/export.ts'
import { importCatalogue } from '#runtime/formats/catalogue/import.ts'
import { openCatalogue, writeCatalogue } from '#runtime/formats/catalogue/strips.ts'
import { readSourceTable } from '#runtime/formats/catalogue/table.ts'
import { writeFitsTable, type FitsColumn } from '#runtime/formats/fits/table.ts'
import { listCatalogues } from '../../../orchestrator/runs/catalogues.ts'
import { changes, damageBytes, damageJson, damageText, placesOf } from '../damage.ts'
import { MiB, type FuzzTarget, type Seed } from '../target.ts'
import { damageFits } from './fits.ts'

const columns: FitsColumn[] = [
  { name: 'name', type: 'str', values: ['J1', 'J2', 'J3'] },
  { name: 'ra_deg', unit: 'deg', ucd: 'pos.eq.ra', type: 'f8', values: [10, 10.5, 11] },
  { name: 'dec_deg', unit: 'deg', ucd: 'pos.eq.dec', type: 'f8', values: [16, 16.5, 17] },
  { name: 'flux_mjy', unit: 'mJy', type: 'f4', values: [10, 20, 30] },
]
const csv = 'name,ra_deg,dec_deg,flux_mjy\nJ1,10,16,10\n"J,2",10:42:00,+16 30 00,20\nJ3,11,17,30\n'
const vizier =
  '#RESOURCE\n\nRAJ2000\tDEJ2000\tS1.4\n"h:m:s"\t"d:m:s"\tmJy\n-------\t-------\t----\n10 42 00\t+16 30 00\t20\n\n#END\n'
const tokens = [
  '<!ENTITY x SYSTEM "file:///etc/passwd">',
  '<FIELD name="a"/>',
  '\t',
  '\0',
  ...'<TABLEDATA> </TABLEDATA> <TR> </TR> <TD> <TD/> <BINARY> <![CDATA[ ]]> &#0; &#x110000; &#xD800; &amp; <!-- --> &x;'.split(
    ' ',
  ),
  ...'" "" , ; ---- ra ra_deg flux_jy 12:34:56 -00:00:01 <?xml'.split(' '),
]

/** Catalogue files to import: CSV, VizieR's text, VOTable, FITS; one in eight goes all the way to the strips. */
export const catalogueFile: FuzzTarget = {
  codes: ['DATA_UNUSABLE', 'PARAMS_INVALID', 'INPUT_MISSING'],
  memoryBytes: 64 * MiB,
  async prepare(folder) {
    const path = join(folder, 'catalogue.file')
    await writeFitsTable(path, { cards: [], columns })
    const votable = encodeVotable(columns, {
      name: 'sky',
      description: 'a sky',
      params: [{ name: 'freq', value: 1.4 }],
    })
    const seeds = Object.entries({ csv, vizier, votable, fits: readFileSync(path) }).map(([name, content]) => ({
      name,
      bytes: Buffer.from(content),
    }))
    return {
      seeds,
      mutate: ({ name, bytes }, random) =>
        name === 'fits' ? damageFits(bytes, random) : damageText(bytes, random, tokens),
      async read({ bytes, index }) {
        writeFileSync(path, bytes)
        if (Math.floor(index / seeds.length) % 8 === 0) {
          await importCatalogue(path, { root: folder, freqHz: 1.4e9, resolutionArcsec: 45 })
          rmSync(join(folder, 'catalogues'), { recursive: true })
        } else for await (const row of (await readSourceTable(path)).rows) void row
        return true
      },
    }
  },
}

/** Imported catalogues: their description, and the SQLite files of their strips. */
export const catalogueStrips: FuzzTarget = {
  codes: ['DATA_UNUSABLE', 'INPUT_MISSING'],
  memoryBytes: 64 * MiB,
  async prepare(folder) {
    const path = join(folder, 'catalogues', 'sky@0123456789ab')
    mkdirSync(path, { recursive: true })
    const none = { eRaArcsec: 1, eDecArcsec: 1, eSIntMjy: 1, sPeakMjy: 5, majArcsec: 0, minArcsec: 0, paDeg: 0 }
    await writeCatalogue(
      path,
      { name: 'sky', version: '1', freqHz: 1.4e9, resolutionArcsec: 45 },
      Array.from({ length: 40 }, (_, i) => ({
        ...none,
        id: `J${i}`,
        raDeg: 10 + i / 100,
        decDeg: 16 + i / 40,
        sIntMjy: 5,
        sizeIsLimit: false,
        flags: 0,
      })),
    )
    const seeds = readdirSync(path).map((name) => ({ name, bytes: readFileSync(join(path, name)) }))
    const words = [
      'CREATE',
      'TABLE',
      'sources',
      'ra_deg',
      'id',
      'REAL',
      'NOT NULL',
      'WITHOUT ROWID',
      'INDEX',
      'UNIQUE',
      'VIEW',
    ]
    const places = new Map(
      seeds.map(({ name, bytes }) => [name, [...placesOf(bytes, ['CREATE', 'sources']), 16, 24, 28, 100, 4096]]),
    )
    let damaged: Seed = seeds[0]
    return {
      seeds,
      mutate({ name, bytes }, random) {
        if (name.endsWith('.json')) return damageJson(bytes, random)
        if (random.int(4) === 0) return changeWord(bytes, words, random.int(words.length), random.int(words.length))
        let copy: Buffer = Buffer.from(bytes)
        for (let change = changes(random); change > 0; change--)
          copy = damageBytes(copy, random, { places: places.get(name) ?? [0], order: 'big', reach: 200 })
        return copy
      },
      async read({ bytes, seed }) {
        writeFileSync(join(path, damaged.name), damaged.bytes)
        writeFileSync(join(path, seed.name), bytes)
        damaged = seed
        await listCatalogues(folder)
        const catalogue = await openCatalogue(path)
        try {
          catalogue.cone({ raRad: 0.18, decRad: 0.285 }, 0.02)
        } finally {
          catalogue.close()
        }
        return true
      },
    }
  },
}

/** One word of the schema in the place of another, padded so that nothing else moves. */
function changeWord(bytes: Buffer, words: readonly string[], from: number, to: number): Buffer {
  const copy = Buffer.from(bytes)
  const at = copy.indexOf(words[from])
  if (at >= 0) copy.write(words[to].padEnd(words[from].length).slice(0, words[from].length), at, 'latin1')
  return copy
}
