import { printableLine, printableText } from './printable.ts'

/** One line of a stage's log as it was written: a JSON object, or text of a program that crashed. */
export interface LogRecord {
  /** Time of the line, ms since 1970; absent where it has none. */
  timeMs: number | undefined
  raw: string
  fields: Readonly<Record<string, unknown>> | undefined
}

const levels: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
}
/** Members that are shown elsewhere in the line. */
const known = new Set(['level', 'time', 'msg', 'stage', 'observation', 'pid', 'hostname', 'stream'])
/** Below this level a line is in the stored log alone, so a live log does not have it. */
const LOWEST_SHOWN = 30

/**
 * A line of an attempt's log or of a product's `stage.log`. Undefined for what only one of them has: events of the
 * harness, and lines for debugging; so both give the same.
 */
export function logRecord(line: string): LogRecord | undefined {
  if (line.trim() === '') return undefined
  const fields = parseObject(line)
  if (fields === undefined) return { timeMs: undefined, raw: line, fields }
  const { level, time } = fields
  if (typeof level !== 'number' || level < LOWEST_SHOWN) return undefined
  const timeMs = typeof time === 'string' ? Date.parse(time) : typeof time === 'number' ? time : Number.NaN
  return { timeMs: Number.isFinite(timeMs) ? timeMs : undefined, raw: line, fields }
}

/** Blanks before the further lines of a message, so that none looks like a record. */
const INDENT = ' '.repeat(27)

/** A record for people: time (UTC), level where it is no information, stage, message, further members. */
export function logLine({ timeMs, raw, fields }: LogRecord, { stage }: { stage: string }): string {
  const when = timeMs === undefined ? ' '.repeat(12) : new Date(timeMs).toISOString().slice(11, 23)
  if (fields === undefined) return `${when}  ${stage.padEnd(11)}  ${printableLine(raw)}`
  const level = levels[Number(fields['level'])] ?? ''
  const more = Object.entries(fields)
    .filter(([name]) => !known.has(name))
    .map(([name, value]) => `${name}=${textOf(value)}`)
  const text = [level === 'info' ? '' : level, textOf(fields['msg'] ?? ''), ...more].filter((part) => part !== '')
  return `${when}  ${stage.padEnd(11)}  ${printableText(text.join('  ')).replaceAll('\n', `\n${INDENT}`)}`
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value = JSON.parse(line) as unknown
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    // A line cut off by the death of its writer.
    return undefined
  }
}
