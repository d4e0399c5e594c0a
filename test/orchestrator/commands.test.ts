import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { observation, workbench, type Workbench } from './workbench.ts'

const id = '20260125T222605'

function catalogueFolder({ folder }: Workbench, changes: Record<string, unknown> = {}): string {
  const path = join(folder, 'catalogue')
  mkdirSync(path)
  const info = {
    name: 'truth',
    version: '1',
    hash12: '0123456789ab',
    sha256: 'c'.repeat(64),
    rows: 3,
    freqHz: 1.4e9,
    simulated: true,
    ...changes,
  }
  writeFileSync(join(path, 'catalogue.json'), JSON.stringify(info))
  writeFileSync(join(path, 'p16.sqlite'), 'rows')
  return path
}

test('get, list and report look at finished runs without changing them', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  const { document, out } = await bench.run('--name', 'brave-quasar')

  assert.deepEqual(JSON.parse((await bench.cli('get', '-o', 'json')).out), JSON.parse(out))
  assert.deepEqual(parse((await bench.cli('get', 'brave-q', '-o', 'yaml')).out), document)
  assert.equal((await bench.cli('get', '@latest', '-o', 'name')).out, 'brave-quasar\n')
  const tree = (await bench.cli('get')).out
  assert.match(tree, /^brave-quasar {2}done/)
  assert.match(tree, new RegExp(`${id} {2}done {2}good`))
  const wide = (await bench.cli('get', '-o', 'wide')).out
  assert.match(
    wide,
    /imaging +[0-9a-f]{12} +done +good +[\d.]+ s +[\d.]+ s CPU +\d+ MiB +.* read +.* written +\/.*products/,
  )
  assert.match(wide, /STAGE +STEPS +WALL +CPU +PEAK MEMORY +READ +WRITTEN/)

  const list = (await bench.cli('list')).out
  assert.match(
    list,
    /^NAME +STATUS +DONE +ACTIVE +DURATION +VERDICTS\nbrave-quasar +done +4\/4 +\d+s ago +\d:\d\d +1 good\n$/,
  )
  const listed = JSON.parse((await bench.cli('list', '-o', 'json')).out) as {
    runs: { run: string; verdicts: object }[]
  }
  assert.deepEqual(
    listed.runs.map(({ run, verdicts }) => [run, verdicts]),
    [['brave-quasar', { good: 1 }]],
  )

  const pages = (await bench.cli('report')).out.trim().split('\n')
  assert.equal(pages.length, 2)
  for (const page of pages) assert.ok(existsSync(page), page)
})

test('the latest run is the one that was active last, for list, get and report alike', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  for (const name of ['first', 'second', 'first']) await bench.run('--name', name)
  assert.equal((await bench.cli('list', '-o', 'name')).out, 'first\nsecond\n')
  assert.equal((await bench.cli('get', '-o', 'name')).out, 'first\n')
  assert.match((await bench.cli('report')).out, /runs\/first\/report\.html/)
  const { runs } = JSON.parse((await bench.cli('list', '-o', 'json')).out) as { runs: { activeAt: string }[] }
  const times = runs.map(({ activeAt }) => activeAt)
  assert.deepEqual(times, times.toSorted().toReversed())
})

test('a mistake in a command line is answered with the help of that command', async (t) => {
  const bench = workbench(t)
  const cases: [string[], RegExp][] = [
    [['run', '--inptu', 'x'], /fix +see contimg run --help$/m],
    [['catalogue', 'import'], /fix +see contimg catalogue import --help$/m],
    [['catalogue'], /fix +see contimg catalogue --help$/m],
    [['simulate', '--root', 'x', '--out', 'y'], /unknown option '--root'[^]*fix +see contimg simulate --help$/m],
    [['rnu'], /fix +see contimg --help$/m],
  ]
  for (const [argv, expected] of cases) {
    const { exitCode, err } = await bench.cli(...argv)
    assert.equal(exitCode, 2, argv.join(' '))
    assert.match(err, expected)
  }
})

test('a table of sources that cannot be read is refused with a fix', async (t) => {
  const { exitCode, err } = await workbench(t).cli('catalogue', 'import', 'nofile.csv')
  assert.equal(exitCode, 2)
  assert.match(
    err,
    /cannot read the table \/.*nofile\.csv \(ENOENT\) \[CATALOGUE_IMPORT_FAILED\]\n +fix +give a file that exists/,
  )
})

test('a verdict is explained by its checks with their numbers', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  const check = {
    name: 'residual-peak',
    value: 6.91234,
    unit: 'sigma',
    n: 12,
    limits: { good: '<= 6', uncertain: '<= 10' },
  }
  bench.script({ validation: { verdict: 'uncertain', check } })
  const uncertain = await bench.cli('run', '--input', bench.input)
  assert.match(uncertain.out, /^ +why +residual peak uncertain: 6\.91 sigma, good <= 6, n 12; as the script says$/m)
  bench.script({ validation: { verdict: 'bad', check: { ...check, value: 12, unit: '1' } } })
  const bad = await bench.cli('run', '--input', bench.input, '--set', 'validation.seedSigma=6')
  assert.match(bad.out, /^ +why +residual peak bad: 12, good <= 6, uncertain <= 10, n 12; as the script says$/m)
})

