import { readdirSync, readFileSync } from 'node:fs'

export interface Process {
  pid: number
  parent: number
  command: string
}

/** All processes that run; those that have ended and wait for their parent are left out. */
function processes(): Process[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
      if (fields[0] === 'Z' || fields[0] === 'X') return []
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
      return [{ pid: Number(name), parent: Number(fields[1]), command }]
    } catch {
      // It ended meanwhile.
      return []
    }
  })
}

/** A process and all below it. */
export function treeOf(pid: number): Process[] {
  const all = processes()
  const found = all.filter((process) => process.pid === pid)
  for (const { pid: parent } of found) found.push(...all.filter((process) => process.parent === parent))
  return found
}

/** Processes whose command line names a folder. */
export function processesOn(folder: string): Process[] {
  return processes().filter(({ pid, command }) => pid !== process.pid && command.includes(folder))
}
