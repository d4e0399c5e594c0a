import { Option, type Command } from 'commander'
import type { Io } from './io.ts'
import { executeRun } from './execute.ts'
import { loadConfig, type ConfigFlags } from './load-config.ts'
import {
  secondsOption,
  withConfigOptions,
  withGlobalOptions,
  withHelp,
  withStageOptions,
  type GlobalOptions,
} from './options.ts'

interface RunOptions extends GlobalOptions, ConfigFlags {
  fresh?: boolean
  timeout?: number
  dryRun?: 'plan'
}

/** `contimg run`: plan, execute, follow, report. */
export function addRunCommand(program: Command, io: Io, end: (exitCode: number) => void): void {
  const command = program
    .command('run [config]')
    .description('make images of the observations in a folder: convert, calibrate, image, validate')
  withStageOptions(withConfigOptions(command))
    .option('--name <name>', 'name of the run; with the name of an unfinished run of the same configuration it goes on')
    .option('--fresh', 'make products again that exist already')
    .addOption(secondsOption('--timeout <time>', 'end the run after this time (90s, 30m, 2h), with exit code 5'))
    .addOption(new Option('--dry-run <how>', 'plan: say what would be done, as contimg plan does').choices(['plan']))
  withGlobalOptions(command, ['text', 'json', 'yaml', 'name']).action(
    async (file: string | undefined, options: RunOptions) => end(await run(file, options, io)),
  )
  withHelp(command, {
    examples: [
      ['contimg run --input DIR', 'everything with the defaults'],
      ['contimg run config.yaml --set imaging.sizePixels=2400'],
      ['contimg run --input DIR --uncalibrated -o json'],
      ["contimg run config.yaml --observations '20260125T22*' --until calibration"],
      ['contimg run config.yaml --only validation --fresh', 'make the last stage again'],
      ['contimg run config.yaml --dry-run=plan', 'what it would do'],
    ],
    exits:
      '0 finished, 1 an observation failed, 2 nothing was started, 3 a verdict is bad, 5 --timeout is over, 6 cancelled by contimg cancel, 130 interrupted, 143 terminated',
  })
}

async function run(file: string | undefined, options: RunOptions, io: Io): Promise<number> {
  if (options.dryRun === 'plan') {
    const { showPlan } = await import('./plan.ts')
    await showPlan(file, options, io)
    return 0
  }
  const config = await loadConfig(file, options, io)
  return executeRun(config, { ...options, timeoutSeconds: options.timeout }, io)
}
