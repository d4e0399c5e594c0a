import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { StageError } from '#runtime/stage/errors.ts'
import { hashFile } from '#runtime/stage/files.ts'
import { sourceName } from '#runtime/sky/source-name.ts'
import { genericColumns, locateColumns, recogniseSurvey, type SourceField, type SurveyLayout } from './layouts.ts'
import { writeCatalogue, type CatalogueAbout, type CatalogueInfo, type CatalogueSource } from './strips.ts'
import { readSourceTable, type SourceTable } from './table.ts'
import { angleFactorDeg, fluxFactorMjy, parseAngleDeg, unitOfName } from './units.ts'

const RAD = Math.PI / 180

export interface ImportOptions {
  /** Data root; the catalogue goes to `catalogues/<name>@<hash>` in it. */
  root: string
  /** Lower-case name; default: that of the survey, else of the file. */
  name?: string | undefined
  version?: string | undefined
  /** Needed for a table of unknown origin: frequency of its flux densities and its resolution. */
  freqHz?: number | undefined
  resolutionArcsec?: number | undefined
}

/**
 * Imports a catalogue file (CSV, VizieR TSV, VOTable, FITS table) as strips into the data root. The columns of RACS and
 * NVSS are known; other tables need recognisable names (ra, dec, flux) and a frequency. Importing the same file twice
 * gives the same directory.
 *
 * @throws StageError INPUT_MISSING, DATA_UNUSABLE, PARAMS_INVALID
 */
