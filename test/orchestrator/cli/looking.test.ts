import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { RunDocument } from '../../../orchestrator/view/document.ts'
import { observation, workbench } from '../workbench.ts'

const [good, bad] = ['20260125T222605', '20260125T223114'] as const

test('get shows only what failed, and a document of it', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(good), observation(bad, { hour: 1 })] })
  bench.script({ [`imaging ${bad}`]: { error: 'PARAMS_INVALID' } })
  assert.equal((await bench.cli('run', '--input', bench.input, '--name', 'mixed', '-q')).exitCode, 1)
  const tree = (await bench.cli('get', 'mixed', '--failed')).out
  assert.match(tree, new RegExp(`${bad} {2}failed`))
  assert.doesNotMatch(tree, new RegExp(good))
  assert.equal((await bench.cli('get', '--failed', '-o', 'name')).out, `${bad}\n`)
  const { observations } = JSON.parse((await bench.cli('get', '--failed', '-o', 'json')).out) as RunDocument
  assert.deepEqual(
    observations.map(({ id }) => id),
    [bad],
  )
  // Of a run that has ended there is nothing to watch: its exit code is told at once.
  assert.equal((await bench.cli('get', '-w')).exitCode, 1)
  assert.equal((await bench.cli('get')).exitCode, 0)
})

test('list takes runs of some status and so many of them', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(good)] })
  for (const name of ['one', 'two']) await bench.run('--name', name, '--until', 'conversion')
  bench.script({ imaging: { error: 'PARAMS_INVALID' } })
  await bench.run('--name', 'three')
  const names = async (...argv: string[]): Promise<string[]> =>
    (await bench.cli('list', '-o', 'name', ...argv)).out.split('\n').filter((name) => name !== '')
  assert.deepEqual(await names(), ['three', 'two', 'one'])
  assert.deepEqual(await names('--limit', '2'), ['three', 'two'])
  assert.deepEqual(await names('--status', 'failed,cancelled'), ['three'])
  assert.deepEqual(await names('--status', 'done', '--limit', '1'), ['two'])
  const nothing = await bench.cli('list', '--status', 'running')
  assert.deepEqual([nothing.exitCode, nothing.out], [0, ''])
  assert.match(nothing.err, /none of the 3 runs under .* is running/)
  assert.match((await bench.cli('list', '--status', 'broken')).err, /"broken" is none of planned, running/)
  assert.match((await bench.cli('list', '--limit', 'few')).err, /expected a whole number, at least 1/)
  assert.match((await bench.cli('list', '-o', 'wide')).out, /STARTED +VERSION +INPUT\n.*incoming/)
})

test('logs are the same live from an attempt and stored with the product', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(good)] })
  bench.script({ imaging: { log: 'a word\u001b[2J of the stage' } })
  const { document } = await bench.run('--name', 'here')
  const stored = (await bench.cli('logs', 'here', good, 'imaging')).out
  assert.match(stored, /^\d\d:\d\d:\d\d\.\d{3} {2}imaging {6}a word\\x1b\[2J of the stage$/m)
  const product = document.observations[0]?.steps.find(({ stage }) => stage === 'imaging')?.product ?? ''
  assert.ok(existsSync(join(product, 'stage.log')))
  rmSync(join(product, 'stage.log'))
  assert.equal((await bench.cli('logs', 'here', good, 'imaging')).out, stored)

  const key = document.observations[0]?.steps[2]?.key ?? ''
  for (const argv of [
    ['@latest', '2026', 'im'],
    ['he', key.slice(0, 8)],
  ])
    assert.equal((await bench.cli('logs', ...argv)).out, stored, argv.join(' '))
  const raw = (await bench.cli('logs', 'here', good, 'imaging', '--raw')).out.trim().split('\n')
  assert.ok(raw.every((line) => (JSON.parse(line) as { stage: string }).stage === 'imaging'))
  assert.equal((await bench.cli('logs', 'here', '--tail', '1')).out.split('\n').length, 2)
  assert.equal((await bench.cli('logs', 'here', '--tail', '0')).out, '')
  assert.equal((await bench.cli('logs', 'here', '--since', '2h')).out, (await bench.cli('logs', 'here')).out)

  // A run that has reused the product shows the log of the run that made it.
  rmSync(join(bench.root, 'runs/here'), { recursive: true })
  await bench.run('--name', 'later')
  assert.match((await bench.cli('logs', 'later', good, 'conversion')).out, /conversion/)
})

