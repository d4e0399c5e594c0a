import assert from 'node:assert/strict'
import {
  closeSync,
  cpSync,
  existsSync,
  ftruncateSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { needs } from '../oracles/oracle.ts'
import { cli, runJson, temporaryFolder } from './cli.ts'

/** Ordinary bad input through the command that a user types: one clear message, the right exit code, nothing half-made. */
const shared = mkdtempSync(join(tmpdir(), 'contimg-bad-input-'))
const sky = join(shared, 'sky')
after(() => rmSync(shared, { recursive: true, force: true }))

before(async () => {
  const small = [
    'antennas=[1,2,3,4,5,6,7,8,103,104,105,106]',
    'integrations=2',
    'channels=4',
    'catalogue=false',
    'sources=0',
  ]
  const made = await cli(['simulate', '--out', sky, ...small.flatMap((setting) => ['--set', setting])])
  assert.equal(made.exitCode, 0, made.err)
})

/** A fresh copy of the small observation, its raw files, and a data root that does not exist yet. */
function copy(t: TestContext): { input: string; root: string; files: string[]; flags: string[] } {
  const folder = temporaryFolder(t)
  const [input, root] = [join(folder, 'incoming'), join(folder, 'root')]
  cpSync(sky, input, { recursive: true })
  rmSync(join(input, 'contimg.yaml'))
  const files = readdirSync(input)
    .filter((name) => name.endsWith('.hdf5'))
    .sort()
  const flags = [
    '--input',
    input,
    '--root',
    root,
    '--set',
    'conversion.expect.subbands=[0, 1, 2, 3]',
    '--set',
    'conversion.expect.integrations=2',
  ]
  return { input, root, files, flags }
}

/** An error before the first step: exit code 2, one JSON document, the parts of a message, no run. */
async function refused(
  argv: string[],
  code: string,
  { what, fix }: { what: RegExp; fix: RegExp },
  env: Record<string, string> = {},
): Promise<void> {
  const { exitCode, out, err } = await cli([...argv, '-o', 'json'], { env })
  assert.equal(exitCode, 2, err)
  const document = JSON.parse(out) as { apiVersion: string; error: { code: string; message: string; hint?: string } }
  assert.deepEqual(Object.keys(document), ['apiVersion', 'error'])
  assert.equal(document.error.code, code)
  assert.match(document.error.message, what)
  assert.match(document.error.hint ?? '', fix)
  assert.match(err, new RegExp(`\\[${code}\\]`))
  assert.match(err, / {2}fix {3}/)
  assert.doesNotMatch(err, / {4}at |node:internal/)
}

function nothingFinished(root: string): void {
  const results = globSync('products/**/result.json', { cwd: root })
  assert.deepEqual(results, [])
  assert.deepEqual(globSync('products/**/.attempt-*', { cwd: root }), [])
}

test('an empty directory', { skip: needs('wsclean') }, async (t) => {
  const folder = temporaryFolder(t)
  const empty = join(folder, 'empty')
  mkdirSync(empty)
  await refused(['run', '--input', empty, '--root', join(folder, 'root')], 'INPUT_EMPTY', {
    what: /empty is empty/,
    fix: /\.hdf5 files/,
  })
  assert.equal(existsSync(join(folder, 'root')), false)
})

test('a directory without subband files', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'notes.txt'), 'nothing here')
  await refused(['run', '--input', folder, '--root', join(folder, 'root')], 'INPUT_EMPTY', {
    what: /holds no \.hdf5 files/,
    fix: /--input DIR/,
  })
})

test('a missing directory', async (t) => {
  const folder = temporaryFolder(t)
  const missing = join(folder, 'nowhere')
  await refused(['run', '--input', missing, '--root', join(folder, 'root')], 'INPUT_NOT_FOUND', {
    what: /nowhere does not exist/,
    fix: /--input DIR/,
  })
})

test('a file in place of a directory', async (t) => {
  const { input, files, root } = copy(t)
  await refused(['run', '--input', join(input, files[0] ?? ''), '--root', root], 'INPUT_NOT_FOUND', {
    what: /is a file, not a folder/,
    fix: /folder/,
  })
})

