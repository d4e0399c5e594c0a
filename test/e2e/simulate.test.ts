import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { faultCatalogue } from '../../stages/simulation/contract.ts'
import { cli, temporaryFolder } from './cli.ts'

const faulty: [string, string[], string, RegExp, RegExp][] = [
  ['a value out of its range', ['--set', 'channels=7'], 'USAGE', /^--set channels=7 +channels: .*, got 7/, /--help/],
  ['an unknown key', ['--set', 'sed=1'], 'USAGE', /^--set sed=1 +unknown key "sed"; did you mean "seed"\?$/, /--help/],
  ['a key that is like none', ['--set', 'foo=1'], 'USAGE', /unknown key "foo"; known here: preset, seed, /, /--help/],
  ['a seed that is no number', ['--seed', 'x'], 'USAGE', /^--seed x +seed: expected number, got "x"/, /--help/],
  ['an unknown calibrator', ['--calibrator', '3C999'], 'USAGE', /unknown calibrator 3C999/, /3C286, .*; or none/],
  ['a calibrator never solved on', ['--calibrator', '3C123'], 'USAGE', /unknown calibrator 3C123/, /3C286/],
  [
    'a missing list',
    ['--sources', 'no.csv'],
    'INPUT_NOT_FOUND',
    /list of sources \/.*no\.csv \(ENOENT\)/,
    /JSON or CSV/,
  ],
]
for (const [what, flags, code, message, fix] of faulty) {
  test(`simulate refuses ${what} before it writes anything`, async (t) => {
    const folder = temporaryFolder(t)
    const out = join(folder, 'sky')
    const { exitCode, out: text, err } = await cli(['simulate', '--out', out, ...flags, '-o', 'json'], { cwd: folder })
    assert.equal(exitCode, 2, err)
    const { error } = JSON.parse(text) as { error: { code: string; message: string; hint: string } }
    assert.equal(error.code, code)
    assert.match(error.message, message)
    assert.match(error.hint, fix)
    assert.ok(!existsSync(out))
  })
}

test('simulate does not mix two observations in one folder', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'other.hdf5'), '')
  const { exitCode, err } = await cli(['simulate', '--out', folder, '--set', 'antennas=4', '--set', 'integrations=1'])
  assert.equal(exitCode, 2)
  assert.match(err, /already holds other\.hdf5.*\[OUTPUT_EXISTS\]\n +fix +choose an empty directory/)
  assert.deepEqual(readdirSync(folder), ['other.hdf5'])
})

test('simulate lists its faults, and refuses one that the observation has no place for before it writes anything', async (t) => {
  const { out: help } = await cli(['simulate', '--help'])
  for (const { name } of faultCatalogue) assert.match(help, new RegExp(`^ {2}${name} `, 'm'))
  const out = join(temporaryFolder(t), 'sky')
  const { exitCode, err } = await cli(['simulate', '--out', out, '--fault', 'missing:subbands=9'])
  assert.equal(exitCode, 2)
  assert.match(err, /fault missing:subbands=9: the observation has no subband 9 \[USAGE\]/)
  assert.ok(!existsSync(out) || readdirSync(out).length === 0)
})
