import { readFileSync } from 'node:fs'
import { StageError } from '#runtime/stage/errors.ts'
import { MiB, type FuzzTarget } from './target.ts'

const acts: Readonly<Record<string, () => boolean>> = {
  read: () => true,
  refused: () => {
    throw new StageError('DATA_UNREADABLE', 'the file is damaged')
  },
  'another code': () => {
    throw new StageError('INTERNAL', 'the file is damaged')
  },
  nameless: () => {
    throw new StageError('DATA_UNREADABLE', 'damaged')
  },
  foreign: () => {
    throw new TypeError('the file is no function')
  },
  memory: () => new Float64Array(4 * MiB).length > 0,
  outside: () => {
    try {
      return readFileSync('/etc/hostname').length > 0
    } catch {
      return true
    }
  },
  hang: () => {
    for (;;) Math.sqrt(2)
  },
  heap: () => {
    const all: number[][] = []
    for (;;) all.push(Array.from({ length: 100_000 }, (_, index) => index / 3))
  },
}

/** A target that does by turns everything that a parser must not do. */
export const target: FuzzTarget = {
  codes: ['DATA_UNREADABLE'],
  memoryBytes: 16 * MiB,
  prepare: () => ({
    seeds: Object.keys(acts).map((name) => ({ name, bytes: Buffer.from(name) })),
    named: 'the file',
    mutate: ({ bytes }) => bytes,
    read: ({ seed }) => acts[seed.name](),
  }),
}
