import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { isNoSpace } from '#runtime/stage/errors.ts'
import { failpoint, failpointsArmed } from '#runtime/stage/failpoint.ts'
import { isEvent } from '../pipeline/event-schema.ts'
import type { NewEvent, RunEvent } from '../pipeline/events.ts'
import { ProblemError } from '../pipeline/problem.ts'

export interface EventLog {
  /** Appends an event with the present time; durable when it returns, but for the beginning of a phase, which may be lost. */
  append(event: NewEvent): RunEvent
  close(): void
}

/**
 * Opens a run's event log for appending. A half-written last line, left by a process that was killed, is cut off. No event is
 * older than the one before it, whatever happens to the clock. What finds no room leaves no part of itself: `makeRoom` is asked
 * for some, once, and the event is written again.
 */
export function openEventLog(
  path: string,
  now: () => Date,
  makeRoom: () => boolean = () => false,
): EventLog & { repaired: boolean } {
  const file = openSync(path, 'a+')
  const repaired = cutTornLine(path, file)
  const time = risingClock(now, lastTime(path))
  return {
    repaired,
    append(event) {
      const stamped: RunEvent = { at: time().toISOString(), ...event }
      failpoint('event.before', event.type)
      whole(file, makeRoom, () => {
        write(file, `${JSON.stringify(stamped)}\n`, event.type)
        failpoint('event.written', event.type)
        if (event.type !== 'step.phase') fsyncSync(file)
      })
      failpoint('event.after', event.type)
      return stamped
    },
    close: () => closeSync(file),
  }
}

/**
 * The events of a run so far. A torn last line is left out.
 * @throws ProblemError RUN_UNREADABLE when any other line is no event
 */
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

/** Appends as a whole or not at all where there is no room. */
function whole(file: number, makeRoom: () => boolean, append: () => void): void {
  const before = fstatSync(file).size
  try {
    append()
  } catch (error) {
    if (!isNoSpace(error)) throw error
    ftruncateSync(file, before)
    if (!makeRoom()) throw error
    whole(file, () => false, append)
  }
}

/** Appends a line; with failpoints in two halves, so that a test can have it torn. */
function write(file: number, line: string, type: string): void {
  if (!failpointsArmed()) return writeAll(file, line)
  const half = Math.floor(line.length / 2)
  writeAll(file, line.slice(0, half))
  failpoint('event.torn', type)
  writeAll(file, line.slice(half))
}

function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done)
}

/**
 * A clock that never steps back: where the given one does, as after a correction of the machine's time, it goes on from where it
 * was by the time that has passed, until the given one has caught up.
 */
function risingClock(now: () => Date, lastMs: number): () => Date {
  let [last, since] = [lastMs, performance.now()]
  return () => {
    const passed = performance.now()
    const given = now().getTime()
    last = given >= Math.floor(last) ? given : last + passed - since
    since = passed
    return new Date(last)
  }
}

function lastTime(path: string): number {
  try {
    const time = Date.parse(readEvents(path).at(-1)?.at ?? '')
    return Number.isFinite(time) ? time : 0
  } catch {
    // A damaged log says so where it is read.
    return 0
  }
}

function parseEvent(line: string, place: string): RunEvent {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    value = undefined
  }
  if (isEvent(value)) return value
  throw new ProblemError('RUN_UNREADABLE', `${place} is not an event: the log of the run is damaged`, {
    hint: 'move the folder of the run aside and run again: products are kept and are reused',
  })
}

function cutTornLine(path: string, file: number): boolean {
  const content = readFileSync(path)
  const end = content.lastIndexOf(0x0a) + 1
  if (end === content.length) return false
  ftruncateSync(file, end)
  fsyncSync(file)
  return true
}
