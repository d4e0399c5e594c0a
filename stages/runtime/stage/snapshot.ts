import { closeSync, openSync, writeSync } from 'node:fs'
import { isNoSpace, type ErrorData } from './errors.ts'
import type { UsageSample } from './usage.ts'

/** Kubernetes cuts a termination message at this length. */
const MAX_BYTES = 4096

/** What a killed stage leaves behind to tell where it died. */
export interface Snapshot extends Partial<UsageSample> {
  stage: string
  phase: string
  peakMemoryBytes: number
  done?: number
  total?: number
  unit?: string
  error?: ErrorData
}

/** Rewrites the termination message in place (it may be a bind mount, so no rename). Does nothing without a path. */
export function writeSnapshot(path: string | undefined, snapshot: Snapshot): void {
  if (path === undefined) return
  let text = JSON.stringify(snapshot)
  if (Buffer.byteLength(text) > MAX_BYTES && snapshot.error !== undefined) {
    const { code, message, retryable, quarantine } = snapshot.error
    text = JSON.stringify({ ...snapshot, error: { code, message: message.slice(0, 1000), retryable, quarantine } })
  }
  try {
    const file = openSync(path, 'w')
    try {
      writeSync(file, text)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    // Last words that find no room are no reason to die: the stage itself meets the full disk where it matters.
    if (!isNoSpace(error)) throw error
  }
}
