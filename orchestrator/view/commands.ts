import type { Problem, ProblemCode } from '../pipeline/problem.ts'
import type { RunState } from '../pipeline/state.ts'

/** How the commands in messages name the data root: empty where it is the one they take without being told. */
export interface CommandContext {
  rootFlag: string
}

/** Problems after whose cause was set right the run has only to go on. */
const mendedByAgain = new Set<ProblemCode>([
  'DATA_UNREADABLE',
  'INPUT_MISSING',
  'INPUT_CHANGED',
  'DISK_FULL',
  'WSCLEAN_MISSING',
  'OUT_OF_MEMORY',
  'STAGE_KILLED',
  'TIME_LIMIT',
  'PLAN_TOO_LARGE',
  'CANCELLED',
])

/** A command line that does what the fix of a problem says: the one that was typed with more to it, else the run again. */
export function fixCommand({ code, again }: Problem, state: RunState, context: CommandContext): string | undefined {
  if (again !== undefined)
    return state.command === undefined ? undefined : commandLine(withAdditions(state.command, again))
  return mendedByAgain.has(code) ? resumeCommand(state, context) : undefined
}

/** Goes on with a run, trying again what failed. */
export function resumeCommand({ run, observations }: RunState, { rootFlag }: CommandContext): string {
  const failed = observations.some(({ status }) => status === 'failed')
  return `contimg resume ${run}${failed ? ' --retry-failed' : ''}${rootFlag}`
}

/** A command line as one types it into a shell. */
export function commandLine(argv: readonly string[]): string {
  return ['contimg', ...argv.map(quoted)].join(' ')
}

/** Another run with more options: it cannot have the name of the one that was. */
function withAdditions(command: readonly string[], again: readonly string[]): string[] {
  const kept = command.filter(
    (word, index) => word !== '--name' && !word.startsWith('--name=') && command[index - 1] !== '--name',
  )
  return [...kept, ...again]
}

export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
