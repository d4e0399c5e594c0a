import { stripVTControlCharacters } from 'node:util'
import type { Terminal } from './io.ts'

/** Five times a second is as often as a person can read. */
const REDRAW_MS = 200
const ESCAPE = '\u001b'
const TO_THE_END = `${ESCAPE}[J`
/** Terminals that know them show what is between these at once; the others pass over them. */
const [BEGIN_FRAME, END_FRAME] = [`${ESCAPE}[?2026h`, `${ESCAPE}[?2026l`]

export interface Screen {
  /** Writes lines above the block. */
  say(lines: readonly string[]): void
  /** Takes the block away, so that others can write. */
  end(): void
}

interface ScreenOptions {
  write: (text: string) => void
  terminal: Terminal
  draw: () => readonly string[]
}

/**
 * A block of lines at the end of a terminal, drawn again in place: at most five times a second, and only when it has
 * changed. The cursor is hidden and stands below it, where a typed `^C` does no harm.
 */
export function startScreen({ write, terminal, draw }: ScreenOptions): Screen {
  let shown: readonly string[] = []
  let ended = false

  /** To the first line of the block, however often a narrower window has broken its lines. */
  const back = (): string => {
    const columns = Math.max(1, terminal.columns())
    const rows = shown.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns)),
      0,
    )
    return rows === 0 ? '' : `\r${ESCAPE}[${rows}A${TO_THE_END}`
  }
  const show = (above: readonly string[]): void => {
    const block = draw()
    if (above.length === 0 && block.length === shown.length && block.every((line, index) => line === shown[index]))
      return
    // A block that is never drawn leaves the terminal alone.
    if (block.length > 0) terminal.cursor(false)
    const text = [...above, ...block].map((line) => `${line}\n`).join('')
    write(`${BEGIN_FRAME}${back()}${text}${END_FRAME}`)
    shown = block
  }

  show([])
  const timer = setInterval(() => show([]), REDRAW_MS)
  return {
    say(lines) {
      if (lines.length === 0) return
      if (ended) write(lines.map((line) => `${line}\n`).join(''))
      else show(lines)
    },
    end() {
      if (ended) return
      ended = true
      clearInterval(timer)
      write(back())
      shown = []
      terminal.cursor(true)
    },
  }
}
