import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { StageError } from '#runtime/stage/errors.ts'
import { separation, type Direction } from '#runtime/sky/frames.ts'
import { coneWindows } from './cone.ts'
import { coverageOf } from './coverage.ts'
import { aboutSchema, infoSchema, type CatalogueAbout, type CatalogueInfo, type CatalogueSource } from './info.ts'

export type { CatalogueAbout, CatalogueInfo, CatalogueSource } from './info.ts'

const RAD = Math.PI / 180

const TABLE = `CREATE TABLE sources (
  id TEXT NOT NULL, ra_deg REAL NOT NULL, dec_deg REAL NOT NULL, e_ra_arcsec REAL, e_dec_arcsec REAL,
  s_int_mjy REAL NOT NULL, e_s_int_mjy REAL, s_peak_mjy REAL, maj_arcsec REAL, min_arcsec REAL, pa_deg REAL,
  size_is_limit INTEGER NOT NULL, flags INTEGER NOT NULL, PRIMARY KEY (ra_deg, id)) WITHOUT ROWID`
const COLUMNS =
  'id, ra_deg, dec_deg, e_ra_arcsec, e_dec_arcsec, s_int_mjy, e_s_int_mjy, s_peak_mjy, maj_arcsec, min_arcsec, pa_deg, size_is_limit, flags'
