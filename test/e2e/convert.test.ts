import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { spawnSync } from 'node:child_process'
import { basename, join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { convertedSchema, type Converted } from '../../stages/conversion/contract.ts'
import { hashTree } from '../../stages/runtime/stage/files.ts'
import { needs, runPython } from '../oracles/oracle.ts'
import { rawObservation, writeRaw } from '../stages/conversion/raw-observation.ts'
import { screenOf } from './screen.ts'
import { cli, startCli, temporaryFolder, type CliEnd } from './cli.ts'

/** `contimg convert` as a person meets it: real files, the real stage, what is left behind. */
const shared = mkdtempSync(join(tmpdir(), 'contimg-convert-'))
after(() => rmSync(shared, { recursive: true, force: true }))
const main = fileURLToPath(new URL('../../orchestrator/main.ts', import.meta.url))
const noScript = spawnSync('script', ['--version']).status !== 0 && 'script of util-linux not installed'
let sky: string[] = []
let later: string[] = []
let large: string[] = []

before(() => {
  const write = (name: string, ...what: Parameters<typeof rawObservation>): string[] => {
    const folder = join(shared, name)
    mkdirSync(folder)
    return writeRaw(folder, rawObservation(...what))
  }
  sky = write('sky')
  later = write('later', { startUtc: '2026-01-25T22:31:14Z' })
  // Large enough to be met in the middle.
  large = write('large', { order: Array.from({ length: 64 }, (_, index) => index + 1), integrations: 12, channels: 8 })
})

async function convert(...argv: string[]): Promise<CliEnd> {
  return cli(['convert', ...argv])
}

/** `--json` and its document, held to the schema. */
async function converted(argv: string[], exitCode = 0): Promise<Converted> {
  const end = await convert(...argv, '--json')
  assert.equal(end.exitCode, exitCode, end.err)
  const { apiVersion, ...document } = JSON.parse(end.out) as { apiVersion: string }
  assert.equal(apiVersion, 'contimg/v1')
  return convertedSchema.parse(document)
}

/** It ends with a message of the usual parts, in JSON too, and leaves the folder as it was. */
async function refused(
  t: TestContext,
  argv: (folder: string) => string[],
  expected: { exitCode: number; code: string; what: RegExp; fix: RegExp },
): Promise<void> {
  const folder = temporaryFolder(t)
  const given = argv(folder)
  const had = readdirSync(folder)
  const { exitCode, out, err } = await convert(...given, '--json')
  assert.equal(exitCode, expected.exitCode, err)
  const { error } = JSON.parse(out) as { error: { code: string; message: string; hint?: string } }
  assert.equal(error.code, expected.code, err)
  assert.match(error.message, expected.what)
  assert.match(error.hint ?? '', expected.fix)
  assert.match(err, new RegExp(`✖ .*\\[${expected.code}\\]\\n(?:  .*\\n)*  fix   `))
  assert.doesNotMatch(err, / {4}at |node:internal/)
  assert.deepEqual(readdirSync(folder), had)
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number)
}

test('a group of files becomes a set, and standard output says what it is', async (t) => {
  const folder = temporaryFolder(t)
  const out = join(folder, 'out.ms')
  const end = await convert(...sky, '-o', out)
  assert.equal(end.exitCode, 0, end.err)
  assert.ok(existsSync(join(out, 'table.dat')))
  assert.deepEqual(readdirSync(folder), ['out.ms'])
  assert.match(end.out, new RegExp(`^✔ ${out}  verdict (good|uncertain)\\n`))
  assert.match(end.out, /set {5}140 rows, 12 channels, 2 polarizations; 5 integrations of 7 antennas/)
  assert.match(end.out, /read {4}3 files directly/)
  assert.match(end.out, /centre {2}\d\dh\d\dm\d\d\.\d\ds \+16d\d\dm\d\d\.\ds J2000/)
  for (const phase of ['headers', 'geometry', 'convert', 'finish', 'tables', 'gates', 'sync'])
    assert.match(end.err, new RegExp(`^ ?\\d:\\d\\d  ${phase}$`, 'm'))
  assert.ok(!(end.err + end.out).includes('\u001b'))
})