test('no input at all', async () => {
  await refused(['run'], 'USAGE', { what: /no input folder/, fix: /--input DIR/ })
})

test('WSClean missing', async (t) => {
  const { flags, root } = copy(t)
  await refused(
    ['run', ...flags],
    'WSCLEAN_MISSING',
    { what: /WSClean is not on PATH/, fix: /apt-get install wsclean/ },
    { PATH: '/nonexistent' },
  )
  assert.equal(existsSync(join(root, 'products')), false)
})

for (const [what, root] of [
  ['a root on a file system that takes no folders', '/proc/contimg'],
  ['a root below a file', '/etc/hostname/contimg'],
] as const) {
  test(`an unwritable root: ${what}`, async (t) => {
    const { input } = copy(t)
    await refused(['run', '--input', input, '--root', root], 'ROOT_UNWRITABLE', {
      what: new RegExp(`${root} cannot be written`),
      fix: /--root DIR/,
    })
  })
}

for (const scratch of ['/proc/contimg/scratch', '/etc/hostname/contimg']) {
  test(`a scratch folder that cannot be made: ${scratch}`, async (t) => {
    const { flags, root } = copy(t)
    await refused(
      ['run', ...flags],
      'SCRATCH_UNWRITABLE',
      { what: new RegExp(`${scratch} cannot be written`), fix: /CONTIMG_SCRATCH/ },
      { CONTIMG_SCRATCH: scratch },
    )
    assert.equal(existsSync(join(root, 'products')), false)
  })
}

test('an unknown configuration key, in the file and by flag', async (t) => {
  const { input, flags } = copy(t)
  const file = join(input, 'config.yaml')
  writeFileSync(file, 'input: .\nimging:\n  cellArcsec: 3\n')
  await refused(['run', file], 'CONFIG_INVALID', {
    what: /config\.yaml:2:1 +unknown key "imging"; did you mean "imaging"\?/,
    fix: /nothing was started/,
  })
  await refused(['run', ...flags, '--set', 'imaging.celArcsec=3'], 'CONFIG_INVALID', {
    what: /unknown key "celArcsec" in imaging; did you mean "cellArcsec"\?/,
    fix: /nothing was started/,
  })
})

test('a configuration file that does not exist', async (t) => {
  await refused(['run', join(temporaryFolder(t), 'config.yaml')], 'CONFIG_UNREADABLE', {
    what: /cannot read the configuration.*ENOENT/,
    fix: /YAML file/,
  })
})

test('an unknown option, an unknown command, an unknown run', async (t) => {
  await refused(['run', '--inptu', 'x'], 'USAGE', {
    what: /unknown option '--inptu'.*Did you mean --input/,
    fix: /--help/,
  })
  await refused(['rnu'], 'USAGE', { what: /unknown command 'rnu'.*Did you mean run/, fix: /--help/ })
  await refused(['get', 'ghost', '--root', temporaryFolder(t)], 'RUN_NOT_FOUND', {
    what: /no run "ghost"/,
    fix: /contimg list/,
  })
})

test('an unknown catalogue', async (t) => {
  const { flags } = copy(t)
  await refused(['run', ...flags, '--catalogue', 'nvss@0123456789ab'], 'CATALOGUE_NOT_FOUND', {
    what: /no catalogue "nvss@/,
    fix: /catalogue import/,
  })
  await refused(['run', ...flags, '--catalogue', './nowhere'], 'CATALOGUE_NOT_FOUND', {
    what: /nowhere does not exist/,
    fix: /simulate/,
  })
})

test('a file that is not HDF5, alone', { skip: needs('wsclean') }, async (t) => {
  const folder = temporaryFolder(t)
  const [input, root] = [join(folder, 'incoming'), join(folder, 'root')]
  mkdirSync(input)
  writeFileSync(join(input, '2026-01-25T22:26:05_sb00.hdf5'), 'this is no HDF5 file')
  const { exitCode, document, err } = await runJson(['--input', input, '--root', root])
  assert.equal(exitCode, 1)
  assert.deepEqual(
    document.observations.map(({ status, error }) => [status, error?.code]),
    [['failed', 'DATA_UNREADABLE']],
  )
  assert.match(err, /2026-01-25T22:26:05_sb00\.hdf5: .*not.*HDF5.*\[DATA_UNREADABLE\]/)
  assert.match(err, / {2}fix {3}/)
  assert.equal(globSync('quarantine/*/*.json', { cwd: root }).length, 1)
  nothingFinished(root)
})