test('logs of a step that failed are those of all its attempts', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(good)] })
  bench.script({ imaging: { crash: 'SIGKILL', times: 1, log: 'begun' } })
  assert.equal((await bench.run('--name', 'twice')).exitCode, 0)
  bench.script({ validation: { error: 'PARAMS_INVALID' } })
  await bench.run('--name', 'never', '--fresh')
  assert.match(
    (await bench.cli('logs', 'never', good, 'validation')).out,
    /ERROR {2}validation failed: the script asks for PARAMS_INVALID/,
  )
})

test('logs that are followed come as they are written, until the step has ended', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(good)] })
  bench.script({ imaging: { waitMs: 1500, log: 'before the wait' } })
  const run = bench.cli('run', '--input', bench.input, '--name', 'live')
  while (!existsSync(join(bench.root, 'runs/live/events.ndjson')))
    await new Promise((resolve) => setTimeout(resolve, 50))
  while (!/"observation.planned"/.test(readFileSync(join(bench.root, 'runs/live/events.ndjson'), 'utf8')))
    await new Promise((resolve) => setTimeout(resolve, 50))
  const followed = await bench.cli('logs', 'live', good, 'imaging', '-f')
  assert.match(followed.out, /imaging {6}before the wait\n/)
  assert.equal((await run).exitCode, 0)
  assert.equal((await bench.cli('logs', 'live', good, 'imaging')).out, followed.out)
})

test('names that fit several things or none are answered with what there is', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(good), observation(bad, { hour: 1 })] })
  for (const name of ['brave-quasar', 'brave-pulsar']) await bench.run('--name', name, '--until', 'conversion')
  const cases: [string[], RegExp][] = [
    [['get', 'brave'], /"brave" may be .*brave-quasar.*\[RUN_NOT_FOUND\]/],
    [['logs', 'calm'], /there is no run "calm".*\[RUN_NOT_FOUND\]/],
    [['logs', '@latest', '20260125'], new RegExp(`"20260125" may be ${good} or ${bad} \\[STEP_NOT_FOUND\\]`)],
    [['logs', '@latest', 'zz'], new RegExp(`no observation or key that begins with "zz".*\n +fix +there are: ${good}`)],
    [['logs', '@latest', good, 'x'], /there is no stage "x" \[STEP_NOT_FOUND\]\n +fix +the stages are conversion/],
    [['logs', '@latest', good, 'c'], /"c" may be conversion or calibration/],
    [['logs', '@latest', good, 'imaging'], /has no step imaging.*\n +fix +it has: conversion/],
  ]
  for (const [argv, expected] of cases) {
    const { exitCode, err, out } = await bench.cli(...argv)
    assert.equal(exitCode, 2, argv.join(' '))
    assert.equal(out, '')
    assert.match(err, expected)
  }
  const document = JSON.parse((await bench.cli('get', 'brave', '-o', 'json')).out) as {
    apiVersion: string
    error: object
  }
  assert.equal(document.apiVersion, 'contimg/v1')
})

test('report writes its page where it is told to, and says what to do without a desktop', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(good)] })
  await bench.run('--name', 'here')
  assert.equal((await bench.cli('report', 'here', '--out', 'pages/here.html')).exitCode, 0)
  assert.equal(
    readFileSync(join(bench.folder, 'pages/here.html'), 'utf8'),
    readFileSync(join(bench.root, 'runs/here/report.html'), 'utf8'),
  )
  const { exitCode, err } = await bench.cli('report', 'here', '--out', '/proc/here.html')
  assert.deepEqual([exitCode, /OUTPUT_UNWRITABLE/.test(err)], [2, true])
})
