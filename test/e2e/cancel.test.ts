// A run that one process works on, watched and ended by others.
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { cli, startCli, temporaryFolder } from './cli.ts'
import { needs } from '../oracles/oracle.ts'

test(
  'cancel ends a run with exit code 6, those who watch it see it end, and resume goes on',
  { skip: needs('wsclean') },
  async (t) => {
    const folder = temporaryFolder(t)
    const [raw, root] = [join(folder, 'raw'), join(folder, 'root')]
    const env = { CONTIMG_ROOT: root }
    const small = ['--set', 'antennas=16', '--set', 'subbands=[0]', '--set', 'channels=4', '--set', 'integrations=4']
    const simulated = await cli(['simulate', '--out', raw, '--sources', '2', ...small, '-q'])
    assert.equal(simulated.exitCode, 0, simulated.err)
    const config = join(raw, 'contimg.yaml')
    const run = startCli(
      ['run', config, '--name', 'long', '--set', 'imaging.sizePixels=8192', '--set', 'calibration.minAntennas=5'],
      { env },
    )
    await run.said(/conversion +(started|reused)/)
    const watching = startCli(['get', 'long', '-w'], { env })
    await watching.said(/long|conversion|calibration/)
    const cancelled = await cli(['cancel', 'lo', '--yes', '-o', 'json'], { env })
    assert.equal(cancelled.exitCode, 0, cancelled.err)
    assert.equal((JSON.parse(cancelled.out) as { status: string }).status, 'cancelled')
    assert.equal((await run.ended).exitCode, 6)
    const watched = await watching.ended
    assert.equal(watched.exitCode, 6, watched.err)
    assert.match(watched.out, /^long {2}/)

    assert.match((await cli(['get', 'long'], { env })).out, /^long {2}cancelled/)
    assert.match(readFileSync(join(root, 'runs/long/events.ndjson'), 'utf8'), /"run\.finished".*"exitCode":6/)
    assert.equal(existsSync(join(root, 'runs/long/lock')), false)
    assert.deepEqual(globSync('products/*/*/.*', { cwd: root }), [])
    const resumed = await cli(['resume', 'long', '--until', 'conversion'], { env })
    assert.ok(resumed.exitCode === 0, resumed.err)
    assert.match(resumed.out, /^long {2}done in/)
  },
)

test('who watches a run may leave it: it goes on', async (t) => {
  const folder = temporaryFolder(t)
  const env = { CONTIMG_ROOT: join(folder, 'root') }
  const { acquireLock } = await import('../../orchestrator/runs/lock.ts')
  const { openEventLog } = await import('../../orchestrator/runs/event-log.ts')
  const { mkdirSync } = await import('node:fs')
  mkdirSync(join(folder, 'root/runs/here'), { recursive: true })
  const lock = await acquireLock(join(folder, 'root/runs/here/lock'))
  t.after(() => lock.release())
  const log = openEventLog(join(folder, 'root/runs/here/events.ndjson'), () => new Date())
  log.append({
    type: 'run.started',
    run: 'here',
    version: '1',
    input: '/raw',
    executor: 'local',
    pid: process.pid,
    continued: false,
  })
  const watching = startCli(['get', '-w'], { env })
  await watching.said(/here/)
  await sleep(200)
  log.append({ type: 'run.note', level: 'info', message: 'something new' })
  await watching.said(/something new/)
  watching.kill('SIGINT')
  const { exitCode, err } = await watching.ended
  log.close()
  assert.equal(exitCode, 130)
  assert.match(err, /the run continues: contimg get here -w\n$/)
})
