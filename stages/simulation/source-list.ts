import { z } from 'zod'
import { StageError } from '#runtime/stage/errors.ts'
import { sourceListSchema, type ListedSource } from './contract.ts'

/**
 * Parses a list of sources: a JSON array of objects, or CSV with the columns raDeg, decDeg, fluxJy and, if wanted, name
 * and spectralIndex in any order.
 * @throws StageError PARAMS_INVALID naming the row and the column
 */
export function parseSourceList(text: string, file: string): ListedSource[] {
  const isJson = /^\s*\[/.test(text)
  const parsed = sourceListSchema.safeParse(isJson ? parseJson(text, file) : parseCsv(text))
  if (parsed.success) return parsed.data
  throw new StageError('PARAMS_INVALID', `${file} is not a list of sources: ${z.prettifyError(parsed.error)}`, {
    hint: 'one object or row a source: name, raDeg, decDeg (ICRS), fluxJy (1.4 GHz), spectralIndex',
  })
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new StageError('PARAMS_INVALID', `${file} is not JSON`, { cause })
  }
}

function parseCsv(text: string): unknown {
  const [head = '', ...lines] = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'))
  const columns = head.split(',').map((column) => column.trim())
  return lines.map((line) => {
    const cells = line.split(',').map((cell) => cell.trim())
    return Object.fromEntries(
      columns.map((column, index) => [column, column === 'name' ? cells[index] : Number(cells[index] || Number.NaN)]),
    )
  })
}
