import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ownerName, thisOwner } from '#runtime/stage/owner.ts'
import { sweep, sweptNote } from '../../../orchestrator/runs/sweep.ts'

const uuid = '0b7e3a52-6f0c-4b57-9d5e-2b8c1d3e4f50'
const owners = {
  living: ownerName(thisOwner()),
  dead: ownerName({ ...thisOwner(), started: '1' }),
  earlierBoot: ownerName({ ...thisOwner(), boot: '00000000' }),
  elsewhere: ownerName({ ...thisOwner(), space: '00000000' }),
}
const nowMs = Date.now()
const dayAndMore = 25 * 3600 * 1000

test('what ended processes left is removed, what belongs to others is spared', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'contimg-sweep-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [root, scratch] = [join(folder, 'root'), join(folder, 'scratch')]
  const products = join(root, 'products/20260125T222605/imaging')
  const run = join(root, 'runs/mine')
  for (const path of [products, run, scratch]) mkdirSync(path, { recursive: true })
  for (const owner of Object.values(owners)) {
    mkdirSync(join(products, `.attempt-${uuid}.${owner}`))
    writeFileSync(join(products, `.attempt-${uuid}.${owner}`, 'image.fits'), 'x')
    mkdirSync(join(scratch, `contimg-${uuid}.${owner}`))
    writeFileSync(join(run, `.${owner}.${uuid}.tmp`), 'x')
  }
  // By nobody known, one of them long ago.
  const old = join(products, '.attempt-old')
  for (const path of [
    old,
    join(products, '.attempt-new'),
    join(scratch, 'contimg-of-somebody'),
    join(products, 'aaaabbbbcccc'),
  ])
    mkdirSync(path)
  utimesSync(old, (nowMs - dayAndMore) / 1000, (nowMs - dayAndMore) / 1000)

  const swept = await sweep(root, { scratchFolders: [scratch, join(folder, 'absent')], nowMs })
  assert.deepEqual(swept, { attempts: 3, scratch: 2, files: 2 })
  assert.equal(
    sweptNote(swept),
    'removed what ended processes had left: 3 unfinished products, 2 scratch folders, 2 half-written files',
  )
  const spared = [owners.living, owners.elsewhere]
  assert.deepEqual(
    readdirSync(products).sort(),
    ['.attempt-new', ...spared.map((owner) => `.attempt-${uuid}.${owner}`), 'aaaabbbbcccc'].sort(),
  )
  assert.deepEqual(
    readdirSync(scratch).sort(),
    ['contimg-of-somebody', ...spared.map((owner) => `contimg-${uuid}.${owner}`)].sort(),
  )
  assert.deepEqual(readdirSync(run).sort(), spared.map((owner) => `.${owner}.${uuid}.tmp`).sort())

  assert.deepEqual(await sweep(root, { scratchFolders: [scratch], nowMs }), { attempts: 0, scratch: 0, files: 0 })
  assert.equal(sweptNote({ attempts: 0, scratch: 0, files: 0 }), undefined)
  // A day later nobody believes that the other machine is still at it.
  assert.equal((await sweep(root, { scratchFolders: [scratch], nowMs: nowMs + dayAndMore })).attempts, 2)
  assert.ok(existsSync(join(products, `.attempt-${uuid}.${owners.living}`)))
})
