// Names in contexts, results, logs, catalogues and raw files become paths. None of them may lead out of the data root.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openHdf5 } from '#runtime/formats/hdf5/file.ts'
import { sealed } from '#runtime/stage/checksums.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { recordQuarantine } from '../orchestrator/runs/quarantine.ts'
import { readProduct } from '../orchestrator/runs/product-store.ts'
import { completeRun } from './fuzz/targets/run-events.ts'
import { needs, runPython } from './oracles/oracle.ts'
import { workbench } from './orchestrator/workbench.ts'

const folder = mkdtempSync(join(tmpdir(), 'contimg-outside-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const stage = fileURLToPath(new URL('../stages/imaging/main.ts', import.meta.url))

/** A data root with a link out of it, and something outside that nobody may touch or read. */
function dataRoot(name: string): { root: string; outside: string } {
  const [root, outside] = [join(folder, name, 'root'), join(folder, name, 'outside')]
  mkdirSync(join(root, 'products'), { recursive: true })
  mkdirSync(outside)
  writeFileSync(join(outside, 'secret'), 'secret')
  symlinkSync(outside, join(root, 'products', 'link'))
  return { root, outside }
}

const context = {
  apiVersion: 'contimg/v1',
  run: 'brave-quasar',
  observation: '20260125T222605',
  stage: 'imaging',
  key: 'a'.repeat(64),
  attempt: { number: 1, uid: 'first' },
  params: {},
  inputs: { calibrated: { path: 'products/calibrated', bytes: 6, kind: 'measurement-sets' } },
  productDir: 'products/20260125T222605/imaging/aaaaaaaaaaaa',
  scratchDir: 'scratch',
  resources: { cpu: 1, memoryBytes: 1e9, scratchBytes: 1e9 },
}

const escapes: Record<string, object> = {
  'a product folder above': { productDir: '../outside/product' },
  'an absolute product folder': { productDir: join(folder, 'elsewhere/product') },
  'the data root itself': { productDir: '.' },
  'an attempt with a path for its id': { attempt: { number: 1, uid: 'x/../../../outside/attempt' } },
  'an input above': { inputs: { calibrated: { path: '../outside/secret', bytes: 6, kind: 'measurement-sets' } } },
  'an absolute input': { inputs: { calibrated: { path: '/etc/passwd', bytes: 6, kind: 'measurement-sets' } } },
  'an input behind a link': {
    inputs: { calibrated: { path: 'products/link/secret', bytes: 6, kind: 'measurement-sets' } },
  },
  'a raw file above': { inputs: { calibrated: { path: 'incoming:../secret', bytes: 6, kind: 'measurement-sets' } } },
}

for (const [what, change] of Object.entries(escapes)) {
  test(`a stage refuses ${what} and touches nothing outside`, () => {
    const { root, outside } = dataRoot(what.replaceAll(' ', '-'))
    const path = join(root, 'context.json')
    writeFileSync(path, JSON.stringify({ ...context, ...change }))
    const { status, stdout } = spawnSync(process.execPath, [stage, '--context', path], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, CONTIMG_INCOMING: root },
    })
    assert.equal(status, 64, stdout)
    assert.match(stdout, /PARAMS_INVALID/)
    assert.deepEqual(readdirSync(outside), ['secret'])
    assert.ok(!existsSync(join(folder, 'elsewhere')))
  })
}

test('a result whose outputs lie elsewhere, or are links, is no product', async () => {
  const { root } = dataRoot('result')
  const product = 'products/20260125T222605/imaging/aaaaaaaaaaaa'
  mkdirSync(join(root, product), { recursive: true })
  symlinkSync('../../../link/secret', join(root, product, 'image.fits'))
  const result = {
    apiVersion: 'contimg/v1',
    stage: 'imaging',
    key: 'a'.repeat(64),
    attempt: { number: 1, uid: 'first' },
    metrics: {},
    quality: { verdict: 'good', checks: [] },
    usage: {
      wallSeconds: 1,
      cpuSeconds: 1,
      peakMemoryBytes: 1,
      peakScratchBytes: 1,
      readBytes: 1,
      writtenBytes: 1,
      phases: [],
    },
    warnings: [],
    provenance: {},
  }
  for (const path of ['../../../link/secret', '..', '/etc/passwd', 'image.fits']) {
    const outputs = { image: { path, sha256: '0'.repeat(64), bytes: 6 } }
    writeFileSync(join(root, product, 'result.json'), JSON.stringify(sealed({ ...result, outputs })))
    const reading = await readProduct(root, product)
    assert.equal(reading.ok, false, path)
  }
})

const doors: readonly (readonly string[])[] = [['get'], ['report'], ['logs'], ['rm', '--yes'], ['resume']]

