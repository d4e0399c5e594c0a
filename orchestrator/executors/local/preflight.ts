import { randomUUID } from 'node:crypto'
import { access, constants, copyFile, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hashFile } from '#runtime/stage/files.ts'
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
  const probe = join(root, `.contimg-write-${randomUUID()}`)
  try {
    await makeFolder(root)
    await access(root, constants.R_OK | constants.W_OK | constants.X_OK)
    await writeFile(probe, '')
    await rm(probe)
  } catch (error) {
    throw new ProblemError(
      'ROOT_UNWRITABLE',
      `the data root ${root} cannot be written (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
      {
        hint: 'choose another with --root DIR or CONTIMG_ROOT, or make it writable',
        cause: error,
      },
    )
  }
}

/**
 * Makes a folder and its missing parents. Not by `mkdir` with `recursive`: Node tries again for ever where a file system
 * answers ENOENT below a folder that exists, as /proc does.
 */
async function makeFolder(path: string): Promise<void> {
  if ((await stat(path).catch(() => undefined))?.isDirectory() === true) return
  if (dirname(path) !== path) await makeFolder(dirname(path))
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

/** The Earth-orientation table that ships with the code, installed under the data root by its hash. */
export async function earthOrientationAsset(root: string): Promise<Asset> {
  const source = fileURLToPath(new URL('../../../stages/runtime/sky/earth-orientation.json', import.meta.url))
  const { sha256, bytes } = await hashFile(source)
  const path = `earth-orientation/${sha256.slice(0, 12)}.json`
  const target = join(root, path)
  if ((await stat(target).catch(() => undefined))?.size !== bytes) {
    await mkdir(join(root, 'earth-orientation'), { recursive: true })
    const temporary = `${target}.${randomUUID()}`
    await copyFile(source, temporary)
    await rename(temporary, target)
  }
  return { identity: sha256, reference: { path, bytes, sha256, kind: 'earth-orientation' } }
}
