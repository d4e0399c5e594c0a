import type { Style } from '../view/format.ts'
import { paint } from '../view/paint.ts'

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

export function lines(write: (text: string) => void, texts: readonly string[]): void {
  if (texts.length > 0) write(`${texts.join('\n')}\n`)
}

/** Writes lines as the answer, in colours where its terminal has them. */
export function answerLines(io: Io, texts: readonly string[], options: { color?: boolean | undefined }): void {
  lines(io.out, coloursOf(io, options, io.outIsTerminal === true) ? paint(texts) : texts)
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
