import { parseArgs } from 'node:util'
import { importCatalogue } from '#runtime/formats/catalogue/import.ts'
import { errorData, StageError, toStageError } from '#runtime/stage/errors.ts'

const FLAG = '--import-catalogue'

export function isImport(argv: readonly string[]): boolean {
  return argv.some((argument) => argument === FLAG || argument.startsWith(`${FLAG}=`))
}

/**
 * The catalogue importer of the stage's entrypoint:
 * `--import-catalogue FILE --root DIR [--name N] [--version V] [--freq-mhz F] [--resolution-arcsec R]`.
 * Answers with one line of JSON: {name, hash12, sha256, path, rows, rejected}, or {error}.
 */
export async function importFromArguments(argv: readonly string[]): Promise<{ line: string; exitCode: number }> {
  try {
    const { file, options } = parse(argv)
    const { info, path } = await importCatalogue(file, options)
    const { name, hash12, sha256, rows, rejected } = info
    return { line: JSON.stringify({ name, hash12, sha256, path, rows, rejected }), exitCode: 0 }
  } catch (thrown) {
    const error = toStageError(thrown)
    return { line: JSON.stringify({ error: errorData(error) }), exitCode: error.exitCode }
  }
}

function parse(argv: readonly string[]): { file: string; options: Parameters<typeof importCatalogue>[1] } {
  const { values } = readArguments(argv)
  const file = values['import-catalogue']
  const root = values.root
  if (file === undefined || root === undefined) {
    throw new StageError('PARAMS_INVALID', `${FLAG} needs a file, and --root the data root`)
  }
  const freqMhz = positive('--freq-mhz', values['freq-mhz'])
  return {
    file,
    options: {
      root,
      name: values.name,
      version: values.version,
      freqHz: freqMhz === undefined ? undefined : freqMhz * 1e6,
      resolutionArcsec: positive('--resolution-arcsec', values['resolution-arcsec']),
    },
  }
}

function readArguments(argv: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...argv],
      options: {
        'import-catalogue': text,
        root: text,
        name: text,
        version: text,
        'freq-mhz': text,
        'resolution-arcsec': text,
      },
    })
  } catch (cause) {
    throw new StageError('PARAMS_INVALID', cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

function positive(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!(value > 0)) throw new StageError('PARAMS_INVALID', `${flag} needs a positive number, not "${text}"`)
  return value
}
