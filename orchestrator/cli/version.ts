import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { Io } from './io.ts'
import { withHelp, withOutputOptions, type OutputOptions } from './options.ts'

/** The version of this checkout. */
export async function readVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}

/** `contimg version`. */
export function addVersionCommand(program: Command, io: Io): void {
  const command = program.command('version').description('version of contimg and of its stage contracts')
  withOutputOptions(command, ['text', 'json']).action(async ({ output }: OutputOptions) => {
    const version = await readVersion()
    const [{ apiVersion }, { contracts, pipelineStages }] = await Promise.all([
      import('#runtime/stage/contract.ts'),
      import('../pipeline/stages.ts'),
    ])
    const stages = Object.fromEntries(pipelineStages.map((stage) => [stage, contracts[stage].version]))
    if (output === 'json')
      io.out(`${JSON.stringify({ apiVersion, version, node: process.version, contracts: stages }, null, 2)}\n`)
    else io.out(`contimg ${version} (${apiVersion}, Node ${process.version})\n`)
  })
  withHelp(command, {
    examples: [['contimg version'], ['contimg version -o json', 'with the versions of the contracts']],
  })
}
