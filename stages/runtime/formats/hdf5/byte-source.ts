import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { StageError } from '#runtime/stage/errors.ts'
import { corrupt } from './file-format.ts'

/**
 * The head of a file is read once, in one piece: there a writer puts groups, object headers and what was there from the
 * start, hundreds of small things in the telescope's files.
 */
const HEAD_BYTES = 64 * 1024

/** A file opened for positioned, synchronous reads, every one checked against its size. */
export interface ByteSource {
  readonly path: string
  readonly bytes: number
  /** Fills `target` from `address`. @throws StageError DATA_UNREADABLE when the range leaves the file */
  readInto(target: Uint8Array, address: number): void
  /** Bytes that are not to be written to. */
  read(address: number, bytes: number): Buffer
  close(): void
}

export function openByteSource(path: string): ByteSource {
  const descriptor = openFile(path)
  const bytes = fstatSync(descriptor).size
  let head: Buffer | undefined
  const check = (address: number, count: number): void => {
    if (!(address >= 0 && address + count <= bytes))
      throw corrupt(path, `it points to bytes ${address} to ${address + count} of a file of ${bytes} bytes`)
  }
  const fill = (target: Uint8Array, address: number): void => {
    for (let done = 0; done < target.length;) {
      const got = readSync(descriptor, target, done, target.length - done, address + done)
      if (got === 0) throw corrupt(path, 'it became shorter while it was read')
      done += got
    }
  }
  const readHead = (): Buffer => {
    const made = Buffer.allocUnsafeSlow(Math.min(HEAD_BYTES, bytes))
    fill(made, 0)
    return made
  }
  return {
    path,
    bytes,
    readInto(target, address) {
      check(address, target.length)
      const end = address + target.length
      if (head !== undefined && end <= head.length) head.copy(target, 0, address, end)
      else fill(target, address)
    },
    read(address, count) {
      if (!(count >= 0 && count <= bytes))
        throw corrupt(path, `it states an object of ${count} bytes in a file of ${bytes} bytes`)
      check(address, count)
      if (address + count <= HEAD_BYTES) {
        head ??= readHead()
        return head.subarray(address, address + count)
      }
      const target = Buffer.allocUnsafe(count)
      fill(target, address)
      return target
    },
    close: () => closeSync(descriptor),
  }
}

function openFile(path: string): number {
  try {
    const descriptor = openSync(path, 'r')
    if (fstatSync(descriptor).isFile()) return descriptor
    closeSync(descriptor)
  } catch (error) {
    throw new StageError('INPUT_MISSING', `${path} cannot be opened: ${(error as Error).message}`, { cause: error })
  }
  throw new StageError('INPUT_MISSING', `${path} is not a file`)
}

/** An unsigned 64-bit number as a double. Values beyond 2^53 lie outside any file, so they may lose bits. */
export function readLength(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x100000000
}
