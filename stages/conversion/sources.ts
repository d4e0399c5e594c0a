import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { openHdf5 } from '#runtime/formats/hdf5/file.ts'
import { fingerprintOf } from '#runtime/formats/uvh5/fingerprint.ts'
import { decodeHeader, type Uvh5Header } from '#runtime/formats/uvh5/header.ts'
import { mjdFromIso } from '#runtime/sky/time.ts'
import type { StageInput } from '#runtime/stage/contract.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { headerProblem } from './plausibility.ts'
import { disagreements, rawFile, type RawFile } from './raw-file.ts'

/** One member of the observation to convert. */
export interface Source {
  path: string
  file: RawFile
  fingerprint: string
  freqHz: Float64Array
  bytes: number
  mtimeMs: number
  /** How the file is read: at its chunk addresses, or through the HDF5 library and why. */
  read: { method: 'direct' | 'h5wasm'; reason: string | undefined }
}

/** The members of one observation, by ascending subband, and the header of the first. */
export interface Sources {
  members: Source[]
  header: Uvh5Header
}

/**
 * Reads and checks the headers of the raw files of one observation, one after the other: only one is held in memory
 * with its arrays. @throws StageError DATA_IMPLAUSIBLE naming file, field and fix; INPUT_CHANGED when a file is not the
 * one that was planned; PARAMS_INVALID when a subband is not expected
 */
export async function readSources(
  inputs: readonly StageInput[],
  options: { expected: readonly number[]; nowMs: number },
): Promise<Sources> {
  const members: Source[] = []
  let header: Uvh5Header | undefined
  for (const input of inputs) {
    const read = await readSource(input, options)
    if (header === undefined || read.source.file.subband < members[0].file.subband) ({ header } = read)
    members.push(read.source)
    members.sort((a, b) => a.file.subband - b.file.subband)
  }
  if (header === undefined) throw new StageError('INPUT_MISSING', 'conversion was given no raw files')
  checkGroup(members)
  return { members, header }
}

/** Throws INPUT_CHANGED when a raw file is not what it was before it was read. */
export async function checkUnchanged(members: readonly Source[]): Promise<void> {
  for (const { path, bytes, mtimeMs } of members) {
    const now = await stat(path)
    if (now.size !== bytes || now.mtimeMs !== mtimeMs) {
      throw new StageError('INPUT_CHANGED', `${basename(path)} changed while it was converted`, {
        hint: 'wait until the copy is complete, then run the same command again',
      })
    }
  }
}

async function readSource(
  input: StageInput,
  { expected, nowMs }: { expected: readonly number[]; nowMs: number },
): Promise<{ source: Source; header: Uvh5Header }> {
  const name = basename(input.path)
  const { size, mtimeMs } = await stat(input.path)
  const opened = await openHdf5(input.path)
  try {
    const header = decodeHeader(opened)
    const problem = headerProblem(header, { nowMjd: mjdFromIso(new Date(nowMs).toISOString()) })
    if (problem !== undefined) throw new StageError(problem.code, `${name}: ${problem.message}`, { hint: problem.hint })
    const fingerprint = fingerprintOf(opened)
    if (input.fingerprint !== undefined && input.fingerprint !== fingerprint) {
      throw new StageError('INPUT_CHANGED', `${name} is not the file that was planned: its fingerprint differs`, {
        hint: 'run the same command again, it scans the folder anew',
      })
    }
    const file = rawFile(name, header)
    if (!expected.includes(file.subband)) {
      throw new StageError(
        'PARAMS_INVALID',
        `${name} holds subband ${file.subband}, which expect.subbands does not list`,
        {
          hint: `add ${file.subband} to conversion.expect.subbands, or leave the file out`,
        },
      )
    }
    const read = { method: opened.method, reason: opened.reason }
    const source = { path: input.path, file, fingerprint, freqHz: header.freqHz, bytes: size, mtimeMs, read }
    return { source, header }
  } finally {
    opened.close()
  }
}

function checkGroup(members: readonly Source[]): void {
  const [first] = members
  members.forEach(({ file }, index) => {
    if (file.timeKey !== first.file.timeKey) {
      throw implausible(
        file.file,
        `/Header/time_array starts at another time than that of ${first.file.file}`,
        'give the files of one observation only',
      )
    }
    const fields = disagreements(file, first.file)
    if (fields.length > 0) {
      throw implausible(
        file.file,
        `/Header/${fields.join(', ')} differ from those of ${first.file.file}`,
        'leave the file out; its subband will be flagged',
      )
    }
    if (index > 0 && members[index - 1].file.subband === file.subband) {
      throw implausible(
        file.file,
        `/Header/freq_array is that of subband ${file.subband}, as in ${members[index - 1].file.file}`,
        'give one file a subband',
      )
    }
  })
}

function implausible(name: string, what: string, hint: string): StageError {
  return new StageError('DATA_IMPLAUSIBLE', `${name}: ${what}`, { hint })
}
