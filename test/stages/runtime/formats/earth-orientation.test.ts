import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readEarthOrientation } from '#runtime/formats/earth-orientation.ts'
import { StageError, type ErrorCode } from '#runtime/stage/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'contimg-test-'))
after(() => rmSync(folder, { recursive: true }))

function fileWith(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const failsWith = (code: ErrorCode) => (error: unknown) => error instanceof StageError && error.code === code

test('the shipped table covers 2020-01-01 to 2027 day by day', () => {
  const table = readEarthOrientation()
  assert.equal(table.firstMjd, 58849)
  assert.ok(table.firstMjd + table.dut1S.length > 61500)
  assert.equal(table.xpArcsec.length, table.dut1S.length)
  assert.equal(table.ypArcsec.length, table.dut1S.length)
})

test('a table of the same shape can replace it, and has another hash', () => {
  const own = { source: 'own', firstMjd: 60000, dut1S: [0, 0.001], xpArcsec: [0, 0], ypArcsec: [0.3, 0.3] }
  const table = readEarthOrientation(fileWith('own.json', JSON.stringify(own)))
  assert.deepEqual({ ...table, sha256: '' }, { ...own, sha256: '' })
  assert.notEqual(table.sha256, readEarthOrientation().sha256)
})

test('what is no such table is refused with the reason', () => {
  assert.throws(() => readEarthOrientation(join(folder, 'absent.json')), failsWith('INPUT_MISSING'))
  assert.throws(() => readEarthOrientation(fileWith('text.json', 'MJD 60000')), failsWith('PARAMS_INVALID'))
  const uneven = { source: 'own', firstMjd: 60000, dut1S: [0, 0], xpArcsec: [0], ypArcsec: [0, 0] }
  assert.throws(() => readEarthOrientation(fileWith('uneven.json', JSON.stringify(uneven))), /one value for each day/)
  const milliseconds = { ...uneven, dut1S: [120, 121], xpArcsec: [0, 0] }
  assert.throws(
    () => readEarthOrientation(fileWith('ms.json', JSON.stringify(milliseconds))),
    failsWith('PARAMS_INVALID'),
  )
})
