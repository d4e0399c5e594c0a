import { access, constants } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { z } from 'zod'
import { apiVersion } from '#runtime/stage/contract.ts'
import { checkRoot } from '../executors/local/preflight.ts'
import { runSideDoor } from '../executors/local/side-door.ts'
import { ProblemError } from '../pipeline/problem.ts'
import { listCatalogues } from '../runs/catalogues.ts'
import { table } from '../view/format.ts'
import { lines, type Io } from './io.ts'
import { dataRoot, withGlobalOptions, withHelp, type GlobalOptions } from './options.ts'

interface ImportOptions extends GlobalOptions {
  name?: string
  freqMhz?: string
  resolutionArcsec?: string
}

const resultSchema = z.object({
  name: z.string(),
  hash12: z.string(),
  rows: z.number(),
  rejected: z.number(),
  path: z.string(),
})

/** `contimg catalogue`: local reference catalogues. */
export function addCatalogueCommand(program: Command, io: Io): void {
  const catalogue = program.command('catalogue').description('local reference catalogues')
  const importing = catalogue
    .command('import <file>')
    .description('import a table of sources: RACS and NVSS from VizieR (TSV, FITS, VOTable), or CSV with ra, dec, flux')
    .option('--name <name>', 'name of the catalogue (default: of the survey, else of the file)')
    .option('--freq-mhz <mhz>', 'frequency of its flux densities, for a table of unknown origin')
    .option('--resolution-arcsec <arcsec>', 'resolution, for a table of unknown origin')
  withGlobalOptions(importing, ['text', 'json']).action((file: string, options: ImportOptions) =>
    importFile(file, options, io),
  )
  withHelp(importing, {
    notes:
      'Importing the same table again gives the same catalogue. docs/catalogues.md says which columns are understood.',
    examples: [
      ['contimg catalogue import racs-mid.tsv', 'prints its name: racs-mid@...'],
      ['contimg catalogue import mine.csv --name mine --freq-mhz 1400 --resolution-arcsec 5'],
    ],
  })
  const listing = catalogue.command('list').description('imported catalogues')
  withGlobalOptions(listing, ['text', 'json', 'yaml', 'name']).action((options: GlobalOptions) => list(options, io))
  withHelp(listing, { examples: [['contimg catalogue list'], ['contimg catalogue list -o name']] })
}

async function importFile(file: string, options: ImportOptions, io: Io): Promise<void> {
  const root = dataRoot(options, io)
  const path = resolve(io.cwd, file)
  await checkTable(path)
  await checkRoot(root)
  const args = ['--import-catalogue', path, '--root', root]
  if (options.name !== undefined) args.push('--name', options.name)
  if (options.freqMhz !== undefined) args.push('--freq-mhz', options.freqMhz)
  if (options.resolutionArcsec !== undefined) args.push('--resolution-arcsec', options.resolutionArcsec)
  const result = resultSchema.parse(
    await runSideDoor('validation', args, {
      stagesDir: io.stagesDir,
      signal: io.signal,
      failure: 'CATALOGUE_IMPORT_FAILED',
    }),
  )
  const id = `${result.name}@${result.hash12}`
  if (options.output === 'json') io.out(`${JSON.stringify({ apiVersion, catalogue: id, ...result }, null, 2)}\n`)
  else {
    lines(io.out, [
      `${id}  ${result.rows} sources${result.rejected === 0 ? '' : `, ${result.rejected} rows left out`}  ${result.path}`,
      `next  contimg run --input DIR --catalogue ${id}`,
    ])
  }
}

async function checkTable(path: string): Promise<void> {
  try {
    await access(path, constants.R_OK)
  } catch (cause) {
    throw new ProblemError(
      'CATALOGUE_IMPORT_FAILED',
      `cannot read the table ${path} (${(cause as NodeJS.ErrnoException).code})`,
      { hint: 'give a file that exists: a table of VizieR (TSV, FITS, VOTable), or CSV with ra, dec, flux', cause },
    )
  }
}

async function list(options: GlobalOptions, io: Io): Promise<void> {
  const root = dataRoot(options, io)
  const all = await listCatalogues(root)
  const catalogues = all.map(({ path, ...rest }) => ({
    ...rest,
    id: `${rest.name}@${rest.hash12}`,
    path: `${root}/${path}`,
  }))
  if (options.output === 'json') io.out(`${JSON.stringify({ apiVersion, catalogues }, null, 2)}\n`)
  else if (options.output === 'yaml') io.out(stringify({ apiVersion, catalogues }))
  else if (options.output === 'name')
    lines(
      io.out,
      all.map(({ name, hash12 }) => `${name}@${hash12}`),
    )
  else if (all.length === 0) io.err(`no catalogues under ${root}; import one with: contimg catalogue import FILE\n`)
  else {
    const rows = all.map(({ name, hash12, rows: sources, freqHz, simulated }) => [
      `${name}@${hash12}`,
      String(sources),
      `${(freqHz / 1e6).toFixed(1)} MHz`,
      simulated ? 'simulated sky' : '',
    ])
    lines(io.out, table([['NAME', 'SOURCES', 'FREQUENCY', ''], ...rows]))
  }
}
