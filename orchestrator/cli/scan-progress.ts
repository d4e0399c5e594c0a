import type { Progress } from '#runtime/stage/contract.ts'
import type { Io } from './io.ts'
import { startLiveLine } from './live-line.ts'

interface ScanProgress {
  hear: (progress: Progress) => void
  end: () => void
}

/** A line on a terminal while a scan takes long; nothing elsewhere. */
export function scanProgress({ err, env, terminal }: Io, quiet: boolean): ScanProgress {
  if (quiet || terminal === undefined || env['TERM'] === 'dumb') return { hear: () => undefined, end: () => undefined }
  let shown = ''
  const line = startLiveLine(err, () => shown)
  return {
    hear({ done, total, unit }) {
      shown = `scanning  ${done} of ${total} ${unit}`.slice(0, Math.max(0, terminal.columns() - 1))
    },
    end: () => line.end(),
  }
}
