import assert from 'node:assert/strict'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { filesystemOf, type Filesystem } from '#runtime/stage/filesystem.ts'
import { hashTree } from '#runtime/stage/files.ts'
import { decideStaging, type StagingFacts } from '../../../stages/conversion/staging.ts'
import { convert, inFolder, rawObservation, writeRaw } from './raw-observation.ts'

const disk: Filesystem = { name: 'ext4', network: false, memory: false, freeBytes: 1e12 }
const network: Filesystem = { name: 'nfs', network: true, memory: false, freeBytes: 1e15 }
const memory: Filesystem = { name: 'tmpfs', network: false, memory: true, freeBytes: 1e10 }

function decided(changes: Partial<StagingFacts>): [boolean, string] {
  const { staged, reason } = decideStaging({
    wish: 'auto',
    setBytes: 2e9,
    grantedBytes: 4e9,
    output: network,
    scratch: memory,
    ...changes,
  })
  return [staged, reason]
}

test('a set is staged where writing it in place would be slow, and it fits with a margin', () => {
  assert.deepEqual(decided({}), [
    true,
    'assembled in scratch space (tmpfs) and copied: the output lies on a network filesystem (nfs)',
  ])
  const straight: [Partial<StagingFacts>, RegExp][] = [
    [{ output: disk }, /local filesystem \(ext4\)/],
    [{ wish: 'off' }, /staging is off/],
    [{ grantedBytes: 2.1e9 }, /does not fit the 2.10 GB of scratch space that the step was given/],
    [{ scratch: { ...memory, freeBytes: 2.1e9 } }, /does not fit the 2.10 GB that are free/],
    [{ scratch: disk }, /scratch space is not in memory \(ext4\)/],
    [{ wish: 'on', grantedBytes: 0 }, /0.00 GB of scratch/],
  ]
  for (const [changes, reason] of straight) {
    const [staged, found] = decided(changes)
    assert.equal(staged, false)
    assert.match(found, reason)
  }
  for (const place of [disk, memory]) assert.equal(decided({ wish: 'on', output: disk, scratch: place })[0], true)
})

test('a staged set is the same to the byte, and a wish that cannot be met is said', () =>
  inFolder(async (dir) => {
    const folder = async (name: string): Promise<string> => {
      await mkdir(join(dir, name))
      return join(dir, name)
    }
    const [raw, scratchDir] = [await folder('raw'), await folder('scratch')]
    const paths = writeRaw(raw, rawObservation())
    const straight = await convert(paths, await folder('straight'))
    const staged = await convert(paths, await folder('staged'), {
      staging: { wish: 'on', scratchDir, scratchBytes: 1e9 },
    })
    assert.deepEqual(await hashTree(staged.path), await hashTree(straight.path))
    assert.equal(straight.outcome.metrics.staged, 0)
    assert.equal(staged.outcome.metrics.staged, 1)
    assert.deepEqual(await readdir(scratchDir), [])

    const refused = await convert(paths, await folder('refused'), {
      staging: { wish: 'on', scratchDir: await folder('small'), scratchBytes: 10 },
    })
    assert.equal(refused.outcome.metrics.staged, 0)
    assert.match(refused.warnings.join(), /written straight to the output: .* does not fit/)
  }))

test('the filesystem of a path is told by name', async () => {
  const { name, freeBytes } = await filesystemOf('/proc')
  assert.match(name, /^type 0x/)
  assert.equal(freeBytes, 0)
})
