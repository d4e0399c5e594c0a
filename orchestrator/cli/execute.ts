import { resolve } from 'node:path'
import { stringify } from 'yaml'
import { createLocalExecutor } from '../executors/local/local-executor.ts'
import type { RunConfig } from '../pipeline/config.ts'
import { exitCodes } from '../pipeline/outcome.ts'
import { ProblemError, type Problem } from '../pipeline/problem.ts'
import { writeRunReport } from '../report/write.ts'
import { readRun } from '../runs/run-directory.ts'
import { runSession } from '../runs/session.ts'
import type { RunState } from '../pipeline/state.ts'
import { closingLines } from '../view/closing.ts'
import { runDocument } from '../view/document.ts'
import { span } from '../view/format.ts'
import { problemLines } from '../view/problem.ts'
import { followRun } from './follow.ts'
import { answerLines, lines, messageLines, runStyle, type Io } from './io.ts'
import type { GlobalOptions } from './options.ts'
import { planOf, requireAlone, requireUpstream } from './planning.ts'
import { prepare, type Prepared } from './prepare.ts'

export interface ExecuteOptions extends GlobalOptions {
  /** Makes products again that exist, of the stages that are to run. */
  fresh?: boolean
  /** Ends the run after so many seconds. */
  timeoutSeconds?: number | undefined
  /** Narrows the work to some of what the configuration selects. */
  choose?: (prepared: Prepared) => readonly string[]
}

/** Runs a configuration to its end, follows it on standard error and answers on standard output; returns the exit code. */
export async function executeRun(config: RunConfig, options: ExecuteOptions, io: Io): Promise<number> {
  const limit = timeLimit(io.signal, options.timeoutSeconds)
  try {
    return await execute(config, options, { ...io, signal: limit.signal })
  } catch (error) {
    if (!limit.reached() || !(error instanceof ProblemError) || error.problem.code !== 'INTERRUPTED') throw error
    throw new ProblemError('RUN_TIMED_OUT', `the time limit of ${span(options.timeoutSeconds ?? 0)} ended the scan`, {
      hint: 'give it more time with --timeout; what was scanned is remembered',
      cause: error,
    })
  } finally {
    limit.release()
  }
}

async function execute(config: RunConfig, options: ExecuteOptions, io: Io): Promise<number> {
  const style = runStyle(io, options, config.root)
  const quiet = options.quiet === true
  if (options.fresh === true) await requireAlone(config.root, config.name)
  const follower = followRun(io, { ...options, root: config.root })
  const prepared = await prepare(config, io, { say: (texts) => follower.say(texts), quiet, signal: io.signal })
  if (config.execution.from !== undefined) requireUpstream(await planOf(config, prepared), config)
  let current: RunState | undefined
  try {
    const finished = await runSession({
      ...prepared,
      config,
      fresh: options.fresh === true,
      ...(options.choose === undefined ? {} : { observations: options.choose(prepared) }),
      now: io.now,
      random: io.random,
      // A run that is resumed keeps the command line that it began with.
      ...(io.argv?.[0] === 'run' ? { command: io.argv } : {}),
      signal: io.signal,
      executor: (runFolder) =>
        createLocalExecutor({
          root: config.root,
          runFolder,
          stagesDir: io.stagesDir,
          ...(io.env['CONTIMG_SCRATCH'] ? { scratchRoot: resolve(io.cwd, io.env['CONTIMG_SCRATCH']) } : {}),
        }),
      onLive: (step, live) => follower.onLive(step, live),
      onEvent(event, state) {
        current = state
        follower.onEvent(event, state)
      },
    })
    follower.end()
    await leaveReport(config.root, finished.run, io)
    if (finished.exitCode === exitCodes.timedOut)
      messageLines(
        io,
        problemLines(timedOut(finished, { seconds: options.timeoutSeconds ?? 0, rootFlag: style.rootFlag }), style),
        options,
      )
    answer(finished, config.root, { ...options, io })
    return finished.exitCode ?? exitCodes.failed
  } catch (error) {
    follower.end()
    // A run that ends by a fault of ours has a report too: it tells what was done until then.
    if (current !== undefined) await leaveReport(config.root, current.run, io)
    throw error
  } finally {
    follower.end()
  }
}

/** The report is made of what the run left: where it cannot be written the run is as it is, and it can be made later. */
async function leaveReport(root: string, run: string, io: Io): Promise<void> {
  try {
    await writeRunReport(root, await readRun(root, run))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    lines(io.err, [`the report could not be written (${why}); contimg report ${run} writes it`])
  }
}

function timedOut({ run }: RunState, { seconds, rootFlag }: { seconds: number; rootFlag: string }): Problem {
  return {
    code: 'RUN_TIMED_OUT',
    message: `the time limit of ${span(seconds)} ended the run`,
    hint: `contimg resume ${run}${rootFlag} goes on; finished steps are reused`,
  }
}

/** A signal that is aborted with exit code 5 when the time is over, or as the given one. */
function timeLimit(
  signal: AbortSignal,
  seconds: number | undefined,
): { signal: AbortSignal; reached(): boolean; release(): void } {
  if (seconds === undefined) return { signal, reached: () => false, release: () => undefined }
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(exitCodes.timedOut), seconds * 1000)
  return {
    signal: AbortSignal.any([signal, controller.signal]),
    reached: () => controller.signal.aborted,
    release: () => clearTimeout(timer),
  }
}

/** Standard output gets the answer in the format that was asked for; the closing block goes beside it when that is data. */
function answer(state: RunState, root: string, { io, ...options }: GlobalOptions & { io: Io }): void {
  const closing = closingLines(state, runStyle(io, options, root))
  if (options.output === 'text') return answerLines(io, closing, options)
  if (options.quiet !== true) messageLines(io, closing, options)
  if (options.output === 'name') io.out(`${state.run}\n`)
  else if (options.output === 'yaml') io.out(stringify(runDocument(state, root)))
  else io.out(`${JSON.stringify(runDocument(state, root), null, 2)}\n`)
}
