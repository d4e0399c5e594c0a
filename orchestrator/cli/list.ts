import type { Command } from 'commander'
import { stringify } from 'yaml'
import { apiVersion } from '#runtime/stage/contract.ts'
import type { RunState } from '../pipeline/state.ts'
import { listRuns, readRun } from '../runs/run-directory.ts'
import { duration, table } from '../view/format.ts'
import { lines, type Io } from './io.ts'
import { dataRoot, withGlobalOptions, type GlobalOptions } from './options.ts'

/** `contimg list`: all runs of a data root, the one that was active last first. */
export function addListCommand(program: Command, io: Io): void {
  const command = program
    .command('list')
    .description('all runs, the one that was active last first')
    .option('--limit <n>', 'at most this many', Number)
  withGlobalOptions(command, ['text', 'json', 'yaml', 'name']).action(
    async (options: GlobalOptions & { limit?: number }) => {
      const root = dataRoot(options, io)
      const names = (await listRuns(root)).slice(0, options.limit)
      if (options.output === 'name') return lines(io.out, names)
      const states = await Promise.all(names.map((name) => readRun(root, name)))
      const document = { apiVersion, runs: states.map(summary) }
      if (options.output === 'json') io.out(`${JSON.stringify(document, null, 2)}\n`)
      else if (options.output === 'yaml') io.out(stringify(document))
      else if (states.length === 0) io.err(`no runs under ${root}; start one with: contimg run --input DIR\n`)
      else
        lines(
          io.out,
          table([
            ['NAME', 'STATUS', 'DONE', 'ACTIVE', 'DURATION', 'VERDICTS'],
            ...states.map((state) => row(state, io.now())),
          ]),
        )
    },
  )
}

interface RunSummary {
  run: string
  status: RunState['status']
  startedAt: string
  activeAt: string
  seconds: number | null
  observations: number
  verdicts: Record<string, number>
}

function summary({ run, status, startedAt, activeAt, seconds, observations }: RunState): RunSummary {
  const verdicts: Record<string, number> = {}
  for (const { verdict } of observations) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1
  return { run, status, startedAt, activeAt, seconds: seconds ?? null, observations: observations.length, verdicts }
}

function row(state: RunState, now: Date): string[] {
  const { run, status, activeAt, seconds, verdicts } = summary(state)
  const steps = state.observations.flatMap((observation) => observation.steps)
  const done = steps.filter((step) => step.status === 'done' || step.status === 'cached').length
  return [
    run,
    status,
    `${done}/${steps.length}`,
    `${age((now.getTime() - Date.parse(activeAt)) / 1000)} ago`,
    seconds === null ? '' : duration(seconds),
    Object.entries(verdicts)
      .map(([verdict, n]) => `${n} ${verdict}`)
      .join(', '),
  ]
}

function age(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))}s`
  if (seconds < 7200) return `${Math.round(seconds / 60)}m`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)}h` : `${Math.round(seconds / 86_400)}d`
}