test(
  'on a terminal one line is drawn in place, cut to its width, and gives way to the answer',
  { skip: noScript },
  async (t) => {
    const folder = temporaryFolder(t)
    const command = `stty cols 60; "$NODE" "$MAIN" convert "$RAW" -o "$OUT"`
    const env = {
      ...process.env,
      NODE: process.execPath,
      MAIN: main,
      RAW: join(shared, 'large'),
      OUT: join(folder, 'out.ms'),
    }
    const { stdout, status } = spawnSync('script', ['-qec', command, '/dev/null'], {
      encoding: 'utf8',
      env: { ...env, TERM: 'xterm', NO_COLOR: '1', LC_ALL: 'C.UTF-8' },
    })
    assert.equal(status, 0, stdout)
    const [live, answer, ...rest] = stdout.split('✔ ')
    assert.deepEqual(rest, [])
    const drawn = (live ?? '').split('\u001b[?2026h').slice(1)
    assert.ok(drawn.length > 2, stdout)
    for (const frame of drawn) {
      const [line, ...more] = screenOf(frame.split('\u001b[?2026l', 1)[0] ?? '', 60)
      assert.match(line ?? '', /^ \d:\d\d  \w.{0,50}$/)
      assert.deepEqual(more, [])
    }
    assert.deepEqual(screenOf(live ?? '', 60), [], 'the line is gone when the answer comes')
    assert.ok(!(answer ?? '').includes('\u001b'))
  },
)

test('the JSON summary has files, shape, centre, checks, phases and bytes; the hash when asked for', async (t) => {
  const out = join(temporaryFolder(t), 'out.ms')
  const summary = await converted([...sky, '-o', out, '--hash'])
  assert.equal(summary.output, out)
  assert.deepEqual(
    summary.files.map(({ path, subband, read }) => [basename(path), subband, read]),
    sky.map((path, subband) => [basename(path), subband, { method: 'direct' }]),
  )
  assert.deepEqual([summary.rows, summary.channels, summary.polarizations, summary.antennas], [140, 12, 2, 7])
  assert.ok(Math.abs(summary.centre.decDeg - 16.15) < 0.2)
  assert.deepEqual(
    summary.phases.map(({ name }) => name),
    ['headers', 'geometry', 'convert', 'finish', 'tables', 'gates', 'sync', 'hash', 'rename'],
  )
  assert.ok(
    summary.checks.some(
      ({ name, verdict, value, limits }) => name === 'rows' && verdict === 'good' && value === 140 && limits,
    ),
  )
  const found = await hashTree(out)
  assert.deepEqual([summary.sha256, summary.bytes.output], [found.sha256, found.bytes])
  assert.deepEqual(summary.warnings, [])
})

test('-q leaves standard error empty, and nothing is hashed unless asked', async (t) => {
  const out = join(temporaryFolder(t), 'out.ms')
  const end = await convert(...sky, '-o', out, '--json', '-q')
  assert.deepEqual([end.exitCode, end.err], [0, ''])
  assert.ok(!('sha256' in (JSON.parse(end.out) as object)))
})

test('any order of files, a folder or a pattern, and any number of workers give the same bytes', async (t) => {
  const folder = temporaryFolder(t)
  const ways = [
    sky,
    sky.toReversed(),
    [sky[1] ?? '', sky[0] ?? '', sky[2] ?? '', sky[1] ?? ''],
    [join(shared, 'sky')],
    [join(shared, 'sky', '*.hdf5')],
    [...sky, '--cpu', '1'],
    [...sky, '--cpu', '4'],
  ]
  const hashes = new Set<string>()
  for (const [index, argv] of ways.entries()) {
    const out = join(folder, `${index}.ms`)
    await converted([...argv, '-o', out])
    hashes.add((await hashTree(out)).sha256)
  }
  assert.equal(hashes.size, 1)
})

