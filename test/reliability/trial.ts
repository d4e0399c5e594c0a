import { spawn } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { FailpointPlan } from '#runtime/stage/failpoint.ts'
import { ownerIn } from '#runtime/stage/owner.ts'
import { readEvents } from '../../orchestrator/runs/event-log.ts'
import { processesOn } from './process-tree.ts'

const SHARED_MEMORY = '/dev/shm'
/** How soon nothing may run any more of a command that was killed. */
const ORPHAN_LIMIT_MS = 10_000
const mains = {
  scripted: fileURLToPath(new URL('scripted-main.ts', import.meta.url)),
  real: fileURLToPath(new URL('../../orchestrator/main.ts', import.meta.url)),
}
const standIns = fileURLToPath(new URL('../fixtures/bin', import.meta.url))

export interface Job {
  stages: keyof typeof mains
  /** Arguments of `contimg run` besides the root and the name. */
  argv: readonly string[]
  /** Where trials get their folders. */
  folder: string
}

/** How a killed run ended that was started again. */
export interface Verdict {
  /** What is not as it should be; empty is good. */
  faults: string[]
  /** Steps that were begun more than once. */
  recomputed: number
  /** Time until the last process of the killed command had ended, ms. */
  orphanMs: number
  /** Whether the killing happened. */
  reached: boolean
}

/** What an undisturbed run leaves. */
export interface Reference {
  /** Its exit code: that of its verdict. */
  code: number
  digests: Record<string, string>
  paths: readonly string[]
}

/** Kills a run as `kill` does it, runs the same command again, and compares with an undisturbed run. */
export async function trial(
  job: Job,
  reference: Reference,
  { failpoints, kill }: { failpoints?: FailpointPlan['kill']; kill?: (pid: number, root: string) => Promise<boolean> },
): Promise<Verdict> {
  const place = newPlace(job)
  const faults: string[] = []
  const killed = startCommand(
    job,
    place,
    failpoints === undefined ? undefined : { kill: { ...failpoints, once: place.once } },
  )
  const reached = (await kill?.(killed.pid, place.root)) ?? false
  const first = await killed.ended
  const died = performance.now()
  while (processesOn(place.root).length > 0 && performance.now() - died < 2 * ORPHAN_LIMIT_MS) await sleep(20)
  const orphanMs = performance.now() - died
  const orphans = processesOn(place.root)
  if (orphanMs > ORPHAN_LIMIT_MS) faults.push(`still running: ${orphans.map(({ command }) => command).join('; ')}`)
  faults.push(...partial(place.root))

  const again = startCommand(job, place, undefined)
  const second = await again.ended
  if (second.code !== reference.code) faults.push(`the same command ended with ${second.code}: ${second.err}`)
  const found = lookAt(place.root)
  for (const [name, digest] of Object.entries(reference.digests))
    if (found.digests[name] !== digest) faults.push(`${name} is ${found.digests[name] ?? 'not there'}, not ${digest}`)
  const [expected, got] = [new Set(reference.paths), new Set(found.paths)]
  for (const path of expected) if (!got.has(path)) faults.push(`missing: ${path}`)
  for (const path of got) if (!expected.has(path)) faults.push(`left: ${path}`)
  const owners = new Set([killed.pid, again.pid])
  for (const name of readdirSync(SHARED_MEMORY))
    if (name.startsWith('contimg-') && owners.has(ownerIn(name)?.pid ?? 0))
      faults.push(`left: ${SHARED_MEMORY}/${name}`)
  for (const name of readdirSync(place.temporary)) faults.push(`left: TMPDIR/${name}`)
  faults.push(...processesOn(place.root).map(({ command }) => `running after the end: ${command}`))
  const verdict = {
    faults,
    recomputed: recomputedSteps(place.root),
    orphanMs,
    reached: reached || existsSync(place.once),
  }
  if (faults.length > 0) faults.push(`first: ${first.code} ${first.err.slice(-800)}`)
  if (faults.length === 0 || process.env['CONTIMG_KEEP'] === undefined) rmSync(place.folder, { recursive: true })
  return verdict
}

/** An undisturbed run, and every failpoint that its processes pass, in order. */
export async function undisturbed(job: Job): Promise<Reference & { passed: string[]; seconds: number }> {
  const place = newPlace(job)
  const record = join(place.folder, 'passed')
  const began = performance.now()
  const { code, err } = await startCommand(job, place, { record }).ended
  if (code !== 0 && code !== 3) throw new Error(`the undisturbed run ended with ${code}: ${err}`)
  const seconds = (performance.now() - began) / 1000
  const reference = { ...lookAt(place.root), code, passed: readFileSync(record, 'utf8').trim().split('\n'), seconds }
  rmSync(place.folder, { recursive: true })
  return reference
}

interface Place {
  folder: string
  root: string
  temporary: string
  once: string
}

function newPlace({ folder }: Job): Place {
  const own = mkdtempSync(join(folder, 'trial-'))
  const place = { folder: own, root: join(own, 'root'), temporary: join(own, 'tmp'), once: join(own, 'killed') }
  mkdirSync(place.temporary)
  return place
}

interface Command {
  pid: number
  ended: Promise<{ code: number | null; err: string }>
}

function startCommand({ stages, argv }: Job, { root, temporary }: Place, plan: FailpointPlan | undefined): Command {
  const child = spawn(process.execPath, [mains[stages], 'run', ...argv, '--root', root, '--name', 'killed'], {
    env: {
      ...process.env,
      ...(stages === 'scripted' ? { PATH: `${standIns}:${process.env['PATH']}` } : {}),
      CONTIMG_CATALOGUE: '',
      TMPDIR: temporary,
      CONTIMG_FAILPOINTS: plan === undefined ? '' : JSON.stringify(plan),
    },
    // Its own process group, so that a test can end it whole.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const ended = new Promise<{ code: number | null; err: string }>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => resolve({ code, err }))
  })
  return { pid: child.pid ?? 0, ended }
}

/** Products under their final names that are not complete. */
function partial(root: string): string[] {
  return globSync('products/*/*/*', { cwd: root }).flatMap((product) => {
    if (product.endsWith('.json')) {
      try {
        JSON.parse(readFileSync(join(root, product), 'utf8'))
        return []
      } catch {
        return [`partial: ${product}`]
      }
    }
    return existsSync(join(root, product, 'result.json')) ? [] : [`partial: ${product}`]
  })
}

function lookAt(root: string): Omit<Reference, 'code'> {
  const products = globSync('products/*/*/*/result.json', { cwd: root }).sort()
  const digests = products.map((path) => {
    const { outputs } = JSON.parse(readFileSync(join(root, path), 'utf8')) as {
      outputs: Record<string, { sha256: string }>
    }
    return [
      path,
      Object.entries(outputs)
        .map(([name, { sha256 }]) => `${name} ${sha256}`)
        .sort()
        .join(', '),
    ]
  })
  const paths = readdirSync(root, { recursive: true, withFileTypes: true })
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1))
    // What each attempt leaves for people is as much as there were attempts; the scripted stages keep a diary.
    .filter((path) => !/^runs\/killed\/attempts\/./.test(path) && path !== 'played.ndjson')
  return { digests: Object.fromEntries(digests) as Record<string, string>, paths }
}

function recomputedSteps(root: string): number {
  const begun = readEvents(join(root, 'runs/killed/events.ndjson')).flatMap((event) =>
    event.type === 'attempt.started' ? [`${event.step.observation} ${event.step.stage}`] : [],
  )
  return begun.length - new Set(begun).size
}
