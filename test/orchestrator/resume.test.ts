import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { observation, workbench } from './workbench.ts'

const id = '20260125T222605'
const stages = ['conversion', 'calibration', 'imaging', 'validation']

function ofSteps<T>(document: { observations: { steps: T[] }[] }, of: (step: T) => unknown): unknown[] {
  return document.observations.flatMap(({ steps }) => steps.map(of))
}

test('a run makes every product and says where it is', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  const { exitCode, err, document } = await bench.run()
  assert.equal(exitCode, 0, err)
  assert.equal(document.status, 'done')
  assert.deepEqual(
    document.observations.map((found) => [found.id, found.status, found.verdict]),
    [[id, 'done', 'good']],
  )
  assert.deepEqual(
    ofSteps(document, ({ stage, status, cached }) => [stage, status, cached]),
    stages.map((stage) => [stage, 'done', false]),
  )
  for (const step of document.observations[0]?.steps ?? []) {
    assert.ok(existsSync(join(step.product ?? '', 'result.json')))
    for (const path of Object.values(step.outputs)) assert.ok(existsSync(path), path)
    assert.ok((step.usage?.wallSeconds ?? 0) > 0)
  }
  assert.match(err, /no catalogue: flux scale, astrometry and completeness are not checked/)
  const page = readFileSync(join(bench.root, 'runs', document.run, 'report.html'), 'utf8')
  assert.match(page, new RegExp(`href="../../products/${id}/validation/[0-9a-f]{12}/report.html"`))
})

test('running the same command again reuses everything and says so', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  const first = await bench.run()
  const second = await bench.run()
  assert.equal(second.exitCode, 0)
  assert.notEqual(second.document.run, first.document.run)
  assert.deepEqual(
    ofSteps(second.document, ({ status, cached }) => [status, cached]),
    stages.map(() => ['cached', true]),
  )
  assert.deepEqual(
    ofSteps(second.document, ({ product }) => product),
    ofSteps(first.document, ({ product }) => product),
  )
  assert.equal(bench.played().length, 4)
  assert.match(second.err, /imaging +reused products\//)
  assert.match(second.err, /0 steps run, 4 reused/)
})

test('a changed imaging parameter runs imaging and validation again and says why', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  await bench.run()
  const { document, err } = await bench.run('--set', 'imaging.cellArcsec=2.5')
  assert.deepEqual(
    ofSteps(document, ({ status }) => status),
    ['cached', 'cached', 'done', 'done'],
  )
  assert.match(err, /imaging +re-run: params\.cellArcsec \S+ -> 2\.5/)
  assert.match(err, /validation +re-run: input image [0-9a-f]{12} -> [0-9a-f]{12}/)
})

test('what must not change an output byte changes no key', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  await bench.run()
  const settings = [
    'execution.resources.cpu=1',
    'execution.resources.memory=1Gi',
    'execution.timeouts.imaging=100',
    'ingest.minSubbands=3',
    'retain.imaging=forever',
  ]
  const { document } = await bench.run(...settings.flatMap((setting) => ['--set', setting]))
  assert.deepEqual(
    ofSteps(document, ({ cached }) => cached),
    [true, true, true, true],
  )
})

test('a changed raw file makes a new product', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  await bench.run()
  const changed = observation(id)
  const files = changed.files.map((file, index) => (index === 0 ? { ...file, fingerprint: 'f'.repeat(64) } : file))
  bench.give({ observations: [{ ...changed, files }] })
  const { document, err } = await bench.run()
  assert.deepEqual(
    ofSteps(document, ({ status }) => status),
    ['done', 'done', 'done', 'done'],
  )
  assert.match(err, /conversion +re-run: input raw 16 files/)
})

test('an interrupted run ends with 130, leaves nothing half-made, and goes on', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  bench.script({ imaging: { waitMs: 60_000 } })
  const stopped = await bench.interrupted(
    /imaging +waiting/,
    130,
    'run',
    '--input',
    bench.input,
    '--name',
    'held',
    '-v',
    '-o',
    'json',
  )
  assert.equal(stopped.exitCode, 130)
  const document = JSON.parse(stopped.out) as Awaited<ReturnType<typeof bench.run>>['document']
  assert.equal(document.status, 'cancelled')
  assert.deepEqual(
    ofSteps(document, ({ status }) => status),
    ['done', 'done', 'cancelled', 'planned'],
  )
  assert.deepEqual(
    readdirSync(join(bench.root, 'products', id, 'imaging')).filter((name) => !name.endsWith('.key.json')),
    [],
  )
  assert.equal(existsSync(join(bench.root, '.scratch')), false)
  assert.equal(existsSync(join(bench.root, 'runs/held/lock')), false)
  assert.match(stopped.err, /interrupted/)

  bench.script({})
  const again = await bench.run('--name', 'held')
  assert.equal(again.exitCode, 0, again.err)
  assert.deepEqual(
    ofSteps(again.document, ({ status }) => status),
    ['cached', 'cached', 'done', 'done'],
  )
  assert.match(again.err, /held \(continued\)/)
})

test('a run of that name with another configuration is refused', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  await bench.run('--name', 'mine')
  const other = await bench.cli(
    'run',
    '--input',
    bench.input,
    '--name',
    'mine',
    '--set',
    'imaging.cellArcsec=2.5',
    '-o',
    'json',
  )
  assert.equal(other.exitCode, 2)
  assert.equal((JSON.parse(other.out) as { error: { code: string } }).error.code, 'RUN_NAME_TAKEN')
  const same = await bench.run('--name', 'mine')
  assert.equal(same.exitCode, 0)
})

test('a product that lost a file is not reused', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  const first = await bench.run()
  const image = first.document.observations[0]?.steps[2]?.outputs['image'] ?? ''
  rmSync(image)
  const second = await bench.run()
  assert.equal(second.exitCode, 0)
  assert.deepEqual(
    ofSteps(second.document, ({ status }) => status),
    ['cached', 'cached', 'done', 'cached'],
  )
  assert.ok(existsSync(image))
  assert.match(second.err, /imaging +re-run: its output image \(image\.fits\) is missing/)
  assert.match(second.err, /imaging +its product is damaged: image\.fits is missing/)
})

test('a damaged product is the reason of its miss, whatever other products there are', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  const first = await bench.run()
  await bench.run('--set', 'imaging.cellArcsec=2.5')
  writeFileSync(first.document.observations[0]?.steps[2]?.outputs['psf'] ?? '', 'x')
  const damaged = await bench.run()
  assert.match(damaged.err, /imaging +re-run: its output psf \(psf\.fits\) has 1 bytes, not \d+/)
  assert.doesNotMatch(damaged.err, /imaging +re-run: params/)
  rmSync(first.document.observations[0]?.steps[2]?.product ?? '', { recursive: true })
  const removed = await bench.run()
  assert.match(removed.err, /imaging +re-run: it was removed, or never finished/)
})

test('a miss names what the user changed before what the planner made of it', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  await bench.run()
  const { err } = await bench.run('--uncalibrated')
  assert.match(err, /calibration +re-run: params\.mode auto -> none/)
})

test('a torn result is not reused', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  const first = await bench.run()
  writeFileSync(join(first.document.observations[0]?.steps[3]?.product ?? '', 'result.json'), '{"apiVersion": "contimg')
  const second = await bench.run()
  assert.deepEqual(
    ofSteps(second.document, ({ status }) => status),
    ['cached', 'cached', 'cached', 'done'],
  )
  assert.match(second.err, /validation +re-run: its result\.json cannot be read/)
})
