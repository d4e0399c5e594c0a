import { createReadStream } from 'node:fs'
import { StageError } from '#runtime/stage/errors.ts'
import type { SourceTable } from './table.ts'

/** Longest piece of a VOTable between two row ends; anything longer is not a table of numbers. */
const MAX_PENDING_CHARACTERS = 16 * 2 ** 20

/**
 * Streams the first table of a VOTable (IVOA VOTable 1.x) in its TABLEDATA serialisation.
 *
 * @throws StageError DATA_UNUSABLE for the binary serialisations and for text that is no VOTable
 */
export async function readVotable(path: string): Promise<SourceTable> {
  const chunks = createReadStream(path, { encoding: 'utf8', highWaterMark: 2 ** 20 })[Symbol.asyncIterator]()
  const next = async (): Promise<string | undefined> => {
    const { value, done } = await chunks.next()
    return done ? undefined : (value as string)
  }
  let text = ''
  while (!/<TABLEDATA\s*\/?>/i.test(text)) {
    const chunk = await next()
    if (/<(BINARY2?|FITS)[\s>]/i.test(text)) {
      throw new StageError('DATA_UNUSABLE', `${path}: only the TABLEDATA form of VOTable can be read`, {
        hint: 'save the table as CSV, FITS or TABLEDATA VOTable',
      })
    }
    if (chunk === undefined || text.length > MAX_PENDING_CHARACTERS) {
      throw new StageError('DATA_UNUSABLE', `${path} holds no VOTable with rows`)
    }
    text += chunk
  }
  const start = /<TABLEDATA\s*\/?>/i.exec(text)
  const header = text.slice(0, start?.index).replaceAll(/<!--[\s\S]*?-->/g, '')
  const body = text.slice((start?.index ?? 0) + (start?.[0].length ?? 0))
  const columns = [...header.matchAll(/<FIELD\s([^>]*)>/gi)].map(([, attributes]) => ({
    name: attribute(attributes, 'name') ?? attribute(attributes, 'ID') ?? '',
    unit: attribute(attributes, 'unit'),
  }))
  return { format: 'votable', columns, rows: rowsOf(body, next, path) }
}

async function* rowsOf(
  start: string,
  next: () => Promise<string | undefined>,
  path: string,
): AsyncGenerator<string[], void, undefined> {
  let text = start
  for (;;) {
    const end = text.search(/<\/TABLEDATA\s*>/i)
    const part = end < 0 ? text : text.slice(0, end)
    let used = 0
    for (const match of part.matchAll(/<TR[^>]*>([\s\S]*?)<\/TR\s*>/gi)) {
      used = match.index + match[0].length
      yield [...match[1].matchAll(/<TD[^>]*?(?:\/>|>([\s\S]*?)<\/TD\s*>)/gi)].map(([, cell]) => decode(cell ?? ''))
    }
    if (end >= 0) return
    text = text.slice(used)
    const chunk = await next()
    if (chunk === undefined || text.length > MAX_PENDING_CHARACTERS) {
      throw new StageError('DATA_UNUSABLE', `${path} is truncated: the table does not end`)
    }
    text += chunk
  }
}

function attribute(attributes: string, name: string): string | undefined {
  const match = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'i').exec(attributes)
  return match === null ? undefined : decode(match[1] ?? match[2])
}

const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function decode(text: string): string {
  const cdata = /^\s*<!\[CDATA\[([\s\S]*?)\]\]>\s*$/.exec(text)
  if (cdata !== null) return cdata[1].trim()
  return text
    .replaceAll(/&(#x[0-9a-f]+|#\d+|[a-z]+);/gi, (whole, code: string) => {
      if (code.startsWith('#x')) return codePoint(Number.parseInt(code.slice(2), 16))
      if (code.startsWith('#')) return codePoint(Number.parseInt(code.slice(1), 10))
      return entities[code] ?? whole
    })
    .trim()
}

function codePoint(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : '\uFFFD'
}
