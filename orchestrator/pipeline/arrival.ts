import type { Scan } from '../../stages/conversion/scan-schema.ts'
import { selection } from './admission.ts'
import type { RunConfig } from './config.ts'
import { isQuarantine } from './problem.ts'

/** An observation that is not whole yet, and until when it is worth waiting for the rest. */
export interface Awaited {
  observation: string
  /** Subbands that are absent; empty where nothing of it can be read yet. */
  absent: number[]
  untilMs: number
}

/**
 * Which observations of a scan to wait for: those whose first file arrived less than `ingest.waitSeconds` ago and whose
 * subbands are not all there. A subband whose file is at fault is not waited for.
 * @param beganMs when waiting began: files that are still being written have no time of arrival
 */
export function awaited(
  scan: Scan,
  config: Pick<RunConfig, 'observations' | 'ingest'> & { conversion: Pick<RunConfig['conversion'], 'expect'> },
  { nowMs, beganMs }: { nowMs: number; beganMs: number },
): Awaited[] {
  const waitMs = 1000 * config.ingest.waitSeconds
  const selected = selection(config.observations)
  const forming = scan.observations.flatMap(({ id, subbands, files, faults }): Awaited[] => {
    const absent = config.conversion.expect.subbands
      .filter((subband) => !subbands.includes(subband))
      .sort((a, b) => a - b)
    const atFault = faults.filter(({ code }) => isQuarantine(code)).length
    if (absent.length <= atFault) return []
    return [{ observation: id, absent, untilMs: Math.min(...files.map(({ mtimeMs }) => mtimeMs)) + waitMs }]
  })
  const unreadable = new Set(
    scan.faults.flatMap(({ code, observation, file }) => (isQuarantine(code) ? [] : [observation ?? file])),
  )
  for (const observation of unreadable) {
    if (!forming.some((other) => other.observation === observation))
      forming.push({ observation, absent: [], untilMs: beganMs + waitMs })
  }
  return forming.filter(({ observation, untilMs }) => selected(observation) && nowMs < untilMs)
}

/** One line on what is waited for. */
export function awaitedText({ observation, absent, untilMs }: Awaited): string {
  const what =
    absent.length === 0
      ? 'its files are still being written'
      : `subband${absent.length === 1 ? '' : 's'} ${absent.map((subband) => String(subband).padStart(2, '0')).join(', ')} absent`
  return `${observation}  waits until ${new Date(untilMs).toISOString().slice(11, 19)} UTC at the latest: ${what} (ingest.waitSeconds)`
}
