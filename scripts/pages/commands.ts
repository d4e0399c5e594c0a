import type { Command } from 'commander'
import { describeProgram } from '../../orchestrator/cli/program.ts'

const WIDTH = 110

/** docs/commands.md: every command with the help that it prints itself. */
export async function commandsPage(note: string): Promise<string> {
  const program = await describeProgram({
    env: {},
    cwd: '/',
    out: () => undefined,
    err: () => undefined,
    now: () => new Date(0),
    random: () => 0,
    signal: new AbortController().signal,
    stagesDir: '/',
  })
  const commands = program.commands.flatMap(withInner)
  return [
    note.trimEnd(),
    '# Commands',
    'What `contimg COMMAND --help` prints. How they work together is in [running](running.md), a first way through in the [tutorial](tutorial.md); every example is run by the tests, with a folder DIR of raw files, a configuration config.yaml and a run brave-quasar.',
    '| exit code | meaning |\n| --- | --- |\n| 0 | finished; verdicts good or uncertain |\n| 1 | an observation failed, or lacks subbands |\n| 2 | usage, configuration or environment; nothing was started |\n| 3 | products were made, and a verdict is bad |\n| 5 | `--timeout` is over |\n| 6 | ended by `contimg cancel` |\n| 130, 143 | interrupted by Ctrl-C, by SIGTERM; the same command goes on |',
    ...commands.map(({ name, command }) => `## ${name}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\``),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n')
}

function withInner(command: Command): { name: string; command: Command }[] {
  const inner = command.commands.map((one) => ({ name: `${command.name()} ${one.name()}`, command: one }))
  return inner.length > 0 ? inner : [{ name: command.name(), command }]
}

function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => WIDTH })
  command.outputHelp()
  return text.trimEnd()
}
