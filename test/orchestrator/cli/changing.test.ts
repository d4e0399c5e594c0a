import assert from 'node:assert/strict'
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { acquireLock } from '../../../orchestrator/runs/lock.ts'
import { observation, workbench } from '../workbench.ts'

const [one, two] = ['20260125T222605', '20260125T223114'] as const

test('resume goes on where a run was stopped, with its configuration', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(one)] })
  bench.script({ imaging: { waitMs: 60_000 } })
  const stopped = await bench.interrupted(
    /imaging +started/,
    130,
    'run',
    '--input',
    bench.input,
    '--name',
    'stopped',
    '--set',
    'validation.seedSigma=6',
  )
  assert.equal(stopped.exitCode, 130)
  bench.script({})
  const resumed = await bench.cli('resume', 'stop', '-o', 'json')
  assert.equal(resumed.exitCode, 0, resumed.err)
  // The imaging that was stopped may have got so far or not.
  assert.deepEqual(
    [...new Set(bench.played().map(({ stage }) => stage))],
    ['conversion', 'calibration', 'imaging', 'validation'],
  )
  assert.equal(bench.played().filter(({ stage }) => stage === 'conversion').length, 1)
  assert.equal(bench.played().at(-1)?.params['seedSigma'], 6)
  const again = await bench.cli('resume')
  assert.match(again.out, /^stopped {2}done in .*0 steps run, 4 reused/)
  const other = await bench.cli('resume', '--set', 'imaging.preset=fine')
  assert.equal(other.exitCode, 2)
  assert.match(other.err, /keeps what decides its products.*\[USAGE\]/)
  assert.equal((await bench.cli('resume', '--set', 'execution.resources.memory=2Gi')).exitCode, 0)
})

test('resume leaves what failed for good, unless it is told to try again', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(one), observation(two, { hour: 1 })] })
  bench.script({ [`imaging ${two}`]: { error: 'PARAMS_INVALID' } })
  assert.equal((await bench.run('--name', 'half')).exitCode, 1)
  bench.script({})
  const left = await bench.cli('resume', 'half')
  assert.equal(left.exitCode, 1)
  assert.match(
    left.err,
    new RegExp(`1 observation that failed is left: ${two}; try again with: contimg resume half --retry-failed`),
  )
  assert.equal(bench.played().filter(({ stage }) => stage === 'imaging').length, 2)
  assert.equal((await bench.cli('get', 'half', '--failed', '-o', 'name')).out, `${two}\n`)
  const retried = await bench.cli('resume', 'half', '--retry-failed')
  assert.equal(retried.exitCode, 0, retried.err)
  assert.equal(bench.played().filter(({ stage }) => stage === 'imaging').length, 3)
})

test('resume of a run without its configuration says how to start it again', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(one)] })
  await bench.run('--name', 'lost')
  rmSync(join(bench.root, 'runs/lost/config.yaml'))
  const { exitCode, err } = await bench.cli('resume', 'lost')
  assert.equal(exitCode, 2)
  assert.match(
    err,
    /\[CONFIG_UNREADABLE\]\n +fix +start it again from its own configuration: contimg run CONFIG --name lost/,
  )
})

