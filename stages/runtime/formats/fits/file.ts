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
      const dataBytes = sizeOfData(header.cards)
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

function sizeOfData(cards: FitsHeader['cards']): number {
  const axes = Number(cards.get('NAXIS') ?? 0)
  if (axes === 0) return 0
  let elements = 1
  for (let axis = 1; axis <= axes; axis += 1) elements *= Number(cards.get(`NAXIS${axis}`))
  const groups = Number(cards.get('GCOUNT') ?? 1)
  return (Math.abs(Number(cards.get('BITPIX'))) / 8) * groups * (elements + Number(cards.get('PCOUNT') ?? 0))
}
