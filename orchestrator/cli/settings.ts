import { stringify } from 'yaml'
import { apiVersion } from '#runtime/stage/contract.ts'
import { canonicalJson } from '#runtime/stage/files.ts'
import { parseConfig } from '../pipeline/config.ts'
import { settingsOf } from '../pipeline/config-origins.ts'
import { table } from '../view/format.ts'
import { lines, type Io } from './io.ts'
import { readConfigSources, type ConfigFlags } from './load-config.ts'
import type { OutputOptions } from './options.ts'

/** Prints the complete configuration of a command, each value with its origin. Throws ProblemError CONFIG_*. */
export async function showSettings(
  file: string | undefined,
  options: OutputOptions & ConfigFlags,
  io: Io,
): Promise<void> {
  const sources = await readConfigSources(file, options, io)
  const settings = settingsOf(parseConfig(sources), sources)
  if (options.output === 'json') io.out(`${JSON.stringify({ apiVersion, settings }, null, 2)}\n`)
  else if (options.output === 'yaml') io.out(stringify({ apiVersion, settings }))
  else if (options.output === 'name')
    lines(
      io.out,
      settings.map(({ path }) => path),
    )
  else
    lines(
      io.out,
      table([
        ['KEY', 'VALUE', 'ORIGIN'],
        ...settings.map(({ path, value, origin }) => [
          path,
          typeof value === 'string' ? value : canonicalJson(value),
          origin,
        ]),
      ]),
    )
}
