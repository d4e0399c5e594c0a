import { Argument, type Command, type Option } from 'commander'
import type { Io } from './io.ts'
import { withHelp, withTerminalOptions } from './options.ts'
import { completionScript, type CompletedCommand } from '../view/completion.ts'

const shells = ['bash', 'zsh', 'fish'] as const

/** `contimg completion`: a script that completes commands, options, their choices and names of runs. */
export function addCompletionCommand(program: Command, io: Io): void {
  const command = program
    .command('completion')
    .description('a script for the shell that completes commands, options and names of runs')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .action(async (shell: (typeof shells)[number]) => {
      // All commands, which a program that runs this one alone does not hold.
      const { describeProgram } = await import('./program.ts')
      io.out(
        completionScript(
          shell,
          (await describeProgram(io)).commands.flatMap((one) => completed(one)),
        ),
      )
    })
  withTerminalOptions(command)
  withHelp(command, {
    notes: `bash: source <(contimg completion bash)
zsh:  contimg completion zsh > a file named _contimg in a folder of $fpath
fish: contimg completion fish > ~/.config/fish/completions/contimg.fish`,
    examples: [['contimg completion bash > contimg.bash'], ['contimg completion fish']],
  })
}

function completed(command: Command, prefix = ''): CompletedCommand[] {
  const name = `${prefix}${command.name()}`
  const inner = command.commands.flatMap((one) => completed(one, `${name} `))
  const [first] = command.registeredArguments
  const own: CompletedCommand = {
    name,
    description: command.description(),
    options: command.options.map((option) => ({
      flags: flagsOf(option),
      description: option.description,
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? [],
    })),
    argument: first === undefined ? undefined : { name: first.name(), choices: first.argChoices ?? [] },
  }
  return [own, ...inner]
}

function flagsOf({ short, long }: Option): string[] {
  return [short, long].filter((flag) => flag !== undefined && flag !== null)
}
