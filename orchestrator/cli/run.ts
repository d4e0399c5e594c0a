import { join } from 'node:path'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { writeFileAtomic } from '#runtime/stage/files.ts'
import type { Scan } from '../../stages/conversion/contract.ts'
import { createLocalExecutor } from '../executors/local/local-executor.ts'
import { readMachine, wscleanVersion } from '../executors/local/machine.ts'
import { checkInput, checkRoot, earthOrientationAsset, stationTableAsset } from '../executors/local/preflight.ts'
import { scanFolder } from '../executors/local/scan.ts'
import { admit, selection } from '../pipeline/admission.ts'
import type { RunConfig } from '../pipeline/config.ts'
import { exitCodes } from '../pipeline/outcome.ts'
import { ProblemError } from '../pipeline/problem.ts'
import { reportPage } from '../report/page.ts'
import { catalogueAsset, resolveCatalogue, type InstalledCatalogue } from '../runs/catalogues.ts'
import { runSession, type SessionOptions } from '../runs/session.ts'
import type { RunState } from '../pipeline/state.ts'
import { closingLines } from '../view/closing.ts'
import { runDocument } from '../view/document.ts'
import { count } from '../view/format.ts'
import { heartbeat, plainLines } from '../view/plain.ts'
import { lines, styleOf, type Io } from './io.ts'
import { loadConfig, type ConfigFlags } from './load-config.ts'
import { withGlobalOptions, type GlobalOptions } from './options.ts'
import { scanProgress } from './scan-progress.ts'
import { readVersion } from './version.ts'

const HEARTBEAT_MS = 60_000

const NO_CATALOGUE = {
  level: 'warn' as const,
  message:
    'no catalogue: flux scale, astrometry and completeness are not checked and the verdict is at most uncertain; give one with --catalogue',
}

type RunOptions = GlobalOptions & ConfigFlags

/** `contimg run`: plan, execute, follow, report. */
export function addRunCommand(program: Command, io: Io, end: (exitCode: number) => void): void {
  const command = program
    .command('run [config]')
    .description('make images of the observations in a folder: convert, calibrate, image, validate')
    .option('--input <dir>', 'folder of raw .hdf5 subband files')
    .option('--catalogue <path|name@hash>', 'reference catalogue for validation: a folder, or an imported one')
    .option('--station-table <file>', 'CSV of surveyed stations that the antennas are held against')
    .option('--uncalibrated', 'image without calibration and label everything so')
    .option('--observations <ids>', 'only these observations: ids or patterns, separated by commas')
    .option('--name <name>', 'name of the run; with the name of an unfinished run of the same configuration it goes on')
    .option(
      '--set <key=value>',
      'set one key of the configuration, such as imaging.sizePixels=2400; repeatable',
      (value: string, all: string[]) => [...all, value],
      [],
    )
  withGlobalOptions(command, ['text', 'json', 'yaml', 'name'])
    .addHelpText(
      'after',
      `
Examples:
  contimg run --input DIR                          everything with the defaults
  contimg run config.yaml --set imaging.sizePixels=2400
  contimg run --input DIR --uncalibrated -o json

Exit codes: 0 finished, 1 an observation failed, 2 nothing was started, 3 a verdict is bad, 130 interrupted`,
    )
    .action(async (file: string | undefined, options: RunOptions) => end(await run(file, options, io)))
}

async function run(file: string | undefined, options: RunOptions, io: Io): Promise<number> {
  const style = styleOf(io, options)
  const config = await loadConfig(file, options, io)
  const say = (texts: readonly string[]): void => (options.quiet === true ? undefined : lines(io.err, texts))
  const prepared = await prepare(config, io, { say, quiet: options.quiet === true })
  let current: RunState | undefined
  const beat = setInterval(() => {
    const line = current === undefined ? undefined : heartbeat(current, io.now().getTime())
    if (line !== undefined) say([line])
  }, HEARTBEAT_MS)
  try {
    const finished = await runSession({
      ...prepared,
      config,
      now: io.now,
      random: io.random,
      signal: io.signal,
      executor: (runFolder) =>
        createLocalExecutor({
          root: config.root,
          runFolder,
          stagesDir: io.stagesDir,
          ...(io.env['CONTIMG_SCRATCH'] ? { scratchRoot: io.env['CONTIMG_SCRATCH'] } : {}),
        }),
      onEvent(event, state) {
        current = state
        say(plainLines(event, state, { ...style, root: config.root }))
      },
    })
    const folder = join(config.root, 'runs', finished.run)
    await writeFileAtomic(join(folder, 'report.html'), reportPage(finished))
    // Loaded here, because it costs every other command its start.
    const { runMetrics } = await import('../metrics/registry.ts')
    await writeFileAtomic(join(folder, 'metrics.prom'), await runMetrics(finished))
    answer(finished, { format: options.output, quiet: options.quiet === true, config, io, utf8: style.utf8 })
    return finished.exitCode ?? exitCodes.failed
  } finally {
    clearInterval(beat)
  }
}

