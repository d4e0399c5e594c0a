import type { Command } from 'commander'
import { stringify } from 'yaml'
import { planDocument, planLines, planNames } from '../view/plan.ts'
import { lines, styleOf, type Io } from './io.ts'
import { loadConfig, type ConfigFlags } from './load-config.ts'
import { withConfigOptions, withGlobalOptions, withHelp, withStageOptions, type GlobalOptions } from './options.ts'
import { planOf, requireUpstream } from './planning.ts'
import { prepare } from './prepare.ts'
import { showSettings } from './settings.ts'

interface PlanOptions extends GlobalOptions, ConfigFlags {
  fresh?: boolean
  showConfig?: boolean
}

/** `contimg plan`: what a run would do, without doing it. */
export function addPlanCommand(program: Command, io: Io): void {
  const command = program
    .command('plan [config]')
    .description('what a run would do: steps, what is reused and why not, solution sets, memory, scratch, time')
  withStageOptions(withConfigOptions(command))
    .option('--fresh', 'as if products that exist were to be made again')
    .option('--show-config', 'each value of the configuration with its origin, instead of the plan')
  withGlobalOptions(command, ['text', 'json', 'yaml', 'name']).action(
    (file: string | undefined, options: PlanOptions) => showPlan(file, options, io),
  )
  withHelp(command, {
    notes: 'Reads the headers of the raw files; starts nothing.',
    examples: [
      ['contimg plan --input DIR'],
      ['contimg plan config.yaml --set imaging.sizePixels=2400', 'what a change would make anew'],
      ['contimg plan config.yaml -o name', 'the steps that would run, for scripts'],
      ['contimg plan config.yaml --show-config', 'where each value comes from'],
    ],
  })
}

export async function showPlan(file: string | undefined, options: PlanOptions, io: Io): Promise<void> {
  if (options.showConfig === true) return showSettings(file, options, io)
  const { quiet = false, output } = options
  const config = await loadConfig(file, options, io)
  const prepared = await prepare(config, io, {
    say: (texts) => (quiet ? undefined : lines(io.err, texts)),
    quiet,
    signal: io.signal,
  })
  const plan = await planOf(config, prepared, options.fresh)
  requireUpstream(plan, config)
  const surroundings = { config, machine: prepared.machine }
  if (output === 'name') lines(io.out, planNames(plan))
  else if (output === 'json') io.out(`${JSON.stringify(planDocument(plan, surroundings), null, 2)}\n`)
  else if (output === 'yaml') io.out(stringify(planDocument(plan, surroundings)))
  else lines(io.out, planLines(plan, surroundings, styleOf(io, options)))
}
