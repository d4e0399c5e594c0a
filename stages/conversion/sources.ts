import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { openHdf5 } from '#runtime/formats/hdf5/file.ts'
import { fingerprintOf } from '#runtime/formats/uvh5/fingerprint.ts'
import { decodeHeader, readUvh5Header, type Uvh5Header } from '#runtime/formats/uvh5/header.ts'
import { createHeaderScratch, type HeaderScratch } from '#runtime/formats/uvh5/values.ts'
import { mjdFromIso } from '#runtime/sky/time.ts'
import type { StageInput } from '#runtime/stage/contract.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { generalProblem } from './general-plausibility.ts'
import { subbandsOfGroup } from './group-band.ts'
import { headerProblem, type HeaderProblem } from './plausibility.ts'
import { disagreements, generalFile, rawFile, type MemberFile } from './raw-file.ts'

/** One member of the observation to convert. */
export interface Source {
  path: string
  file: MemberFile
  fingerprint: string
  freqHz: Float64Array
  dialect: Uvh5Header['dialect']
  bytes: number
  mtimeMs: number
  /** How the file is read: at its chunk addresses, or through the HDF5 library and why. */
  read: { method: 'direct' | 'h5wasm'; reason: string | undefined; chunkRows: number }
}

/** The members of one observation, by ascending subband, and the header of the first. */
export interface Sources {
  members: Source[]
  header: Uvh5Header
}

/** The files of one observation, and what a complete one consists of: the output grid and its length. */
export interface RawGroup {
  sources: Sources
  expect: { subbands: readonly number[]; integrations: number }
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
  const scratch = createHeaderScratch()
  for (const input of inputs) members.push(await readSource(input, { ...options, scratch }))
  if (members.length === 0) throw new StageError('INPUT_MISSING', 'conversion was given no raw files')
  members.sort((a, b) => a.file.subband - b.file.subband)
  checkAgreement(members)
  checkSubbands(members)
  return { members, header: await readUvh5Header(members[0].path) }
}

/**
 * Reads and checks the headers of the files of one group of any telescope, in whatever order they are given. Files of the
 * DSA-110 keep their subbands; others are numbered by descending frequency from 0, and what is missing between them
 * counts as expected.
 * @throws StageError as `readSources` does; DATA_UNSUPPORTED by name for what cannot be converted, and for files that do
 * not lie side by side in one band
 */
export async function readGroup(paths: readonly string[], options: { nowMs: number }): Promise<RawGroup> {
  const members: Source[] = []
  const scratch = createHeaderScratch()
  for (const path of paths) members.push(await readAny(path, { ...options, scratch }))
  if (members.length === 0) throw new StageError('INPUT_MISSING', 'conversion was given no files')
  checkAgreement(members)
  const numbered = members.every(({ dialect }) => dialect === 'dsa110') ? members : inBand(members)
  numbered.sort((a, b) => a.file.subband - b.file.subband)
  checkSubbands(numbered)
  const [low, high] = [numbered[0].file.subband, numbered[numbered.length - 1].file.subband]
  return {
    // The header of the first subband, whatever the order of the files: only what they agree on enters by itself.
    sources: { members: numbered, header: await readUvh5Header(numbered[0].path) },
    expect: {
      subbands: Array.from({ length: high - low + 1 }, (_, index) => low + index),
      integrations: numbered[0].file.integrations,
    },
  }
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
  { expected, nowMs, scratch }: { expected: readonly number[]; nowMs: number; scratch: HeaderScratch },
): Promise<Source> {
  const name = basename(input.path)
  const nowMjd = mjdFromIso(new Date(nowMs).toISOString())
  const source = await readFile(input.path, { uvw: 'first', scratch }, (header) => {
    refuse(name, headerProblem(header, { nowMjd }))
    return rawFile(name, header)
  })
  const { fingerprint, file } = source
  if (input.fingerprint !== undefined && input.fingerprint !== fingerprint) {
    throw new StageError('INPUT_CHANGED', `${name} is not the file that was planned: its fingerprint differs`, {
      hint: 'run the same command again, it scans the folder anew',
    })
  }
  if (!expected.includes(file.subband)) {
    throw new StageError(
      'PARAMS_INVALID',
      `${name} holds subband ${file.subband}, which expect.subbands does not list`,
      {
        hint: `add ${file.subband} to conversion.expect.subbands, or leave the file out`,
      },
    )
  }
  return source
}

function readAny(path: string, { nowMs, scratch }: { nowMs: number; scratch: HeaderScratch }): Promise<Source> {
  const name = basename(path)
  const nowMjd = mjdFromIso(new Date(nowMs).toISOString())
  return readFile(path, { scratch }, (header) => {
    const ofTelescope = header.dialect === 'dsa110'
    refuse(name, ofTelescope ? headerProblem(header, { nowMjd }) : generalProblem(header, { nowMjd }))
    return ofTelescope ? rawFile(name, header) : generalFile(name, header)
  })
}

function refuse(name: string, problem: HeaderProblem | undefined): void {
  if (problem !== undefined) throw new StageError(problem.code, `${name}: ${problem.message}`, { hint: problem.hint })
}

/** @param reduce checks a header and reduces it: its arrays lie in scratch memory, which the next file takes */
async function readFile(
  path: string,
  options: Parameters<typeof decodeHeader>[1],
  reduce: (header: Uvh5Header) => MemberFile,
): Promise<Source> {
  const { size, mtimeMs } = await stat(path)
  const opened = await openHdf5(path)
  try {
    const header = decodeHeader(opened, options)
    const file = reduce(header)
    const chunkRows = opened.dataset('/Data/visdata')?.chunkShape?.[0] ?? 1
    const read = { method: opened.method, reason: opened.reason, chunkRows }
    return {
      path,
      file,
      fingerprint: fingerprintOf(opened),
      freqHz: header.freqHz.slice(),
      dialect: header.dialect,
      bytes: size,
      mtimeMs,
      read,
    }
  } finally {
    opened.close()
  }
}

/** The members with their places in one band. */
function inBand(members: readonly Source[]): Source[] {
  const subbands = subbandsOfGroup(members.map(({ file }) => file))
  if (subbands !== undefined)
    return members.map((member, index) => ({ ...member, file: { ...member.file, subband: subbands[index] } }))
  throw new StageError(
    'DATA_UNSUPPORTED',
    `the files do not lie side by side in one band of equal steps: ${members.map(({ file }) => `${file.file} (${(file.lowestHz / 1e6).toFixed(6)} to ${(file.highestHz / 1e6).toFixed(6)} MHz)`).join(', ')}`,
    { hint: 'convert those apart that belong to another band' },
  )
}

function checkAgreement(members: readonly Source[]): void {
  const [first] = members
  members.forEach(({ file }) => {
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
  })
}

function checkSubbands(members: readonly Source[]): void {
  members.forEach(({ file }, index) => {
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
