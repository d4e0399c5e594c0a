import type { Command } from 'commander'
import { stringify } from 'yaml'
import { exitCodes } from '../pipeline/outcome.ts'
import type { RunState } from '../pipeline/state.ts'
import { findRun, readRun } from '../runs/run-directory.ts'
import { watchRun } from '../runs/watch.ts'
import { closingLines } from '../view/closing.ts'
import { runDocument } from '../view/document.ts'
import { treeLines } from '../view/tree.ts'
import { followRun } from './follow.ts'
import { answerLines, lines, runStyle, type Io } from './io.ts'
import { dataRoot, withGlobalOptions, withHelp, type GlobalOptions } from './options.ts'

interface GetOptions extends GlobalOptions {
  watch?: boolean
  failed?: boolean
}

/** `contimg get`: one run as a tree or a document. */
export function addGetCommand(program: Command, io: Io, end: (exitCode: number) => void): void {
  const command = program
    .command('get [run]')
    .description('one run: its observations, steps and verdicts (default: the one that was active last)')
    .option('-w, --watch', 'follow it until it ends, and end with its exit code')
    .option('--failed', 'only observations that failed, were skipped or cancelled, or whose verdict is bad')
  withGlobalOptions(command, ['text', 'wide', 'json', 'yaml', 'name']).action(
    async (wanted: string | undefined, options: GetOptions) => end(await get(wanted ?? '@latest', options, io)),
  )
  withHelp(command, {
    notes: 'The name of a run may be cut short where that is unambiguous; @latest is the one that was active last.',
    examples: [
      ['contimg get'],
      ['contimg get brave-quasar -o wide', 'with cost and place of every step'],
      ['contimg get brave-q --failed', 'what went wrong, and the fix'],
      ['contimg get @latest -o json'],
      ['contimg get -w', 'follow it from another terminal'],
    ],
    exits: '0; with -w those of contimg run',
  })
}

async function get(wanted: string, options: GetOptions, io: Io): Promise<number> {
  const root = dataRoot(options, io)
  const name = await findRun(root, wanted)
  const { output } = options
  let state = await readRun(root, name)
  const isWatched = options.watch === true && state.status === 'running'
  if (isWatched) {
    const follower = followRun(io, { ...options, root })
    state = await watchRun(root, name, {
      signal: io.signal,
      onEvent: (event, now) => follower.onEvent(event, now),
      onLive: (step, live) => follower.onLive(step, live),
    }).finally(() => follower.end())
  }
  const shown = options.failed === true ? onlyFailed(state) : state
  if (output === 'json') io.out(`${JSON.stringify(runDocument(shown, root), null, 2)}\n`)
  else if (output === 'yaml') io.out(stringify(runDocument(shown, root)))
  else if (output === 'name')
    lines(io.out, options.failed === true ? shown.observations.map(({ id }) => id) : [state.run])
  else if (isWatched && state.status !== 'running')
    answerLines(io, closingLines(shown, runStyle(io, options, root)), options)
  else answerLines(io, treeLines(shown, { ...runStyle(io, options, root), wide: output === 'wide' }), options)
  if (options.watch !== true) return exitCodes.done
  if (io.signal.aborted) {
    if (options.quiet !== true)
      io.err(`the run continues: contimg get ${name} -w${runStyle(io, options, root).rootFlag}\n`)
    return Number(io.signal.reason)
  }
  // A run whose process died has no exit code of its own.
  return state.exitCode ?? exitCodes.failed
}

function onlyFailed(state: RunState): RunState {
  return {
    ...state,
    observations: state.observations.filter(
      ({ status, verdict }) => ['failed', 'skipped', 'cancelled'].includes(status) || verdict === 'bad',
    ),
  }
}
