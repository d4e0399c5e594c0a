import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  classifyProcess,
  describeEvidence,
  explainAttempt,
  isRetryable,
  type ProcessEvidence,
} from '../../../orchestrator/pipeline/classify.ts'
import { shouldRetry, type AttemptRecord } from '../../../orchestrator/pipeline/retry.ts'

const ended: ProcessEvidence = { exitCode: 1, signal: undefined, oomKills: 0, lastLines: [] }
const error = (code: 'DATA_UNREADABLE' | 'DISK_FULL' | 'CANCELLED') => ({
  code,
  message: 'why',
  retryable: code === 'CANCELLED',
  quarantine: false,
})

const classes: [string, Partial<ProcessEvidence>, string][] = [
  ['exit 0 with a result', { exitCode: 0 }, 'succeeded'],
  ['exit 0 without a result', { exitCode: 0, invalidResult: 'no result was committed' }, 'invalid-output'],
  ['exit 0 although it was asked to stop: it had committed', { exitCode: 0, stopped: 'user' }, 'succeeded'],
  ['asked to stop', { exitCode: 75, stopped: 'user', error: error('CANCELLED') }, 'cancelled'],
  ['out of its time', { exitCode: undefined, signal: 'SIGKILL', stopped: 'deadline' }, 'deadline'],
  ['killed by the kernel for memory', { exitCode: undefined, signal: 'SIGKILL', oomKills: 1 }, 'oom'],
  ['killed from outside', { exitCode: undefined, signal: 'SIGKILL' }, 'disrupted'],
  ['terminated from outside', { exitCode: 75, error: error('CANCELLED') }, 'disrupted'],
  ['its own error beats a kill', { exitCode: undefined, signal: 'SIGKILL', error: error('DATA_UNREADABLE') }, 'app'],
  ['a full disk', { exitCode: 74, error: error('DISK_FULL') }, 'scratch-full'],
  ['a full heap', { exitCode: 134, lastLines: ['FATAL ERROR: JavaScript heap out of memory'] }, 'heap'],
  ['a crash', { exitCode: undefined, signal: 'SIGSEGV' }, 'app'],
  ['an exit without a word', { exitCode: 1 }, 'app'],
  ['never started', { exitCode: undefined }, 'unknown'],
]
for (const [what, evidence, expected] of classes) {
  test(`an attempt is classed by its evidence: ${what}`, () =>
    assert.equal(classifyProcess({ ...ended, ...evidence }), expected))
}

test('every failure has evidence, a message and a fix', () => {
  for (const [, evidence, outcome] of classes.filter(([, , name]) => name !== 'succeeded')) {
    const full = { ...ended, ...evidence }
    assert.ok(describeEvidence(full).length > 0 || full.exitCode === undefined)
    const problem = explainAttempt(outcome as never, full)
    assert.ok(problem.message.length > 10 || full.error !== undefined)
    assert.ok(problem.hint !== undefined || full.error !== undefined)
  }
})

const judgements: [string, Partial<ProcessEvidence>, boolean | undefined][] = [
  ['a program that cannot start', { exitCode: 1 }, false],
  ['an end without a result', { exitCode: 0, invalidResult: 'no result was committed' }, false],
  ['killed from outside', { exitCode: undefined, signal: 'SIGKILL' }, undefined],
  ['killed from outside, as a shell tells it', { exitCode: 137 }, undefined],
  ['what the stage calls final', { exitCode: 65, error: error('DATA_UNREADABLE') }, false],
  ['what the stage calls transient', { exitCode: 75, error: error('CANCELLED') }, true],
]
for (const [what, evidence, expected] of judgements) {
  test(`whether another attempt can help shows in the evidence: ${what}`, () =>
    assert.equal(isRetryable({ ...ended, ...evidence }), expected))
}

const attempts = (...classesOf: AttemptRecord['class'][]): AttemptRecord[] =>
  classesOf.map((outcome) => ({ class: outcome }))
const retries: [string, AttemptRecord[], boolean][] = [
  ['a first crash', attempts('app'), true],
  ['a second crash', attempts('app', 'app'), false],
  ['a kill after a crash: budgets are apart', attempts('app', 'disrupted'), true],
  ['a first kill', attempts('disrupted'), true],
  ['a second kill', attempts('disrupted', 'disrupted'), false],
  ['out of memory on one machine', attempts('oom'), false],
  ['cancelled', attempts('cancelled'), false],
  ['what the stage calls final', [{ class: 'app', retryable: false }], false],
  [
    'what the stage calls transient',
    [
      { class: 'app', retryable: true },
      { class: 'app', retryable: true },
    ],
    true,
  ],
  ['nothing yet', [], false],
]
for (const [what, made, expected] of retries) {
  test(`a step is tried again by the table: ${what}`, () => assert.equal(shouldRetry(made), expected))
}

test('a raised budget is honoured', () => {
  const budgets = { oom: 0, app: 3, scratch: 0, disruption: 0, deadline: 0, transient: 0, unknown: 0 }
  assert.equal(shouldRetry(attempts('app', 'app', 'app'), budgets), true)
})
