import { appendFileSync, closeSync, openSync, writeSync } from 'node:fs'

/** What a test wants of the failpoints of all processes below one command. */
export interface FailpointPlan {
  /** A file to which every passing is appended, one line each: `<process> <point>`. */
  record?: string
  kill?: {
    /** `<process> <point>`, as it is recorded. */
    at: string
    /** At which passing, from 1, of one process. */
    passing: number
    /** `parent-and-group` is what is left of a machine without power: nothing. */
    target: 'self' | 'group' | 'parent' | 'child' | 'parent-and-group'
    /** A file that is made by the process that kills: it happens once, also when a step is tried again. */
    once: string
  }
  /** Takes all the room of a file system at a point, instead of killing. */
  fill?: {
    at: string
    passing: number
    /** The file that takes it; made once. */
    file: string
  }
}

type Pass = (point: string, child: number | undefined) => void

let pass: Pass | undefined

/**
 * Arms the failpoints of this process, which is named in what they record. Without a plan, as ever outside of tests, a
 * failpoint costs a comparison.
 * @param plan a FailpointPlan as JSON
 */
export function armFailpoints(process: string, plan: string | undefined): void {
  pass = plan === undefined || plan === '' ? undefined : passing(process, JSON.parse(plan) as FailpointPlan)
}

/**
 * A moment before or after something durable is done, at which a test can end this process or its relatives by SIGKILL, or
 * take all the room of a file system.
 * @param subject what it is done to: the name of a file, the type of an event
 * @param child a process that has just been started here
 */
export function failpoint(action: string, subject = '', child?: number): void {
  pass?.(subject === '' ? action : `${action} ${subject}`, child)
}

export function failpointsArmed(): boolean {
  return pass !== undefined
}

function passing(name: string, { record, kill, fill }: FailpointPlan): Pass {
  let left = kill?.passing ?? 0
  let leftToFill = fill?.passing ?? 0
  return (point, child) => {
    const place = `${name} ${point}`
    if (record !== undefined) appendFileSync(record, `${place}\n`)
    if (fill !== undefined && place === fill.at && --leftToFill === 0) fillUp(fill.file)
    if (kill === undefined || place !== kill.at || --left !== 0 || !claim(kill.once)) return
    for (const pid of targets(kill.target, child)) process.kill(pid, 'SIGKILL')
  }
}

/** Writes a file until there is no room for any more. */
function fillUp(path: string): void {
  if (!claim(path)) return
  const file = openSync(path, 'a')
  try {
    for (const bytes of [1024 ** 2, 4096, 1]) writeUntilFull(file, Buffer.alloc(bytes))
  } finally {
    closeSync(file)
  }
}

function writeUntilFull(file: number, block: Buffer): void {
  for (;;) {
    try {
      writeSync(file, block)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return
      throw error
    }
  }
}

/** The numbers that kill(2) takes; 0 is the process group of the caller. */
function targets(target: NonNullable<FailpointPlan['kill']>['target'], child: number | undefined): number[] {
  switch (target) {
    case 'self':
      return [process.pid]
    case 'group':
      return [0]
    case 'parent':
      return [process.ppid]
    case 'parent-and-group':
      return [process.ppid, 0]
    case 'child':
      return child === undefined ? [] : [child]
  }
}

function claim(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx'))
    return true
  } catch {
    // Another process, or this one at an earlier attempt, has killed already.
    return false
  }
}
