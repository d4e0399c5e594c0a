import type { Progress } from '#runtime/stage/contract.ts'
import { cut } from '../view/fit.ts'
import { printableLine } from '../view/printable.ts'
import { lines, type Io } from './io.ts'
import { startScreen } from './screen.ts'

interface ScanProgress {
  hear: (progress: Progress) => void
  /** What is worth knowing while it lasts. */
  say: (texts: readonly string[]) => void
  end: () => void
}

/** A line on a terminal while a scan takes long; nothing elsewhere. */
export function scanProgress({ err, env, terminal }: Io, quiet: boolean): ScanProgress {
  if (quiet) return { hear: () => undefined, say: () => undefined, end: () => undefined }
  if (terminal === undefined || env['TERM'] === 'dumb')
    return { hear: () => undefined, say: (texts) => lines(err, texts), end: () => undefined }
  let shown: string[] = []
  const screen = startScreen({ write: err, terminal, draw: () => shown })
  return {
    hear({ done, total, unit }) {
      shown = [cut(`scanning  ${done} of ${total} ${unit}`, Math.max(0, terminal.columns() - 1), { utf8: false })]
    },
    say: (texts) => screen.say(texts.map(printableLine)),
    end: () => screen.end(),
  }
}
