import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { EarthOrientationTable } from '#runtime/sky/earth-orientation.ts'
import { StageError } from '#runtime/stage/errors.ts'

/** The table that ships with the code: daily IERS values from 2020 to the end of its predictions. */
export const defaultEarthOrientationPath = fileURLToPath(new URL('../sky/earth-orientation.json', import.meta.url))

const schema = z
  .object({
    source: z.string(),
    firstMjd: z.int(),
    dut1S: z.array(z.number().min(-1).max(1)).min(2),
    xpArcsec: z.array(z.number().min(-2).max(2)),
    ypArcsec: z.array(z.number().min(-2).max(2)),
  })
  .refine(
    ({ dut1S, xpArcsec, ypArcsec }) => xpArcsec.length === dut1S.length && ypArcsec.length === dut1S.length,
    'dut1S, xpArcsec and ypArcsec must have one value for each day',
  )

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
  const parsed = schema.safeParse(json)
  if (!parsed.success) {
    throw new StageError('PARAMS_INVALID', `${path} is no Earth-orientation table: ${z.prettifyError(parsed.error)}`, {
      hint,
    })
  }
  return { ...parsed.data, sha256: createHash('sha256').update(bytes).digest('hex') }
}

function readTable(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new StageError('INPUT_MISSING', `cannot read the Earth-orientation table ${path}`, { cause })
  }
}