test(
  'a file that has filters is read through the HDF5 library, and the answer says why',
  { skip: needs('h5py') },
  async (t) => {
    const folder = temporaryFolder(t)
    mkdirSync(join(folder, 'variants'))
    runPython('uvh5-variants.py', [sky[0] ?? '', join(folder, 'variants')])
    const [name] = readdirSync(join(folder, 'variants')).filter((file) => file.startsWith('gzip-shuffle-fletcher'))
    const summary = await converted([join(folder, 'variants', name ?? ''), ...sky.slice(1), '-o', join(folder, 'a.ms')])
    assert.deepEqual(
      summary.files.map(({ read }) => read.method),
      ['h5wasm', 'direct', 'direct'],
    )
    assert.match(summary.files[0]?.read.reason ?? '', /filter/)
    const { out } = await convert(join(folder, 'variants', name ?? ''), '-o', join(folder, 'b.ms'))
    assert.match(out, / {2}read {4}1 file through the HDF5 library: .*filter/)
  },
)

test('a folder is read without the files that are being written, and says so', async (t) => {
  const folder = temporaryFolder(t)
  const incoming = join(folder, 'incoming')
  mkdirSync(incoming)
  for (const path of sky) copyFileSync(path, join(incoming, basename(path)))
  writeFileSync(join(incoming, '2026-01-25T22:26:05_sb03_incomplete.hdf5'), '')
  writeFileSync(join(incoming, 'notes.txt'), '')
  const summary = await converted([incoming, '-o', join(folder, 'out.ms')])
  assert.equal(summary.files.length, 3)
  assert.match(summary.warnings.join(), /still being written, left out/)
})

test('staging assembles the same bytes in scratch space and leaves nothing there; otherwise the answer says why not', async (t) => {
  const folder = temporaryFolder(t)
  const scratch = join(folder, 'scratch')
  const sets: Converted[] = []
  for (const staging of ['on', 'off', 'auto']) {
    const argv = ['convert', ...sky, '-o', join(folder, `${staging}.ms`), '--staging', staging, '--hash', '--json']
    const { out, err } = await cli(argv, { env: { CONTIMG_SCRATCH: scratch } })
    const { apiVersion, ...document } = JSON.parse(out) as { apiVersion: string }
    assert.equal(apiVersion, 'contimg/v1', err)
    sets.push(convertedSchema.parse(document))
  }
  assert.deepEqual(
    sets.map(({ staging }) => staging.staged),
    [true, false, false],
  )
  assert.match(sets[1]?.staging.reason ?? '', /staging is off/)
  assert.match(sets[2]?.staging.reason ?? '', /straight to the output/)
  assert.ok(sets[0]?.phases.some(({ name }) => name === 'copy'))
  assert.equal(new Set(sets.map(({ sha256 }) => sha256)).size, 1)
  assert.deepEqual(readdirSync(scratch), [])
})

test('files that are missing', (t) =>
  refused(t, (folder) => [...sky, join(folder, 'no.hdf5'), join(folder, '*.uvh5'), '-o', join(folder, 'out.ms')], {
    exitCode: 2,
    code: 'INPUT_NOT_FOUND',
    what: /cannot find .*no\.hdf5, .*\*\.uvh5/,
    fix: /UVH5 files of one observation/,
  }))

test('a folder that holds none', (t) =>
  refused(t, (folder) => [folder, '-o', join(folder, 'out.ms')], {
    exitCode: 2,
    code: 'INPUT_NOT_FOUND',
    what: /no \.hdf5 or \.uvh5 file in it/,
    fix: /UVH5 files/,
  }))

test('a file that is not HDF5', (t) =>
  refused(
    t,
    (folder) => {
      writeFileSync(join(folder, 'notes.hdf5'), 'this is no HDF5 file')
      return [...sky, join(folder, 'notes.hdf5'), '-o', join(folder, 'out.ms')]
    },
    { exitCode: 1, code: 'DATA_UNREADABLE', what: /notes\.hdf5 is not an HDF5 file/, fix: /UVH5/ },
  ))

test('a truncated file', (t) =>
  refused(
    t,
    (folder) => {
      const bytes = readFileSync(sky[0] ?? '')
      writeFileSync(join(folder, 'cut.hdf5'), bytes.subarray(0, Math.floor(bytes.length * 0.7)))
      return [join(folder, 'cut.hdf5'), '-o', join(folder, 'out.ms')]
    },
    { exitCode: 1, code: 'DATA_UNREADABLE', what: /cut\.hdf5/, fix: /./ },
  ))

