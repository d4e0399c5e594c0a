/** One header keyword. Keys are at most eight of `A-Z 0-9 - _`; strings are printable ASCII. */
export interface FitsCard {
  key: string
  value: string | number | boolean
  comment?: string
}

export type FitsValue = FitsCard['value']

/** A parsed header: keyword values (the first of a repeated keyword counts) and the HISTORY lines. */
export interface FitsHeader {
  cards: Map<string, FitsValue>
  history: string[]
}

export const blockBytes = 2880
const cardBytes = 80

/** Longest string that fits one card; longer ones go on in CONTINUE cards. */
const maxStringCharacters = 68

/**
 * The bytes of a header (FITS standard 4.0, section 4): cards, HISTORY lines, END, padded with blanks to 2880 bytes.
 * Throws RangeError on a keyword or a string that FITS cannot hold.
 */
export function encodeHeader(cards: readonly FitsCard[], history: readonly string[] = []): Buffer {
  const lines = cards.flatMap(cardLines)
  if (cards.some(isLongString)) lines.splice(longStringPlace(lines), 0, ...cardLines(longStringCard))
  for (const entry of history) lines.push(...historyLines(entry))
  lines.push('END'.padEnd(cardBytes))
  const text = lines.join('')
  return Buffer.from(text.padEnd(Math.ceil(text.length / blockBytes) * blockBytes), 'latin1')
}

/** Parses header bytes up to END; undefined when END has not come yet (more blocks are to be read). */
export function decodeHeader(bytes: Buffer): (FitsHeader & { bytes: number }) | undefined {
  const cards = new Map<string, FitsValue>()
  const history: string[] = []
  let continued: string | undefined
  for (let offset = 0; offset + cardBytes <= bytes.length; offset += cardBytes) {
    const line = bytes.toString('latin1', offset, offset + cardBytes)
    const key = line.slice(0, 8).trimEnd()
    if (key === 'END') {
      return { cards, history, bytes: Math.ceil((offset + cardBytes) / blockBytes) * blockBytes }
    }
    if (key === 'HISTORY') {
      history.push(line.slice(8).trimEnd())
      continue
    }
    if (key === 'CONTINUE' && continued !== undefined) {
      const more = parseValue(line.slice(10))
      const soFar = cards.get(continued)
      if (typeof more === 'string' && typeof soFar === 'string') cards.set(continued, soFar.slice(0, -1) + more)
      continue
    }
    if (line.slice(8, 10) !== '= ') continue
    const value = parseValue(line.slice(10))
    if (value === undefined) continue
    if (!cards.has(key)) cards.set(key, value)
    continued = typeof value === 'string' && value.endsWith('&') ? key : undefined
  }
  return undefined
}

const longStringCard: FitsCard = {
  key: 'LONGSTRN',
  value: 'OGIP 1.0',
  comment: 'The OGIP long string convention may be used',
}

function isLongString({ value }: FitsCard): boolean {
  return typeof value === 'string' && quote(value).length - 2 > maxStringCharacters
}

/** LONGSTRN follows the mandatory keywords, whose order the standard fixes. */
function longStringPlace(lines: readonly string[]): number {
  const mandatory = /^(SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|PCOUNT|GCOUNT|TFIELDS) *=/
  const first = lines.findIndex((line) => !mandatory.test(line))
  return first < 0 ? lines.length : first
}

function cardLines(card: FitsCard): string[] {
  const { key, value, comment } = card
  if (!/^[A-Z0-9_-]{1,8}$/.test(key)) throw new RangeError(`"${key}" is not a FITS keyword`)
  if (isLongString(card)) return longStringLines(key, value as string)
  const head = `${key.padEnd(8)}= `
  const text = typeof value === 'string' ? quote(value).padEnd(20) : formatScalar(key, value).padStart(20)
  const line = comment === undefined ? head + text : `${head}${text} / ${printable(comment)}`
  return [line.slice(0, cardBytes).padEnd(cardBytes)]
}

function formatScalar(key: string, value: number | boolean): string {
  if (typeof value === 'boolean') return value ? 'T' : 'F'
  if (!Number.isFinite(value)) throw new RangeError(`keyword ${key} cannot hold ${value}`)
  return Number.isSafeInteger(value) ? String(value) : String(value).toUpperCase()
}

/** A quoted string, inner quotes doubled, padded to the eight characters that old readers expect. */
function quote(value: string): string {
  return `'${printable(value).replaceAll("'", "''").padEnd(8)}'`
}

function printable(text: string): string {
  return text.replaceAll(/[^ -~]/g, '?')
}

function longStringLines(key: string, value: string): string[] {
  const lines: string[] = []
  let rest = printable(value)
  while (rest.length > 0) {
    let take = Math.min(rest.length, maxStringCharacters - 1)
    while (quote(rest.slice(0, take)).length - 2 > maxStringCharacters - 1) take -= 1
    const text = rest.slice(0, take) + (take < rest.length ? '&' : '')
    lines.push(`${lines.length === 0 ? `${key.padEnd(8)}= ` : 'CONTINUE  '}${quote(text)}`.padEnd(cardBytes))
    rest = rest.slice(take)
  }
  return lines
}

function historyLines(entry: string): string[] {
  const lines: string[] = []
  const text = printable(entry)
  for (let start = 0; start === 0 || start < text.length; start += cardBytes - 8) {
    lines.push(`HISTORY ${text.slice(start, start + cardBytes - 8)}`.padEnd(cardBytes))
  }
  return lines
}

function parseValue(field: string): FitsValue | undefined {
  const text = field.trimStart()
  if (text.startsWith("'")) {
    const match = /^'((?:[^']|'')*)'/.exec(text)
    return match === null ? undefined : match[1].replaceAll("''", "'").trimEnd()
  }
  const slash = text.indexOf('/')
  const bare = (slash < 0 ? text : text.slice(0, slash)).trim()
  if (bare === 'T' || bare === 'F') return bare === 'T'
  // FORTRAN writers may use D for the exponent.
  const number = Number(bare.replace(/[dD]/, 'E'))
  return bare === '' || Number.isNaN(number) ? undefined : number
}