test('a file that is not HDF5 among good ones', { skip: needs('wsclean') }, async (t) => {
  const { input, root, files, flags } = copy(t)
  writeFileSync(join(input, files[1] ?? ''), 'this is no HDF5 file')
  const { exitCode, document } = await runJson(flags)
  assert.equal(exitCode, 1)
  assert.deepEqual(
    document.observations.map(({ status, error }) => [status, error?.code]),
    [['failed', 'DATA_UNREADABLE']],
  )
  assert.match(document.observations[0]?.error?.message ?? '', /3 of 4 subbands are left, at least 4 are needed/)
  nothingFinished(root)
})

for (const keep of [0, 100, 0.5, 0.999]) {
  test(
    `a file truncated to ${keep < 1 ? `${100 * keep} %` : `${keep} bytes`}`,
    { skip: needs('wsclean') },
    async (t) => {
      const { input, root, files, flags } = copy(t)
      const path = join(input, files[2] ?? '')
      const file = openSync(path, 'r+')
      ftruncateSync(file, keep < 1 ? Math.floor(keep * statSync(path).size) : keep)
      closeSync(file)
      const { exitCode, document, err } = await runJson(flags)
      assert.equal(exitCode, 1, err)
      const [found] = document.observations
      assert.deepEqual([found?.status, found?.verdict, found?.error?.code], ['failed', 'not run', 'DATA_UNREADABLE'])
      assert.ok(found?.error?.message.includes(files[2] ?? '?'), found?.error?.message)
      assert.equal(globSync('quarantine/*/*.json', { cwd: root }).length, 1)
      nothingFinished(root)
      assert.ok(statSync(path).size >= 0, 'the raw file stays where it is')
    },
  )
}

test('fewer subbands than minSubbands', { skip: needs('wsclean') }, async (t) => {
  const { input, root, files, flags } = copy(t)
  rmSync(join(input, files[3] ?? ''))
  const { exitCode, document, err } = await runJson(flags)
  assert.equal(exitCode, 1)
  assert.deepEqual(
    document.observations.map(({ status, error }) => [status, error?.code]),
    [['skipped', 'SUBBANDS_MISSING']],
  )
  assert.match(err, /1 of 4 subbands are missing \(03\)/)
  assert.match(err, /fix .*ingest\.minSubbands=3/)
  assert.equal(existsSync(join(root, 'quarantine')), false)
  nothingFinished(root)
})

test('no calibrator in the field', { skip: needs('wsclean') }, async (t) => {
  const folder = temporaryFolder(t)
  const [input, root] = [join(folder, 'incoming'), join(folder, 'root')]
  const small = ['antennas=12', 'integrations=2', 'channels=4', 'catalogue=false', 'sources=0', 'decOfDateDeg=16.5']
  const made = await cli([
    'simulate',
    '--out',
    input,
    '--calibrator',
    'none',
    ...small.flatMap((setting) => ['--set', setting]),
  ])
  assert.equal(made.exitCode, 0, made.err)
  const { exitCode, document, err } = await runJson([join(input, 'contimg.yaml'), '--root', root])
  assert.equal(exitCode, 1, err)
  const [found] = document.observations
  assert.deepEqual([found?.status, found?.verdict, found?.error?.code], ['failed', 'not run', 'NO_CALIBRATOR'])
  assert.deepEqual(
    found?.steps.map(({ status }) => status),
    ['done', 'failed', 'skipped', 'skipped'],
  )
  assert.match(err, /no calibrator/)
  assert.match(found?.error?.hint ?? '', /uncalibrated/)
  assert.deepEqual(globSync('products/*/{calibration,imaging,validation}/*/result.json', { cwd: root }), [])
  assert.deepEqual(globSync('products/**/.attempt-*', { cwd: root }), [])
  assert.equal(existsSync(join(root, 'quarantine')), false)
})
