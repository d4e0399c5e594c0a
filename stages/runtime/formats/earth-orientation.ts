import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { EarthOrientationTable } from '#runtime/sky/earth-orientation.ts'
import { StageError } from '#runtime/stage/errors.ts'

/** The table that ships with the code: daily IERS values from 2020 to the end of its predictions. */
export const defaultEarthOrientationPath = fileURLToPath(new URL('../sky/earth-orientation.json', import.meta.url))

/** Beyond these no value can be one, whatever the unit of the file. */
const columnLimits = { dut1S: 1, xpArcsec: 2, ypArcsec: 2 } as const

/**
 * Reads an Earth-orientation table (JSON, one value a day) and the sha256 of its bytes, which enters the keys of what was
 * computed with it. Throws INPUT_MISSING when there is no such file, PARAMS_INVALID when it is not such a table.
 */
export function readEarthOrientation(path = defaultEarthOrientationPath): EarthOrientationTable & { sha256: string } {
  const bytes = readTable(path)
  const hint = 'make one with scripts/earth-orientation.py, or leave the setting out to use the table that ships'
  let json: unknown
  try {
    json = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new StageError('PARAMS_INVALID', `${path} is not JSON`, { cause, hint })
  }
  const problem = tableProblem(json)
  if (problem !== undefined)
    throw new StageError('PARAMS_INVALID', `${path} is no Earth-orientation table: ${problem}`, { hint })
  const { source, firstMjd, dut1S, xpArcsec, ypArcsec } = json as EarthOrientationTable
  const table = { source, firstMjd, dut1S, xpArcsec, ypArcsec }
  return { ...table, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** What keeps parsed JSON from being a table. By hand: thousands of numbers, and one of the few things that a scan reads. */
function tableProblem(json: unknown): string | undefined {
  if (typeof json !== 'object' || json === null) return 'it is no object'
  const table: Partial<Record<keyof EarthOrientationTable, unknown>> = json
  if (typeof table.source !== 'string') return 'source must be a text'
  if (!Number.isSafeInteger(table.firstMjd)) return 'firstMjd must be a whole number'
  for (const [name, limit] of Object.entries(columnLimits)) {
    const column = table[name as keyof typeof columnLimits]
    if (!Array.isArray(column) || !column.every((value) => typeof value === 'number' && Math.abs(value) <= limit))
      return `${name} must be a list of numbers from -${limit} to ${limit}`
  }
  const { dut1S, xpArcsec, ypArcsec } = json as EarthOrientationTable
  if (dut1S.length < 2) return 'dut1S must have two values at least'
  return xpArcsec.length === dut1S.length && ypArcsec.length === dut1S.length
    ? undefined
    : 'dut1S, xpArcsec and ypArcsec must have one value for each day'
}

function readTable(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new StageError('INPUT_MISSING', `cannot read the Earth-orientation table ${path}`, { cause })
  }
}
