import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Act } from '../fixtures/stages/scripted.ts'
import { scriptedJob } from '../reliability/jobs.ts'
import { allKills, describeKill } from '../reliability/kills.ts'
import { processesOn, treeOf } from '../reliability/process-tree.ts'
import { trial, undisturbed } from '../reliability/trial.ts'

const scriptedMain = fileURLToPath(new URL('../reliability/scripted-main.ts', import.meta.url))
const launcher = fileURLToPath(new URL('../../bin/contimg.js', import.meta.url))
const standIns = fileURLToPath(new URL('../fixtures/bin', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'contimg-kill-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Of the kills that `node test/reliability/kill.ts scripted` does, and docs/reliability.md tells of, those of one kind each. */
const sample = [
  'orchestrator event.torn attempt.started (2) [self]',
  'calibration sync.after data [parent]',
  'imaging commit.before [parent-and-group]',
  'imaging commit.after [self]',
]

test('a run that was killed goes on by the same command to the same products, with one step at most made again', async () => {
  const job = scriptedJob(folder)
  const reference = await undisturbed(job)
  const kills = allKills(reference.passed).filter((kill) => sample.includes(describeKill(kill)))
  assert.deepEqual(kills.map(describeKill).sort(), sample.toSorted())
  for (const kill of kills) {
    const { faults, recomputed, reached } = await trial(job, reference, { failpoints: kill })
    assert.deepEqual(faults, [], describeKill(kill))
    assert.ok(reached && recomputed <= 1, describeKill(kill))
  }
})

interface Running {
  pid: number
  root: string
  ended: Promise<{ code: number | null; err: string }>
  /** Resolves when a file is in the data root: `busy`, or `played.ndjson`, which the first stage begins. */
  there(name: 'busy' | 'played.ndjson'): Promise<void>
}

/** A run of scripted stages as a process of its own. */
function start(t: TestContext, acts: Record<string, Act>): Running {
  const root = mkdtempSync(join(folder, 'root-'))
  writeFileSync(join(root, 'script.json'), JSON.stringify(acts))
  const child = spawn(process.execPath, [scriptedMain, 'run', ...scriptedJob(folder).argv, '--root', root], {
    env: { ...process.env, PATH: `${standIns}:${process.env['PATH']}`, CONTIMG_CATALOGUE: '' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const ended = new Promise<{ code: number | null; err: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, err })),
  )
  return {
    pid: child.pid ?? 0,
    root,
    ended,
    async there(name) {
      while (!existsSync(join(root, name))) {
        if (child.exitCode !== null) throw new Error(`it ended without ${name}: ${err}`)
        await sleep(10)
      }
    },
  }
}

function stagesOf(pid: number): number[] {
  return treeOf(pid).flatMap((process) =>
    process.parent === pid && process.command.includes('main.ts') ? [process.pid] : [],
  )
}

test('a stage that works without looking up is ended within 5 s, and at once by a second Ctrl-C', async (t) => {
  const [once, twice] = [start(t, { conversion: { busyMs: 60_000 } }), start(t, { conversion: { busyMs: 60_000 } })]
  await Promise.all([once.there('busy'), twice.there('busy')])
  const began = performance.now()
  for (const { pid } of [once, twice]) process.kill(pid, 'SIGINT')
  await sleep(800)
  process.kill(twice.pid, 'SIGINT')
  assert.equal((await twice.ended).code, 130)
  const twiceMs = performance.now() - began
  assert.equal((await once.ended).code, 130)
  const onceMs = performance.now() - began
  assert.ok(twiceMs < onceMs, `${twiceMs} ms, ${onceMs} ms`)
  for (const { root } of [once, twice]) {
    assert.deepEqual(processesOn(root), [])
    assert.deepEqual(globSync('products/**/{.attempt-*,result.json}', { cwd: root }), [])
    assert.equal(existsSync(join(root, '.scratch')), false)
  }
})

test('a stage that is told to stop by somebody else is tried again, and the run goes on', async (t) => {
  const run = start(t, { conversion: { waitMs: 2_000 } })
  await run.there('played.ndjson')
  for (const pid of stagesOf(run.pid)) process.kill(pid, 'SIGTERM')
  const { code, err } = await run.ended
  assert.equal(code, 0, err)
  assert.deepEqual(globSync('products/*/*/.attempt-*', { cwd: run.root }), [])
  const attempts = globSync('runs/*/attempts/*-conversion-*', { cwd: run.root })
  assert.equal(attempts.length, 2)
})

test('a stage ends soon when its orchestrator is killed, also while it works without looking up', async (t) => {
  const run = start(t, { conversion: { busyMs: 60_000 } })
  await run.there('busy')
  const pids = stagesOf(run.pid)
  assert.equal(pids.length, 1)
  process.kill(run.pid, 'SIGKILL')
  await run.ended
  const killed = performance.now()
  while (processesOn(run.root).length > 0) {
    assert.ok(performance.now() - killed < 20_000, 'it runs still')
    await sleep(50)
  }
})

/** A Node on PATH that is not the one of the packages, as a user starts the launcher by. */
function otherNode(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((path) => !path.includes('node_modules'))
    .map((path) => join(path, 'node'))
    .find((path) => existsSync(path))
}

test(
  'a command ends soon when its launcher alone is killed',
  { skip: otherNode() === undefined ? 'no other Node on PATH' : false },
  async () => {
    const out = join(folder, 'sky')
    const child = spawn(otherNode() ?? '', [launcher, 'simulate', '--out', out, '--set', 'integrations=240'], {
      stdio: 'ignore',
    })
    const pid = child.pid ?? 0
    const simulation = (): boolean => treeOf(pid).some(({ command }) => command.includes('stages/simulation/main.ts'))
    while (!simulation()) await sleep(20)
    const below = treeOf(pid).filter((process) => process.pid !== pid)
    process.kill(pid, 'SIGKILL')
    const killed = performance.now()
    const alive = (): number[] => below.map((process) => process.pid).filter((each) => treeOf(each).length > 0)
    while (alive().length > 0) {
      assert.ok(performance.now() - killed < 20_000, 'it runs still')
      await sleep(50)
    }
  },
)
