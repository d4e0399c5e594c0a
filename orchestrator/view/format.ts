/** How text is drawn: with or without symbols beyond ASCII. */
export interface Style {
  utf8: boolean
}

const symbols = {
  done: ['✔', 'ok'],
  failed: ['✖', 'FAILED'],
  running: ['●', '..'],
  waiting: ['◷', 'waiting'],
  skipped: ['–', 'skipped'],
  note: ['!', 'note:'],
} as const

export type GlyphName = keyof typeof symbols

export function glyph(name: GlyphName, { utf8 }: Style): string {
  return symbols[name][utf8 ? 0 : 1]
}

/** Columns that every glyph fits into, where they stand below each other. */
export function glyphWidth({ utf8 }: Style): number {
  return Math.max(...Object.values(symbols).map((pair) => pair[utf8 ? 0 : 1].length))
}

/** `0:09`, `1:02:03`: minutes and seconds, hours where there are any. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const tail = String(rest).padStart(2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`
}

/** Time as people say it: `0.9 s`, `41 s`, `3:20 min`. */
export function span(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  return seconds < 120 ? `${Math.round(seconds)} s` : `${duration(seconds)} ${seconds < 3600 ? 'min' : 'h'}`
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** `1.6 GiB`: three figures, binary units. */
export function bytes(amount: number): string {
  let value = amount
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(value >= 9.95 ? 0 : 1)} ${units[unit]}`
}

/** What is used of a limit, in the limit's unit: `1.6/4.0 GiB`. */
export function amountOf(amount: number, limit: number | undefined): string {
  if (limit === undefined || limit === 0) return bytes(amount)
  const [value = '', unit = 'B'] = bytes(limit).split(' ')
  const scaled = amount / 1024 ** units.indexOf(unit)
  return `${scaled >= 9.95 ? Math.round(scaled) : scaled.toFixed(scaled < 0.995 ? 2 : 1)}/${value} ${unit}`
}

/** One item or many: `1 observation`, `3 observations`. */
export function count(n: number, what: string, plural = `${what}s`): string {
  return `${n} ${n === 1 ? what : plural}`
}

/** Things in a row, as in a sentence: `conversion, calibration and imaging`. */
export function enumeration(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
}

/** Rows as aligned columns, two blanks between them. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)))
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