test('rm shows what it would remove, asks at a terminal, needs a yes elsewhere, and spares what other runs use', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(one)] })
  await bench.run('--name', 'first')
  await bench.run('--name', 'second', '--set', 'imaging.preset=fine')
  const folders = (): string[] =>
    globSync('products/*/*/*', { cwd: bench.root }).filter((path) => !path.endsWith('.json'))
  assert.equal(folders().length, 6)

  const shown = await bench.cli('rm', 'first', '--dry-run')
  assert.equal(shown.exitCode, 0)
  assert.match(shown.out, /\/runs\/first\n/)
  assert.match(shown.out, /\/products\/.*\/imaging\/[0-9a-f]{12}\n/)
  assert.match(shown.out, /stays +\/.*\/conversion\/[0-9a-f]{12} +used by second/)
  assert.match(shown.out, / in all\n$/)
  const refused = await bench.cli('rm', 'first')
  assert.equal(refused.exitCode, 2)
  assert.match(
    refused.err,
    /there is no terminal to ask on: Remove .* of the run "first"\? \[USAGE\]\n +fix +say --yes/,
  )
  const declined = await bench.answering('n', 'rm', 'first')
  assert.deepEqual([declined.exitCode, declined.questions.length, declined.out], [0, 1, ''])
  assert.equal(folders().length, 6)

  const removed = await bench.answering('y', 'rm', 'first')
  assert.match(removed.out, /^removed first, [\d.]+ [KM]iB\n$/)
  assert.equal(existsSync(join(bench.root, 'runs/first')), false)
  assert.equal(folders().length, 4)
  assert.equal((await bench.cli('get', 'second')).exitCode, 0)
  assert.equal(
    (await bench.run('--name', 'second', '--set', 'imaging.preset=fine')).document.observations[0]?.steps.every(
      ({ cached }) => cached,
    ),
    true,
  )

  const kept = await bench.cli('rm', 'second', '--keep-products', '--yes', '-o', 'json')
  assert.equal((JSON.parse(kept.out) as { removed: boolean }).removed, true)
  assert.equal(folders().length, 4)
  assert.deepEqual(globSync('runs/*', { cwd: bench.root }), [])
  assert.deepEqual(globSync('products/**/.*', { cwd: bench.root }), [])
})

test('rm of a calibrator run spares the solution set that another run has applied', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(one), observation(two, { hour: 1, calibrators: [] })] })
  await bench.run('--name', 'solves', '--observations', one)
  await bench.run('--name', 'applies', '--observations', two)
  const { shared } = JSON.parse((await bench.cli('rm', 'solves', '--dry-run', '-o', 'json')).out) as {
    shared: { path: string; usedBy: string[] }[]
  }
  assert.deepEqual(
    shared.map(({ path, usedBy }) => [path.split('/')[2], usedBy]),
    [['calibration', ['applies']]],
  )
})

test('a run that a process works on is neither removed nor worked on twice, and what nobody works on cannot be cancelled', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(one)] })
  await bench.run('--name', 'busy', '--until', 'conversion')
  const idle = await bench.cli('cancel', 'busy', '--yes')
  assert.equal(idle.exitCode, 2)
  assert.match(
    idle.err,
    /nobody works on the run "busy", whose status is done \[RUN_NOT_ACTIVE\]\n +fix +contimg resume busy/,
  )
  const lock = await acquireLock(join(bench.root, 'runs/busy/lock'))
  t.after(() => lock.release())
  const { exitCode, err } = await bench.cli('rm', 'busy', '--yes')
  assert.equal(exitCode, 2)
  assert.match(
    err,
    /works on the run "busy" \[RUN_LOCKED\]\n +fix +end it first with: contimg cancel busy; nothing was removed/,
  )
  assert.equal((await bench.cli('resume', 'busy')).exitCode, 2)
  const asked = await bench.cli('cancel', 'busy')
  assert.match(asked.err, /there is no terminal to ask on: End the run "busy", on which process \d+ works\?/)
  const declined = await bench.answering('', 'cancel', 'busy')
  assert.deepEqual([declined.exitCode, declined.questions.length], [0, 1])
})

test('what is left of a removal that was killed is no run, and goes with the next one', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(one)] })
  await bench.run('--name', 'here', '--until', 'conversion')
  const remains = join(bench.root, 'runs/.removed-x')
  mkdirSync(remains)
  writeFileSync(join(remains, 'events.ndjson'), readFileSync(join(bench.root, 'runs/here/events.ndjson')))
  assert.equal((await bench.cli('list', '-o', 'name')).out, 'here\n')
  await bench.cli('rm', 'here', '--yes')
  assert.equal(existsSync(remains), false)
})
