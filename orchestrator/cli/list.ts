import { InvalidArgumentError, type Command } from 'commander'
import { stringify } from 'yaml'
import { apiVersion } from '#runtime/stage/contract.ts'
import { statuses, type RunState, type Status } from '../pipeline/state.ts'
import { listRuns, readRun } from '../runs/run-directory.ts'
import { duration, table } from '../view/format.ts'
import { lines, type Io } from './io.ts'
import { countOption, dataRoot, withGlobalOptions, withHelp, type GlobalOptions } from './options.ts'

interface ListOptions extends GlobalOptions {
  limit?: number
  status?: Status[]
}

/** `contimg list`: all runs of a data root, the one that was active last first. */
export function addListCommand(program: Command, io: Io): void {
  const command = program
    .command('list')
    .description('all runs, the one that was active last first')
    .addOption(countOption('--limit <n>', 'at most this many'))
    .option('--status <statuses>', `only runs of these, separated by commas: ${statuses.join(', ')}`, parseStatuses)
  withGlobalOptions(command, ['text', 'wide', 'json', 'yaml', 'name']).action((options: ListOptions) =>
    list(options, io),
  )
  withHelp(command, {
    examples: [
      ['contimg list'],
      ['contimg list --status failed,cancelled -o name', 'runs to look after, for scripts'],
      ['contimg list --limit 3 -o json'],
    ],
  })
}

async function list({ output, limit, status, ...options }: ListOptions, io: Io): Promise<void> {
  const root = dataRoot(options, io)
  const names = await listRuns(root)
  // Names alone need no log.
  if (output === 'name' && status === undefined) return lines(io.out, names.slice(0, limit))
  const found: RunState[] = []
  for (const name of names) {
    if (found.length === limit) break
    const state = await readRun(root, name)
    if (status === undefined || status.includes(state.status)) found.push(state)
  }
  if (output === 'name')
    return lines(
      io.out,
      found.map(({ run }) => run),
    )
  const document = { apiVersion, runs: found.map(summary) }
  if (output === 'json') io.out(`${JSON.stringify(document, null, 2)}\n`)
  else if (output === 'yaml') io.out(stringify(document))
  else if (found.length > 0) {
    const head = ['NAME', 'STATUS', 'DONE', 'ACTIVE', 'DURATION', 'VERDICTS']
    const wide = output === 'wide'
    lines(
      io.out,
      table([
        wide ? [...head, 'STARTED', 'VERSION', 'INPUT'] : head,
        ...found.map((state) => [
          ...row(state, io.now()),
          ...(wide ? [state.startedAt.slice(0, 19), state.version, state.input] : []),
        ]),
      ]),
    )
  } else if (names.length > 0) io.err(`none of the ${names.length} runs under ${root} is ${status?.join(' or ')}\n`)
  else io.err(`no runs under ${root}; start one with: contimg run --input DIR\n`)
}

function parseStatuses(text: string): Status[] {
  return text.split(',').map((word) => {
    const found = statuses.find((status) => status === word.trim())
    if (found === undefined) throw new InvalidArgumentError(`"${word}" is none of ${statuses.join(', ')}.`)
    return found
  })
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