test('two observations mixed: which files belong to which start time', (t) =>
  refused(t, (folder) => [...later, ...sky, '-o', join(folder, 'out.ms')], {
    exitCode: 2,
    code: 'OBSERVATIONS_MIXED',
    what: /2 observations.*\n2026-01-25T22:26:\S+  (2026-01-25T22:26:05_sb0\d\.hdf5 ?){3}\n2026-01-25T22:31:\S+  (2026-01-25T22:31:14_sb0\d\.hdf5 ?){3}$/,
    fix: /one start time/,
  }))

test('no place to write: a name that is taken, a folder that is missing or takes none', async (t) => {
  const usage = { exitCode: 2, code: 'OUTPUT_UNWRITABLE' }
  await refused(t, (folder) => [...sky, '-o', join(folder, 'no', 'out.ms')], {
    ...usage,
    what: /folder .*no does not exist/,
    fix: /mkdir -p/,
  })
  await refused(t, () => [...sky, '-o', '/proc/out.ms'], { ...usage, what: /folder \/proc /, fix: /another name/ })
  await refused(t, (folder) => [...sky, '-o', folder, '--force'], {
    exitCode: 2,
    code: 'OUTPUT_EXISTS',
    what: /exists and is no MeasurementSet/,
    fix: /-o .*out\.ms/,
  })
})

test(
  'a folder that this user may not write',
  { skip: process.getuid?.() === 0 && 'root may write anywhere' },
  async (t) => {
    await refused(
      t,
      (folder) => {
        mkdirSync(join(folder, 'closed'), { mode: 0o500 })
        return [...sky, '-o', join(folder, 'closed', 'out.ms')]
      },
      { exitCode: 2, code: 'OUTPUT_UNWRITABLE', what: /cannot be written \(EACCES\)/, fix: /writable/ },
    )
  },
)

test('values that options do not take', async (t) => {
  for (const [option, value, what] of [
    ['--cpu', 'many', /--cpu must be a number from 1, not many/],
    ['--dead-antenna-fraction', '2', /must be more than 0 and at most 1, not 2/],
    ['--earth-orientation', 'no.json', /Earth-orientation table .*no\.json/],
    ['--station-table', 'no.csv', /station table .*no\.csv/],
  ] as const) {
    const folder = temporaryFolder(t)
    const { exitCode, err } = await convert(...sky, '-o', join(folder, 'out.ms'), option, value)
    assert.equal(exitCode, 2, err)
    assert.match(err, what)
    assert.deepEqual(readdirSync(folder), [])
  }
})

test('a set is never overwritten, and --force replaces it whole', async (t) => {
  const folder = temporaryFolder(t)
  const out = join(folder, 'out.ms')
  await converted([...sky, '-o', out])
  writeFileSync(join(out, 'mark'), '')
  const again = await convert(...sky, '-o', out)
  assert.equal(again.exitCode, 2)
  assert.match(again.err, /out\.ms exists \[OUTPUT_EXISTS\]\n {2}fix {3}.*--force/)
  assert.ok(existsSync(join(out, 'mark')))
  const failed = await convert(...sky, ...later, '-o', out, '--force')
  assert.equal(failed.exitCode, 2)
  assert.ok(existsSync(join(out, 'mark')), 'the old set stays when no new one can be made')
  assert.equal((await converted([...sky, '-o', out, '--force'])).replaced, true)
  assert.ok(!existsSync(join(out, 'mark')))
  assert.deepEqual(readdirSync(folder), ['out.ms'])
})

