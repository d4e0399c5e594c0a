import { join } from 'node:path'
import type { Command } from 'commander'
import { apiVersion } from '#runtime/stage/contract.ts'
import { writeRunReport } from '../report/write.ts'
import { findRun, readRun } from '../runs/run-directory.ts'
import { lines, type Io } from './io.ts'
import { dataRoot, withGlobalOptions, type GlobalOptions } from './options.ts'

/** `contimg report`: writes the run's page anew and says where it and the observations' pages are. */
export function addReportCommand(program: Command, io: Io): void {
  const command = program
    .command('report [run]')
    .description("where the pages of a run are (default: the one that was active last); writes the run's own anew")
  withGlobalOptions(command, ['text', 'json']).action(async (wanted: string | undefined, options: GlobalOptions) => {
    const root = dataRoot(options, io)
    const state = await readRun(root, await findRun(root, wanted ?? '@latest'))
    const page = await writeRunReport(root, state)
    const observations = state.observations.map(({ id, verdict, steps }) => {
      const path = steps.findLast(({ product }) => product?.outputs['report'] !== undefined)?.product?.outputs['report']
      return { id, verdict, report: path === undefined ? null : join(root, path) }
    })
    if (options.output === 'json')
      io.out(`${JSON.stringify({ apiVersion, run: state.run, report: page, observations }, null, 2)}\n`)
    else lines(io.out, [page, ...observations.flatMap(({ report }) => (report === null ? [] : [report]))])
  })
}
