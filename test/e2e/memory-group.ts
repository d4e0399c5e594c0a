import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A control group with a memory limit, for processes of a test. */
export interface MemoryGroup {
  /** A shell command that takes the shell into it. */
  enter: string
  /** Removes it when its processes have ended. */
  remove(): void
}

const versions = [
  { base: '/sys/fs/cgroup', limit: 'memory.max', also: 'memory.swap.max' },
  { base: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes', also: 'memory.memsw.limit_in_bytes' },
]

/** Makes a control group of either version; undefined where this process may not. */
export function memoryGroup(limitBytes: number): MemoryGroup | undefined {
  for (const { base, limit, also } of versions) {
    const folder = join(base, `contimg-test-${process.pid}`)
    try {
      mkdirSync(folder)
    } catch {
      continue
    }
    // Where the other version is mounted the same place may be a plain file system, whose folders limit nothing.
    if (!existsSync(join(folder, 'cgroup.procs')) || !existsSync(join(folder, limit))) {
      rmdirSync(folder)
      continue
    }
    const remove = (): void => {
      // A group is free a moment after its last process has ended.
      for (let tries = 0; tries < 50; tries++) {
        try {
          return rmdirSync(folder)
        } catch {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
        }
      }
    }
    try {
      writeFileSync(join(folder, limit), String(limitBytes))
      readFileSync(join(folder, limit), 'utf8')
      writeIfThere(join(folder, also), limit === 'memory.max' ? '0' : String(limitBytes))
      return { enter: `echo $$ > '${join(folder, 'cgroup.procs')}'`, remove }
    } catch {
      remove()
    }
  }
  return undefined
}

function writeIfThere(path: string, text: string): void {
  try {
    writeFileSync(path, text)
  } catch {
    // Swap is not accounted here: then there is none, or the limit is reached later.
  }
}
