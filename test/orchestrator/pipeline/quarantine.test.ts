import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  pickEntries,
  quarantineState,
  withoutSetAside,
  type QuarantineRecord,
} from '../../../orchestrator/pipeline/quarantine.ts'
import type { Scan } from '../../../stages/conversion/contract.ts'
import { observation } from '../workbench.ts'

const identity = { bytes: 3, mtimeMs: 1, ctimeMs: 2 }

function record(changes: Partial<QuarantineRecord> = {}): QuarantineRecord {
  const file = '20260125T222605_sb03.hdf5'
  return {
    apiVersion: 'contimg/v1',
    observation: '20260125T222605',
    file,
    code: 'DATA_UNREADABLE',
    message: 'it is corrupt',
    stage: 'conversion',
    input: '/in',
    run: 'brave-quasar',
    at: '2026-11-24T20:00:00.000Z',
    evidence: [{ file, ...identity }],
    ...changes,
  }
}

const scan: Scan = {
  apiVersion: 'contimg/v1',
  input: '/in',
  files: 16,
  observations: [observation('20260125T222605')],
  faults: [],
  warnings: [],
}

test('an entry holds as long as its file is the same by size and times', () => {
  const state = (now: typeof identity | undefined): string => quarantineState(record(), () => now)
  assert.equal(state(identity), 'set aside')
  assert.equal(state({ ...identity, bytes: 4 }), 'replaced')
  assert.equal(state({ ...identity, ctimeMs: 3 }), 'replaced')
  assert.equal(state(undefined), 'gone')
})

test('a file that a step found at fault is left out, with who found it and the way back', () => {
  const [found] = withoutSetAside(scan, [record()]).observations
  assert.equal(found.files.length, 15)
  assert.equal(found.subbands.includes(3), false)
  assert.equal(found.shape.subbands, 15)
  assert.match(
    found.faults[0]?.message ?? '',
    /set aside since run brave-quasar \(2026-11-24 20:00 UTC\): it is corrupt/,
  )
  assert.match(found.faults[0]?.hint ?? '', /--release 20260125T222605\/20260125T222605_sb03\.hdf5/)
})

test('an observation is left out whole where no file was named; what the scan found is left to the scan', () => {
  const whole = withoutSetAside(scan, [record({ file: '20260125T222605' })])
  assert.deepEqual(whole.observations, [])
  assert.equal(whole.faults.length, 16)
  assert.ok(whole.faults.every(({ observation: id }) => id === '20260125T222605'))
  const { stage: _, ...byScan } = record()
  assert.equal(withoutSetAside(scan, [byScan]), scan)
})

test('entries are named by observation, by file, by both, or by a beginning that is one', () => {
  const entries = [
    record(),
    record({ file: 'other.hdf5' }),
    record({ observation: '20260126T000000', file: 'third.hdf5' }),
  ]
  const kinds = (wanted: string): unknown => {
    const picked = pickEntries(wanted, entries)
    return picked.kind === 'several' ? picked.found.length : picked.kind === 'one' ? picked.found.file : 'none'
  }
  assert.equal(kinds('20260125T222605'), 2)
  assert.equal(kinds('third.hdf5'), 'third.hdf5')
  assert.equal(kinds('20260126T000000/th'), 'third.hdf5')
  assert.equal(kinds('2026012'), 3)
  assert.equal(kinds('nothing'), 'none')
})
