import { access, lstat, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { StageError } from '#runtime/stage/errors.ts'
import { syncPath } from '#runtime/stage/files.ts'

const OTHER_NAME = 'choose another name with -o'

/** Where a set is made before it gets its name: beside it, so that the last step is a rename within one file system. */
export interface OutputPlace {
  /** The name it will have. */
  path: string
  /** The folder to write in; `remove` deletes it with all that it holds. */
  temporary: string
  /** Whether there is a set of that name, to be replaced. */
  exists: boolean
  /** Folders of earlier conversions to the same name: left by one that was killed, or of one that runs. */
  others: string[]
  /** Gives the finished set its name. What was there is moved aside first and deleted last. */
  commit(set: string): Promise<void>
  remove(): Promise<void>
}

/**
 * Takes a place for a MeasurementSet. Nothing that exists is overwritten, and with `force` only another MeasurementSet.
 * @param options.uid makes the names of this attempt its own
 * @throws StageError OUTPUT_EXISTS, OUTPUT_UNWRITABLE
 */
export async function takePlace(path: string, { uid, force }: { uid: string; force: boolean }): Promise<OutputPlace> {
  const [folder, name] = [dirname(path), basename(path)]
  const exists = await checkFree(path, force)
  const temporary = join(folder, `.${name}.${uid}.tmp`)
  const others = await leftovers(folder, name)
  try {
    await mkdir(temporary)
  } catch (cause) {
    // The folder is there, its list has just been read: /proc and its like answer so.
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw unwritable(folder, cause)
    throw new StageError('OUTPUT_UNWRITABLE', `the folder ${folder} takes no new ones`, { cause, hint: OTHER_NAME })
  }
  return {
    path,
    temporary,
    exists,
    others,
    async commit(set) {
      if (exists) await replace(set, path, join(folder, `.${name}.${uid}.old`))
      else await give(set, path)
      await syncPath(folder)
      await rm(temporary, { recursive: true, force: true })
    },
    remove: () => rm(temporary, { recursive: true, force: true }),
  }
}

/** Throws OUTPUT_EXISTS when an input lies within the set that would be replaced. */
export function checkInputsOutside(path: string, inputs: readonly string[]): void {
  const inside = inputs.find((input) => input.startsWith(path + sep))
  if (inside !== undefined) throw taken(`${path} holds the input ${inside}`, OTHER_NAME)
}

/** True when there is a MeasurementSet that may be replaced, false when there is nothing. */
async function checkFree(path: string, force: boolean): Promise<boolean> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw unwritable(dirname(path), error)
  })
  if (found === undefined) return false
  if (!found.isDirectory()) throw taken(`${path} exists and is no MeasurementSet`, OTHER_NAME)
  const isSet = await access(join(path, 'table.dat')).then(
    () => true,
    () => false,
  )
  if (!isSet) {
    const hint = `choose another name with -o, such as -o ${join(path, 'out.ms')}`
    throw taken(`${path} exists and is no MeasurementSet`, hint)
  }
  if (!force) throw taken(`${path} exists`, 'choose another name with -o, or replace it with --force')
  return true
}

async function give(set: string, path: string): Promise<void> {
  try {
    // Fails on anything but an empty folder: what came into being meanwhile is kept.
    await rename(set, path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOTDIR') throw error
    throw taken(`${path} came into being meanwhile`, 'run the command again with another name')
  }
}

async function replace(set: string, path: string, aside: string): Promise<void> {
  await rename(path, aside)
  try {
    await rename(set, path)
  } catch (error) {
    await rename(aside, path)
    throw error
  }
  await syncPath(dirname(path))
  await rm(aside, { recursive: true, force: true })
}

async function leftovers(folder: string, name: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw unwritable(folder, cause)
  })
  return names
    .filter((other) => other.startsWith(`.${name}.`) && /\.(tmp|old)$/.test(other))
    .sort()
    .map((other) => join(folder, other))
}

function taken(message: string, hint: string): StageError {
  return new StageError('OUTPUT_EXISTS', message, { hint })
}

function unwritable(folder: string, cause: unknown): Error {
  const { code } = cause as NodeJS.ErrnoException
  switch (code) {
    case 'ENOENT':
      return new StageError('OUTPUT_UNWRITABLE', `the folder ${folder} does not exist`, {
        cause,
        hint: `make it: mkdir -p ${folder}`,
      })
    case 'ENOTDIR':
      return new StageError('OUTPUT_UNWRITABLE', `${folder} is not a folder`, {
        cause,
        hint: OTHER_NAME,
      })
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new StageError('OUTPUT_UNWRITABLE', `the folder ${folder} cannot be written (${code})`, {
        cause,
        hint: 'choose another with -o, or make it writable',
      })
    default:
      return cause as Error
  }
}
