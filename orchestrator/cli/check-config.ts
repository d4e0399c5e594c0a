import type { Command } from 'commander'
import { apiVersion } from '#runtime/stage/contract.ts'
import { canonicalJson } from '#runtime/stage/files.ts'
import { parseConfig } from '../pipeline/config.ts'
import { settingsOf } from '../pipeline/config-origins.ts'
import { count, table } from '../view/format.ts'
import { lines, type Io } from './io.ts'
import { readConfigSources, type ConfigFlags } from './load-config.ts'
import { withHelp, withOutputOptions, withSet, type OutputOptions } from './options.ts'
import { showSettings } from './settings.ts'

interface CheckOptions extends OutputOptions, Pick<ConfigFlags, 'set'> {
  showConfig?: boolean
}

/** `contimg check-config`: a configuration against its schema, all findings at once; starts nothing. */
export function addCheckConfigCommand(program: Command, io: Io): void {
  const command = withSet(
    program
      .command('check-config <config>')
      .description('check a configuration: every finding with line and column; starts nothing'),
  ).option('--show-config', 'each value of the complete configuration with its origin')
  withOutputOptions(command, ['text', 'json', 'yaml', 'name']).action((file: string, options: CheckOptions) =>
    checkConfig(file, options, io),
  )
  withHelp(command, {
    examples: [
      ['contimg check-config config.yaml'],
      ['contimg check-config config.yaml --set imaging.preset=quicklook', 'as it would be with a change'],
      ['contimg check-config config.yaml --show-config', 'where each value comes from'],
    ],
    exits: '0 it is good, 2 it is not',
  })
}

async function checkConfig(file: string, options: CheckOptions, io: Io): Promise<void> {
  if (options.showConfig === true) return showSettings(file, options, io)
  const sources = await readConfigSources(file, options, io)
  const changed = settingsOf(parseConfig(sources), sources).filter(({ origin }) => origin !== 'default')
  if (options.output === 'json')
    io.out(`${JSON.stringify({ apiVersion, config: file, valid: true, set: changed }, null, 2)}\n`)
  else if (options.output === 'yaml')
    io.out((await import('yaml')).stringify({ apiVersion, config: file, valid: true, set: changed }))
  else if (options.output === 'name') io.out(`${file}\n`)
  else
    lines(io.out, [
      `${file} is good; it sets ${count(changed.length, 'value')}, all others are defaults`,
      ...table(
        changed.map(({ path, value, origin }) => [
          `  ${path}`,
          typeof value === 'string' ? value : canonicalJson(value),
          origin,
        ]),
      ),
    ])
}
