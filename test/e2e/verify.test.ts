import assert from 'node:assert/strict'
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test, type TestContext } from 'node:test'
import { observation, workbench, type Workbench } from '../orchestrator/workbench.ts'

const [first, second] = ['20260125T222605', '20260125T223114'] as const

interface Answer {
  good: number
  damaged: number
  products: {
    product: string
    observation: string
    stage: string
    status: string
    findings: { file: string; why: string }[]
    movedTo?: string
  }[]
  movedAsideEarlier: string[]
}

/** Two observations, run to the end under the name `mine`; the products of the first. */
async function finished(t: TestContext): Promise<{ bench: Workbench; products: string[] }> {
  const bench = workbench(t)
  bench.give({ observations: [observation(first), observation(second)] })
  const { document } = await bench.run('--name', 'mine')
  return { bench, products: document.observations[0]?.steps.map(({ product }) => product ?? '') ?? [] }
}

async function verify(bench: Workbench, ...argv: string[]): Promise<{ exitCode: number; answer: Answer }> {
  const { exitCode, out } = await bench.cli('verify', ...argv, '-o', 'json')
  return { exitCode, answer: JSON.parse(out) as Answer }
}

test('verify takes everything, a run, an observation, a product or the beginning of a key', async (t) => {
  const { bench, products } = await finished(t)
  const [conversion = ''] = products
  const key = conversion.split('/').at(-1) ?? ''
  for (const [what, count] of [
    [[], 8],
    [['mine'], 8],
    [['@latest'], 8],
    [[first], 4],
    [[`products/${first}/conversion`], 1],
    [[conversion], 1],
    [[relative(bench.folder, conversion)], 1],
    [[key.slice(0, 6)], 1],
  ] as const) {
    const { exitCode, answer } = await verify(bench, ...what)
    assert.equal(exitCode, 0, what.join())
    assert.equal(answer.good, count, what.join())
  }
  const unknown = await bench.cli('verify', 'nothing', '-o', 'json')
  assert.equal(unknown.exitCode, 2)
  assert.match(unknown.err, /"nothing" is no run, observation or product under .*\[PRODUCT_NOT_FOUND\]/)
})

test('verify names each damaged file with the reason, and moves aside only when asked', async (t) => {
  const { bench, products } = await finished(t)
  const [conversion = '', , imaging = ''] = products
  appendFileSync(join(imaging, 'image.fits'), 'x')
  writeFileSync(join(conversion, 'measurement-set/data'), 'other')
  writeFileSync(join(conversion, 'stage.log'), '')

  const { exitCode, answer } = await verify(bench, first)
  assert.equal(exitCode, 1)
  assert.deepEqual([answer.good, answer.damaged], [2, 2])
  const findings = Object.fromEntries(answer.products.map(({ stage, findings: found }) => [stage, found]))
  assert.deepEqual(findings['conversion'], [
    { file: 'measurement-set/data', why: 'has another content than was committed' },
    { file: 'stage.log', why: 'has another content than was committed' },
  ])
  assert.match(findings['imaging']?.[0]?.why ?? '', /^has \d+ bytes, not \d+$/)
  assert.ok(existsSync(imaging))

  const text = await bench.cli('verify', '--no-utf8')
  assert.match(
    text.out,
    /FAILED products\/\S+\n {2}why {3}measurement-set\/data has another content than was committed/,
  )
  assert.match(text.out, /8 products, .* as committed, 2 damaged/)
  assert.match(text.out, /contimg verify --move-aside/)
  const names = await bench.cli('verify', '-o', 'name')
  assert.deepEqual(
    names.out.trim().split('\n').toSorted(),
    [conversion, imaging].map((path) => relative(bench.root, path)).toSorted(),
  )

  const moved = await verify(bench, '--move-aside')
  assert.equal(moved.exitCode, 1)
  for (const { status, movedTo } of moved.answer.products)
    assert.equal(movedTo !== undefined && existsSync(join(bench.root, movedTo, 'rejected.json')), status === 'damaged')
  assert.equal(existsSync(imaging), false)
  const after = await verify(bench)
  assert.deepEqual([after.exitCode, after.answer.good, after.answer.movedAsideEarlier.length], [0, 6, 2])
  const again = await bench.run()
  assert.equal(again.exitCode, 0, again.err)
  assert.equal((await verify(bench)).answer.good, 8)
})

test('the list of hashes is one that sha256sum reads, and a data root that was moved is verified', async (t) => {
  const { bench, products } = await finished(t)
  const [conversion = ''] = products
  assert.match(
    readFileSync(join(conversion, 'checksums.sha256'), 'utf8'),
    /^[0-9a-f]{64} {2}measurement-set\/data\n[0-9a-f]{64} {2}stage\.log\n$/,
  )
  // Without what is remembered of files, as after a copy to another disk, a run hashes what it reuses.
  rmSync(join(bench.root, 'cache'), { recursive: true })
  const { document, err } = await bench.run()
  assert.ok(
    document.observations.flatMap(({ steps }) => steps).every(({ cached }) => cached),
    err,
  )
  assert.ok(existsSync(join(bench.root, 'cache/verified')))
})
