import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { NewEvent, RunEvent } from '../pipeline/events.ts'

export interface EventLog {
  /** Appends an event with the present time; durable when it returns, but for the beginning of a phase, which may be lost. */
  append(event: NewEvent): RunEvent
  close(): void
}

/** Opens a run's event log for appending. A half-written last line, left by a process that was killed, is cut off. */
export function openEventLog(path: string, now: () => Date): EventLog & { repaired: boolean } {
  const file = openSync(path, 'a+')
  const repaired = cutTornLine(path, file)
  return {
    repaired,
    append(event) {
      const stamped: RunEvent = { at: now().toISOString(), ...event }
      writeSync(file, `${JSON.stringify(stamped)}\n`)
      if (event.type !== 'step.phase') fsyncSync(file)
      return stamped
    },
    close: () => closeSync(file),
  }
}

/** The events of a run so far. A torn last line is left out; any other line that is no event is an error. */
export function readEvents(path: string): RunEvent[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  const torn = lines.pop()
  const events = lines.filter((line) => line !== '').map((line, index) => parseEvent(line, `${path}:${index + 1}`))
  if (torn !== undefined && torn !== '') {
    try {
      events.push(parseEvent(torn, path))
    } catch {
      // The process died in the middle of this line: what it says did not happen.
    }
  }
  return events
}

function parseEvent(line: string, place: string): RunEvent {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw new Error(`${place}: not an event`, { cause })
  }
  if (typeof (value as { type?: unknown } | null)?.type !== 'string') throw new Error(`${place}: not an event`)
  return value as RunEvent
}

function cutTornLine(path: string, file: number): boolean {
  const content = readFileSync(path)
  const end = content.lastIndexOf(0x0a) + 1
  if (end === content.length) return false
  ftruncateSync(file, end)
  fsyncSync(file)
  return true
}
