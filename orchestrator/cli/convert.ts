import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { apiVersion } from '#runtime/stage/contract.ts'
import { convertFiles } from '../executors/local/convert.ts'
import type { StageEvent } from '../executors/local/side-door.ts'
import { exitCodes } from '../pipeline/outcome.ts'
import { convertedLines, progressLine, type ConversionProgress } from '../view/conversion.ts'
import { duration } from '../view/format.ts'
import { lines, styleOf, type Io } from './io.ts'
import { startScreen } from './screen.ts'
import { withHelp, withTerminalOptions, type TerminalOptions } from './options.ts'

interface ConvertCliOptions extends TerminalOptions {
  out: string
  cpu?: string
  earthOrientation?: string
  stationTable?: string
  deadAntennaFraction?: string
  staging?: string
  force?: boolean
  hash?: boolean
  json?: boolean
}

/** Where there is no terminal, a long conversion says every so often that it goes on. */
const HEARTBEAT_MS = 60_000

/** `contimg convert`: the files of one observation, of any telescope, to a MeasurementSet; no run, no calibration. */
export function addConvertCommand(program: Command, io: Io, end: (exitCode: number) => void): void {
  const command = program
    .command('convert <files...>')
    .description('convert the UVH5 files of one observation, of any telescope, to a MeasurementSet')
    .requiredOption('-o, --out <set>', 'MeasurementSet to make')
    .option('--force', 'replace a MeasurementSet of that name')
    .option('--json', 'a JSON summary on standard output')
    .option('--hash', 'also give the sha256 of the set; reads it once more')
    .option('--cpu <n>', 'worker threads, up to 4 (default: the cores of this machine)')
    .option('--earth-orientation <file>', 'table of UT1 and polar motion (default: the one that comes with contimg)')
    .option('--station-table <file>', 'CSV of surveyed stations that the antennas are held against')
    .option(
      '--dead-antenna-fraction <x>',
      'flag an antenna whole when more than this fraction of its samples is zero or not finite (default: 0.95)',
    )
    .addOption(
      new Option(
        '--staging <when>',
        'assemble the set in scratch space, then copy it; auto: only for a network filesystem where it fits in memory',
      ).choices(['auto', 'on', 'off']),
    )
  withTerminalOptions(command).action(async (files: string[], options: ConvertCliOptions) =>
    end(await convert(files, options, io)),
  )
  withHelp(command, {
    notes: 'Each of the files is a file, a folder (all its .hdf5, .uvh5 and .h5 files) or a pattern in quotes.',
    examples: [
      ['contimg convert sb*.hdf5 -o out.ms'],
      ['contimg convert DIR -o out.ms --json > summary.json'],
      ['contimg convert DIR -o out.ms --force --cpu 1'],
    ],
    exits:
      '0 the set is good or uncertain, 1 the data cannot be converted, 2 nothing was started, 3 the set was made and a check is bad, 130 interrupted',
  })
}

async function convert(files: readonly string[], options: ConvertCliOptions, io: Io): Promise<number> {
  const style = styleOf(io, options)
  const out = resolve(io.cwd, options.out)
  const shown = showProgress(io, { quiet: options.quiet === true, utf8: style.utf8 })
  try {
    const converted = await convertFiles(
      files.map((file) => resolve(io.cwd, file)),
      {
        ...options,
        out,
        earthOrientation:
          options.earthOrientation === undefined ? undefined : resolve(io.cwd, options.earthOrientation),
        stationTable: options.stationTable === undefined ? undefined : resolve(io.cwd, options.stationTable),
        ...(io.env['CONTIMG_SCRATCH'] ? { scratch: io.env['CONTIMG_SCRATCH'] } : {}),
        stagesDir: io.stagesDir,
        signal: io.signal,
        onEvent: (event) => shown.hear(event),
      },
    )
    shown.end()
    if (options.json === true) io.out(`${JSON.stringify({ apiVersion, ...converted }, null, 2)}\n`)
    else lines(io.out, convertedLines(converted, style))
    return converted.verdict === 'bad' ? exitCodes.badVerdict : exitCodes.done
  } finally {
    shown.end()
  }
}

interface ShownProgress {
  hear(event: StageEvent): void
  end(): void
}

/** A bar on a terminal that can draw one, a line a phase elsewhere, nothing when quiet. */
function showProgress(io: Io, { quiet, utf8 }: { quiet: boolean; utf8: boolean }): ShownProgress {
  if (quiet) return { hear: () => undefined, end: () => undefined }
  const began = io.now().getTime()
  const seconds = (): number => (io.now().getTime() - began) / 1000
  const progress: ConversionProgress = { phase: 'start', phaseBegan: 0 }
  const { terminal } = io
  const live = terminal !== undefined && io.env['TERM'] !== 'dumb'
  const draw = (columns: number, bar: boolean): string =>
    progressLine(progress, { seconds: seconds(), columns, bar, utf8 })
  const screen = live
    ? startScreen({ write: io.err, terminal, draw: () => [draw(terminal.columns(), true)] })
    : undefined
  const heartbeat = live
    ? undefined
    : setInterval(() => io.err(`${draw(Number.POSITIVE_INFINITY, false)}\n`), HEARTBEAT_MS)
  return {
    hear(event) {
      if (event.type === 'phase') {
        progress.phase = event.name
        progress.phaseBegan = seconds()
        delete progress.progress
        if (!live) io.err(`${duration(seconds()).padStart(5)}  ${event.name}\n`)
      } else if (event.type === 'progress') {
        const { done, total, unit } = event
        progress.progress = { done, total, unit }
      }
    },
    end() {
      screen?.end()
      clearInterval(heartbeat)
    },
  }
}
