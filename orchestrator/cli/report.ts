import { copyFile, mkdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { apiVersion } from '#runtime/stage/contract.ts'
import { openInDesktop } from '../executors/local/processes.ts'
import { ProblemError } from '../pipeline/problem.ts'
import { writeRunReport } from '../report/write.ts'
import { findRun, readRun } from '../runs/run-directory.ts'
import { lines, type Io } from './io.ts'
import { dataRoot, withGlobalOptions, withHelp, type GlobalOptions } from './options.ts'

interface ReportOptions extends GlobalOptions {
  open?: boolean
  out?: string
}

/** `contimg report`: writes the run's page anew and says where it and the observations' pages are. */
export function addReportCommand(program: Command, io: Io): void {
  const command = program
    .command('report [run]')
    .description("where the pages of a run are (default: the one that was active last); writes the run's own anew")
    .option('--open', 'open the page in the browser of the desktop')
    .option('--out <file>', 'also write the page of the run to this file; its links lead to the data root')
  withGlobalOptions(command, ['text', 'json']).action((wanted: string | undefined, options: ReportOptions) =>
    report(wanted ?? '@latest', options, io),
  )
  withHelp(command, {
    examples: [
      ['contimg report'],
      ['contimg report brave-quasar --out brave-quasar.html'],
      ['contimg report -o json', 'the paths of all pages, for scripts'],
    ],
  })
}

async function report(wanted: string, options: ReportOptions, io: Io): Promise<void> {
  const root = dataRoot(options, io)
  const state = await readRun(root, await findRun(root, wanted))
  const page = await writeRunReport(root, state)
  if (options.out !== undefined) await copyPage(page, resolve(io.cwd, options.out))
  const observations = state.observations.map(({ id, verdict, steps }) => {
    const path = steps.findLast(({ product }) => product?.outputs['report'] !== undefined)?.product?.outputs['report']
    return { id, verdict, report: path === undefined ? null : join(root, path) }
  })
  if (options.output === 'json')
    io.out(`${JSON.stringify({ apiVersion, run: state.run, report: page, observations }, null, 2)}\n`)
  else lines(io.out, [page, ...observations.flatMap(({ report: path }) => (path === null ? [] : [path]))])
  if (options.open === true) await open(page)
}

async function copyPage(page: string, out: string): Promise<void> {
  try {
    await mkdir(dirname(out), { recursive: true })
    await copyFile(page, out)
  } catch (cause) {
    throw new ProblemError(
      'OUTPUT_UNWRITABLE',
      `the page cannot be written to ${out} (${(cause as NodeJS.ErrnoException).code})`,
      { hint: `choose another file; the page itself is ${page}`, cause },
    )
  }
}

async function open(page: string): Promise<void> {
  try {
    await openInDesktop(page)
  } catch (cause) {
    throw new ProblemError('USAGE', 'there is no desktop here that could open the page', {
      hint: `copy it to where there is one, or open it by hand: ${page}`,
      cause,
    })
  }
}
