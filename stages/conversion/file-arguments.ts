import { access, constants, glob, lstat, readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { StageError } from '#runtime/stage/errors.ts'
import { isCandidate, isUnfinished } from './file-name.ts'

export interface NamedFiles {
  /** Absolute, each once, sorted. */
  paths: string[]
  warnings: string[]
}

/**
 * The files that arguments mean: a file is itself, a folder all raw files in it, a pattern (`'sky/*.hdf5'`) all raw files
 * that it matches, where no file has that name. Throws StageError INPUT_MISSING, of all that is missing at once.
 */
export async function namedFiles(given: readonly string[]): Promise<NamedFiles> {
  const paths = new Set<string>()
  const warnings: string[] = []
  const missing: string[] = []
  for (const argument of given) {
    const path = resolve(argument)
    const found = await stat(path).catch(() => undefined)
    const names =
      found === undefined
        ? await matches(argument)
        : found.isDirectory()
          ? (await readdir(path)).map((name) => join(path, name))
          : undefined
    if (names === undefined || (found === undefined && names.length === 0 && (await isLink(path)))) {
      paths.add(path)
      continue
    }
    const usable = names.filter((name) => isCandidate(basename(name)))
    const unfinished = names.filter((name) => isUnfinished(name)).length
    if (unfinished > 0)
      warnings.push(
        `${argument}: ${unfinished === 1 ? 'a file that is' : `${unfinished} files that are`} still being written, left out`,
      )
    if (usable.length === 0) missing.push(found === undefined ? argument : `${argument} (no .hdf5 or .uvh5 file in it)`)
    for (const name of usable) paths.add(name)
  }
  if (missing.length > 0 || paths.size === 0) {
    const what = missing.length === 0 ? 'no files were given' : `cannot find ${missing.join(', ')}`
    throw new StageError('INPUT_MISSING', what, { hint: 'give the UVH5 files of one observation, or a folder of them' })
  }
  await checkReadable([...paths])
  return { paths: [...paths].sort(), warnings }
}

async function checkReadable(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await access(path, constants.R_OK).catch(async (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT' && (await isLink(path)))
        throw new StageError('INPUT_MISSING', `${path} is a link to a file that does not exist`, {
          cause,
          hint: 'mend the link, or remove it',
        })
      throw new StageError('INPUT_MISSING', `${path} cannot be read (${cause.code})`, {
        cause,
        hint: 'make it readable for the user that runs contimg',
      })
    })
  }
}

async function isLink(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isSymbolicLink() === true
}

async function matches(pattern: string): Promise<string[]> {
  const found: string[] = []
  if (/[*?[{]/.test(pattern)) for await (const path of glob(pattern)) found.push(resolve(path))
  return found
}
