import { StageError } from '#runtime/stage/errors.ts'

/** What is wrong with a file of a table, in a few words. Only `readingSet` lets it out, as an error that names the set. */
export class TableFault extends Error {
  constructor(why: string) {
    super(why)
    this.name = 'TableFault'
  }
}

/**
 * Runs what reads a table. Damage, whether found by a check or by reading beyond the end of a file, becomes StageError
 * DATA_UNUSABLE, an absent file INPUT_MISSING; both name the set.
 */
export async function readingSet<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    throw named(path, cause)
  }
}

function named(path: string, cause: unknown): unknown {
  const hint = 'remove the product that it belongs to and run the same command again'
  if (cause instanceof TableFault || cause instanceof RangeError)
    return new StageError('DATA_UNUSABLE', `${path} is no usable MeasurementSet: ${cause.message}`, { cause, hint })
  const { code } = cause as NodeJS.ErrnoException
  if (code !== 'ENOENT' && code !== 'EISDIR' && code !== 'ENOTDIR') return cause
  return new StageError('INPUT_MISSING', `${path} is no MeasurementSet: a file of it is missing`, { cause, hint })
}
