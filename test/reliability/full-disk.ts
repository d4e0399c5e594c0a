// Runs inside a private mount namespace (`unshare -m`): a data root and a scratch folder on small file systems in memory. Filled
// at a failpoint, a run is to end with DISK_FULL and to leave nothing partial; with room again the same command is to finish.
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface FullDiskSpec {
  /** Folder to work in. */
  folder: string
  /** Arguments of `contimg run` but the data root and the name. */
  argv: readonly string[]
  bytes: { root: number; scratch: number }
  trials: readonly FullDiskTrial[]
}

/** Which file system is filled, and at which failpoint. */
export interface FullDiskTrial {
  fill: 'root' | 'scratch'
  at: string
}

export interface RunEnd {
  exitCode: number | null
  err: string
}

export interface FullDiskEnd extends FullDiskTrial {
  /** False where the run ended before the point. */
  filled: boolean
  full: RunEnd
  /** Files that have no business to be there after it. */
  left: string[]
  /** The same command with room again. */
  again: RunEnd
  verified: RunEnd
  /** Lists of hashes of all products, without the logs. */
  digests: Record<string, string>
}

/** The points that an undisturbed run passes, and what it makes; then the trials. */
export interface FullDiskReport {
  points: string[]
  digests: Record<string, string>
  ends: FullDiskEnd[]
}

const main = fileURLToPath(new URL('../../orchestrator/main.ts', import.meta.url))

const spec = process.argv[2]
if (spec !== undefined) process.stdout.write(JSON.stringify(report(JSON.parse(spec) as FullDiskSpec)))

function report({ folder, argv, bytes, trials }: FullDiskSpec): FullDiskReport {
  const record = join(folder, 'points')
  const first = onFreshDisks(folder, bytes, (room) => {
    const { exitCode, err } = run(room, argv, { record })
    if (exitCode !== 0 && exitCode !== 3) throw new Error(`the undisturbed run ended with ${exitCode}:\n${err}`)
    return digestsOf(room.root)
  })
  return {
    points: [...new Set(readFileSync(record, 'utf8').trim().split('\n'))],
    digests: first,
    ends: trials.map((trial) => onFreshDisks(folder, bytes, (room) => attempt(room, argv, trial))),
  }
}

interface Room {
  root: string
  scratch: string
}

function onFreshDisks<T>(folder: string, bytes: FullDiskSpec['bytes'], use: (room: Room) => T): T {
  const room = { root: join(folder, 'root'), scratch: join(folder, 'scratch') }
  for (const [name, path] of Object.entries(room) as [keyof Room, string][]) {
    mkdirSync(path, { recursive: true })
    sh('mount', '-t', 'tmpfs', '-o', `size=${bytes[name]}`, 'tmpfs', path)
  }
  try {
    return use(room)
  } finally {
    for (const path of Object.values(room)) sh('umount', path)
  }
}

function attempt(room: Room, argv: readonly string[], trial: FullDiskTrial): FullDiskEnd {
  const file = join(room[trial.fill], 'filler')
  const full = run(room, argv, { fill: { at: trial.at, passing: 1, file } })
  const filled = existsSync(file)
  const left = [
    ...globSync('products/**/{.attempt-*,.rejected-*,*.tmp*}', { cwd: room.root }),
    ...globSync('{.scratch,runs/*/lock*,runs/*/.reserve,**/*.tmp}', { cwd: room.root }),
    ...globSync('contimg-*', { cwd: room.scratch }),
  ]
  rmSync(file, { force: true })
  const again = run(room, argv, {})
  return { ...trial, filled, full, left, again, verified: contimg(room, ['verify'], ''), digests: digestsOf(room.root) }
}

function run(room: Room, argv: readonly string[], failpoints: object): RunEnd {
  return contimg(room, ['run', ...argv, '--name', 'full'], JSON.stringify(failpoints))
}

function contimg({ root, scratch }: Room, argv: readonly string[], failpoints: string): RunEnd {
  const { status, stderr } = spawnSync(process.execPath, [main, ...argv, '--root', root], {
    encoding: 'utf8',
    env: { ...process.env, CONTIMG_SCRATCH: scratch, CONTIMG_CATALOGUE: '', CONTIMG_FAILPOINTS: failpoints },
  })
  return { exitCode: status, err: stderr }
}

function digestsOf(root: string): Record<string, string> {
  const lists = globSync('products/*/*/*/checksums.sha256', { cwd: root }).sort()
  return Object.fromEntries(
    lists.map((path) => [path, readFileSync(join(root, path), 'utf8').replace(/.*stage\.log\n/, '')]),
  )
}

function sh(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
}
