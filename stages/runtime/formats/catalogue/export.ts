import type { FitsColumn } from '../fits/table.ts'

/** A column of an exported table: the same for FITS, CSV and VOTable. */
export type TableColumn = FitsColumn

/** CSV as in RFC 4180 with the column names in the first line; absent numbers are empty. Equal columns, equal text. */
export function encodeCsv(columns: readonly TableColumn[]): string {
  const lines = [columns.map(({ name }) => quote(name)).join(',')]
  for (let row = 0; row < rowCount(columns); row++) {
    lines.push(columns.map((column) => quote(cellText(column, row))).join(','))
  }
  return `${lines.join('\n')}\n`
}

export interface VotableAbout {
  name: string
  description: string
  /** Facts of the whole table, written as PARAM elements. */
  params: readonly { name: string; value: string | number; unit?: string; ucd?: string }[]
}

/** VOTable 1.4 in its TABLEDATA form, positions in ICRS; absent numbers are empty cells. Equal arguments, equal text. */
export function encodeVotable(columns: readonly TableColumn[], about: VotableAbout): string {
  const fields = columns.map((column) => {
    const { name, unit, ucd, description, type } = column
    const datatype = { f8: 'double', f4: 'float', i4: 'int', str: 'char' }[type]
    const size = type === 'str' ? ' arraysize="*"' : ''
    const frame = ucd?.startsWith('pos.eq') ? ' ref="icrs"' : ''
    const attributes = `name="${escape(name)}" datatype="${datatype}"${size}${optional('unit', unit)}${optional('ucd', ucd)}${frame}`
    return description === undefined
      ? `      <FIELD ${attributes}/>`
      : `      <FIELD ${attributes}><DESCRIPTION>${escape(description)}</DESCRIPTION></FIELD>`
  })
  const params = about.params.map(({ name, value, unit, ucd }) => {
    const kind = typeof value === 'number' ? 'datatype="double"' : 'datatype="char" arraysize="*"'
    return `      <PARAM name="${escape(name)}" ${kind} value="${escape(String(value))}"${optional('unit', unit)}${optional('ucd', ucd)}/>`
  })
  const rows = Array.from({ length: rowCount(columns) }, (_, row) => {
    const cells = columns.map((column) => `<TD>${escape(cellText(column, row))}</TD>`)
    return `        <TR>${cells.join('')}</TR>`
  })
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">',
    '  <RESOURCE type="results">',
    '    <COOSYS ID="icrs" system="ICRS"/>',
    `    <TABLE name="${escape(about.name)}">`,
    `      <DESCRIPTION>${escape(about.description)}</DESCRIPTION>`,
    ...params,
    ...fields,
    '      <DATA><TABLEDATA>',
    ...rows,
    '      </TABLEDATA></DATA>',
    '    </TABLE>',
    '  </RESOURCE>',
    '</VOTABLE>',
    '',
  ].join('\n')
}

function rowCount(columns: readonly TableColumn[]): number {
  return columns[0]?.values.length ?? 0
}

function cellText(column: TableColumn, row: number): string {
  const value = column.values[row]
  if (typeof value !== 'number') return value ?? ''
  if (!Number.isFinite(value)) return ''
  // float32 columns get the digits that a float32 holds.
  return column.type === 'f4' ? String(Number(value.toPrecision(8))) : String(value)
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function optional(name: string, value: string | undefined): string {
  return value === undefined ? '' : ` ${name}="${escape(value)}"`
}

/** Text for XML content and attributes; characters that XML 1.0 forbids become U+FFFD. */
function escape(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
