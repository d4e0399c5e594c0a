import assert from 'node:assert/strict'
import { appendFileSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { thisOwner } from '#runtime/stage/owner.ts'
import type { RunDocument } from '../../../orchestrator/view/document.ts'
import { observation, workbench } from '../workbench.ts'

const id = '20260125T222605'

function stepsOf({ observations }: RunDocument): unknown[] {
  return observations.flatMap(({ steps }) => steps.map(({ stage, status, product }) => [stage, status, product]))
}

test('a run whose event log is lost is rebuilt from its products, and said to be', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id), observation('20260126T222605', { hour: 24 })] })
  const { document } = await bench.run('--name', 'lost', '--set', `observations=["${id}"]`)
  rmSync(join(bench.root, 'runs/lost/events.ndjson'))
  const shown = await bench.cli('get', 'lost')
  assert.equal(shown.exitCode, 0, shown.err)
  assert.match(shown.out, /the event log is lost: this was rebuilt from the products/)
  const got = JSON.parse((await bench.cli('get', 'lost', '-o', 'json')).out) as RunDocument
  assert.equal(got.status, 'done')
  assert.deepEqual(stepsOf(got), stepsOf(document))
  assert.match((await bench.cli('list')).out, /lost/)
})

test('a run that reused its products is rebuilt from those that its configuration could have made', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  await bench.run('--set', 'imaging.cellArcsec=2.5')
  const { document } = await bench.run()
  const again = await bench.run('--name', 'reuser')
  assert.ok(again.document.observations[0]?.steps.every(({ cached }) => cached))
  truncateSync(join(bench.root, 'runs/reuser/events.ndjson'))
  const got = JSON.parse((await bench.cli('get', 'reuser', '-o', 'json')).out) as RunDocument
  assert.deepEqual(
    got.observations.flatMap(({ steps }) => steps.map(({ product }) => product)),
    document.observations.flatMap(({ steps }) => steps.map(({ product }) => product)),
  )
  assert.ok(got.observations[0]?.steps.every(({ cached }) => cached))
})

test('an unfinished run without its log is shown as cancelled, and the same command goes on and says that a new log begins', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  bench.script({ imaging: { error: 'INTERNAL' } })
  await bench.run('--name', 'half')
  rmSync(join(bench.root, 'runs/half/events.ndjson'))
  const got = JSON.parse((await bench.cli('get', 'half', '-o', 'json')).out) as RunDocument
  assert.equal(got.status, 'cancelled')
  assert.deepEqual(
    got.observations[0]?.steps.map(({ status }) => status),
    ['done', 'done', 'planned', 'planned'],
  )
  bench.script({})
  const { exitCode, err } = await bench.run('--name', 'half')
  assert.equal(exitCode, 0, err)
  assert.match(err, /the event log of the earlier work on this run is lost: a new one begins here/)
})

test('a torn last line and a dead process’s lock are set right and said', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  await bench.run('--name', 'torn')
  appendFileSync(join(bench.root, 'runs/torn/events.ndjson'), '{"at":"2026-01-25T22:26:05.000Z","type":"run.no')
  const dead = { ...thisOwner(), started: '1', id: 'a', host: 'here' }
  writeFileSync(join(bench.root, 'runs/torn/lock'), JSON.stringify(dead))
  const { exitCode, err } = await bench.run('--name', 'torn')
  assert.equal(exitCode, 0, err)
  assert.match(err, new RegExp(`took over from process ${process.pid}, which has ended`))
  assert.match(err, /cut off a half-written last line of the event log/)
  assert.doesNotMatch(readFileSync(join(bench.root, 'runs/torn/events.ndjson'), 'utf8'), /run\.no$|run\.no\{/)
})

test('a second process on a run is refused as long as the first one lives', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  await bench.run('--name', 'one')
  writeFileSync(join(bench.root, 'runs/one/lock'), JSON.stringify({ ...thisOwner(), id: 'a', host: 'here' }))
  const second = await bench.cli('run', '--input', bench.input, '--name', 'one', '-o', 'json')
  assert.equal(second.exitCode, 2)
  assert.equal((JSON.parse(second.out) as { error: { code: string } }).error.code, 'RUN_LOCKED')
  assert.deepEqual(
    readdirSync(join(bench.root, 'runs/one')).filter((name) => name.startsWith('lock')),
    ['lock'],
  )
})