const INSERT = `INSERT OR IGNORE INTO sources (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
const FAST = 'PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA page_size = 4096'

/**
 * Writes a catalogue as strips: `catalogue.json` and one SQLite file per degree of declination (`p16.sqlite` holds
 * +16 <= dec < +17, `m01.sqlite` -1 <= dec < 0). The same sources in any order give the same bytes and the same hash,
 * which covers the rows and everything in `about`.
 *
 * @param dir the catalogue's own directory; strips already in it are replaced
 * @throws StageError DATA_UNUSABLE when no usable row is left
 */
export async function writeCatalogue(
  dir: string,
  about: CatalogueAbout,
  sources: Iterable<CatalogueSource> | AsyncIterable<CatalogueSource>,
): Promise<CatalogueInfo> {
  const head = aboutSchema.parse(about)
  await mkdir(dir, { recursive: true })
  for (const name of await readdir(dir)) {
    if (/^([pm]\d\d|staging)\.sqlite(-journal)?$/.test(name) || name === 'catalogue.json') await rm(join(dir, name))
  }
  const stagingPath = join(dir, 'staging.sqlite')
  const staging = new DatabaseSync(stagingPath)
  try {
    const rejected = await stage(staging, sources)
    const hash = createHash('sha256').update(`${JSON.stringify(sortKeys(head))}\n`)
    const { rows, repeated } = writeStrips(dir, staging, (line) => hash.update(line))
    if (rows === 0) {
      throw new StageError('DATA_UNUSABLE', `catalogue ${head.name}: no row with a finite position and flux density`, {
        hint: 'check the column names and units of the file',
      })
    }
    const sha256 = hash.digest('hex')
    const info: CatalogueInfo = {
      ...head,
      coverage: head.coverage ?? coverageOfRows(staging),
      format: 'contimg-catalogue/1',
      rows,
      rejected: rejected + repeated,
      sha256,
      hash12: sha256.slice(0, 12),
    }
    await writeFile(join(dir, 'catalogue.json'), `${JSON.stringify(info, null, 2)}\n`)
    return info
  } finally {
    staging.close()
    await rm(stagingPath, { force: true })
  }
}

/** Puts all rows into one unsorted table: SQLite is the sorter, so that memory does not grow with the catalogue. */
async function stage(
  staging: DatabaseSync,
  sources: Iterable<CatalogueSource> | AsyncIterable<CatalogueSource>,
): Promise<number> {
  staging.exec(`${FAST}; PRAGMA temp_store = FILE`)
  staging.exec(`CREATE TABLE rows (band INTEGER, ${COLUMNS}); BEGIN`)
  const insert = staging.prepare(`INSERT INTO rows VALUES (${Array.from({ length: 14 }, () => '?').join(', ')})`)
  let rejected = 0
  for await (const source of sources) {
    const { raDeg, decDeg, sIntMjy } = source
    if (!Number.isFinite(raDeg) || !(Math.abs(decDeg) <= 90) || !Number.isFinite(sIntMjy)) {
      rejected++
      continue
    }
    insert.run(bandOf(decDeg), ...values({ ...source, raDeg: wrapDeg(raDeg) }))
  }
  staging.exec('COMMIT')
  return rejected
}

function coverageOfRows(staging: DatabaseSync): CatalogueInfo['coverage'] {
  const range = staging.prepare('SELECT min(dec_deg) AS low, max(dec_deg) AS high FROM rows').get()
  const walk = staging.prepare('SELECT ra_deg AS raDeg, dec_deg AS decDeg FROM rows')
  return coverageOf(() => walk.iterate() as unknown as Iterable<{ raDeg: number; decDeg: number }>, {
    minDeg: Number(range?.['low']),
    maxDeg: Number(range?.['high']),
  })
}

/** Copies the sorted rows into one file per band and feeds each to the hash. */
function writeStrips(
  dir: string,
  staging: DatabaseSync,
  feed: (line: string) => void,
): { rows: number; repeated: number } {
  const sorted = staging.prepare(`SELECT * FROM rows ORDER BY band, ra_deg, id, dec_deg, s_int_mjy, flags`)
  sorted.setReturnArrays(true)
  let rows = 0
  let repeated = 0
  let open: { band: number; strip: DatabaseSync; insert: ReturnType<DatabaseSync['prepare']> } | undefined
  const finish = () => {
    open?.strip.exec('CREATE INDEX by_flux ON sources (s_int_mjy); COMMIT')
    open?.strip.close()
    open = undefined
  }
  try {
    for (const row of sorted.iterate() as unknown as Iterable<(string | number | null)[]>) {
      const [band, ...columns] = row
      if (open === undefined || open.band !== band) {
        finish()
        const strip = new DatabaseSync(join(dir, stripName(band as number)))
        strip.exec(`${FAST}; BEGIN; ${TABLE}`)
        open = { band: band as number, strip, insert: strip.prepare(INSERT) }
      }
      if (open.insert.run(...columns).changes === 0) {
        repeated++
        continue
      }
      rows++
      feed(`${JSON.stringify(columns)}\n`)
    }
    finish()
  } catch (error) {
    open?.strip.close()
    throw error
  }
  return { rows, repeated }
}

export interface Catalogue {
  readonly info: CatalogueInfo
  /** Sources within `radiusRad` of a direction, nearest first (then by id). */
  cone(centre: Direction, radiusRad: number): CatalogueSource[]
  close(): void
}

/**
 * Opens the strips of a catalogue for cone queries; they are opened as needed, read-only and immutable.
 *
 * @throws StageError INPUT_MISSING, DATA_UNUSABLE when the directory holds no catalogue of this format
 */
export async function openCatalogue(dir: string): Promise<Catalogue> {
  const info = await readInfo(dir)
  const strips = new Map<number, Strip | undefined>()
  const openStrip = (band: number) => {
    if (!strips.has(band)) {
      const path = join(dir, stripName(band))
      strips.set(band, existsSync(path) ? openStripFile(path) : undefined)
    }
    return strips.get(band)
  }
  return {
    info,
    cone(centre, radiusRad) {
      const { decMinDeg, decMaxDeg, raWindowsDeg } = coneWindows(centre, radiusRad)
      const found: { source: CatalogueSource; distance: number }[] = []
      for (let band = bandOf(decMinDeg); band <= bandOf(decMaxDeg); band++) {
        const opened = openStrip(band)
        if (opened === undefined) continue
        for (const [low, high] of raWindowsDeg) {
          const rows = reading(opened.path, () => opened.select.all(low, high, decMinDeg, decMaxDeg))
          for (const row of rows as unknown as (string | number | null)[][]) {
            const source = sourceOf(row)
            const distance = separation(centre, { raRad: source.raDeg * RAD, decRad: source.decDeg * RAD })
            if (distance <= radiusRad) found.push({ source, distance })
          }
        }
      }
      found.sort((a, b) => a.distance - b.distance || (a.source.id < b.source.id ? -1 : 1))
      return found.map(({ source }) => source)
    },
    close() {
      for (const opened of strips.values()) opened?.strip.close()
      strips.clear()
    },
  }
}

interface Strip {
  path: string
  strip: DatabaseSync
  select: ReturnType<DatabaseSync['prepare']>
}

function openStripFile(path: string): Strip {
  const url = pathToFileURL(path)
  url.searchParams.set('immutable', '1')
  const strip = reading(path, () => new DatabaseSync(url, { readOnly: true }))
  try {
    return reading(path, () => {
      // A view would run whatever its text says.
      const kind = strip.prepare("SELECT type FROM sqlite_schema WHERE name = 'sources'").get()?.['type']
      if (kind !== 'table')
        throw new StageError('DATA_UNUSABLE', `${path} has no table of sources`, { hint: STRIP_HINT })
      const select = strip.prepare(
        `SELECT ${COLUMNS} FROM sources WHERE ra_deg >= ? AND ra_deg <= ? AND dec_deg >= ? AND dec_deg <= ?`,
      )
      select.setReturnArrays(true)
      return { path, strip, select }
    })
  } catch (error) {
    strip.close()
    throw error
  }
}

const STRIP_HINT = 'import the catalogue again'

/** Runs what reads a strip; what SQLite finds wrong with it becomes an error that names it. */
function reading<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_SQLITE_ERROR') throw cause
    const why = (cause as Error).message
    throw new StageError('DATA_UNUSABLE', `${path} is no strip of a catalogue: ${why}`, { cause, hint: STRIP_HINT })
  }
}

async function readInfo(dir: string): Promise<CatalogueInfo> {
  const path = join(dir, 'catalogue.json')
  const hint = 'give the directory that `contimg catalogue import` or `contimg simulate` wrote'
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new StageError('INPUT_MISSING', `no catalogue at ${dir}: catalogue.json cannot be read`, { hint, cause })
  })
  try {
    return infoSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new StageError('DATA_UNUSABLE', `${path} does not describe a catalogue of this format`, { hint, cause })
  }
}

/** The same angle in [0, 360), exactly as it is where it lies there. */
function wrapDeg(raDeg: number): number {
  return raDeg >= 0 && raDeg < 360 ? raDeg : ((raDeg % 360) + 360) % 360
}

/** The lower edge of the one-degree strip; the pole itself belongs to the last one. */
function bandOf(decDeg: number): number {
  return Math.min(89, Math.max(-90, Math.floor(decDeg)))
}

function stripName(band: number): string {
  return `${band < 0 ? 'm' : 'p'}${String(Math.abs(band)).padStart(2, '0')}.sqlite`
}

function values(source: CatalogueSource): (string | number | null)[] {
  return [
    source.id,
    source.raDeg,
    source.decDeg,
    orNull(source.eRaArcsec),
    orNull(source.eDecArcsec),
    source.sIntMjy,
    orNull(source.eSIntMjy),
    orNull(source.sPeakMjy),
    orNull(source.majArcsec),
    orNull(source.minArcsec),
    orNull(source.paDeg),
    source.sizeIsLimit ? 1 : 0,
    Math.trunc(source.flags),
  ]
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

function sourceOf(row: (string | number | null)[]): CatalogueSource {
  return {
    id: String(row[0]),
    raDeg: orNaN(row[1]),
    decDeg: orNaN(row[2]),
    eRaArcsec: orNaN(row[3]),
    eDecArcsec: orNaN(row[4]),
    sIntMjy: orNaN(row[5]),
    eSIntMjy: orNaN(row[6]),
    sPeakMjy: orNaN(row[7]),
    majArcsec: orNaN(row[8]),
    minArcsec: orNaN(row[9]),
    paDeg: orNaN(row[10]),
    sizeIsLimit: row[11] === 1,
    flags: orNaN(row[12]),
  }
}

function orNaN(value: string | number | null): number {
  return value === null ? NaN : Number(value)
}

/** A copy with the keys of all plain objects in order, so that equal content gives equal text. */
function sortKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  )
}
