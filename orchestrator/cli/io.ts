import { resolve } from 'node:path'
import { quoted } from '../view/commands.ts'
import type { Style } from '../view/format.ts'
import { linked, paint } from '../view/paint.ts'
import { printableLine } from '../view/printable.ts'

/** A terminal as it is now. */
export interface Terminal {
  columns: () => number
  rows: () => number
  /** Shows or hides the cursor; whatever ends the process, it is shown again. */
  cursor: (visible: boolean) => void
}

/** Everything a command touches of the world around it: `main.ts` gives the real one. */
export interface Io {
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  /** The command line, without `contimg`. */
  argv?: readonly string[] | undefined
  out: (text: string) => void
  err: (text: string) => void
  /** Where `err` is a terminal. */
  terminal?: Terminal | undefined
  /** Whether `out` is one. */
  outIsTerminal?: boolean | undefined
  /** Asks the person at the terminal; absent where there is none, and nothing is ever asked. */
  ask?: ((question: string) => Promise<string>) | undefined
  now: () => Date
  random: () => number
  /** Aborted with the exit code (130, 143) as its reason when the user or the system asks to stop. */
  signal: AbortSignal
  /** Folder that holds `<stage>/main.ts`. */
  stagesDir: string
}

/** Writes lines of which parts may come from anywhere. */
export function lines(write: (text: string) => void, texts: readonly string[]): void {
  readyLines(write, texts.map(printableLine))
}

/** Writes lines that have been made fit for a terminal, and may be in colours. */
export function readyLines(write: (text: string) => void, texts: readonly string[]): void {
  if (texts.length > 0) write(`${texts.join('\n')}\n`)
}

/** Writes lines as the answer, with colours and links where its terminal has them. */
export function answerLines(io: Io, texts: readonly string[], options: { color?: boolean | undefined }): void {
  const isTerminal = io.outIsTerminal === true
  const shown = texts.map(printableLine)
  const coloured = coloursOf(io, options, isTerminal) ? paint(shown) : shown
  readyLines(io.out, isTerminal && knowsLinks(io) ? linked(coloured) : coloured)
}

/** Writes lines as a message beside the answer, with colours where standard error has them. */
export function messageLines(io: Io, texts: readonly string[], options: { color?: boolean | undefined }): void {
  const shown = texts.map(printableLine)
  readyLines(io.err, coloursOf(io, options, io.terminal !== undefined) ? paint(shown) : shown)
}

/** How a run is told of: symbols, its data root, and how commands in messages name that root. */
export function runStyle(
  io: Io,
  options: { utf8?: boolean | undefined },
  root: string,
): Style & { root: string; rootFlag: string; columns?: number } {
  const usual = resolve(io.cwd, io.env['CONTIMG_ROOT'] || 'contimg-data')
  const columns = io.terminal?.columns()
  return {
    ...styleOf(io, options),
    root,
    rootFlag: root === usual ? '' : ` --root ${quoted(root)}`,
    ...(columns === undefined ? {} : { columns }),
  }
}

/** Symbols where the terminal's language has them, words elsewhere. */
export function styleOf({ env }: Io, { utf8 }: { utf8?: boolean | undefined }): Style {
  const language = env['LC_ALL'] ?? env['LC_CTYPE'] ?? env['LANG'] ?? ''
  return { utf8: utf8 !== false && env['TERM'] !== 'dumb' && /utf-?8/i.test(language) }
}

/** Whether to use colours: the flag, else FORCE_COLOR, else NO_COLOR, else where a terminal shows them. */
export function coloursOf({ env }: Io, { color }: { color?: boolean | undefined }, isTerminal: boolean): boolean {
  if (color === false) return false
  const forced = env['FORCE_COLOR']
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false'
  return isTerminal && env['TERM'] !== 'dumb' && (env['NO_COLOR'] ?? '') === ''
}

/** Terminals that turn the escape for links (OSC 8) into links; others may print it. */
function knowsLinks({ env }: Io): boolean {
  if (env['FORCE_HYPERLINK'] !== undefined) return env['FORCE_HYPERLINK'] !== '0'
  if (env['TERM'] === 'dumb' || env['TMUX'] !== undefined) return false
  return (
    ['iTerm.app', 'WezTerm', 'vscode', 'ghostty', 'Hyper'].includes(env['TERM_PROGRAM'] ?? '') ||
    /^(xterm-kitty|xterm-ghostty|alacritty|foot)/.test(env['TERM'] ?? '') ||
    Number(env['VTE_VERSION'] ?? 0) >= 5000 ||
    env['WT_SESSION'] !== undefined ||
    env['KONSOLE_VERSION'] !== undefined
  )
}
