import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Option, type Command } from 'commander'
import { chooseSteps, type ChosenStep } from '../pipeline/step-choice.ts'
import { ProblemError } from '../pipeline/problem.ts'
import { findRun, readRun } from '../runs/run-directory.ts'
import { followFile, readStepLog } from '../runs/step-logs.ts'
import { logLine, logRecord, type LogRecord } from '../view/logs.ts'
import { printableText } from '../view/printable.ts'
import { readyLines, runStyle, type Io } from './io.ts'
import {
  countOption,
  dataRoot,
  secondsOption,
  withHelp,
  withRoot,
  withTerminalOptions,
  type TerminalOptions,
} from './options.ts'

interface LogsOptions extends TerminalOptions {
  root?: string
  follow?: boolean
  tail?: number
  since?: number
  raw?: boolean
}

/** `contimg logs`: what the stages of a run have written, live or from its products: the same either way. */
export function addLogsCommand(program: Command, io: Io): void {
  const command = program
    .command('logs [run] [observation] [stage]')
    .description('what the stages of a run have said (default: of the run that was active last)')
    .addOption(new Option('-f, --follow', 'go on until the steps have ended'))
    .addOption(countOption('--tail <n>', 'only the last so many lines', 0))
    .addOption(secondsOption('--since <time>', 'only what is younger than this (90s, 30m, 2h)'))
    .option('--raw', 'JSON lines as they were written')
  withTerminalOptions(withRoot(command)).action(
    (run: string | undefined, observation: string | undefined, stage: string | undefined, options: LogsOptions) =>
      logs({ run: run ?? '@latest', observation, stage }, options, io),
  )
  withHelp(command, {
    notes: `Of a step that is working, or has failed, the log of its attempts; else the one stored with its product, whichever run
made it. Names may be cut short; in place of an observation stands the key of a step. Times are UTC.`,
    examples: [
      ['contimg logs', 'all of the run that was active last'],
      ['contimg logs brave-quasar 20260125T222605 imaging --tail 20'],
      ['contimg logs brave-quasar --raw --since 2h'],
    ],
  })
}

interface Wanted {
  run: string
  observation: string | undefined
  stage: string | undefined
}

async function logs({ run, observation, stage }: Wanted, options: LogsOptions, io: Io): Promise<void> {
  const root = dataRoot(options, io)
  const name = await findRun(root, run)
  const choose = async (): Promise<ChosenStep[]> => chooseSteps(await readRun(root, name), observation, stage)
  const youngest = options.since === undefined ? 0 : io.now().getTime() - options.since * 1000
  const isWanted = ({ timeMs }: LogRecord): boolean => timeMs === undefined || timeMs >= youngest
  const show = (record: LogRecord, { step }: ChosenStep): string =>
    options.raw === true ? printableText(record.raw) : logLine(record, { stage: step.stage })
  const chosen = await choose()
  const live = options.follow === true ? chosen.filter(({ step }) => isGoing(step.status)) : []
  const shown: string[] = []
  let found = live.length > 0
  for (const one of chosen) {
    if (live.includes(one)) continue
    const stored = await readStepLog(root, one.step)
    found ||= stored !== undefined
    for (const record of stored?.map(logRecord) ?? [])
      if (record !== undefined && isWanted(record)) shown.push(show(record, one))
  }
  if (!found)
    throw new ProblemError('STEP_NOT_FOUND', `nothing has been logged yet for ${observation ?? `the run "${name}"`}`, {
      hint: `contimg get ${name}${runStyle(io, options, root).rootFlag} shows what has begun`,
    })
  readyLines(io.out, options.tail === undefined ? shown : options.tail === 0 ? [] : shown.slice(-options.tail))
  for (const one of live)
    await follow(one, { root, io, choose, show: (record) => isWanted(record) && io.out(`${show(record, one)}\n`) })
}

interface Following {
  root: string
  io: Io
  choose: () => Promise<ChosenStep[]>
  show: (record: LogRecord) => void
}

/** Attempt after attempt of one step, until it has ended. */
async function follow({ observation, step }: ChosenStep, { root, io, choose, show }: Following): Promise<void> {
  const now = async (): Promise<ChosenStep['step'] | undefined> =>
    (await choose()).find((one) => one.observation === observation && one.step.key === step.key)?.step
  for (let number = 0; !io.signal.aborted; number++) {
    let log: string | undefined
    // Waits for the attempt to begin, or for word that there will be none.
    for await (const _ of ticks(io.signal)) {
      const state = await now()
      log = state?.attempts[number]?.log
      if (log !== undefined || state === undefined || !isGoing(state.status)) break
    }
    if (log === undefined) return
    const isOver = async (): Promise<boolean> => {
      const state = await now()
      return state === undefined || !isGoing(state.status) || state.attempts.length > number + 1
    }
    for await (const line of followFile(join(root, log), { isOver, signal: io.signal })) {
      const record = logRecord(line)
      if (record !== undefined) show(record)
    }
  }
}

/** Whether more is to be expected of a step. */
function isGoing(status: ChosenStep['step']['status']): boolean {
  return status === 'running' || status === 'planned'
}

const LOOK_MS = 300

async function* ticks(signal: AbortSignal): AsyncGenerator<void> {
  while (!signal.aborted) {
    yield
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined)
  }
}
