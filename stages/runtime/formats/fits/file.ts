import type { FileHandle } from 'node:fs/promises'
import { StageError } from '#runtime/stage/errors.ts'
import { blockBytes, decodeHeader, type FitsHeader } from './cards.ts'

/** Header blocks read at a time, and the most that a header may have before the file counts as corrupt. */
const blocksPerRead = 8
const maxHeaderBlocks = 4096

/** One header-data unit: its header and where its data lie in the file. */
export interface FitsUnit extends FitsHeader {
  dataOffset: number
  dataBytes: number
}

/** Reads the header of the unit that starts at `offset`; undefined at the end of the file. */
export async function readUnit(file: FileHandle, path: string, offset = 0): Promise<FitsUnit | undefined> {
  const { size } = await file.stat()
  if (offset >= size) return undefined
  let bytes: Buffer = Buffer.alloc(0)
  for (let blocks = blocksPerRead; blocks <= maxHeaderBlocks; blocks *= 2) {
    bytes = await readAt(file, offset, Math.min(blocks * blockBytes, size - offset))
    const start = bytes.toString('latin1', 0, 10)
    if (!/^(SIMPLE|XTENSION) *= $/.test(start)) {
      throw notFits(path, `no header at byte ${offset}`)
    }
    const header = decodeHeader(bytes)
    if (header !== undefined) {
      const dataOffset = offset + header.bytes
      const dataBytes = sizeOfData(header.cards, path)
      if (dataOffset + dataBytes > size) {
        throw notFits(path, `truncated: the header promises ${dataOffset + dataBytes} bytes, the file has ${size}`)
      }
      return { cards: header.cards, history: header.history, dataOffset, dataBytes }
    }
    if (bytes.length === size - offset) break
  }
  throw notFits(path, 'its header has no END')
}

/** The unit after `unit`, whose data are padded to whole blocks. */
export async function readNextUnit(file: FileHandle, path: string, unit: FitsUnit): Promise<FitsUnit | undefined> {
  return readUnit(file, path, unit.dataOffset + Math.ceil(unit.dataBytes / blockBytes) * blockBytes)
}

/** Fills the buffer from `offset`; throws when the file ends before. */
export async function readInto(file: FileHandle, offset: number, target: Buffer): Promise<void> {
  let filled = 0
  while (filled < target.length) {
    const { bytesRead } = await file.read(target, filled, target.length - filled, offset + filled)
    if (bytesRead === 0) throw new RangeError('the file ended while it was read')
    filled += bytesRead
  }
}

export function notFits(path: string, why: string): StageError {
  return new StageError('INPUT_MISSING', `${path} is not a usable FITS file: ${why}`, {
    hint: 'make the file again; if it was copied, compare its size with the original',
  })
}

async function readAt(file: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const target = Buffer.alloc(bytes)
  await readInto(file, offset, target)
  return target
}

/** Most axes that the standard allows. */
const maxAxes = 999
const pixelBits = [8, 16, 32, 64, -32, -64]

/** The lengths of the axes, the fastest first. */
export function axisLengths(cards: FitsHeader['cards'], path: string): number[] {
  const axes = naturalNumber(cards, 'NAXIS', { path, absent: 0 })
  if (axes > maxAxes) throw notFits(path, `${axes} axes`)
  return Array.from({ length: axes }, (_, axis) => naturalNumber(cards, `NAXIS${axis + 1}`, { path }))
}

/** The value of a keyword that counts something. */
export function naturalNumber(
  cards: FitsHeader['cards'],
  key: string,
  { path, absent }: { path: string; absent?: number },
): number {
  const value = cards.get(key) ?? absent
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw notFits(path, `${key} is ${value ?? 'absent'}, not a number of things`)
}

function sizeOfData(cards: FitsHeader['cards'], path: string): number {
  const lengths = axisLengths(cards, path)
  if (lengths.length === 0) return 0
  const bits = Number(cards.get('BITPIX'))
  if (!pixelBits.includes(bits)) throw notFits(path, `BITPIX is ${cards.get('BITPIX') ?? 'absent'}`)
  const elements = lengths.reduce((product, length) => product * length, 1)
  const groups = naturalNumber(cards, 'GCOUNT', { path, absent: 1 })
  return (Math.abs(bits) / 8) * Math.max(groups, 1) * (elements + naturalNumber(cards, 'PCOUNT', { path, absent: 0 }))
}
