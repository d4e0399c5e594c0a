import { resolve } from 'node:path'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { apiVersion } from '#runtime/stage/contract.ts'
import { exitCodes } from '../pipeline/outcome.ts'
import { count, glyph, table, type Style } from '../view/format.ts'
import { lines, styleOf, type Io } from './io.ts'
import { examineMachine, type MachineCheck } from './machine-checks.ts'
import { dataRoot, withGlobalOptions, withHelp, type GlobalOptions } from './options.ts'

interface DoctorOptions extends GlobalOptions {
  input?: string
}

/** `contimg doctor`: whether this machine has what a run needs, and the fix where it has not. */
export function addDoctorCommand(program: Command, io: Io, end: (exitCode: number) => void): void {
  const command = program
    .command('doctor')
    .description(
      'look at this machine: Node, WSClean, memory, disk, scratch, data root, input; with the fix of each fault',
    )
    .option('--input <dir>', 'also look at this folder of raw files')
  withGlobalOptions(command, ['text', 'json', 'yaml']).action(async (options: DoctorOptions) =>
    end(await doctor(options, io)),
  )
  withHelp(command, {
    examples: [['contimg doctor'], ['contimg doctor --input DIR'], ['contimg doctor -o json']],
    exits: '0 a run can begin, 2 something is missing',
  })
}

async function doctor(options: DoctorOptions, io: Io): Promise<number> {
  const checks = await examineMachine({
    root: dataRoot(options, io),
    input: options.input === undefined ? undefined : resolve(io.cwd, options.input),
    scratch: io.env['CONTIMG_SCRATCH'] || undefined,
    nodeVersion: process.version,
  })
  const bad = checks.filter(({ verdict }) => verdict === 'bad').length
  const document = { apiVersion, ready: bad === 0, checks }
  if (options.output === 'json') io.out(`${JSON.stringify(document, null, 2)}\n`)
  else if (options.output === 'yaml') io.out(stringify(document))
  else
    lines(io.out, [
      ...checkLines(checks, styleOf(io, options)),
      bad === 0
        ? 'a run can begin: contimg run --input DIR'
        : `${count(bad, 'fault')} to set right before a run can begin`,
    ])
  return bad === 0 ? exitCodes.done : exitCodes.usage
}

function checkLines(checks: readonly MachineCheck[], style: Style): string[] {
  const marks = { good: 'done', warn: 'note', bad: 'failed' } as const
  const rows = table(checks.map(({ name, verdict, found }) => [glyph(marks[verdict], style), name, found]))
  return checks.flatMap(({ fix }, index) => [rows[index] ?? '', ...(fix === undefined ? [] : [`    fix   ${fix}`])])
}
