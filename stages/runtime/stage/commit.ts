import { access, mkdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { stat } from 'node:fs/promises'
import type { StageContract, StageResult } from './contract.ts'
import { StageError } from './errors.ts'
import { hashFile, hashTree, syncPath, syncTree, writeFileAtomic } from './files.ts'

/** Where an attempt writes: beside the product's final place, invisible under its final name. */
export function attemptDirectory(productDir: string, uid: string): string {
  return join(dirname(productDir), `.attempt-${uid}`)
}

/** Makes a fresh attempt directory. */
export async function createAttempt(productDir: string, uid: string): Promise<string> {
  const directory = attemptDirectory(productDir, uid)
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  return directory
}

/** Hashes the outputs that a stage says it wrote. Throws StageError OUTPUT_INVALID when its contract is not kept. */
export async function describeOutputs(
  contract: StageContract,
  directory: string,
  names: readonly string[],
): Promise<StageResult['outputs']> {
  const missing = Object.keys(contract.outputs).find(
    (name) => !contract.outputs[name]?.optional && !names.includes(name),
  )
  if (missing !== undefined)
    throw new StageError('OUTPUT_INVALID', `${contract.name} did not write its output "${missing}"`)
  const outputs: StageResult['outputs'] = {}
  for (const name of names) {
    const spec = contract.outputs[name]
    if (spec === undefined) throw new StageError('OUTPUT_INVALID', `${contract.name} has no output "${name}"`)
    const path = join(directory, spec.path)
    const found = await stat(path).catch((cause: unknown) => {
      throw new StageError('OUTPUT_INVALID', `${contract.name}: output "${name}" (${spec.path}) was not written`, {
        cause,
      })
    })
    outputs[name] = { path: spec.path, ...(found.isDirectory() ? await hashTree(path) : await hashFile(path)) }
  }
  return outputs
}

/**
 * Commits an attempt: everything durable, result.json last, then one rename to the product's name. Whoever comes first
 * wins; a second attempt of the same step finds the product there and drops its own, which is no harm.
 */
export async function commitAttempt(directory: string, productDir: string, result: StageResult): Promise<void> {
  await writeFileAtomic(join(directory, 'result.json'), `${JSON.stringify(result, null, 2)}\n`)
  try {
    await rename(directory, productDir)
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
}

/** Makes every written byte durable. */
export async function syncAttempt(directory: string): Promise<void> {
  await syncTree(directory)
}
