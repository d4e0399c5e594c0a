import { Argument, type Command } from 'commander'
import { stringify } from 'yaml'
import { configSchema } from '../pipeline/config.ts'
import { inputSchema } from '../pipeline/config-keys.ts'
import { contracts, pipelineStages, type PipelineStage } from '../pipeline/stages.ts'
import type { Io } from './io.ts'
import { withHelp, withOutputOptions, type OutputOptions } from './options.ts'

/** `contimg schema`: the JSON schema of the configuration, or of one stage's parameters, for editors and other programs. */
export function addSchemaCommand(program: Command, io: Io): void {
  const command = program
    .command('schema')
    .description('JSON schema (draft 7) of the configuration, or of the parameters of a stage, for editors')
    .addArgument(new Argument('[stage]', 'a stage').choices(pipelineStages))
  withOutputOptions(command, ['json', 'yaml']).action((stage: PipelineStage | undefined, { output }: OutputOptions) => {
    const schema = inputSchema(stage === undefined ? configSchema : contracts[stage].params)
    io.out(output === 'yaml' ? stringify(schema) : `${JSON.stringify(schema, null, 2)}\n`)
  })
  withHelp(command, {
    notes: `In an editor with the YAML language server, put this line first in the configuration:
# yaml-language-server: $schema=./contimg.schema.json`,
    examples: [['contimg schema > contimg.schema.json'], ['contimg schema imaging -o yaml']],
  })
}
