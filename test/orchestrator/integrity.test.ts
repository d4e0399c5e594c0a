// Damaged products: noticed before they are reused or read, moved aside with the reason, made again.
import assert from 'node:assert/strict'
import { copyFileSync, globSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { observation, workbench, type Workbench } from './workbench.ts'

const id = '20260125T222605'
const stages = ['conversion', 'calibration', 'imaging', 'validation'] as const
type Stage = (typeof stages)[number]

interface Finished {
  bench: Workbench
  product: (stage: Stage) => string
  digests: Record<string, string>
}

/** A finished run of one observation. */
async function finished(t: TestContext): Promise<Finished> {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  const { document } = await bench.run()
  const products = new Map(document.observations[0]?.steps.map(({ stage, product }) => [stage, product ?? '']))
  return { bench, product: (stage) => products.get(stage) ?? '', digests: digestsOf(bench.root) }
}

/** The lists of hashes of all products, without the logs, which are never the same. */
function digestsOf(root: string): Record<string, string> {
  const lists = globSync('products/*/*/*/checksums.sha256', { cwd: root }).sort()
  return Object.fromEntries(
    lists.map((path) => [path, readFileSync(join(root, path), 'utf8').replace(/.*stage\.log\n/, '')]),
  )
}

function changeByte(path: string, at = 0): void {
  const { atime, mtime } = statSync(path)
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
  utimesSync(path, atime, mtime)
}

interface Damage {
  what: string
  stage: Stage
  harm: (made: Finished, folder: string) => void
  why: RegExp
}

const damages: Damage[] = [
  {
    what: 'a changed byte in a file, its time of modification set back',
    stage: 'imaging',
    harm: (_, folder) => changeByte(join(folder, 'psf.fits')),
    why: /psf\.fits has another content than was committed/,
  },
  {
    what: 'a changed byte in a folder',
    stage: 'conversion',
    harm: (_, folder) => changeByte(join(folder, 'measurement-set/data')),
    why: /measurement-set\/data has another content than was committed/,
  },
  {
    what: 'a file missing in a folder',
    stage: 'calibration',
    harm: (_, folder) => rmSync(join(folder, 'calibrated/data')),
    why: /calibrated\/data is missing/,
  },
  {
    what: 'a foreign file in a folder',
    stage: 'calibration',
    harm: (_, folder) => writeFileSync(join(folder, 'calibrated/more'), ''),
    why: /calibrated\/more does not belong to the product/,
  },
  {
    what: 'an empty result.json',
    stage: 'validation',
    harm: (_, folder) => writeFileSync(join(folder, 'result.json'), ''),
    why: /result\.json cannot be read/,
  },
  {
    what: 'a result.json of another product',
    stage: 'validation',
    harm: ({ product }, folder) => copyFileSync(join(product('imaging'), 'result.json'), join(folder, 'result.json')),
    why: /result\.json is that of imaging/,
  },
  {
    what: 'a changed digit in result.json',
    stage: 'validation',
    harm(_, folder) {
      const path = join(folder, 'result.json')
      writeFileSync(path, readFileSync(path, 'utf8').replace(/"cpuSeconds": \d/, '"cpuSeconds": 7'))
    },
    why: /result\.json is not what was committed/,
  },
  {
    what: 'a changed stage.log',
    stage: 'imaging',
    harm: (_, folder) => writeFileSync(join(folder, 'stage.log'), 'x'),
    why: /stage\.log has another content than was committed/,
  },
  {
    what: 'a lost list of hashes',
    stage: 'conversion',
    harm: (_, folder) => rmSync(join(folder, 'checksums.sha256')),
    why: /checksums\.sha256 is missing or cannot be read/,
  },
]

test('a damaged product is noticed, moved aside and made again with the same bytes', async (t) => {
  const made = await finished(t)
  const { bench, product, digests } = made
  for (const { what, stage, harm, why } of damages) {
    await t.test(what, async () => {
      const folder = product(stage)
      const before = new Set(globSync('.rejected-*', { cwd: dirname(folder) }))
      harm(made, folder)

      const verified = await bench.cli('verify')
      assert.equal(verified.exitCode, 1, verified.err)
      assert.match(verified.out, why)

      const { exitCode, document, err } = await bench.run()
      assert.equal(exitCode, 0, err)
      assert.match(err, why)
      assert.deepEqual(
        document.observations[0]?.steps.map((step) => step.status),
        stages.map((each) => (each === stage ? 'done' : 'cached')),
      )
      assert.deepEqual(digestsOf(bench.root), digests)
      const [aside, ...others] = globSync('.rejected-*', { cwd: dirname(folder) }).filter((name) => !before.has(name))
      assert.deepEqual(others, [])
      assert.ok(aside?.startsWith(`.rejected-${folder.split('/').at(-1)}-`))
      const reason = JSON.parse(readFileSync(join(dirname(folder), aside, 'rejected.json'), 'utf8')) as { why: string }
      assert.match(reason.why, why)
      assert.equal((await bench.cli('verify')).exitCode, 0)
    })
  }
})

test('a product that is damaged while the run goes on is made again before it is read', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  // Imaging damages the product of the calibration, whose solutions the validation reads.
  bench.script({ imaging: { damage: 'calibrated' } })
  const { exitCode, document, err } = await bench.run()
  assert.equal(exitCode, 0, err)
  assert.match(err, /calibration +its product is damaged: calibrated\/data has another content/)
  assert.deepEqual(
    bench.played().map(({ stage }) => stage),
    ['conversion', 'calibration', 'imaging', 'calibration', 'validation'],
  )
  assert.deepEqual(
    document.observations[0]?.steps.map(({ status }) => status),
    ['done', 'done', 'done', 'done'],
  )
})

