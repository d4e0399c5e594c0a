import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorCatalogue, StageError, toStageError } from '#runtime/stage/errors.ts'

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: it failed, write`), { code })
}

for (const [code, expected] of [
  ['ENOSPC', 'DISK_FULL'],
  ['EDQUOT', 'DISK_FULL'],
  ['EROFS', 'OUTPUT_UNWRITABLE'],
  ['EIO', 'STORAGE_FAILED'],
  ['ESTALE', 'STORAGE_FAILED'],
  ['ENOMEM', 'OUT_OF_MEMORY'],
  ['ERR_WORKER_OUT_OF_MEMORY', 'OUT_OF_MEMORY'],
  ['ENOTDIR', 'INTERNAL'],
] as const) {
  test(`${code} of the system is ${expected}`, () => {
    const error = toStageError(systemError(code))
    assert.equal(error.code, expected)
    assert.match(error.message, new RegExp(code))
    assert.equal(error.exitCode, errorCatalogue[expected].exit)
  })
}

test('no room is no room, whatever a stage made of it', () => {
  const wrapped = new StageError('OUTPUT_INVALID', 'it was not written', { cause: systemError('ENOSPC') })
  assert.equal(toStageError(wrapped).code, 'DISK_FULL')
  assert.equal(toStageError(new Error('failed', { cause: wrapped })).code, 'DISK_FULL')
})

test('a buffer that cannot be had is OUT_OF_MEMORY, another range error a fault', () => {
  assert.equal(toStageError(new RangeError('Array buffer allocation failed')).code, 'OUT_OF_MEMORY')
  assert.equal(toStageError(new RangeError('Invalid array length')).code, 'INTERNAL')
})

test('an error of a stage is what it is', () => {
  const error = new StageError('DATA_UNUSABLE', 'all flagged', { cause: new Error('zeros') })
  assert.equal(toStageError(error), error)
})