test('an earlier stage that makes the verdict bad is named', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  bench.script({ imaging: { verdict: 'bad', check: { name: 'cleanStop' } } })
  const { exitCode, out } = await bench.cli('run', '--input', bench.input)
  assert.equal(exitCode, 3)
  assert.match(out, /^ +why +imaging: clean stop bad: as the script says$/m)
})

test('looking where there is nothing says what to do', async (t) => {
  const bench = workbench(t)
  const nothing = await bench.cli('get')
  assert.equal(nothing.exitCode, 2)
  assert.match(nothing.err, /there are no runs.*\[RUN_NOT_FOUND\]\n {2}fix {3}start one with: contimg run --input DIR/)
  const list = await bench.cli('list')
  assert.deepEqual([list.exitCode, list.out], [0, ''])
  assert.match(list.err, /no runs under/)
})

test('in text the answer is on standard output and the progress on standard error', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  const { out, err } = await bench.cli('run', '--input', bench.input, '--name', 'here')
  assert.match(out, /^here {2}done in \d+:\d\d: 1 of 1 observation done, 4 steps run, 0 reused/)
  assert.match(out, /image +\/.*\/image-pb-corrected\.fits/)
  assert.match(out, /report +\/.*\/report\.html/)
  assert.match(out, /next +contimg report here/)
  assert.match(err, /imaging +started/)
  assert.equal(err.includes('\u001b'), false)
  const quiet = await bench.cli('run', '--input', bench.input, '-q')
  assert.equal(quiet.err, '')
  assert.match(quiet.out, /0 steps run, 4 reused/)
})

test('a catalogue folder is installed by its hash and enters the keys; its name finds it again', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  const first = await bench.run('--catalogue', catalogueFolder(bench))
  assert.equal(first.exitCode, 0, first.err)
  assert.match(first.err, /catalogue truth@0123456789ab, 3 sources, simulated sky/)
  assert.doesNotMatch(first.err, /no catalogue/)
  assert.deepEqual(
    bench.played().map(({ stage, inputs }) => [stage, inputs['catalogue'] ?? null]),
    [
      ['conversion', null],
      ['calibration', 1],
      ['imaging', null],
      ['validation', 1],
    ],
  )
  for (const name of ['truth', 'truth@0123', 'truth@0123456789ab']) {
    const again = await bench.run('--catalogue', name)
    assert.ok(
      again.document.observations[0]?.steps.every(({ cached }) => cached),
      name,
    )
  }
  const without = await bench.run()
  assert.match(without.err, /validation +re-run: input catalogue c{12} -> none/)
  assert.match((await bench.cli('catalogue', 'list')).out, /truth@0123456789ab +3 +1400\.0 MHz +simulated sky/)
})

test('a folder that is no catalogue is refused', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  const { exitCode, err } = await bench.cli(
    'run',
    '--input',
    bench.input,
    '--catalogue',
    catalogueFolder(bench, { hash12: '../../x' }),
  )
  assert.equal(exitCode, 2)
  assert.match(err, /CATALOGUE_UNREADABLE/)
})

test('help has an example and exit codes, and is no error', async (t) => {
  const bench = workbench(t)
  const help = await bench.cli('run', '--help')
  assert.equal(help.exitCode, 0)
  assert.match(help.out, /contimg run config\.yaml/)
  assert.match(help.out, /Exit codes: 0 finished/)
  assert.equal((await bench.cli('--version')).exitCode, 0)
  const version = JSON.parse((await bench.cli('version', '-o', 'json')).out) as { contracts: Record<string, number> }
  assert.deepEqual(Object.keys(version.contracts), ['conversion', 'calibration', 'imaging', 'validation'])
})

test('several configuration errors come at once, as one document and as lines', async (t) => {
  const bench = workbench(t)
  mkdirSync(bench.folder, { recursive: true })
  writeFileSync(join(bench.folder, 'bad.yaml'), 'imging: {}\nexecution:\n  failOn: never\n')
  const { exitCode, out, err } = await bench.cli('run', 'bad.yaml', '-o', 'json')
  assert.equal(exitCode, 2)
  const { error } = JSON.parse(out) as { error: { code: string; details: string[] } }
  assert.equal(error.code, 'CONFIG_INVALID')
  assert.equal(error.details.length, 2)
  assert.match(err, /2 errors in the configuration \[CONFIG_INVALID\]\n {2}bad\.yaml:1:1 .*\n {2}bad\.yaml:3:11 /)
})
