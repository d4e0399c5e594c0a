import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Where the kernel shows control groups: version 2, and the memory controller of version 1. */
const GROUPS = '/sys/fs/cgroup'
const GROUPS_V1 = '/sys/fs/cgroup/memory'

/** Memory that the control groups of this process allow and have in use, by the group with the least room. */
export async function readGroupMemory(): Promise<{ limitBytes: number; usedBytes: number } | undefined> {
  const rooms = await Promise.all(
    (await groupFolders()).map(async ({ folder, version }) => {
      const [limit, used] = version === 2 ? ['memory.max', 'memory.current'] : limitFilesV1
      const limitBytes = Number.parseInt(await readText(join(folder, limit)), 10)
      // What files leave in memory is given back when it is needed.
      const stat = await readText(join(folder, 'memory.stat'))
      const cacheBytes = Number(/^(?:total_)?inactive_file (\d+)/m.exec(stat)?.[1] ?? 0)
      const usedBytes = Number.parseInt(await readText(join(folder, used)), 10) - cacheBytes
      return { limitBytes, usedBytes }
    }),
  )
  // `max` is no number: no limit.
  const limited = rooms.filter(({ limitBytes, usedBytes }) => Number.isFinite(limitBytes) && Number.isFinite(usedBytes))
  return limited.sort((a, b) => a.limitBytes - a.usedBytes - (b.limitBytes - b.usedBytes))[0]
}

const limitFilesV1 = ['memory.limit_in_bytes', 'memory.usage_in_bytes'] as const

/**
 * How often the kernel has killed for memory: in the control group of this process, whatever the cause, and on the machine
 * where no group counts. Differences of two readings are what tells a kill for memory from another.
 */
export async function readMemoryKills(): Promise<number> {
  for (const { folder, version } of await groupFolders()) {
    const text = await readText(join(folder, version === 2 ? 'memory.events' : 'memory.oom_control'))
    const count = /^oom_kill (\d+)/m.exec(text)?.[1]
    if (count !== undefined) return Number(count)
  }
  return Number(/^oom_kill (\d+)/m.exec(await readText('/proc/vmstat'))?.[1] ?? 0)
}

/** The group of this process and those above it, nearest first. In a container its own group is the root that it sees. */
async function groupFolders(): Promise<{ folder: string; version: 1 | 2 }[]> {
  const found: { folder: string; version: 1 | 2 }[] = []
  for (const line of (await readText('/proc/self/cgroup')).split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (controllers === undefined || path === undefined) continue
    const version = controllers === '' ? 2 : controllers.split(',').includes('memory') ? 1 : undefined
    if (version === undefined) continue
    const base = version === 2 ? GROUPS : GROUPS_V1
    for (let folder = join(base, path); folder.startsWith(base); folder = dirname(folder))
      found.push({ folder, version })
  }
  return found
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    // Not Linux, no control group, or the other version of them: the caller has its fallback.
    return ''
  }
}
