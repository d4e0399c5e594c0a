import type { Command } from 'commander'
import { stringify } from 'yaml'
import { findRun, readRun } from '../runs/run-directory.ts'
import { runDocument } from '../view/document.ts'
import { treeLines } from '../view/tree.ts'
import { lines, styleOf, type Io } from './io.ts'
import { dataRoot, withGlobalOptions, type GlobalOptions } from './options.ts'

/** `contimg get`: one run as a tree or a document. */
export function addGetCommand(program: Command, io: Io): void {
  const command = program
    .command('get [run]')
    .description('one run: its observations, steps and verdicts (default: the one that was active last)')
  withGlobalOptions(command, ['text', 'wide', 'json', 'yaml', 'name']).action(
    async (wanted: string | undefined, options: GlobalOptions) => {
      const root = dataRoot(options, io)
      const state = await readRun(root, await findRun(root, wanted ?? '@latest'))
      if (options.output === 'json') io.out(`${JSON.stringify(runDocument(state, root), null, 2)}\n`)
      else if (options.output === 'yaml') io.out(stringify(runDocument(state, root)))
      else if (options.output === 'name') io.out(`${state.run}\n`)
      else lines(io.out, treeLines(state, { root, wide: options.output === 'wide', ...styleOf(io, options) }))
    },
  )
}
