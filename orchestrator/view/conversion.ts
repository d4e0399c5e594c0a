import type { Progress } from '#runtime/stage/contract.ts'
import type { Converted } from '../../stages/conversion/contract.ts'
import { checkLine, reasons, severity } from './check.ts'
import { bar as drawBar } from './fit.ts'
import { bytes, count, duration, enumeration, glyph, span, type Style } from './format.ts'

/** What is known of a conversion while it runs. */
export interface ConversionProgress {
  phase: string
  /** When the phase began, in seconds since the command did. */
  phaseBegan: number
  progress?: Progress
}

interface LineOptions extends Style {
  seconds: number
  columns: number
  bar: boolean
}

/** Columns of a bar: what is left, between these. */
const [SHORTEST_BAR, LONGEST_BAR] = [8, 40]
/** Columns that the remaining time is given, so that the bar keeps its length: `  3:20 min left`. */
const LEFT_COLUMNS = 15
/** Before this the remaining time is a guess. */
const ESTIMATE_AFTER_SECONDS = 2

/** How far a conversion is, cut to the width: a bar only where the phase knows its total. */
export function progressLine({ phase, phaseBegan, progress }: ConversionProgress, options: LineOptions): string {
  const { seconds, columns, bar, utf8 } = options
  const head = `${duration(seconds).padStart(5)}  ${phase.padEnd(8)}`
  // The last column stays free: a terminal wraps when it is written.
  const width = Math.max(0, columns - 1)
  if (progress === undefined || progress.total === 0) return head.trimEnd().slice(0, width)
  const { done, total, unit } = progress
  const part = Math.min(1, done / total)
  const spent = seconds - phaseBegan
  const left = part > 0 && spent >= ESTIMATE_AFTER_SECONDS ? `  ${span((spent * (1 - part)) / part)} left` : ''
  const percent = `  ${String(Math.floor(100 * part)).padStart(3)} %`
  const count = `  ${String(done).padStart(String(total).length)} of ${total} ${unit}`
  const room = width - head.length - percent.length - LEFT_COLUMNS - 2
  // The count is the first to go where it is narrow, then the bar.
  const counted = room - count.length >= LONGEST_BAR / 2
  const cells = bar ? Math.min(LONGEST_BAR, counted ? room - count.length : room) : 0
  const drawn = cells < SHORTEST_BAR ? '' : `  ${drawBar(part, cells, { utf8 })}`
  return `${head}${drawn}${percent}${counted ? count : ''}${left}`.slice(0, width)
}

/** The answer of `contimg convert`: the set and its verdict, what it holds, what was found, what it cost. */
export function convertedLines(converted: Converted, style: Style): string[] {
  const { output, verdict, replaced, files, rows, channels, polarizations, checks, warnings, usage, phases } = converted
  const graded = reasons({ verdict, checks })
    .sort((a, b) => severity.indexOf(a.verdict) - severity.indexOf(b.verdict))
    .map((check) => line('why', checkLine(check)))
  const shape = `${count(rows, 'row')}, ${count(channels, 'channel')}, ${count(polarizations, 'polarization')}`
  return [
    `${glyph(verdict === 'bad' ? 'failed' : 'done', style)} ${output}  verdict ${verdict}${replaced ? ', replaced' : ''}`,
    ...graded,
    line('set', `${shape}; ${count(converted.integrations, 'integration')} of ${count(converted.antennas, 'antenna')}`),
    line('centre', `${sexagesimal(converted.centre.raDeg / 15, 'h', 2)} ${declination(converted.centre.decDeg)} J2000`),
    ...readLines(files).map((text) => line('read', text)),
    line('bytes', `${bytes(converted.bytes.input)} in, ${bytes(converted.bytes.output)} out`),
    line(
      'time',
      `${span(usage.seconds)}, ${usage.cpuSeconds.toFixed(1)} s CPU, ${bytes(usage.peakMemoryBytes)} of memory: ${phaseText(phases)}`,
    ),
    ...(converted.staging.staged ? [line('staged', converted.staging.reason)] : []),
    ...(converted.sha256 === undefined ? [] : [line('sha256', converted.sha256)]),
    ...warnings.map((warning) => line('note', warning)),
  ]
}

/** How the files were read, one line for each way and reason. */
function readLines(files: Converted['files']): string[] {
  const ways = Map.groupBy(files, ({ read: { method, reason } }) =>
    method === 'direct' ? 'directly' : `through the HDF5 library: ${reason ?? 'no reason given'}`,
  )
  return [...ways].map(([way, { length }]) => `${count(length, 'file')} ${way}`)
}

function phaseText(phases: Converted['phases']): string {
  const long = phases.filter(({ seconds }) => seconds >= 0.05)
  return enumeration(long.map(({ name, seconds }) => `${name} ${span(seconds)}`)) || 'no phase took long'
}

function line(label: string, text: string): string {
  return `  ${label.padEnd(6)}  ${text}`
}

function declination(degrees: number): string {
  return `${degrees < 0 ? '-' : '+'}${sexagesimal(Math.abs(degrees), 'd', 1)}`
}

/** `12h34m56.78s`, `16d11m30.7s`. */
function sexagesimal(value: number, unit: string, digits: number): string {
  const scale = 10 ** digits
  // What rounds up to the end of the day is its beginning.
  const ticks = Math.round(value * 3600 * scale) % (unit === 'h' ? 24 * 3600 * scale : Number.POSITIVE_INFINITY)
  const seconds = ((ticks % (60 * scale)) / scale).toFixed(digits).padStart(digits + 3, '0')
  const minutes = Math.floor(ticks / (60 * scale))
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}${unit}${String(minutes % 60).padStart(2, '0')}m${seconds}s`
}
