import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { thisOwner } from '#runtime/stage/owner.ts'
import type { ProblemError } from '../../../orchestrator/pipeline/problem.ts'
import { acquireLock, isLocked } from '../../../orchestrator/runs/lock.ts'

const folder = mkdtempSync(join(tmpdir(), 'contimg-lock-'))
after(() => rmSync(folder, { recursive: true }))

test('a lock is held by one process at a time and free again after its release', async () => {
  const path = join(folder, 'one')
  const lock = await acquireLock(path)
  assert.equal(lock.takenOverFrom, undefined)
  assert.equal(await isLocked(path), true)
  await assert.rejects(
    acquireLock(path),
    (error: ProblemError) => error.problem.code === 'RUN_LOCKED' && error.exitCode === 2,
  )
  await lock.release()
  assert.equal(await isLocked(path), false)
  await (await acquireLock(path)).release()
})

test('a lock of a dead process is taken over, and nothing is left beside it', async () => {
  const path = join(folder, 'dead')
  const { pid } = spawnSync('true')
  writeFileSync(path, JSON.stringify({ ...thisOwner(), pid, id: 'a', host: 'here' }))
  assert.equal(await isLocked(path), false)
  const lock = await acquireLock(path)
  assert.equal(lock.takenOverFrom, pid)
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('dead')),
    ['dead'],
  )
  await lock.release()
})

test('a later process with the number of the dead one does not hold its lock', async () => {
  const path = join(folder, 'reused')
  writeFileSync(path, JSON.stringify({ ...thisOwner(), started: '1', id: 'a', host: 'here' }))
  assert.equal(await isLocked(path), false)
  await (await acquireLock(path)).release()
})

test('a lock of before the machine was started again is nobody’s', async () => {
  const path = join(folder, 'boot')
  writeFileSync(path, JSON.stringify({ ...thisOwner(), boot: '00000000', id: 'a', host: 'here' }))
  assert.equal(await isLocked(path), false)
  await (await acquireLock(path)).release()
})

test('a process of another machine or container is believed, and the message says what to do when it is gone', async () => {
  const path = join(folder, 'elsewhere')
  writeFileSync(path, JSON.stringify({ ...thisOwner(), space: '00000000', pid: 1, id: 'a', host: 'elsewhere' }))
  assert.equal(await isLocked(path), true)
  await assert.rejects(acquireLock(path), (error: ProblemError) => {
    assert.match(error.message, /process 1 on elsewhere works on this run/)
    assert.match(error.problem.hint ?? '', /remove .*elsewhere/)
    return error.problem.code === 'RUN_LOCKED'
  })
})

test('a dead process that died while it took over a dead one’s lock is taken over from in turn', async () => {
  const path = join(folder, 'chain')
  const { pid } = spawnSync('true')
  writeFileSync(path, JSON.stringify({ ...thisOwner(), pid, id: 'a', host: 'here' }))
  writeFileSync(`${path}.after-a`, JSON.stringify({ ...thisOwner(), pid, id: 'b', host: 'here' }))
  const lock = await acquireLock(path)
  assert.equal(lock.takenOverFrom, pid)
  await lock.release()
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('chain')),
    [],
  )
})

test('of many processes that find a dead lock one gets it', async () => {
  const path = join(folder, 'many')
  const { pid } = spawnSync('true')
  for (let round = 0; round < 5; round++) {
    writeFileSync(path, JSON.stringify({ ...thisOwner(), pid, id: `a${round}`, host: 'here' }))
    const taken = await Promise.allSettled(Array.from({ length: 20 }, () => acquireLock(path)))
    const [winner, ...others] = taken.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    assert.deepEqual(others, [])
    await winner?.release()
  }
})

test('a half-written lock is nobody’s', async () => {
  const path = join(folder, 'torn')
  writeFileSync(path, '{"pid": 1')
  await (await acquireLock(path)).release()
})
