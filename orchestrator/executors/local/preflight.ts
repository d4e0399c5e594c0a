import { access, constants, copyFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isNoSpace } from '#runtime/stage/errors.ts'
import { failpoint } from '#runtime/stage/failpoint.ts'
import { hashFile, syncPath, temporaryBeside } from '#runtime/stage/files.ts'
import { makeDirectory } from '#runtime/stage/filesystem.ts'
import type { Asset } from '../../pipeline/plan.ts'
import { ProblemError } from '../../pipeline/problem.ts'

/** Endings of files that a scan looks at. */
const RAW_PATTERN = /\.(hdf5|uvh5|h5)$/i

/** The input folder exists, can be read and holds something to look at; else ProblemError INPUT_*. */
export async function checkInput(input: string): Promise<void> {
  const hint = 'give the folder that holds the .hdf5 files of an observation: contimg run --input DIR'
  const found = await stat(input).catch((error: NodeJS.ErrnoException) => error)
  if (found instanceof Error) {
    const code = found.code === 'ENOENT' || found.code === 'ENOTDIR' ? 'INPUT_NOT_FOUND' : 'INPUT_UNREADABLE'
    throw new ProblemError(
      code,
      `the input folder ${input} ${code === 'INPUT_NOT_FOUND' ? 'does not exist' : `cannot be read (${found.code})`}`,
      { hint },
    )
  }
  if (!found.isDirectory())
    throw new ProblemError('INPUT_NOT_FOUND', `the input ${input} is a file, not a folder`, { hint })
  const names = await readdir(input).catch((error: NodeJS.ErrnoException) => {
    throw new ProblemError('INPUT_UNREADABLE', `the input folder ${input} cannot be read (${error.code})`, {
      hint: 'check its permissions',
    })
  })
  const raw = names.filter((name) => RAW_PATTERN.test(name))
  if (raw.some((name) => !name.endsWith('_incomplete.hdf5'))) return
  const what =
    names.length === 0
      ? 'is empty'
      : raw.length > 0
        ? 'holds only files that are still being written'
        : 'holds no .hdf5 files'
  throw new ProblemError('INPUT_EMPTY', `the input folder ${input} ${what}`, {
    hint: raw.length > 0 ? 'wait until their writer has closed them' : hint,
  })
}

/** Makes the data root if need be and proves that it can be written; else ProblemError ROOT_UNWRITABLE. */
export async function checkRoot(root: string): Promise<void> {
  await proveWritable(root, (why, cause) => {
    const hint = 'choose another with --root DIR or CONTIMG_ROOT, or make it writable'
    return new ProblemError('ROOT_UNWRITABLE', `the data root ${root} cannot be written (${why})`, { hint, cause })
  })
}

/** The same of a scratch folder that the user chose; else ProblemError SCRATCH_UNWRITABLE. */
export async function checkScratch(folder: string): Promise<void> {
  await proveWritable(folder, (why, cause) => {
    const hint = 'set CONTIMG_SCRATCH to a folder that can, or unset it'
    return new ProblemError('SCRATCH_UNWRITABLE', `the scratch folder ${folder} cannot be written (${why})`, {
      hint,
      cause,
    })
  })
}

async function proveWritable(folder: string, problem: (why: string, cause: unknown) => ProblemError): Promise<void> {
  const probe = temporaryBeside(join(folder, 'probe'))
  try {
    await makeDirectory(folder)
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    await writeFile(probe, '')
    await rm(probe)
  } catch (error) {
    if (isNoSpace(error)) throw error
    throw problem((error as NodeJS.ErrnoException).code ?? String(error), error)
  }
}

/** The Earth-orientation table that ships with the code, installed under the data root by its hash. */
export async function earthOrientationAsset(root: string): Promise<Asset> {
  const source = fileURLToPath(new URL('../../../stages/runtime/sky/earth-orientation.json', import.meta.url))
  return installed(root, source, { folder: 'earth-orientation', kind: 'earth-orientation' })
}

/** A user's table of surveyed stations, installed in the same way. Throws ProblemError INPUT_*. */
export async function stationTableAsset(root: string, source: string): Promise<Asset> {
  const hint = 'give a CSV file with the columns station, latitude, longitude and elevation, or leave the setting out'
  try {
    return await installed(root, source, { folder: 'station-tables', kind: 'station-table' })
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && path === source)
      throw new ProblemError('INPUT_NOT_FOUND', `the station table ${source} does not exist`, { hint, cause: error })
    if (code === 'EISDIR' || (code === 'EACCES' && path === source))
      throw new ProblemError('INPUT_UNREADABLE', `the station table ${source} cannot be read (${code})`, {
        hint,
        cause: error,
      })
    throw error
  }
}

/** Copies a file under the data root, once per content. */
async function installed(
  root: string,
  source: string,
  { folder, kind }: { folder: string; kind: string },
): Promise<Asset> {
  const { sha256, bytes } = await hashFile(source)
  const path = `${folder}/${sha256.slice(0, 12)}${extname(source)}`
  const target = join(root, path)
  if ((await stat(target).catch(() => undefined))?.size !== bytes) {
    await makeDirectory(join(root, folder))
    const temporary = temporaryBeside(target)
    try {
      failpoint('install.before', folder)
      await copyFile(source, temporary)
      await syncPath(temporary)
      failpoint('install.written', folder)
      await rename(temporary, target)
      failpoint('install.after', folder)
    } finally {
      await rm(temporary, { force: true })
    }
  }
  return { identity: sha256, reference: { path, bytes, sha256, kind } }
}
