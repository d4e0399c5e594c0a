import { access, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { StageContract, StageResult } from './contract.ts'
import { CHECKSUMS_FILE, encodeChecksums, LOG_FILE, sealed } from './checksums.ts'
import { StageError } from './errors.ts'
import { failpoint } from './failpoint.ts'
import { hashFile, hashFiles, syncPath, syncTree, treeDigest, writeFileAtomic, type FileDigest } from './files.ts'
import { makeDirectory } from './filesystem.ts'

/** Where an attempt writes: beside the product's final place, invisible under its final name. */
export function attemptDirectory(productDir: string, uid: string): string {
  return join(dirname(productDir), `.attempt-${uid}`)
}

/** Makes a fresh attempt directory. */
export async function createAttempt(productDir: string, uid: string): Promise<string> {
  const directory = attemptDirectory(productDir, uid)
  failpoint('attempt.make.before')
  await rm(directory, { recursive: true, force: true })
  await makeDirectory(directory)
  failpoint('attempt.make.after')
  return directory
}

/** The outputs of an attempt, and all the files in them with paths relative to its directory. */
export interface DescribedOutputs {
  outputs: StageResult['outputs']
  files: readonly FileDigest[]
}

/** Hashes the outputs that a stage says it wrote. Throws StageError OUTPUT_INVALID when its contract is not kept. */
export async function describeOutputs(
  contract: StageContract,
  directory: string,
  names: readonly string[],
): Promise<DescribedOutputs> {
  const missing = Object.keys(contract.outputs).find(
    (name) => !contract.outputs[name]?.optional && !names.includes(name),
  )
  if (missing !== undefined)
    throw new StageError('OUTPUT_INVALID', `${contract.name} did not write its output "${missing}"`)
  const outputs: StageResult['outputs'] = {}
  const files: FileDigest[] = []
  for (const name of names) {
    const spec = contract.outputs[name]
    if (spec === undefined) throw new StageError('OUTPUT_INVALID', `${contract.name} has no output "${name}"`)
    const path = join(directory, spec.path)
    const found = await stat(path).catch((cause: unknown) => {
      throw new StageError('OUTPUT_INVALID', `${contract.name}: output "${name}" (${spec.path}) was not written`, {
        cause,
      })
    })
    if (found.isDirectory()) {
      const inside = await hashFiles(path)
      outputs[name] = { path: spec.path, ...treeDigest(inside) }
      files.push(...inside.map((file) => ({ ...file, path: `${spec.path}/${file.path}` })))
    } else {
      const file = { path: spec.path, ...(await hashFile(path)) }
      outputs[name] = file
      files.push(file)
    }
  }
  return { outputs, files }
}

/**
 * Commits an attempt: the hashes of its files, everything durable, the sealed result.json last, then one rename to the
 * product's name. Whoever comes first wins; a second attempt of the same step finds the product there and drops its own, which is no harm.
 */
export async function commitAttempt(
  directory: string,
  productDir: string,
  { result, files }: { result: StageResult; files: readonly FileDigest[] },
): Promise<void> {
  const log = { path: LOG_FILE, ...(await hashFile(join(directory, LOG_FILE))) }
  await writeFileAtomic(join(directory, CHECKSUMS_FILE), encodeChecksums([...files, log]))
  await writeFileAtomic(join(directory, 'result.json'), `${JSON.stringify(sealed(result), null, 2)}\n`)
  failpoint('commit.before')
  try {
    await rename(directory, productDir)
    failpoint('commit.after')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
    await access(join(productDir, 'result.json')).catch((cause: unknown) => {
      throw new StageError('OUTPUT_INVALID', `${basename(productDir)} exists but holds no result.json`, {
        cause,
        hint: `move ${productDir} away and run the same command again`,
      })
    })
    await rm(directory, { recursive: true, force: true })
    return
  }
  await syncPath(dirname(productDir))
  failpoint('commit.durable')
}

/** Makes every written byte durable. */
export async function syncAttempt(directory: string): Promise<void> {
  await syncTree(directory)
}