test('a bad gate: the set is made and said to be bad, exit code 3', async (t) => {
  const folder = temporaryFolder(t)
  const raw = rawObservation()
  for (const { vis } of raw.subbands.values())
    for (let k = 0; k < vis.length / 2; k++) if (k % 10 < 6) vis.fill(0, 2 * k, 2 * k + 2)
  mkdirSync(join(folder, 'raw'))
  const files = writeRaw(join(folder, 'raw'), raw)
  const summary = await converted([...files, '-o', join(folder, 'json.ms')], 3)
  assert.equal(summary.verdict, 'bad')
  assert.equal(summary.checks.find(({ name }) => name === 'zero-data')?.verdict, 'bad')
  const { exitCode, out } = await convert(...files, '-o', join(folder, 'out.ms'))
  assert.equal(exitCode, 3)
  assert.match(out, /^✖ .*out\.ms {2}verdict bad\n {2}why {5}zero data bad: 0\.6/)
  assert.ok(existsSync(join(folder, 'out.ms', 'table.dat')))
})

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} in the middle ends with ${code} and leaves nothing`, async (t) => {
    const folder = temporaryFolder(t)
    const running = startCli(['convert', ...large, '-o', join(folder, 'out.ms')])
    await running.said(/ convert\n/)
    running.kill(signal)
    const { exitCode, out, err } = await running.ended
    assert.equal(exitCode, code, err)
    assert.equal(out, '')
    assert.match(err, /\[INTERRUPTED\]/)
    assert.deepEqual(readdirSync(folder), [])
  })
}

test('killed without warning: only the temporary is left, and the next conversion to that name takes it away', async (t) => {
  const folder = temporaryFolder(t)
  const out = join(folder, 'out.ms')
  const running = startCli(['convert', ...large, '-o', out])
  await running.said(/ convert\n/)
  for (const pid of [...childrenOf(running.pid), running.pid]) process.kill(pid, 'SIGKILL')
  await running.ended
  const left = readdirSync(folder)
  assert.equal(left.length, 1)
  assert.match(left[0] ?? '', /^\.out\.ms\.[0-9a-f-]{36}\.[0-9a-f-]+\.tmp$/)
  const summary = await converted([...large, '-o', out])
  assert.deepEqual(summary.warnings, [])
  assert.deepEqual(readdirSync(folder), ['out.ms'])
})

test('the stage alone killed: the command says so and takes its temporary away', async (t) => {
  const folder = temporaryFolder(t)
  const running = startCli(['convert', ...large, '-o', join(folder, 'out.ms')])
  await running.said(/ convert\n/)
  for (const pid of childrenOf(running.pid)) process.kill(pid, 'SIGKILL')
  const { exitCode, err } = await running.ended
  assert.equal(exitCode, 1)
  assert.match(err, /killed by SIGKILL \[STAGE_KILLED\]\n {2}fix /)
  assert.deepEqual(readdirSync(folder), [])
})

test('the command alone killed: the stage does not go on for nobody', async (t) => {
  const folder = temporaryFolder(t)
  const running = startCli(['convert', ...large, '-o', join(folder, 'out.ms')])
  await running.said(/ convert\n/)
  const [stage] = childrenOf(running.pid)
  running.kill('SIGKILL')
  await running.ended
  for (let waited = 0; existsSync(`/proc/${stage}`) && waited < 5000; waited += 50) await delay(50)
  assert.ok(!existsSync(`/proc/${stage}`))
  assert.deepEqual(
    readdirSync(folder).filter((name) => name !== 'out.ms'),
    [],
  )
})

test('the examples of --help are commands that work', async (t) => {
  const { exitCode, out: help } = await convert('--help')
  assert.equal(exitCode, 0)
  const examples = [...help.matchAll(/^ {2}contimg (convert .*)$/gm)].map(([, command]) => command ?? '')
  assert.ok(examples.length >= 3)
  const folder = temporaryFolder(t)
  for (const [index, path] of sky.entries()) copyFileSync(path, join(folder, `sb0${index}.hdf5`))
  for (const example of examples) {
    const argv = (example.split(' > ')[0] ?? '')
      .split(' ')
      .flatMap((word) =>
        word === 'sb*.hdf5' ? ['sb00.hdf5', 'sb01.hdf5', 'sb02.hdf5'] : word === 'DIR' ? ['.'] : [word],
      )
    const end = await cli(argv, { cwd: folder })
    assert.equal(end.exitCode, 0, `${example}\n${end.err}`)
    if (!example.includes('--force')) rmSync(join(folder, 'out.ms'), { recursive: true, force: true })
  }
})
