import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StepState } from '../pipeline/state.ts'

/** How often a log that is followed is looked at. */
const LOOK_MS = 200
const BLOCK_BYTES = 1 << 16

/** Lines of a step's log: of its product where it has one, else of its attempts, one after another. */
export async function readStepLog(root: string, { product, attempts }: StepState): Promise<string[] | undefined> {
  const stored = product === undefined ? undefined : await linesOf(join(root, product.product, 'stage.log'))
  if (stored !== undefined) return stored
  const logs = await Promise.all(attempts.map(({ log }) => linesOf(join(root, log))))
  const found = logs.filter((log) => log !== undefined)
  return found.length === 0 ? undefined : found.flat()
}

/**
 * Lines of a file as they are written, from its beginning, until `isOver` says that nobody writes it any more or the
 * signal is aborted. A file that does not exist yet is waited for.
 */
export async function* followFile(
  path: string,
  { isOver, signal }: { isOver: () => Promise<boolean>; signal: AbortSignal },
): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  const block = Buffer.alloc(BLOCK_BYTES)
  let position = 0
  let rest = ''
  while (!signal.aborted) {
    // Asked before the last look, so that what was written in between is seen.
    const over = await isOver()
    const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    try {
      for (;;) {
        const { bytesRead } = (await file?.read(block, 0, BLOCK_BYTES, position)) ?? { bytesRead: 0 }
        if (bytesRead === 0) break
        position += bytesRead
        const lines = (rest + decoder.decode(block.subarray(0, bytesRead), { stream: true })).split('\n')
        rest = lines.pop() ?? ''
        yield* lines
      }
    } finally {
      await file?.close()
    }
    if (over) break
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined)
  }
  if (rest !== '') yield rest
}

async function linesOf(path: string): Promise<string[] | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
  return text?.split('\n').filter((line) => line !== '')
}
