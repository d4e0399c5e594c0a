import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quality, type Check, type Verdict } from '#runtime/stage/quality.ts'
import { reasons } from '../../../orchestrator/view/check.ts'
import { bytes, count, duration, span, table } from '../../../orchestrator/view/format.ts'
import { foldEvents } from '../../../orchestrator/pipeline/state.ts'
import { liveName } from '../../../orchestrator/pipeline/live.ts'
import { heartbeat } from '../../../orchestrator/view/plain.ts'
import { problemLines } from '../../../orchestrator/view/problem.ts'

test('amounts read as people say them', () => {
  assert.deepEqual([0, 9.4, 59.6, 3599, 3600, 86399].map(duration), [
    '0:00',
    '0:09',
    '1:00',
    '59:59',
    '1:00:00',
    '23:59:59',
  ])
  assert.deepEqual([0.94, 9.96, 41, 119, 200, 7200].map(span), [
    '0.9 s',
    '10 s',
    '41 s',
    '119 s',
    '3:20 min',
    '2:00:00 h',
  ])
  assert.deepEqual([0, 512, 1000, 1536, 1.6 * 2 ** 30, 123 * 2 ** 20].map(bytes), [
    '0 B',
    '512 B',
    '1.0 KiB',
    '1.5 KiB',
    '1.6 GiB',
    '123 MiB',
  ])
  assert.deepEqual(
    [count(1, 'retry', 'retries'), count(0, 'step'), count(2, 'retry', 'retries')],
    ['1 retry', '0 steps', '2 retries'],
  )
})

test('columns are as wide as their widest cell and end without blanks', () => {
  assert.deepEqual(
    table([
      ['A', 'LONG', ''],
      ['xyz', 'b', ''],
    ]),
    ['A    LONG', 'xyz  b'],
  )
})

test('a problem has one voice, with and without symbols', () => {
  const problem = { code: 'INPUT_EMPTY' as const, message: 'the folder is empty', hint: 'fill it' }
  assert.deepEqual(problemLines(problem, { utf8: true, subject: 'input' }), [
    '✖ input: the folder is empty [INPUT_EMPTY]',
    '  fix   fill it',
  ])
  const plain = problemLines({ ...problem, details: ['a', 'b'] }, { utf8: false, kept: 'all', logs: '/x' })
  assert.deepEqual(plain, [
    'FAILED the folder is empty [INPUT_EMPTY]',
    '  a',
    '  b',
    '  fix   fill it',
    '  kept  all',
    '  logs  /x',
  ])
  assert.ok(plain.every((line) => /^[ -~]*$/.test(line)))
})

test('the heartbeat says what runs, with its progress and for how long', () => {
  const step = { observation: '20260125T222605', stage: 'imaging' as const, key: 'k' }
  const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 25, 22, 26, seconds)).toISOString()
  const state = foldEvents([
    {
      at: at(0),
      type: 'run.started',
      run: 'x',
      version: '1',
      input: '/in',
      executor: 'local',
      pid: 1,
      continued: false,
    },
    { at: at(10), type: 'attempt.started', step, attempt: 1, uid: 'u', log: 'l' },
    { at: at(11), type: 'step.phase', step, phase: 'clean' },
  ])
  const now = Date.UTC(2026, 0, 25, 22, 27, 0)
  const live = new Map([[liveName(step), { progress: { done: 7, total: 12, unit: 'passes' } }]])
  assert.equal(
    heartbeat(state, { now, live }),
    ' 1:00  running: 20260125T222605 imaging (clean, 7 of 12 passes) for 50 s',
  )
  assert.equal(heartbeat(foldEvents([]), { now, live }), undefined)
})

test('a verdict rests on the checks that decide it; others are its reasons only where none of these is', () => {
  const check = (name: string, verdict: Verdict, gating: boolean): Check => ({
    name,
    verdict,
    gating,
    blocking: false,
    message: 'so it is',
  })
  const namesOf = (...checks: Check[]): string[] => reasons(quality(checks)).map(({ name }) => name)
  const [rows, counts, noise] = [
    check('rows', 'bad', true),
    check('counts', 'bad', false),
    check('noise', 'good', true),
  ]
  assert.deepEqual(namesOf(rows, counts, noise), ['rows'])
  assert.deepEqual(namesOf(check('flux', 'not run', true), counts, noise), ['flux'])
  assert.deepEqual(namesOf(counts, noise, check('extra', 'not run', false)), ['counts'])
  assert.deepEqual(namesOf(noise, check('extra', 'not run', false)), [])
})
