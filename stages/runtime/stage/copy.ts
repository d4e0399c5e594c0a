import { mkdir, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

const BLOCK_BYTES = 4 * 1024 * 1024

/** One block is read while the other is written. */
type Buffers = readonly [Buffer, Buffer]

/**
 * Copies a directory with its files, and stops soon when it is told to: throws the reason of the signal, and what was copied so
 * far is left.
 */
export async function copyTree(source: string, target: string, signal: AbortSignal): Promise<void> {
  await copyInto(source, target, {
    signal,
    buffers: [Buffer.allocUnsafe(BLOCK_BYTES), Buffer.allocUnsafe(BLOCK_BYTES)],
  })
}

interface Copying {
  signal: AbortSignal
  buffers: Buffers
}

async function copyInto(source: string, target: string, copying: Copying): Promise<void> {
  await mkdir(target, { recursive: true })
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const [from, to] = [join(source, entry.name), join(target, entry.name)]
    if (entry.isDirectory()) await copyInto(from, to, copying)
    else await copyFile(from, to, copying)
  }
}

async function copyFile(source: string, target: string, { signal, buffers }: Copying): Promise<void> {
  await using from = await open(source, 'r')
  await using to = await open(target, 'wx')
  let [current, next] = buffers
  let position = 0
  let reading = from.read(current, 0, BLOCK_BYTES, position)
  for (let { bytesRead } = await reading; bytesRead > 0; { bytesRead } = await reading) {
    signal.throwIfAborted()
    reading = from.read(next, 0, BLOCK_BYTES, position + bytesRead)
    // A failed write must not leave the read without a handler.
    reading.catch(() => undefined)
    await writeAll(to, current.subarray(0, bytesRead), position)
    position += bytesRead
    ;[current, next] = [next, current]
  }
}

async function writeAll(file: Awaited<ReturnType<typeof open>>, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;)
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
}
