import type { Style } from '../view/format.ts'

/** Everything a command touches of the world around it: `main.ts` gives the real one. */
export interface Io {
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  out: (text: string) => void
  err: (text: string) => void
  /** Where `err` is a terminal: its width now. */
  terminal?: { columns: () => number } | undefined
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

/** Symbols where the terminal's language has them, words elsewhere. */
export function styleOf({ env }: Io, { utf8 }: { utf8?: boolean | undefined }): Style {
  const language = env['LC_ALL'] ?? env['LC_CTYPE'] ?? env['LANG'] ?? ''
  return { utf8: utf8 !== false && env['TERM'] !== 'dumb' && /utf-?8/i.test(language) }
}
