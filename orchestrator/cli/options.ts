import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import type { Io } from './io.ts'

export type OutputFormat = 'text' | 'wide' | 'json' | 'yaml' | 'name'

export interface TerminalOptions {
  quiet?: boolean
  verbose?: boolean
  utf8?: boolean
}

export interface OutputOptions extends TerminalOptions {
  output: OutputFormat
}

export interface GlobalOptions extends OutputOptions {
  root?: string
}

/** Adds the options that every command on a data root has. */
export function withGlobalOptions(command: Command, formats: readonly OutputFormat[]): Command {
  return withOutputOptions(
    command.option('--root <dir>', 'data root (default: CONTIMG_ROOT, else ./contimg-data)'),
    formats,
  )
}

/** Adds the options that every command has. */
export function withOutputOptions(command: Command, formats: readonly OutputFormat[]): Command {
  return withTerminalOptions(
    command.addOption(
      new Option('-o, --output <format>', 'what standard output gets').choices(formats).default('text'),
    ),
  )
}

/** Adds what every command has for the terminal. */
export function withTerminalOptions(command: Command): Command {
  return command
    .option('-q, --quiet', 'no progress on standard error')
    .option('-v, --verbose', 'stack traces of unexpected errors')
    .option('--no-color', 'no colours (there are none in plain output)')
    .option('--no-utf8', 'words instead of symbols')
}

/** The data root of commands that only look: flag, environment, default. */
export function dataRoot(options: GlobalOptions, { env, cwd }: Io): string {
  return resolve(cwd, options.root ?? (env['CONTIMG_ROOT'] || 'contimg-data'))
}
