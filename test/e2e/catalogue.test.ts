import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cli, temporaryFolder } from './cli.ts'

test('a table of sources becomes a catalogue that list shows, the same one every time', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'mine.csv')
  writeFileSync(file, 'id,ra_deg,dec_deg,s_int_mjy\na,200.5,30.25,120\nb,201.5,31.5,80\n')
  const root = join(folder, 'root')
  const argv = ['catalogue', 'import', file, '--root', root, '--freq-mhz', '1400', '--resolution-arcsec', '45']
  const first = await cli([...argv, '-o', 'json'])
  assert.equal(first.exitCode, 0, first.err)
  const made = JSON.parse(first.out) as { catalogue: string; rows: number; path: string }
  assert.match(made.catalogue, /^mine@[0-9a-f]{12}$/)
  assert.deepEqual([made.rows, made.path], [2, join(root, 'catalogues', made.catalogue)])

  const again = await cli(argv)
  assert.match(
    again.out,
    new RegExp(`^${made.catalogue}  2 sources .*\nnext  contimg run --input DIR --catalogue mine@`),
  )
  assert.equal((await cli(['catalogue', 'list', '--root', root, '-o', 'name'])).out, `${made.catalogue}\n`)
})

const faulty: [string, string, string[], RegExp][] = [
  ['a table without a frequency', 'ra,dec,flux\n1,2,3\n', [], /frequency/],
  ['a table without positions', 'a,b\n1,2\n', ['--freq-mhz', '1400'], /right ascension/],
  ['a file that does not exist', '', ['--freq-mhz', '1400'], /cannot read the table .*ENOENT/],
]
for (const [what, text, flags, message] of faulty) {
  test(`${what} is refused with a reason and a fix`, async (t) => {
    const folder = temporaryFolder(t)
    const file = join(folder, 'table.csv')
    if (text !== '') writeFileSync(file, text)
    const { exitCode, out, err } = await cli([
      'catalogue',
      'import',
      file,
      '--root',
      join(folder, 'root'),
      ...flags,
      '-o',
      'json',
    ])
    assert.equal(exitCode, 2, err)
    const { error } = JSON.parse(out) as { error: { code: string; message: string; hint?: string } }
    assert.equal(error.code, 'CATALOGUE_IMPORT_FAILED')
    assert.match(error.message, message)
    assert.ok(error.hint !== undefined)
  })
}
