import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { apiVersion } from '#runtime/stage/contract.ts'
import { askToEnd } from '../executors/local/processes.ts'
import { ProblemError } from '../pipeline/problem.ts'
import { lockHolder } from '../runs/lock.ts'
import { findRun, readRun } from '../runs/run-directory.ts'
import { confirmed } from './confirm.ts'
import { runStyle, type Io } from './io.ts'
import { dataRoot, withGlobalOptions, withHelp, type GlobalOptions } from './options.ts'

/** A run ends within 5 s of being asked; a loaded machine may take longer to say so. */
const PATIENCE_MS = 20_000
const LOOK_MS = 100

interface CancelOptions extends GlobalOptions {
  yes?: boolean
}

/** `contimg cancel`: ends a run that another process works on; what is finished is kept. */
export function addCancelCommand(program: Command, io: Io): void {
  const command = program
    .command('cancel [run]')
    .description('end a run that is working, and keep what it has finished (default: the one that was active last)')
    .option('--yes', 'do not ask')
  withGlobalOptions(command, ['text', 'json']).action((wanted: string | undefined, options: CancelOptions) =>
    cancel(wanted ?? '@latest', options, io),
  )
  withHelp(command, {
    notes: `The process that works on the run stops its steps, cleans up and ends with exit code 6. Half-made steps are lost,
finished ones are not: contimg resume goes on with them.`,
    examples: [['contimg cancel brave-quasar --yes']],
    exits: '0 the run has ended, 1 it did not end in time, 2 there is no such run or nobody works on it',
  })
}

async function cancel(wanted: string, options: CancelOptions, io: Io): Promise<void> {
  const root = dataRoot(options, io)
  const name = await findRun(root, wanted)
  const { rootFlag } = runStyle(io, options, root)
  const lock = join(root, 'runs', name, 'lock')
  const holder = await lockHolder(lock)
  if (holder === undefined) {
    const { status } = await readRun(root, name)
    throw new ProblemError('RUN_NOT_ACTIVE', `nobody works on the run "${name}", whose status is ${status}`, {
      hint: `contimg resume ${name}${rootFlag} goes on with it, contimg rm ${name}${rootFlag} removes it`,
    })
  }
  if (!holder.here)
    throw new ProblemError('RUN_LOCKED', `process ${holder.pid} on ${holder.host} works on the run "${name}"`, {
      hint: `run contimg cancel ${name}${rootFlag} on ${holder.host}`,
    })
  if (!(await confirmed(`End the run "${name}", on which process ${holder.pid} works?`, options, io))) return
  askToEnd(holder.pid)
  const deadline = performance.now() + PATIENCE_MS
  while ((await lockHolder(lock))?.pid === holder.pid) {
    if (performance.now() > deadline || io.signal.aborted)
      throw new ProblemError('RUN_LOCKED', `process ${holder.pid} has not ended yet`, {
        hint: `look again with: contimg get ${name}${rootFlag}; if it hangs: kill -9 ${holder.pid}, which loses nothing that is finished`,
      })
    await sleep(LOOK_MS)
  }
  const { status, observations } = await readRun(root, name)
  const steps = observations.flatMap((observation) => observation.steps)
  const kept = steps.filter((step) => step.status === 'done' || step.status === 'cached').length
  if (options.output === 'json')
    io.out(`${JSON.stringify({ apiVersion, run: name, status, steps: steps.length, kept }, null, 2)}\n`)
  else
    io.out(
      `${name}  ${status}; ${kept} of ${steps.length} steps are finished and kept\nnext  contimg resume ${name}${rootFlag}\n`,
    )
}
