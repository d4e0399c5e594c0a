import { Command, CommanderError } from 'commander'
import { exitCodes } from '../pipeline/outcome.ts'
import { ProblemError, type Problem } from '../pipeline/problem.ts'
import { problemLines } from '../view/problem.ts'
import { lines, messageLines, styleOf, type Io } from './io.ts'
import { addVersionCommand, readVersion } from './version.ts'

type AddCommand = (program: Command, io: Io, end: (exitCode: number) => void) => void

/** Loaded one by one: schemas, YAML and the like cost a short command more time than what it does. */
const commands = new Map<string | undefined, () => Promise<AddCommand>>([
  ['run', async () => (await import('./run.ts')).addRunCommand],
  ['plan', async () => (await import('./plan.ts')).addPlanCommand],
  ['get', async () => (await import('./get.ts')).addGetCommand],
  ['list', async () => (await import('./list.ts')).addListCommand],
  ['logs', async () => (await import('./logs.ts')).addLogsCommand],
  ['report', async () => (await import('./report.ts')).addReportCommand],
  ['resume', async () => (await import('./resume.ts')).addResumeCommand],
  ['cancel', async () => (await import('./cancel.ts')).addCancelCommand],
  ['rm', async () => (await import('./rm.ts')).addRmCommand],
  ['quarantine', async () => (await import('./quarantine.ts')).addQuarantineCommand],
  ['verify', async () => (await import('./verify.ts')).addVerifyCommand],
  ['scan', async () => (await import('./scan.ts')).addScanCommand],
  ['convert', async () => (await import('./convert.ts')).addConvertCommand],
  ['simulate', async () => (await import('./simulate.ts')).addSimulateCommand],
  ['catalogue', async () => (await import('./catalogue.ts')).addCatalogueCommand],
  ['check-config', async () => (await import('./check-config.ts')).addCheckConfigCommand],
  ['explain', async () => (await import('./explain.ts')).addExplainCommand],
  ['schema', async () => (await import('./schema.ts')).addSchemaCommand],
  ['doctor', async () => (await import('./doctor.ts')).addDoctorCommand],
  ['completion', async () => (await import('./completion.ts')).addCompletionCommand],
  ['version', () => Promise.resolve(addVersionCommand)],
])

/** Runs one command line to its end and returns its exit code. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  let exitCode: number = exitCodes.done
  const wanted = commands.get(argv[0])
  // Help and "did you mean" need them all.
  const program = await programOf(
    wanted === undefined ? commands.values() : [wanted],
    { ...io, argv },
    (code) => (exitCode = code),
  )
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (thrown) {
    return reportFailure(thrown, program, argv, io)
  }
}

/** The program with all its commands, to be looked at: for completion and for the pages that are made of it. */
export async function describeProgram(io: Io): Promise<Command> {
  return programOf(commands.values(), io, () => undefined)
}

async function programOf(
  loaders: Iterable<() => Promise<AddCommand>>,
  io: Io,
  end: (exitCode: number) => void,
): Promise<Command> {
  const program = new Command('contimg')
    .description('raw DSA-110 subband files in, validated radio images out')
    .version(await readVersion(), '-V, --version', 'the version of contimg')
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err, outputError: () => undefined })
    .showSuggestionAfterError()
    .addHelpText('after', '\nHelp of one command: contimg help COMMAND, or contimg COMMAND --help')
  for (const load of loaders) (await load())(program, io, end)
  return program
}

async function reportFailure(thrown: unknown, program: Command, argv: readonly string[], io: Io): Promise<number> {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.done
  const { problem, exitCode } = failureOf(thrown, program, argv, io)
  const columns = io.terminal?.columns()
  const style = styleOf(io, { utf8: !argv.includes('--no-utf8') })
  const shown = problemLines(problem, { ...style, ...(columns === undefined ? {} : { columns }) })
  messageLines(io, shown, { color: !argv.includes('--no-color') })
  if (argv.includes('-v') || argv.includes('--verbose'))
    lines(io.err, String((thrown as Error).stack ?? thrown).split('\n'))
  if (wantsJson(argv)) {
    const { errorDocument } = await import('../view/document.ts')
    io.out(`${JSON.stringify(errorDocument(problem), null, 2)}\n`)
  }
  return exitCode
}

function failureOf(
  thrown: unknown,
  program: Command,
  argv: readonly string[],
  { signal }: Io,
): { problem: Problem; exitCode: number } {
  if (thrown instanceof ProblemError) {
    const interrupted = thrown.problem.code === 'INTERRUPTED' && signal.aborted ? Number(signal.reason) : undefined
    return { problem: thrown.problem, exitCode: interrupted ?? thrown.exitCode }
  }
  if (thrown instanceof CommanderError) {
    const help = thrown.code === 'commander.help'
    const message = help ? 'a command is missing' : thrown.message.replace(/^error: /, '').replaceAll('\n', ' ')
    return {
      problem: { code: 'USAGE', message, hint: `see ${commandOf(program, argv)} --help` },
      exitCode: exitCodes.usage,
    }
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const code = (thrown as NodeJS.ErrnoException | undefined)?.code
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return {
      problem: { code: 'DISK_FULL', message, hint: 'free some space, then run the same command again' },
      exitCode: exitCodes.failed,
    }
  }
  return {
    problem: { code: 'INTERNAL', message, hint: 'run again with -v and report this as a defect' },
    exitCode: exitCodes.failed,
  }
}

/** The command that a command line means, as one types it: `contimg catalogue import`. */
function commandOf(command: Command, argv: readonly string[]): string {
  const [word, ...rest] = argv
  const inner = command.commands.find((candidate) => candidate.name() === word)
  return inner === undefined ? command.name() : `${command.name()} ${commandOf(inner, rest)}`
}

function wantsJson(argv: readonly string[]): boolean {
  // Its -o names the set to make, as in every converter.
  if (argv[0] === 'convert') return argv.includes('--json')
  return argv.some(
    (argument, index) =>
      argument === '-ojson' ||
      argument === '--output=json' ||
      (argument === 'json' && /^(-o|--output)$/.test(argv[index - 1] ?? '')),
  )
}
