import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { copyTree } from '#runtime/stage/copy.ts'

const MIB = 1024 * 1024

function folders(t: TestContext): { source: string; target: string } {
  const folder = mkdtempSync(join(tmpdir(), 'contimg-copy-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return { source: join(folder, 'source'), target: join(folder, 'target') }
}

test('a copied directory has the same files with the same bytes', async (t) => {
  const { source, target } = folders(t)
  mkdirSync(join(source, 'ANTENNA'), { recursive: true })
  const files: [string, Buffer][] = [
    ['empty', Buffer.alloc(0)],
    ['small', Buffer.from('small')],
    ['ANTENNA/table.dat', Buffer.from('inside')],
    ['large', Buffer.from(Array.from({ length: 9 * MIB + 3 }, (_, index) => (index * 31) % 251))],
  ]
  for (const [name, bytes] of files) writeFileSync(join(source, name), bytes)
  await copyTree(source, target, new AbortController().signal)
  const names = (folder: string): Set<unknown> => new Set<unknown>(readdirSync(folder, { recursive: true }))
  assert.deepEqual(names(target), names(source))
  for (const [name, bytes] of files) assert.ok(readFileSync(join(target, name)).equals(bytes), name)
})

test('a copy stops in the middle of a file when it is told to, with the reason', async (t) => {
  const { source, target } = folders(t)
  mkdirSync(source)
  writeFileSync(join(source, 'large'), Buffer.alloc(64 * MIB))
  const controller = new AbortController()
  const copying = copyTree(source, target, controller.signal)
  const reason = new Error('stopped')
  setImmediate(() => controller.abort(reason))
  await assert.rejects(copying, reason)
  assert.ok(readFileSync(join(target, 'large')).length < 64 * MIB)
})