/** Everything that must hold before the first step: else ProblemError, exit code 2. */
async function prepare(
  config: RunConfig,
  io: Io,
  { say, quiet }: { say: (texts: readonly string[]) => void; quiet: boolean },
): Promise<Pick<SessionOptions, 'version' | 'scan' | 'scanSeconds' | 'assets' | 'engines' | 'notes' | 'machine'>> {
  if (config.input === undefined) {
    throw new ProblemError('USAGE', 'there is no input folder', {
      hint: 'give --input DIR, or `input:` in the configuration',
    })
  }
  await checkInput(config.input)
  await checkRoot(config.root)
  const stationTable =
    config.stationTable === undefined ? undefined : await stationTableAsset(config.root, config.stationTable)
  const catalogue = config.catalogue === undefined ? undefined : await resolveCatalogue(config.root, config.catalogue)
  const engines = { wscleanVersion: await wscleanVersion() }
  const started = performance.now()
  const progress = scanProgress(io, quiet)
  const scan = await scanFolder(config.input, {
    stagesDir: io.stagesDir,
    expect: config.conversion.expect,
    root: config.root,
    stationTable: config.stationTable,
    signal: io.signal,
    onProgress: progress.hear,
    onNote: (message) => say([message]),
  }).finally(progress.end)
  const scanSeconds = Math.round(performance.now() - started) / 1000
  const { admitted, rejected } = admit(scan, config)
  if (admitted.length + rejected.length === 0) {
    const ids = scan.observations.map(({ id }) => id)
    const none = ids.filter(selection(config.observations)).length === 0 && ids.length > 0
    throw new ProblemError(
      none ? 'OBSERVATIONS_UNKNOWN' : 'INPUT_EMPTY',
      none
        ? `no observation is selected by ${config.observations?.join(', ')}`
        : `${config.input} holds no observation`,
      {
        hint: none
          ? `there are: ${ids.slice(0, 10).join(', ')}`
          : 'give the folder that holds the .hdf5 files of an observation',
      },
    )
  }
  return {
    version: await readVersion(),
    scan,
    scanSeconds,
    assets: {
      earthOrientation: await earthOrientationAsset(config.root),
      ...(stationTable === undefined ? {} : { stationTable }),
      ...(catalogue === undefined ? {} : { catalogue: await catalogueAsset(config.root, catalogue) }),
    },
    engines,
    machine: await readMachine(),
    notes: [
      catalogue === undefined ? NO_CATALOGUE : { level: 'info', message: catalogueText(catalogue) },
      ...scan.warnings.map((warning) => warningNote(scan.input, warning)),
      ...admitted.flatMap(({ id, warnings }) => warnings.map((warning) => warningNote(id, warning))),
    ],
  }
}

/** A warning of the scan about a file, or about all of what holds it. */
function warningNote(whole: string, { file, message }: Scan['warnings'][number]): SessionOptions['notes'][number] {
  return { level: 'warn', message: `${file ?? whole}: ${message}` }
}

function catalogueText({ name, hash12, rows, simulated }: InstalledCatalogue): string {
  return `catalogue ${name}@${hash12}, ${count(rows, 'source')}${simulated ? ', simulated sky' : ''}`
}

interface Answer {
  format: GlobalOptions['output']
  quiet: boolean
  config: RunConfig
  io: Io
  utf8: boolean
}

/** Standard output gets the answer in the format that was asked for; the closing block goes beside it when that is data. */
function answer(state: RunState, { format, quiet, config, io, utf8 }: Answer): void {
  const closing = closingLines(state, { root: config.root, utf8 })
  if (format === 'text') return lines(io.out, closing)
  if (!quiet) lines(io.err, closing)
  if (format === 'name') io.out(`${state.run}\n`)
  else if (format === 'yaml') io.out(stringify(runDocument(state, config.root)))
  else io.out(`${JSON.stringify(runDocument(state, config.root), null, 2)}\n`)
}
