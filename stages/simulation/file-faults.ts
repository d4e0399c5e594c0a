import { copyFile, open, readFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Progress } from '#runtime/stage/contract.ts'
import { faultsIn } from './faults.ts'
import { heldName, incompleteName, laterName } from './faulty-names.ts'
import type { Observation } from './observation.ts'

/** Something that happens to a file so many seconds after the others are there. */
interface Arrival {
  seconds: number
  happen: () => Promise<void>
}

/** The name under which the file of a subband is left when it has been written. */
export function writtenName({ faults, files }: Observation, subband: number): string {
  const name = files.get(subband)
  if (name === undefined) throw new RangeError(`subband ${subband} is not written`)
  const has = (fault: 'late' | 'growing' | 'incomplete'): boolean => faultsIn(faults, subband, fault).length > 0
  if (has('incomplete')) return incompleteName(name)
  return has('late') || has('growing') ? heldName(name) : name
}

/** Applies the faults of whole files to what was written; returns what is to happen later, the soonest first. */
export async function spoilFiles(observation: Observation, dir: string, nowMs: number): Promise<Arrival[]> {
  const { faults, files } = observation
  const arrivals: Arrival[] = []
  for (const [subband, name] of files) {
    const written = join(dir, writtenName(observation, subband))
    const final = join(dir, name)
    for (const { at } of faultsIn(faults, subband, 'truncated')) await cut(written, at)
    if (faultsIn(faults, subband, 'damaged-index').length > 0) await damageIndex(written)
    for (const { seconds, content } of faultsIn(faults, subband, 'duplicate')) {
      const copy = join(dir, laterName(name, seconds))
      await copyFile(written, copy)
      if (content === 'different') await changeHistory(copy)
    }
    for (const { hours, seconds } of faultsIn(faults, subband, 'incomplete')) {
      const then = nowMs / 1000 - 3600 * hours
      await utimes(written, then, then)
      if (seconds !== undefined) arrivals.push({ seconds, happen: () => rename(written, final) })
    }
    for (const { seconds } of faultsIn(faults, subband, 'late'))
      arrivals.push({ seconds, happen: () => rename(written, final) })
    for (const { seconds } of faultsIn(faults, subband, 'growing'))
      arrivals.push(...(await growth(written, final, seconds)))
  }
  return arrivals.sort((a, b) => a.seconds - b.seconds)
}

/** Lets arrivals happen at their times. Throws what an aborted wait throws. */
export async function awaitArrivals(
  arrivals: readonly Arrival[],
  { signal, progress }: { signal: AbortSignal; progress: (progress: Progress) => void },
): Promise<void> {
  const total = arrivals.at(-1)?.seconds ?? 0
  let done = 0
  for (const { seconds, happen } of arrivals) {
    progress({ done, total, unit: 's' })
    await delay(1000 * (seconds - done), undefined, { signal })
    await happen()
    done = seconds
  }
}

/** Often enough that two looks at the file differ. */
const GROWTH_STEP_S = 0.1

/** A file that is copied piece by piece, beginning at once. */
async function growth(held: string, final: string, seconds: number): Promise<Arrival[]> {
  const { size } = await stat(held)
  const steps = Math.max(2, Math.min(size, Math.ceil(seconds / GROWTH_STEP_S)))
  const bytes = await readFile(held)
  const until = (step: number): number => Math.floor((size * step) / steps)
  return Array.from({ length: steps }, (_, step) => ({
    seconds: (seconds * step) / (steps - 1),
    async happen() {
      await writeFile(final, bytes.subarray(until(step), until(step + 1)), { flag: step === 0 ? 'w' : 'a' })
      if (step === steps - 1) await rm(held)
    },
  }))
}

async function cut(path: string, at: number): Promise<void> {
  const { size } = await stat(path)
  const length = at < 0 ? size + at : at < 1 ? at * size : at
  await truncate(path, Math.max(0, Math.min(size, Math.floor(length))))
}

const HISTORY = Buffer.from('synthetic data')

async function changeHistory(path: string): Promise<void> {
  const bytes = await readFile(path)
  const at = bytes.indexOf(HISTORY)
  const file = await open(path, 'r+')
  try {
    await file.write(Buffer.from('synthetic Data'), 0, HISTORY.length, at)
  } finally {
    await file.close()
  }
}

/** Of a version 1 B-tree of chunks: signature, type 1; see the HDF5 file format specification, III.A.1. */
const TREE = Buffer.from('TREE\x01', 'latin1')
const TREE_HEADER_BYTES = 24
/** Keys of datasets of four axes, the data of a file: size, filters, five offsets. */
const KEY_BYTES = 48
const ENTRY_BYTES = KEY_BYTES + 8

/** Sends the chunks in the middle of the largest index nowhere. */
async function damageIndex(path: string): Promise<void> {
  const bytes = await readFile(path)
  const leaves: { at: number; entries: number }[] = []
  for (let at = bytes.indexOf(TREE); at >= 0; at = bytes.indexOf(TREE, at + 1)) {
    const level = bytes[at + 5]
    const entries = bytes.readUInt16LE(at + 6)
    if (level === 0 && entries > 0) leaves.push({ at, entries })
  }
  const [first] = leaves
  if (first === undefined) return
  const { at, entries } = leaves.reduce((most, leaf) => (leaf.entries >= most.entries ? leaf : most), first)
  const place = at + TREE_HEADER_BYTES + Math.floor(entries / 2) * ENTRY_BYTES + KEY_BYTES
  const file = await open(path, 'r+')
  try {
    await file.write(Buffer.alloc(8, 0x7f), 0, 8, place)
  } finally {
    await file.close()
  }
}
