import { readFile, stat } from 'node:fs/promises'
import { join, relative as relativeTo, resolve } from 'node:path'
import { z } from 'zod'
import { stageContextSchema, type InputReference, type StageContext, type StageContract } from './contract.ts'
import { StageError } from './errors.ts'
import { leadsOut } from './inside.ts'
import { hashFile, hashTree } from './files.ts'
import { staysInside } from './relative-path.ts'

/**
 * Larger inputs are checked by size only: whoever starts the stage holds their files against what they were when they were
 * last hashed.
 */
const HASH_LIMIT_BYTES = 64 * 1024 * 1024
const INCOMING = 'incoming:'

/** Reads a context file and checks that it is meant for this contract. Throws StageError PARAMS_INVALID. */
export async function readContext(path: string, contract: StageContract): Promise<StageContext> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new StageError('PARAMS_INVALID', `cannot read the context ${path}`, { cause })
  })
  const parsed = stageContextSchema.safeParse(parseJson(text, path))
  if (!parsed.success) throw new StageError('PARAMS_INVALID', `${path}: ${z.prettifyError(parsed.error)}`)
  if (parsed.data.stage !== contract.name) {
    throw new StageError('PARAMS_INVALID', `${path} is a context of ${parsed.data.stage}, this is ${contract.name}`)
  }
  return parsed.data
}

/** Absolute path of the product that a context asks for. Throws StageError PARAMS_INVALID when it lies outside the data root. */
export function productDirectory({ productDir }: Pick<StageContext, 'productDir'>, root: string): string {
  const path = resolve(root, productDir)
  if (path !== resolve(root) && staysInside(relativeTo(resolve(root), path))) return path
  throw new StageError('PARAMS_INVALID', `productDir ${productDir} leaves the data root`)
}

/** The stage's parameters, parsed by the contract's schema. Throws StageError PARAMS_INVALID naming each field. */
export function parseParams<C extends StageContract>(contract: C, params: unknown): z.output<C['params']> {
  const parsed = contract.params.safeParse(params)
  if (parsed.success) return parsed.data as z.output<C['params']>
  throw new StageError('PARAMS_INVALID', `${contract.name} parameters: ${z.prettifyError(parsed.error)}`, {
    hint: `contimg writes contexts with valid parameters; edit the config, not the context`,
  })
}

/**
 * Resolves and checks every input that the contract names: present, of the promised size, and, files and folders up
 * to 64 MiB, of the promised sha256. Paths stay inside the data root, or inside the incoming folder for `incoming:` paths.
 */
export async function checkInputs(
  contract: StageContract,
  inputs: StageContext['inputs'],
  folders: { root: string; incoming: string | undefined },
): Promise<Record<string, InputReference | InputReference[] | undefined>> {
  const unknown = Object.keys(inputs).find((name) => !(name in contract.inputs))
  if (unknown !== undefined) throw new StageError('PARAMS_INVALID', `${contract.name} has no input "${unknown}"`)
  const checked: Record<string, InputReference | InputReference[] | undefined> = {}
  for (const [name, spec] of Object.entries(contract.inputs)) {
    const given = inputs[name]
    if (given === undefined) {
      if (!spec.optional) throw new StageError('INPUT_MISSING', `${contract.name} needs the input "${name}"`)
      continue
    }
    if (Array.isArray(given) !== (spec.many === true)) {
      throw new StageError(
        'PARAMS_INVALID',
        `input "${name}" of ${contract.name} must be ${spec.many ? 'a list' : 'one reference'}`,
      )
    }
    checked[name] = Array.isArray(given)
      ? await Promise.all(given.map((reference) => checkInput(name, reference, folders)))
      : await checkInput(name, given, folders)
  }
  return checked
}

async function checkInput(
  name: string,
  reference: InputReference,
  folders: { root: string; incoming: string | undefined },
): Promise<InputReference> {
  const path = resolveInside(name, reference.path, folders)
  // Raw files may be links to wherever the disks are; what lies in the data root may not lead out of it.
  const outside = !reference.path.startsWith(INCOMING) && (await leadsOut(folders.root, reference.path))
  if (outside)
    throw new StageError('PARAMS_INVALID', `input "${name}": ${reference.path} is a link out of the data root`)
  const found = await stat(path).catch((cause: unknown) => {
    throw new StageError('INPUT_MISSING', `input "${name}": ${reference.path} does not exist`, { cause })
  })
  if (found.isFile() && found.size !== reference.bytes) {
    throw new StageError(
      'INPUT_CHANGED',
      `input "${name}": ${reference.path} has ${found.size} bytes, expected ${reference.bytes}`,
    )
  }
  const { sha256, bytes, kind } = reference
  if (sha256 !== undefined && kind !== 'catalogue' && bytes <= HASH_LIMIT_BYTES) {
    const digest = found.isDirectory() ? await hashTree(path) : await hashFile(path)
    if (digest.sha256 !== sha256) {
      throw new StageError(
        'INPUT_CHANGED',
        `input "${name}": the content of ${reference.path} is not what was committed`,
        { hint: 'run the same command again: what is damaged is found and made again' },
      )
    }
  }
  return { ...reference, path }
}

function resolveInside(
  name: string,
  path: string,
  { root, incoming }: { root: string; incoming: string | undefined },
): string {
  const base = path.startsWith(INCOMING) ? incoming : root
  const relative = path.startsWith(INCOMING) ? path.slice(INCOMING.length) : path
  if (base === undefined)
    throw new StageError('PARAMS_INVALID', `input "${name}" needs CONTIMG_INCOMING, the folder of raw files`)
  if (!staysInside(relative)) {
    throw new StageError('PARAMS_INVALID', `input "${name}": ${path} leaves its folder`)
  }
  return join(resolve(base), relative)
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new StageError('PARAMS_INVALID', `${path} is not JSON`, { cause })
  }
}
