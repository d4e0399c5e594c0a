import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { StageError } from '#runtime/stage/errors.ts'
import { readFitsTable } from '../fits/table.ts'
import { readVotable } from './votable-read.ts'

/** A table as it comes from a file: cells are text or numbers, absent ones empty or NaN. */
export interface SourceTable {
  format: 'csv' | 'tsv' | 'fits' | 'votable'
  columns: readonly { name: string; unit: string | undefined }[]
  rows: Iterable<readonly (string | number)[]> | AsyncIterable<readonly (string | number)[]>
}

/**
 * Opens a catalogue file by its content: FITS binary table, VOTable (TABLEDATA), tab-separated text as VizieR writes it
 * (comments, names, units, dashes) or CSV. Rows are streamed.
 *
 * @throws StageError DATA_UNUSABLE for anything else
 */
export async function readSourceTable(path: string): Promise<SourceTable> {
  const head = await readHead(path)
  if (head.startsWith('SIMPLE  =')) return readFits(path)
  if (/^\uFEFF?\s*<(\?xml|VOTABLE)/.test(head)) return readVotable(path)
  if (head.includes('\0')) {
    throw new StageError('DATA_UNUSABLE', `${path} is neither text nor a FITS table`, {
      hint: 'give a CSV, VizieR TSV, VOTable or FITS table; unpack compressed files first',
    })
  }
  return readText(path)
}

async function readHead(path: string): Promise<string> {
  await using file = await open(path).catch((cause: unknown) => {
    throw new StageError('INPUT_MISSING', `cannot read the catalogue file ${path}`, { cause })
  })
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0)
  return buffer.toString('latin1', 0, bytesRead)
}

async function readFits(path: string): Promise<SourceTable> {
  const table = await readFitsTable(path)
  const scalar = table.columns.filter((column) => column.repeat === 1)
  return {
    format: 'fits',
    columns: scalar.map(({ name, unit }) => ({ name, unit })),
    rows: (function* rows() {
      for (let row = 0; row < table.rows; row++) yield scalar.map(({ values }) => values[row])
    })(),
  }
}

async function readText(path: string): Promise<SourceTable> {
  const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity })[Symbol.asyncIterator]()
  const next = async (): Promise<string | undefined> => {
    const { value, done } = await lines.next()
    return done ? undefined : value
  }
  let header = await next()
  while (header !== undefined && (header.trim() === '' || header.startsWith('#'))) header = await next()
  if (header === undefined) throw new StageError('DATA_UNUSABLE', `${path} holds no table`)
  header = header.replace(/^\uFEFF/, '')
  const separator = header.includes('\t') ? '\t' : header.includes(';') ? ';' : ','
  const names = splitLine(header, separator)
  // VizieR puts a row of units and a row of dashes below the names.
  const second = await next()
  const third = second === undefined ? undefined : await next()
  const units = second !== undefined && isRule(third) ? splitLine(second, separator) : []
  const pending = isRule(third) || isRule(second) ? [] : [second, third]
  if (isRule(second)) pending.push(third)
  return {
    format: separator === '\t' ? 'tsv' : 'csv',
    columns: names.map((name, i) => ({ name, unit: units[i] === undefined || units[i] === '' ? undefined : units[i] })),
    rows: (async function* rows() {
      let started = false
      for (;;) {
        const line = pending.length > 0 ? pending.shift() : await next()
        if (line === undefined) break
        if (line.startsWith('#')) continue
        if (line.trim() === '') {
          // A blank line ends the table: VizieR appends further tables after one.
          if (started) break
          continue
        }
        started = true
        yield splitLine(line, separator)
      }
    })(),
  }
}

function isRule(line: string | undefined): boolean {
  return line !== undefined && /^[-\s;]*-[-\s;]*$/.test(line)
}

/** Cells of a line; quotes as in RFC 4180. */
function splitLine(line: string, separator: string): string[] {
  if (!line.includes('"')) return line.split(separator).map((cell) => cell.trim())
  const cells: string[] = []
  let cell = ''
  let quoted = false
  for (let i = 0; i < line.length; i++) {
    const character = line[i]
    if (quoted && character === '"' && line[i + 1] === '"') {
      cell += '"'
      i++
    } else if (character === '"') quoted = !quoted
    else if (character === separator && !quoted) {
      cells.push(cell.trim())
      cell = ''
    } else cell += character
  }
  cells.push(cell.trim())
  return cells
}