test('a stage that fails over a damaged input is tried again with a sound one', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  bench.script({ imaging: { damage: 'calibrated', error: 'DATA_UNUSABLE', times: 1 } })
  const { exitCode, err } = await bench.run()
  assert.equal(exitCode, 0, err)
  assert.match(err, /imaging +waits for its inputs, which were damaged/)
  assert.deepEqual(
    bench.played().map(({ stage }) => stage),
    ['conversion', 'calibration', 'imaging', 'calibration', 'imaging', 'validation'],
  )
})

test('a stage that fails over sound inputs fails', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  bench.script({ imaging: { error: 'DATA_UNUSABLE' } })
  const { exitCode, err } = await bench.run()
  assert.equal(exitCode, 1)
  assert.match(err, /imaging failed/)
  assert.equal(bench.played().filter(({ stage }) => stage === 'imaging').length, 1)
})

test('a damaged set of another observation is not used; the next best one is', async (t) => {
  const bench = workbench(t)
  const [early, late] = ['20260125T200000', '20260125T210000']
  bench.give({ observations: [observation(early, { hour: 20 }), observation(late, { hour: 21 })] })
  const first = await bench.run()
  assert.equal(first.exitCode, 0, first.err)
  const target = observation(id, { hour: 22, calibrators: [] })
  const solutions = first.document.observations.find((each) => each.id === late)?.steps[1]?.product ?? ''
  changeByte(join(solutions, 'solutions/data'))
  rmSync(bench.input, { recursive: true })
  bench.give({ observations: [target] })
  const { exitCode, err } = await bench.run()
  assert.equal(exitCode, 0, err)
  assert.match(err, /solutions\/data has another content than was committed/)
  assert.match(err, /planned again, because a product that calibration reads was damaged/)
  assert.match(err, new RegExp(`calibrator: .*${early}`))
})

test('a product whose key file was lost or damaged is reused, and the file is written again', async (t) => {
  const { bench, product } = await finished(t)
  const path = `${product('calibration')}.key.json`
  const before = readFileSync(path, 'utf8')
  for (const text of ['', before.replace(/"mode": "\w/, '"mode": "x')]) {
    writeFileSync(path, text)
    const { document } = await bench.run()
    assert.equal(document.observations[0]?.steps[1]?.status, 'cached')
    assert.equal(readFileSync(path, 'utf8'), before)
  }
})
