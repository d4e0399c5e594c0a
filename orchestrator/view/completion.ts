/** A command as its completion needs it. */
export interface CompletedCommand {
  /** Of all words: `catalogue import`. */
  name: string
  description: string
  options: { flags: string[]; description: string; takesValue: boolean; choices: readonly string[] }[]
  /** Its first argument. */
  argument: { name: string; choices: readonly string[] } | undefined
}

type Shell = 'bash' | 'zsh' | 'fish'

/** Arguments of this name are names of runs, which the program is asked for. */
const RUN_ARGUMENT = 'run'
const listRuns = 'contimg list -o name 2>/dev/null'

/** A script that teaches a shell the commands, their options and choices; names of runs are asked for when they are wanted. */
export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  return { bash, zsh, fish }[shell](commands)
}

function bash(commands: readonly CompletedCommand[]): string {
  return `# bash completion of contimg
_contimg() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} name=\${COMP_WORDS[1]-} options= argument=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${topLevel(commands).join(' ')}' -- "$word"))
    return
  fi
  case "$name \${COMP_WORDS[2]-}" in
${commands
  .filter(({ name }) => name.includes(' '))
  .map(({ name }) => `    '${name}') name='${name}' ;;`)
  .join('\n')}
  esac
  case "$name $before" in
${commands
  .flatMap(({ name, options }) =>
    options.flatMap(({ flags, choices }) =>
      choices.length === 0
        ? []
        : [
            `    ${flags.map((flag) => `'${name} ${flag}'`).join('|')}) COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$word")); return ;;`,
          ],
    ),
  )
  .join('\n')}
  esac
  case "$name" in
${commands.map((command) => `    '${command.name}') options='${flagsOf(command).join(' ')}' argument='${wordsOf(command, commands)}' ;;`).join('\n')}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")); return ;;
  esac
  [ "$argument" = '@runs' ] && argument="@latest $(${listRuns})"
  [ -n "$argument" ] && COMPREPLY=($(compgen -W "$argument" -- "$word"))
}
complete -o default -F _contimg contimg
`
}

function zsh(commands: readonly CompletedCommand[]): string {
  return `#compdef contimg
# zsh completion of contimg: that of bash, whose words zsh can complete too
autoload -U +X bashcompinit && bashcompinit
${bash(commands)}`
}

function fish(commands: readonly CompletedCommand[]): string {
  const lines = ['# fish completion of contimg', 'complete -c contimg -f -n __fish_use_subcommand']
  for (const command of commands) {
    const words = command.name.split(' ')
    const [top = '', second] = words
    const here =
      second === undefined
        ? `__fish_seen_subcommand_from ${top}`
        : `__fish_seen_subcommand_from ${top}; and __fish_seen_subcommand_from ${second}`
    lines.push(
      second === undefined
        ? `complete -c contimg -n __fish_use_subcommand -a ${top} -d ${quoted(command.description)}`
        : `complete -c contimg -f -n ${quoted(`__fish_seen_subcommand_from ${top}`)} -a ${second} -d ${quoted(command.description)}`,
    )
    for (const { flags, description, takesValue, choices } of command.options) {
      const short = flags.find((flag) => /^-[^-]/.test(flag))
      const long = flags.find((flag) => flag.startsWith('--'))
      const parts = [
        `complete -c contimg -n ${quoted(here)}`,
        ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
        ...(long === undefined ? [] : [`-l ${long.slice(2)}`]),
        ...(takesValue ? ['-r'] : []),
        ...(choices.length === 0 ? [] : [`-f -a ${quoted(choices.join(' '))}`]),
        `-d ${quoted(description)}`,
      ]
      lines.push(parts.join(' '))
    }
    const words2 = wordsOf(command, commands)
    if (words2 !== '' && second === undefined && !commands.some(({ name }) => name.startsWith(`${top} `)))
      lines.push(
        `complete -c contimg -f -n ${quoted(here)} -a ${words2 === '@runs' ? `'(${listRuns})'` : quoted(words2)}`,
      )
  }
  return `${lines.join('\n')}\n`
}

function topLevel(commands: readonly CompletedCommand[]): string[] {
  return commands.filter(({ name }) => !name.includes(' ')).map(({ name }) => name)
}

/** What may stand as the first argument: inner commands, choices, or names of runs. */
function wordsOf({ name, argument }: CompletedCommand, commands: readonly CompletedCommand[]): string {
  const inner = commands
    .filter((other) => other.name.startsWith(`${name} `))
    .map((other) => other.name.split(' ')[1] ?? '')
  if (inner.length > 0) return inner.join(' ')
  if (argument?.name === RUN_ARGUMENT) return '@runs'
  return argument?.choices.join(' ') ?? ''
}

function flagsOf({ options }: CompletedCommand): string[] {
  return [...options.flatMap(({ flags }) => flags), '--help']
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
