import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** A process, told apart from every other one that had, has or will have its number. */
export interface Owner {
  pid: number
  /** When it started, in clock ticks since the boot of the machine; `0` where the system does not say. */
  started: string
  /** Digest of the boot of the machine. */
  boot: string
  /** Digest of the machine, and of the space of process numbers in it: a container has its own. */
  space: string
}

let self: Owner | undefined

/** This process. */
export function thisOwner(): Owner {
  self ??= { pid: process.pid, started: startOf(process.pid) ?? '0', boot: bootDigest(), space: spaceDigest() }
  return self
}

/** An owner as a part of a file name: `4711-88123-1f2e3d4c-9a8b7c6d`. */
export function ownerName({ pid, started, boot, space }: Owner): string {
  return `${pid}-${started}-${boot}-${space}`
}

/** The owner whose name a file name holds, if it does. */
export function ownerIn(name: string): Owner | undefined {
  const match = /(?:^|[.])(\d+)-(\d+)-([0-9a-f]{8})-([0-9a-f]{8})(?:[.]|$)/.exec(name)
  if (match === null) return undefined
  const [, pid = '', started = '', boot = '', space = ''] = match
  return { pid: Number(pid), started, boot, space }
}

/** Whether a process still runs; `unknown` of one that cannot be looked at from here, such as one of another machine. */
export function stateOf(owner: Owner): 'running' | 'ended' | 'unknown' {
  const { boot, space } = thisOwner()
  if (owner.space !== space) return 'unknown'
  if (owner.boot !== boot) return 'ended'
  const started = startOf(owner.pid)
  if (started !== undefined) return started === owner.started ? 'running' : 'ended'
  return isRunning(owner.pid) ? 'running' : 'ended'
}

/** Clock ticks from the boot to the start of a process; undefined where there is no /proc, or no such process. */
function startOf(pid: number): string | undefined {
  try {
    // Fields 3 and 22 of stat, counted behind the command in parentheses, which may hold blanks. A zombie has ended.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function isRunning(pid: number): boolean {
  // With a /proc that shows this process, one that it does not show has ended.
  if (startOf(process.pid) !== undefined) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function bootDigest(): string {
  try {
    return digest(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'))
  } catch {
    return digest('')
  }
}

function spaceDigest(): string {
  try {
    return digest(`${hostname()} ${readlinkSync('/proc/self/ns/pid')}`)
  } catch {
    return digest(hostname())
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}
