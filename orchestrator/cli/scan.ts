import { resolve } from 'node:path'
import type { Command } from 'commander'
import { scanFolder } from '../executors/local/scan.ts'
import { scanDocument, scanLines, scanNames, type Expected } from '../view/scan.ts'
import { lines, styleOf, type Io } from './io.ts'
import { dataRoot, withGlobalOptions, withHelp, type GlobalOptions } from './options.ts'
import { scanProgress } from './scan-progress.ts'

interface ScanCliOptions extends GlobalOptions {
  config?: string
  incomplete?: boolean
  cache: boolean
}

/** `contimg scan`: what observations a folder holds, and what each lacks. */
export function addScanCommand(program: Command, io: Io): void {
  const command = program
    .command('scan <dir>')
    .description('list the observations of a folder of raw files: what is there, what is absent, what cannot be used')
    .option('--incomplete', 'only observations that are not complete')
    .option(
      '--config <file>',
      'configuration whose conversion.expect says what is complete (default: 16 subbands, 24 integrations)',
    )
    .option('--no-cache', 'look at every file anew, and keep nothing for later scans')
  withGlobalOptions(command, ['text', 'wide', 'json', 'yaml', 'name']).action(
    (directory: string, options: ScanCliOptions) => scan(directory, options, io),
  )
  withHelp(command, {
    notes:
      'Only headers are read. What was found in a file is kept under the data root until its size or times change.',
    examples: [
      ['contimg scan DIR'],
      ['contimg scan DIR --incomplete', 'what to wait for, or to copy again'],
      ['contimg scan DIR --incomplete -o name', 'the ids alone, for scripts'],
      ['contimg scan DIR -o json > scan.json'],
    ],
    exits: '0 the folder was read, also when some of its files cannot be used; 2 it could not be; 130 interrupted',
  })
}

async function scan(directory: string, options: ScanCliOptions, io: Io): Promise<void> {
  const { quiet = false, output } = options
  const expected = await expectedOf(options, io)
  const progress = scanProgress(io, quiet)
  const found = await scanFolder(resolve(io.cwd, directory), {
    stagesDir: io.stagesDir,
    expect: { subbands: [...expected.subbands], integrations: expected.integrations },
    root: options.cache ? dataRoot(options, io) : undefined,
    signal: io.signal,
    onProgress: progress.hear,
    onNote: (message) => progress.say([message]),
  }).finally(progress.end)
  const document = scanDocument(found, { expected, incomplete: options.incomplete === true })
  if (output === 'name') lines(io.out, scanNames(document))
  else if (output === 'json') io.out(`${JSON.stringify(document, null, 2)}\n`)
  else if (output === 'yaml') io.out((await import('yaml')).stringify(document))
  else if (found.files === 0) io.err(`${directory} holds no raw files (.hdf5) that their writer has closed\n`)
  else lines(io.out, scanLines(document, { wide: output === 'wide', ...styleOf(io, options) }))
}

/** Loaded where they are needed: schemas and YAML cost a scan from its cache more time than the scan. */
async function expectedOf({ config, ...options }: ScanCliOptions, io: Io): Promise<Expected> {
  if (config !== undefined) {
    const { loadConfig } = await import('./load-config.ts')
    return (await loadConfig(config, { ...options, set: [] }, io)).conversion.expect
  }
  return defaultExpected
}

const defaultExpected: Expected = { subbands: Array.from({ length: 16 }, (_, subband) => subband), integrations: 24 }