test('a log whose products or logs lie elsewhere is refused by every command, and nothing is removed', async (t) => {
  const bench = workbench(t)
  const run = join(bench.root, 'runs', 'brave-quasar')
  const precious = join(bench.folder, 'precious')
  for (const path of [run, precious]) mkdirSync(path, { recursive: true })
  writeFileSync(join(precious, 'file'), 'keep')
  for (const change of [
    { product: '../precious' },
    { product: 'products/../../precious/x' },
    { product: 'runs' },
    { log: '../precious/file' },
    { log: join(precious, 'file') },
    { step: { observation: '../../precious', stage: 'imaging', key: 'a'.repeat(64) } },
    { outputs: { report: '../../../precious/file' } },
  ]) {
    const [name] = Object.keys(change)
    const events = completeRun('a message').map((event) => (name in event ? { ...event, ...change } : event))
    writeFileSync(join(run, 'events.ndjson'), `${events.map((event) => JSON.stringify(event)).join('\n')}\n`)
    for (const [command, ...flags] of doors) {
      const { exitCode, out, err } = await bench.cli(command, 'brave-quasar', ...flags)
      // Without its configuration the run cannot be rebuilt from its products either.
      assert.ok(exitCode !== 0, `${command}: ${out}${err}`)
      assert.doesNotMatch(out, /keep/)
    }
    assert.equal(readFileSync(join(precious, 'file'), 'utf8'), 'keep')
    assert.deepEqual(readdirSync(bench.root), ['runs'])
  }
})

test('a damaged line of a log is said with its place', async (t) => {
  const bench = workbench(t)
  const run = join(bench.root, 'runs', 'brave-quasar')
  mkdirSync(run, { recursive: true })
  writeFileSync(join(run, 'events.ndjson'), `${JSON.stringify(completeRun('a message')[0])}\n{"type":"run.note"}\n`)
  const { exitCode, err } = await bench.cli('get', 'brave-quasar')
  assert.equal(exitCode, 2)
  assert.match(err, /events\.ndjson:2 is not an event.*\[RUN_UNREADABLE\]/s)
})

test('no name of a run leads out of the data root', async (t) => {
  const bench = workbench(t)
  mkdirSync(join(bench.folder, 'precious', 'runs'), { recursive: true })
  mkdirSync(bench.input)
  for (const name of ['../precious', '..', '.', '/tmp/x', 'a/b', 'a\0b']) {
    assert.equal((await bench.cli('run', '--input', bench.input, '--name', name)).exitCode, 2, name)
    for (const command of ['get', 'report', 'logs', 'rm', 'resume', 'cancel', 'verify']) {
      const { exitCode } = await bench.cli(command, name)
      assert.equal(exitCode, 2, `${command} ${name}`)
    }
  }
  assert.deepEqual(readdirSync(join(bench.folder, 'precious')), ['runs'])
})

test('a catalogue that holds a link is not installed', async (t) => {
  const bench = workbench(t)
  const source = join(bench.folder, 'sky')
  mkdirSync(source)
  const about = {
    name: 'sky',
    version: '1',
    hash12: 'a'.repeat(12),
    sha256: 'b',
    rows: 1,
    freqHz: 1.4e9,
    simulated: true,
  }
  writeFileSync(join(source, 'catalogue.json'), JSON.stringify(about))
  symlinkSync('/etc/passwd', join(source, 'p16.sqlite'))
  bench.give({})
  const { exitCode, err } = await bench.cli('run', '--input', bench.input, '--catalogue', source)
  assert.equal(exitCode, 2, err)
  assert.match(err, /p16\.sqlite is a link.*\[CATALOGUE_UNREADABLE\]/s)
  assert.ok(!existsSync(join(bench.root, 'catalogues')) || readdirSync(join(bench.root, 'catalogues')).length === 0)
})

test('whatever a raw file is called, its quarantine entry lies in the quarantine', async () => {
  const { root, outside } = dataRoot('quarantine')
  const about = { run: 'x', input: outside, at: '2026-01-25T22:30:00.000Z', evidence: [] }
  for (const name of ['../../outside/x', '..', '/etc/x', 'a\nb', '.hidden', 'x'.repeat(500), '']) {
    await recordQuarantine(root, { observation: name, file: name, code: 'DATA_UNREADABLE', message: 'not HDF5' }, about)
  }
  const entries = readdirSync(join(root, 'quarantine'), { recursive: true, withFileTypes: true })
  assert.ok(entries.filter((entry) => entry.isFile()).length >= 5)
  assert.ok(entries.every(({ name }) => !name.startsWith('.') && !name.includes('\n')))
  assert.deepEqual(readdirSync(outside), ['secret'])
})

test(
  'data of an HDF5 file that lie in another file are not read, in old and new layouts',
  { skip: needs('h5py') },
  async () => {
    const { outside } = dataRoot('hdf5')
    const script = join(folder, 'external.py')
    writeFileSync(
      script,
      `import h5py, json, sys
for name in ('earliest', 'latest'):
    with h5py.File(sys.argv[1] + '/' + name + '.h5', 'w', libver=name) as file:
        file.create_dataset('Data/visdata', shape=(6,), dtype='u1', external=[(sys.argv[1] + '/secret', 0, 6)])
print(json.dumps('written'))
`,
    )
    runPython(script, [outside])
    for (const name of ['earliest', 'latest']) {
      for (const options of [{}, { method: 'h5wasm' } as const]) {
        const bytes = new Uint8Array(6)
        const read = async (): Promise<void> => {
          const file = await openHdf5(join(outside, `${name}.h5`), options)
          try {
            file.readRows('/Data/visdata', 0, 6, bytes)
          } finally {
            file.close()
          }
        }
        await assert.rejects(read, (error: unknown) => error instanceof StageError, name)
        assert.deepEqual([...bytes], [0, 0, 0, 0, 0, 0])
      }
    }
  },
)
