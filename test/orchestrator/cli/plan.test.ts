import assert from 'node:assert/strict'
import { existsSync, globSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { acquireLock } from '../../../orchestrator/runs/lock.ts'
import type { PlanDocument } from '../../../orchestrator/view/plan.ts'
import { observation, workbench, type Workbench } from '../workbench.ts'

const [first, second, third] = ['20260125T222605', '20260125T223114', '20260126T010000'] as const

async function planned(bench: Workbench, ...argv: string[]): Promise<PlanDocument> {
  const { exitCode, out, err } = await bench.cli('plan', '--input', bench.input, '-o', 'json', ...argv)
  assert.equal(exitCode, 0, err)
  return JSON.parse(out) as PlanDocument
}

const stages = ({ observations }: PlanDocument): string[] =>
  observations.flatMap(({ id, steps }) => steps.map(({ stage, cached }) => `${id} ${stage}${cached ? ' cached' : ''}`))

test('a plan says what would run and starts nothing; after a run it says what is reused and why the rest is not', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(first)] })
  const before = await planned(bench)
  assert.deepEqual(stages(before), [
    `${first} conversion`,
    `${first} calibration`,
    `${first} imaging`,
    `${first} validation`,
  ])
  assert.equal(bench.played().length, 0)
  assert.equal(existsSync(join(bench.root, 'runs')), false)
  assert.ok(before.totals.peakMemoryBytes > 1e8 && before.totals.makespanSeconds > 1)
  const text = (await bench.cli('plan', '--input', bench.input)).out
  assert.match(text, new RegExp(`^${first} {2}solves on 3C286: `))
  assert.match(text, /imaging +[0-9a-f]{12} +run +\d+ MiB of .* scratch \d+ MiB +about .* +new\n/)
  assert.match(text, /1 observation, 4 steps to run, 0 reused; about /)

  await bench.run()
  const names = (await bench.cli('plan', '--input', bench.input, '--set', 'imaging.preset=fine', '-o', 'name')).out
  assert.match(names, new RegExp(`^${first}/imaging/[0-9a-f]{12}\n${first}/validation/[0-9a-f]{12}\n$`))
  const changed = await planned(bench, '--set', 'imaging.preset=fine')
  assert.equal(changed.observations[0]?.steps[2]?.why, 'params.preset standard -> fine')
  assert.match((await bench.cli('plan', '--input', bench.input)).out, /4 reused; nothing is left to do/)
  assert.match(
    (await bench.cli('run', '--input', bench.input, '--dry-run=plan')).out,
    /4 reused; nothing is left to do/,
  )
})

test('observations are selected by ids, patterns and ranges', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [first, second, third].map((id, hour) => observation(id, { hour })) })
  const cases: [string, string[]][] = [
    [second, [second]],
    ['20260125*', [first, second]],
    [`${second}..`, [second, third]],
    ['20260125T223..20260126', [second, third]],
    [`..${first},${third}`, [first, third]],
  ]
  for (const [wanted, expected] of cases) {
    const { observations } = await planned(bench, '--observations', wanted)
    assert.deepEqual(observations.map(({ id }) => id).sort(), expected, wanted)
  }
  const none = await bench.cli('plan', '--input', bench.input, '--observations', '2027*')
  assert.deepEqual([none.exitCode, /OBSERVATIONS_UNKNOWN/.test(none.err)], [2, true])
})

test('until ends a run early, only takes one stage up from there, from needs what comes before', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(first)] })
  const early = await bench.cli('run', '--input', bench.input, '--from', 'imaging')
  assert.equal(early.exitCode, 2)
  assert.match(
    early.err,
    new RegExp(
      `there is no product of conversion of ${first}, calibration of ${first} \\[UPSTREAM_NEEDED\\]\n +fix +leave --from and --only out, or begin at conversion`,
    ),
  )
  assert.equal((await bench.run('--until', 'calibration')).exitCode, 0)
  assert.deepEqual(
    bench.played().map(({ stage }) => stage),
    ['conversion', 'calibration'],
  )
  const only = await bench.run('--only', 'imaging')
  assert.equal(only.exitCode, 0, only.err)
  assert.deepEqual(
    only.document.observations[0]?.steps.map(({ stage, cached }) => [stage, cached]),
    [
      ['conversion', true],
      ['calibration', true],
      ['imaging', false],
    ],
  )
  const wrong = await bench.cli('run', '--input', bench.input, '--from', 'imaging', '--until', 'conversion')
  assert.match(wrong.err, /execution\.from: imaging comes after conversion.*\[CONFIG_INVALID\]/)
  assert.match((await bench.cli('run', '--only', 'flagging')).err, /Allowed choices are conversion, calibration/)
})

test('fresh makes products again that exist, from the first stage that runs, and leaves no old ones', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(first)] })
  const before = await bench.run()
  const again = await bench.run('--fresh', '--from', 'imaging')
  assert.equal(again.exitCode, 0, again.err)
  assert.deepEqual(
    bench.played().map(({ stage }) => stage),
    ['conversion', 'calibration', 'imaging', 'validation', 'imaging', 'validation'],
  )
  assert.match(again.err, /imaging +re-run: as asked, although its product exists/)
  const products = (document: typeof before.document): (string | null)[] =>
    document.observations.flatMap(({ steps }) => steps.map(({ product }) => product))
  assert.deepEqual(products(again.document), products(before.document))
  assert.deepEqual(globSync('products/*/*/.*', { cwd: bench.root }), [])

  const lock = await acquireLock(join(bench.root, 'runs', again.document.run, 'lock'))
  t.after(() => lock.release())
  const busy = await bench.cli('run', '--input', bench.input, '--fresh')
  assert.equal(busy.exitCode, 2)
  assert.match(busy.err, /which may use what --fresh makes again \[RUN_LOCKED\]\n +fix +wait for it, end it/)
})

test('a run that takes longer than its limit ends with exit code 5 and can go on', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(first)] })
  bench.script({ imaging: { waitMs: 60_000 } })
  const { exitCode, err, out } = await bench.cli('run', '--input', bench.input, '--name', 'short', '--timeout', '2s')
  assert.equal(exitCode, 5, err)
  if (/ended the scan/.test(err)) return t.skip('this machine is too busy: the time was over before the run began')
  assert.match(err, /the time limit of 2\.0 s ended the run \[RUN_TIMED_OUT\]\n +fix +contimg resume short goes on/)
  assert.match(out, /^short {2}/)
  bench.script({})
  assert.equal((await bench.cli('resume', 'short')).exitCode, 0)
  assert.match((await bench.cli('run', '--timeout', 'soon')).err, /expected a time such as 90s, 30m or 2h/)
})

test('the configuration is shown with the origin of each value', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [] })
  writeFileSync(join(bench.folder, 'c.yaml'), 'imaging:\n  preset: fine\nexecution: {failOn: bad}\n')
  const { out } = await bench.cli(
    'plan',
    'c.yaml',
    '--show-config',
    '--set',
    'validation.seedSigma=6',
    '--until',
    'imaging',
  )
  assert.match(out, /^root +\S+ +CONTIMG_ROOT=/m)
  assert.match(out, /^imaging\.preset +fine +c\.yaml:2:3$/m)
  assert.match(out, /^execution\.failOn +bad +c\.yaml:3:13$/m)
  assert.match(out, /^execution\.until +imaging +--until imaging$/m)
  assert.match(out, /^validation\.seedSigma +6 +--set validation\.seedSigma=6$/m)
  assert.match(out, /^imaging\.sizePixels +null +default$/m)
})
