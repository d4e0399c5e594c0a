import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { StageError } from '../stage/errors.ts'
import { canonicalJson } from '../stage/files.ts'

/**
 * A solution-set file: 8 bytes magic, u32 version, u32 length of the header, header JSON padded with blanks to a multiple
 * of 8, the arrays, 32 bytes of SHA-256 over everything before. Little-endian throughout.
 */
const MAGIC = 'CTGSOLN1'
const VERSION = 1
const PREFIX = 16
const DIGEST = 32

/** Named arrays of a set, each with its shape in C order; complex values have a last axis of two (re, im). */
export interface SolutionArray {
  shape: readonly number[]
  values: Float64Array | Uint8Array
}

export interface SolutionFile {
  /** Plain JSON: identity, antennas, grid, grade, provenance. */
  header: Record<string, unknown>
  arrays: Record<string, SolutionArray>
}

const entrySchema = z.strictObject({
  name: z.string(),
  type: z.enum(['float64', 'uint8']),
  shape: z.array(z.int().nonnegative()),
})
type ArrayEntry = z.output<typeof entrySchema>
const documentSchema = z.strictObject({ header: z.record(z.string(), z.unknown()), arrays: z.array(entrySchema) })

/** Encodes a solution set; the same content gives the same bytes. Throws a RangeError when a shape does not fit its values. */
function encodeSolutions({ header, arrays }: SolutionFile): Uint8Array {
  const names = Object.keys(arrays).toSorted()
  const entries = names.map((name): ArrayEntry => {
    const { shape, values } = arrays[name]
    if (shape.reduce((product, n) => product * n, 1) !== values.length) {
      throw new RangeError(`${name}: shape ${shape.join(' x ')} does not hold ${values.length} values`)
    }
    return { name, type: values instanceof Uint8Array ? 'uint8' : 'float64', shape: [...shape] }
  })
  const text = Buffer.from(canonicalJson({ header, arrays: entries }))
  const headerBytes = padded(text.length)
  const bodyBytes = entries.reduce((sum, entry) => sum + padded(byteLength(entry)), 0)
  const bytes = Buffer.alloc(PREFIX + headerBytes + bodyBytes + DIGEST)
  bytes.write(MAGIC, 0, 'latin1')
  bytes.writeUInt32LE(VERSION, 8)
  bytes.writeUInt32LE(headerBytes, 12)
  bytes.fill(' ', PREFIX, PREFIX + headerBytes)
  text.copy(bytes, PREFIX)
  let at = PREFIX + headerBytes
  for (const entry of entries) {
    const { values } = arrays[entry.name]
    Buffer.from(values.buffer, values.byteOffset, values.byteLength).copy(bytes, at)
    at += padded(byteLength(entry))
  }
  createHash('sha256').update(bytes.subarray(0, at)).digest().copy(bytes, at)
  return bytes
}

/** Decodes a solution set. Throws a StageError DATA_UNUSABLE when it is none, or when its hash does not match. */
function decodeSolutions(bytes: Uint8Array, path: string): SolutionFile {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (
    file.length < PREFIX + DIGEST ||
    file.toString('latin1', 0, MAGIC.length) !== MAGIC ||
    file.readUInt32LE(8) !== VERSION
  ) {
    throw corrupt(path, 'it is not a contimg solution set of version 1')
  }
  const body = file.subarray(0, file.length - DIGEST)
  if (!createHash('sha256').update(body).digest().equals(file.subarray(body.length))) {
    throw corrupt(path, 'its checksum does not match its content')
  }
  const headerBytes = file.readUInt32LE(12)
  const parsed = documentSchema.safeParse(parseJson(file.toString('utf8', PREFIX, PREFIX + headerBytes)))
  if (!parsed.success) throw corrupt(path, 'its header is not that of a solution set')
  const { header, arrays: entries } = parsed.data
  const needed = entries.reduce((sum, entry) => sum + padded(byteLength(entry)), PREFIX + headerBytes)
  if (needed !== body.length) throw corrupt(path, `its header describes ${needed} bytes, it has ${body.length}`)
  let at = PREFIX + headerBytes
  const arrays = entries.map((entry): [string, SolutionArray] => {
    const part = Uint8Array.from(file.subarray(at, at + byteLength(entry)))
    at += padded(byteLength(entry))
    return [entry.name, { shape: entry.shape, values: entry.type === 'uint8' ? part : new Float64Array(part.buffer) }]
  })
  return { header, arrays: Object.fromEntries(arrays) }
}

export async function writeSolutions(path: string, content: SolutionFile): Promise<void> {
  await writeFile(path, encodeSolutions(content))
}

export async function readSolutions(path: string): Promise<SolutionFile> {
  return decodeSolutions(await readFile(path), path)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function byteLength({ type, shape }: ArrayEntry): number {
  return shape.reduce((product, n) => product * n, type === 'float64' ? 8 : 1)
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8
}

function corrupt(path: string, why: string): StageError {
  return new StageError('DATA_UNUSABLE', `the solution set ${path} cannot be used: ${why}`, {
    hint: 'delete its product and run the calibrator observation again',
  })
}
