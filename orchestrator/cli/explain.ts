import type { Command } from 'commander'
import { stringify } from 'yaml'
import { apiVersion } from '#runtime/stage/contract.ts'
import { configSchema } from '../pipeline/config.ts'
import { configKeys, findKeys, inputSchema } from '../pipeline/config-keys.ts'
import { keyLines } from '../view/config-keys.ts'
import { lines, type Io } from './io.ts'
import { withHelp, withOutputOptions, type OutputOptions } from './options.ts'

/** `contimg explain`: meaning, unit, default and range of keys of the configuration. */
export function addExplainCommand(program: Command, io: Io): void {
  const command = program
    .command('explain [path]')
    .description('what a key of the configuration means: default, unit, range, whether it makes products anew')
  withOutputOptions(command, ['text', 'json', 'yaml', 'name']).action(
    (path: string | undefined, { output }: OutputOptions) => {
      const found = findKeys(configKeys(inputSchema(configSchema)), path ?? '')
      const document = { apiVersion, keys: found }
      if (output === 'json') io.out(`${JSON.stringify(document, null, 2)}\n`)
      else if (output === 'yaml') io.out(stringify(document))
      else
        lines(io.out, output === 'name' ? found.map((key) => key.path) : keyLines(found, { full: found.length === 1 }))
    },
  )
  withHelp(command, {
    examples: [
      ['contimg explain imaging.cellArcsec'],
      ['contimg explain uvMinLambda', 'a key by its own name'],
      ['contimg explain execution', 'all keys of a block'],
      ['contimg explain -o name', 'all keys there are'],
    ],
  })
}
