import { resolve } from 'node:path'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { pipelineStages } from '../pipeline/stage-names.ts'
import type { Io } from './io.ts'

export type OutputFormat = 'text' | 'wide' | 'json' | 'yaml' | 'name'

export interface TerminalOptions {
  quiet?: boolean
  verbose?: boolean
  utf8?: boolean
  color?: boolean
}

export interface OutputOptions extends TerminalOptions {
  output: OutputFormat
}

export interface GlobalOptions extends OutputOptions {
  root?: string
}

/** Adds the options that every command on a data root has. */
export function withGlobalOptions(command: Command, formats: readonly OutputFormat[]): Command {
  return withOutputOptions(withRoot(command), formats)
}

/** Adds the option of every command that looks below a data root. */
export function withRoot(command: Command): Command {
  return command.option('--root <dir>', 'data root (default: CONTIMG_ROOT, else ./contimg-data)')
}

/** Adds the options that every command has. */
export function withOutputOptions(command: Command, formats: readonly OutputFormat[]): Command {
  return withTerminalOptions(
    command.addOption(
      new Option('-o, --output <format>', 'what standard output gets').choices(formats).default(formats[0]),
    ),
  )
}

/** Adds what every command has for the terminal. */
export function withTerminalOptions(command: Command): Command {
  return command
    .option('-q, --quiet', 'no progress on standard error')
    .option('-v, --verbose', 'also the phases of stages, and stack traces of unexpected errors')
    .option('--no-color', 'no colours')
    .option('--no-utf8', 'words instead of symbols')
}

/** The data root of commands that only look: flag, environment, default. */
export function dataRoot(options: { root?: string }, { env, cwd }: Io): string {
  return resolve(cwd, options.root ?? (env['CONTIMG_ROOT'] || 'contimg-data'))
}

/** Adds what says which data are processed and how: the options that stand for keys of the configuration. */
export function withConfigOptions(command: Command): Command {
  return withSet(command)
    .option('--input <dir>', 'folder of raw .hdf5 subband files')
    .option('--catalogue <path|name@hash>', 'reference catalogue for validation: a folder, or an imported one')
    .option('--station-table <file>', 'CSV of surveyed stations that the antennas are held against')
    .option('--uncalibrated', 'image without calibration and label everything so')
    .option(
      '--observations <ids>',
      'only these observations: ids, patterns (* and ?) or ranges (FROM..TO), separated by commas',
    )
}

/** Adds the option that sets any key of the configuration. */
export function withSet(command: Command): Command {
  return command.option(
    '--set <key=value>',
    'set one key of the configuration, such as imaging.sizePixels=2400; repeatable',
    (value: string, all: string[]) => [...all, value],
    [],
  )
}

/** Adds what narrows a run to some of its stages. */
export function withStageOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--from <stage>', 'first stage to run; products of the stages before it must exist').choices(
        pipelineStages,
      ),
    )
    .addOption(new Option('--until <stage>', 'last stage to run').choices(pipelineStages))
    .addOption(
      new Option('--only <stage>', 'one stage: --from and --until in one')
        .choices(pipelineStages)
        .conflicts(['from', 'until']),
    )
}

/** An option whose value is a time: seconds, or a number with s, m, h or d. */
export function secondsOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => {
    const [, digits, unit = 's'] = /^(\d+(?:\.\d+)?)(s|m|h|d)?$/.exec(text) ?? []
    if (digits === undefined || Number(digits) <= 0)
      throw new InvalidArgumentError('expected a time such as 90s, 30m or 2h.')
    return Number(digits) * { s: 1, m: 60, h: 3600, d: 86_400 }[unit as 's' | 'm' | 'h' | 'd']
  })
}

/** An option whose value is a number of things, at least `least`. */
export function countOption(flags: string, description: string, least = 1): Option {
  return new Option(flags, description).argParser((text) => {
    if (!/^\d+$/.test(text) || Number(text) < least)
      throw new InvalidArgumentError(`expected a whole number, at least ${least}.`)
    return Number(text)
  })
}

interface Help {
  /** More than the description says. */
  notes?: string
  /** Command lines that work as they stand where DIR is a folder of raw files, and what they are for. */
  examples: readonly (readonly [line: string, about?: string])[]
  /** What the exit codes mean, where there are more than 0 and 2. */
  exits?: string
}

/** Adds the end of a help text: notes, examples, exit codes. */
export function withHelp(command: Command, { notes, examples, exits }: Help): Command {
  const width = Math.max(...examples.map(([line, about]) => (about === undefined ? 0 : line.length)))
  const parts = [
    ...(notes === undefined ? [] : [notes]),
    `Examples:\n${examples.map(([line, about]) => `  ${about === undefined ? line : `${line.padEnd(width)}   # ${about}`}`).join('\n')}`,
    ...(exits === undefined ? [] : [`Exit codes: ${exits}`]),
  ]
  return command.addHelpText('after', `\n${parts.join('\n\n')}`)
}
