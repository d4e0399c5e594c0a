import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
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

test('a lock of a dead process is taken over', async () => {
  const path = join(folder, 'dead')
  const { pid } = spawnSync('true')
  writeFileSync(path, JSON.stringify({ pid, started: '1', host: hostname() }))
  assert.equal(await isLocked(path), false)
  const lock = await acquireLock(path)
  assert.equal(lock.takenOverFrom, pid)
  await lock.release()
})

test('a later process with the number of the dead one does not hold its lock', async () => {
  const path = join(folder, 'reused')
  writeFileSync(path, JSON.stringify({ pid: process.pid, started: '1', host: hostname() }))
  assert.equal(await isLocked(path), false)
})

test('a half-written lock is nobody’s', async () => {
  const path = join(folder, 'torn')
  writeFileSync(path, '{"pid": 1')
  await (await acquireLock(path)).release()
})