export async function importCatalogue(
  file: string,
  options: ImportOptions,
): Promise<{ info: CatalogueInfo; path: string }> {
  const table = await readSourceTable(file)
  const names = table.columns.map(({ name }) => name)
  const survey = recogniseSurvey(names)
  const fields = locateColumns(names, survey?.columns ?? genericColumns)
  for (const [field, what] of [
    ['ra', 'right ascension'],
    ['dec', 'declination'],
    ['sInt', 'flux density'],
  ] as const) {
    if (fields[field] !== undefined) continue
    const candidates = (survey?.columns[field] ?? genericColumns[field] ?? []).join(', ')
    throw new StageError('DATA_UNUSABLE', `${file}: no column of ${what}; its columns are ${names.join(', ')}`, {
      hint: `rename it to one of ${candidates}`,
    })
  }
  const about = describe(file, survey, options)
  const folder = join(options.root, 'catalogues')
  const temporary = join(folder, `.import-${randomUUID()}`)
  await mkdir(temporary, { recursive: true })
  try {
    const info = await writeCatalogue(
      temporary,
      {
        ...about,
        sourceSha256: (await hashFile(file)).sha256,
        columns: Object.fromEntries(Object.entries(fields).map(([field, index]) => [field, names[index]])),
      },
      sourcesOf(table, fields),
    )
    const path = join(folder, `${info.name}@${info.hash12}`)
    // The name holds the hash of the content: a directory that is there already is the same catalogue.
    if ((await stat(join(path, 'catalogue.json')).catch(() => undefined)) === undefined) {
      await rm(path, { recursive: true, force: true })
      await rename(temporary, path)
    }
    return { info, path }
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

function describe(file: string, survey: SurveyLayout | undefined, options: ImportOptions): CatalogueAbout {
  const fallback = basename(file).toLowerCase().replace(/\.[^.]*$/, '').replaceAll(/[^a-z0-9._-]+/g, '-').replace(/^[^a-z0-9]+/, '') // prettier-ignore
  const name = options.name ?? survey?.name ?? (fallback === '' ? 'catalogue' : fallback)
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(name)) {
    throw new StageError('PARAMS_INVALID', `catalogue name "${name}" is not valid`, {
      hint: 'use lower-case letters, digits, dot, dash and underscore',
    })
  }
  const freqHz = options.freqHz ?? survey?.freqHz
  if (freqHz === undefined) {
    throw new StageError('PARAMS_INVALID', `${file} is no survey that contimg knows: its frequency is needed`, {
      hint: 'add --freq-mhz, the frequency of its flux densities, and --resolution-arcsec, its beam',
    })
  }
  return {
    name,
    version: options.version ?? survey?.version ?? '1',
    freqHz,
    resolutionArcsec: options.resolutionArcsec ?? survey?.resolutionArcsec ?? 0,
    sizes: survey?.sizes ?? 'deconvolved',
    completeMjy: survey?.completeMjy ?? 0,
    citation: survey?.citation ?? '',
    ...(survey?.vizier === undefined ? {} : { vizier: survey.vizier }),
  }
}

async function* sourcesOf(
  table: SourceTable,
  fields: Partial<Record<SourceField, number>>,
): AsyncGenerator<CatalogueSource, void, undefined> {
  const unit = (field: SourceField, fallback: string): string => {
    const index = fields[field]
    if (index === undefined) return fallback
    return table.columns[index].unit ?? unitOfName(table.columns[index].name) ?? fallback
  }
  const angle = (field: SourceField, fallback: string): number =>
    angleFactorDeg(unit(field, fallback)) ?? (angleFactorDeg(fallback) as number)
  const flux = (field: SourceField): number => {
    const factor = fluxFactorMjy(unit(field, 'mJy'))
    if (factor === undefined)
      throw new StageError('DATA_UNUSABLE', `flux densities in "${unit(field, 'mJy')}" are not understood`)
    return factor
  }
  const factors = {
    ra: angle('ra', 'deg'),
    dec: angle('dec', 'deg'),
    eRa: angle('eRa', 'arcsec') * 3600,
    eDec: angle('eDec', 'arcsec') * 3600,
    maj: angle('maj', 'arcsec') * 3600,
    min: angle('min', 'arcsec') * 3600,
    pa: angle('pa', 'deg'),
    sInt: flux('sInt'),
    eSInt: flux('eSInt'),
    sPeak: flux('sPeak'),
    noise: flux('noise'),
  }
  // An error in seconds of time runs along the parallel; angles are errors on the sky.
  const eRaInTime = unit('eRa', 'arcsec').trim() === 's'
  for await (const cells of table.rows) {
    const text = (field: SourceField): string =>
      String(fields[field] === undefined ? '' : (cells[fields[field]] ?? '')).trim()
    const number = (field: SourceField & keyof typeof factors): number => {
      const cell = text(field)
      return cell === '' ? NaN : Number(cell) * factors[field]
    }
    const cell = (field: 'ra' | 'dec') => cells[fields[field] as number] ?? ''
    const decDeg = parseAngleDeg(cell('dec'), factors.dec, false)
    const sIntMjy = number('sInt')
    const noiseMjy = number('noise')
    const raDeg = parseAngleDeg(cell('ra'), factors.ra, true)
    const id = text('id')
    yield {
      id: id === '' ? sourceName({ raRad: raDeg * RAD, decRad: decDeg * RAD }) : id,
      raDeg,
      decDeg,
      eRaArcsec: number('eRa') * (eRaInTime ? Math.cos(decDeg * RAD) : 1),
      eDecArcsec: number('eDec'),
      sIntMjy,
      eSIntMjy: fields.eSInt === undefined ? assumedError(sIntMjy, noiseMjy) : number('eSInt'),
      sPeakMjy: number('sPeak'),
      majArcsec: number('maj'),
      minArcsec: number('min'),
      paDeg: number('pa'),
      sizeIsLimit: ['<', '1', 'true'].includes(text('limitMaj').toLowerCase()),
      flags: Number.isFinite(Number(text('flags'))) ? Number(text('flags')) : 0,
    }
  }
}

/** Some public copies of RACS lack the flux error: 3 % and the local noise in quadrature. */
function assumedError(sIntMjy: number, noiseMjy: number): number {
  return Number.isFinite(noiseMjy) ? Math.hypot(0.03 * sIntMjy, noiseMjy) : NaN
}
