import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, test } from 'node:test'
import type { ObservationState } from '../../orchestrator/pipeline/state.ts'
import { listQuarantine, releaseQuarantine } from '../../orchestrator/runs/quarantine.ts'
import { makeFault, runFolder } from './fault-folder.ts'
import { rawPrint } from './raw-print.ts'

const place = mkdtempSync(join(tmpdir(), 'contimg-damaged-'))
after(() => rmSync(place, { recursive: true, force: true }))

test('damage that only conversion finds sets the file aside; the next run does without it, until it is put back or replaced', async () => {
  const [input, root, sound] = ['in', 'root', 'sound'].map((name) => join(place, name))
  mkdirSync(input)
  mkdirSync(sound)
  const startUtc = '2025-03-01T03:00:00Z'
  // Large enough that the middle of the index is not on the way to the first and last rows, which is all a scan reads.
  const set = { antennas: 40, integrations: 12 }
  const paths = await makeFault({ faults: ['damaged-index:subbands=2'], set }, { folder: input, startUtc })
  const whole = await makeFault({ faults: [], set }, { folder: sound, startUtc })
  const damaged = basename(paths.find((path) => path.endsWith('_sb02.hdf5')) ?? '')
  const before = rawPrint(input)
  const run = async (): Promise<ObservationState> => {
    const { state } = await runFolder(input, root)
    return state.observations[0]
  }

  const first = await run()
  assert.deepEqual([first.status, first.error?.code], ['failed', 'DATA_UNREADABLE'])
  assert.match(first.error?.message ?? '', new RegExp(damaged))
  const [entry, ...others] = await listQuarantine(root)
  assert.equal(others.length, 0)
  assert.deepEqual([entry.file, entry.stage, entry.state], [damaged, 'conversion', 'set aside'])
  assert.match(entry.evidence[0]?.fingerprint ?? '', /^[0-9a-f]{64}$/)

  const second = await run()
  assert.deepEqual([second.status, second.steps[0]?.product?.metrics['subbandsPresent']], ['done', 5])
  assert.equal((await listQuarantine(root))[0]?.run, entry.run)

  await releaseQuarantine(entry)
  const third = await run()
  assert.deepEqual([third.status, third.error?.code], ['failed', 'DATA_UNREADABLE'])
  assert.deepEqual(rawPrint(input), before)

  copyFileSync(whole.find((path) => path.endsWith('_sb02.hdf5')) ?? '', join(input, damaged))
  const fourth = await run()
  assert.deepEqual([fourth.status, fourth.steps[0]?.product?.metrics['subbandsPresent']], ['done', 6])
  assert.deepEqual(await listQuarantine(root), [])
})
