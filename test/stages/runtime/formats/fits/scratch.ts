import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'

/** A folder for the files of one test file, removed when its tests are over. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'contimg-test-'))
  after(() => rm(folder, { recursive: true, force: true }))
  return folder
}
