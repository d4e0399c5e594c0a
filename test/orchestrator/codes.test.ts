// Codes that no other test meets on its way, each through the command that a person would have typed.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { observation, workbench, type Workbench } from './workbench.ts'

const id = '20260125T222605'

function bench(t: TestContext): Workbench {
  const made = workbench(t)
  made.give({ observations: [observation(id)] })
  return made
}

/** Ends with this exit code and tells of this code on standard error, with a fix, and without a stack trace. */
async function ends(
  made: Workbench,
  argv: readonly string[],
  { exit, code }: { exit: number; code: string },
): Promise<string> {
  const { exitCode, err } = await made.cli(...argv)
  assert.equal(exitCode, exit, err)
  assert.match(err, new RegExp(`\\[${code}\\]`))
  assert.match(err, / {2}fix {3}/)
  assert.doesNotMatch(err, /^ +at .*:\d+:\d+/m)
  return err
}

test('a scan that ends without a word is SCAN_FAILED', async (t) => {
  const made = workbench(t)
  mkdirSync(made.input, { recursive: true })
  writeFileSync(join(made.input, 'any.hdf5'), '')
  await ends(made, ['run', '--input', made.input], { exit: 1, code: 'SCAN_FAILED' })
})

test('a conversion outside of a run that ends without a word is CONVERSION_FAILED', async (t) => {
  const made = bench(t)
  await ends(made, ['convert', join(made.input, 'always.hdf5'), '-o', join(made.folder, 'out.ms')], {
    exit: 1,
    code: 'CONVERSION_FAILED',
  })
})

test('a simulation that cannot start is SIMULATION_FAILED', async (t) => {
  const made = bench(t)
  await ends(made, ['simulate', '--out', join(made.folder, 'sky')], { exit: 1, code: 'SIMULATION_FAILED' })
})

test('a station table that is a folder is INPUT_UNREADABLE', async (t) => {
  const made = bench(t)
  const argv = ['run', '--input', made.input, '--station-table', made.folder]
  await ends(made, argv, { exit: 2, code: 'INPUT_UNREADABLE' })
})

test('a product that is not there cannot be verified: PRODUCT_NOT_FOUND', async (t) => {
  await ends(bench(t), ['verify', 'ffffffffffff'], { exit: 2, code: 'PRODUCT_NOT_FOUND' })
})

test('what was never set aside cannot be released: QUARANTINE_UNKNOWN', async (t) => {
  await ends(bench(t), ['quarantine', '--release', id], { exit: 2, code: 'QUARANTINE_UNKNOWN' })
})

test('a stage that ends well and leaves nothing is RESULT_INVALID, and what comes after it UPSTREAM_FAILED', async (t) => {
  const made = bench(t)
  made.script({ imaging: { crash: 'silent' } })
  const { exitCode, document, err } = await made.run()
  assert.equal(exitCode, 1, err)
  assert.deepEqual(
    document.observations[0]?.steps.map(({ error }) => error?.code),
    [undefined, undefined, 'RESULT_INVALID', 'UPSTREAM_FAILED'],
  )
  assert.match(err, /FAILED imaging failed: .*\[RESULT_INVALID\]/)
})
