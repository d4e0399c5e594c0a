import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { selection } from '../pipeline/admission.ts'
import { parseConfig, parseSetting, type RunConfig } from '../pipeline/config.ts'
import { ProblemError } from '../pipeline/problem.ts'
import type { RunState } from '../pipeline/state.ts'
import { findRun, readRun } from '../runs/run-directory.ts'
import { count } from '../view/format.ts'
import { executeRun } from './execute.ts'
import { lines, runStyle, type Io } from './io.ts'
import { flagOverrides, type ConfigFlags } from './load-config.ts'
import {
  dataRoot,
  secondsOption,
  withGlobalOptions,
  withHelp,
  withStageOptions,
  type GlobalOptions,
} from './options.ts'

interface ResumeOptions extends GlobalOptions, Pick<ConfigFlags, 'from' | 'until' | 'only' | 'set'> {
  retryFailed?: boolean
  fresh?: boolean
  timeout?: number
}

/** `contimg resume`: goes on with a run that was interrupted, cancelled or in part failed. */
export function addResumeCommand(program: Command, io: Io, end: (exitCode: number) => void): void {
  const command = program
    .command('resume [run]')
    .description('go on with a run, with the configuration it was started with (default: the one that was active last)')
    .option('--retry-failed', 'try observations again that failed for good')
  withStageOptions(command)
    .option('--fresh', 'make products again that exist already')
    .addOption(secondsOption('--timeout <time>', 'end the run after this time (90s, 30m, 2h), with exit code 5'))
    .option(
      '--set <execution.key=value>',
      'set a key of execution, such as execution.resources.memory=8Gi; repeatable',
      (value: string, all: string[]) => [...all, value],
      [],
    )
  withGlobalOptions(command, ['text', 'json', 'yaml', 'name']).action(
    async (wanted: string | undefined, options: ResumeOptions) => end(await resume(wanted ?? '@latest', options, io)),
  )
  withHelp(command, {
    notes: `Finished steps are reused. Observations that failed are left as they are, because they would fail again, unless
--retry-failed is given; files that have arrived meanwhile are taken up.`,
    examples: [
      ['contimg resume', 'the run that was active last'],
      ['contimg resume brave-quasar --retry-failed', 'after its cause was set right'],
      ['contimg resume brave-quasar --from imaging --fresh', 'make the images again'],
    ],
    exits:
      '0 finished, 1 an observation failed, 2 nothing was started, 3 a verdict is bad, 5 --timeout is over, 6 cancelled, 130 interrupted, 143 terminated',
  })
}

async function resume(wanted: string, options: ResumeOptions, io: Io): Promise<number> {
  const root = dataRoot(options, io)
  const name = await findRun(root, wanted)
  const config = await configOf(root, name, options)
  const before = await readRun(root, name)
  const failed = options.retryFailed === true ? [] : failedObservations(before)
  if (failed.length > 0 && options.quiet !== true)
    lines(io.err, [
      `${count(failed.length, 'observation')} that failed ${failed.length === 1 ? 'is' : 'are'} left: ${failed.slice(0, 3).join(', ')}${failed.length > 3 ? ', …' : ''}; try again with: contimg resume ${name} --retry-failed${runStyle(io, options, root).rootFlag}`,
    ])
  const left = new Set(failed)
  return executeRun(
    config,
    {
      ...options,
      timeoutSeconds: options.timeout,
      ...(failed.length === 0
        ? {}
        : {
            choose: ({ scan }) =>
              [
                ...scan.observations.map(({ id }) => id),
                ...scan.faults.map(({ observation, file }) => observation ?? file),
              ]
                .filter(selection(config.observations))
                .filter((id) => !left.has(id)),
          }),
    },
    io,
  )
}

/** The configuration that a run was started with; its data root is where it was found. Throws ProblemError. */
async function configOf(root: string, name: string, options: ResumeOptions): Promise<RunConfig> {
  const path = join(root, 'runs', name, 'config.yaml')
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ProblemError('CONFIG_UNREADABLE', `the configuration of the run, ${path}, cannot be read`, {
      hint: `start it again from its own configuration: contimg run CONFIG --name ${name}`,
      cause,
    })
  })
  const settings = (options.set ?? []).map(parseSetting)
  const other = settings.find(({ path: [top] }) => top !== 'execution')
  if (other !== undefined)
    throw new ProblemError('USAGE', `${other.origin}: a run that goes on keeps what decides its products`, {
      hint: 'start another run with contimg run; it reuses what the change does not touch',
    })
  return parseConfig({
    file: { path, text },
    overrides: [
      { path: ['root'], value: root, origin: '--root' },
      { path: ['name'], value: name, origin: 'the name of the run' },
      ...settings,
      ...flagOverrides(options),
    ],
    resolvePath: (relative) => join(root, relative),
  })
}

function failedObservations({ observations }: RunState): string[] {
  return observations.filter(({ status }) => status === 'failed').map(({ id }) => id)
}
