import assert from 'node:assert/strict'
import { test } from 'node:test'
import { awaited, awaitedText } from '../../../orchestrator/pipeline/arrival.ts'
import type { Scan } from '../../../stages/conversion/contract.ts'
import { observation } from '../workbench.ts'

const all = Array.from({ length: 16 }, (_, subband) => subband)
const config = (waitSeconds: number, observations?: string[]) => ({
  observations,
  ingest: { minSubbands: 12, waitSeconds },
  conversion: { expect: { subbands: all, integrations: 24 } },
})
const MINUTE = 60_000

/** An observation whose first file arrived at a time. */
function forming(id: string, subbands: number[], arrivedMs: number): Scan['observations'][number] {
  const found = observation(id, { subbands })
  return { ...found, files: found.files.map((file, index) => ({ ...file, mtimeMs: arrivedMs + index })) }
}

function scan(observations: Scan['observations'], faults: Scan['faults'] = []): Scan {
  return { apiVersion: 'contimg/v1', input: '/in', files: 0, observations, faults, warnings: [] }
}

const fault = {
  file: 'x_sb15.hdf5',
  code: 'DATA_UNREADABLE',
  message: 'it is truncated',
  hint: 'copy it again',
} as const

test('an observation is waited for until so long after its first file arrived', () => {
  const found = scan([forming('20260125T222605', all.slice(1), 10 * MINUTE)])
  const waiting = (nowMs: number): unknown[] => awaited(found, config(600), { nowMs, beganMs: nowMs })
  assert.deepEqual(waiting(12 * MINUTE), [{ observation: '20260125T222605', absent: [0], untilMs: 20 * MINUTE }])
  assert.deepEqual(waiting(20 * MINUTE), [])
})

test('nothing is waited for by default, when all is there, when it is not selected, or when the file is there and at fault', () => {
  const times = { nowMs: MINUTE, beganMs: 0 }
  const part = forming('20260125T222605', all.slice(0, 15), 0)
  assert.deepEqual(awaited(scan([part]), config(0), times), [])
  assert.deepEqual(awaited(scan([forming('20260125T222605', all, 0)]), config(600), times), [])
  assert.deepEqual(awaited(scan([part]), config(600, ['2027*']), times), [])
  assert.deepEqual(awaited(scan([{ ...part, faults: [fault] }]), config(600), times), [])
})

test('files that are still being written are waited for from the beginning of the run', () => {
  const growing = { ...fault, code: 'INPUT_GROWING' as const, observation: '20260125T222605' }
  const [one, ...more] = awaited(scan([], [growing]), config(60), { nowMs: 30_000, beganMs: 10_000 })
  assert.equal(more.length, 0)
  assert.match(
    awaitedText(one),
    /^20260125T222605 {2}waits until 00:01:10 UTC at the latest: its files are still being written/,
  )
})
