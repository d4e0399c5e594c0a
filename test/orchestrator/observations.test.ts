import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { calibrator, observation, workbench } from './workbench.ts'

const solver = '20260125T222605'
const target = '20260125T223114'

const bare = { calibrators: [], hour: 0.1 }

test('a target takes the solution set of a calibrator observation of the same run and waits for it', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(target, bare), observation(solver)] })
  const { exitCode, document, err } = await bench.run()
  assert.equal(exitCode, 0, err)
  assert.deepEqual(
    document.observations.map(({ id, status }) => [id, status]),
    [
      [solver, 'done'],
      [target, 'done'],
    ],
  )
  const calibrations = bench.played().filter(({ stage }) => stage === 'calibration')
  assert.deepEqual(
    calibrations.map(({ observation: id, params, inputs }) => [id, params['calibrator'], inputs['solutions'] ?? null]),
    [
      [solver, '3C286', null],
      [target, null, 1],
    ],
  )
  assert.match(
    err,
    new RegExp(`${target} +calibrator: no calibrator of its own; the set of ${solver} on 3C286 covers it`),
  )
})

test('a target takes the set of an earlier run', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(solver)] })
  await bench.run()
  bench.give({ observations: [observation(target, bare)] })
  const { exitCode, err, document } = await bench.run()
  assert.equal(exitCode, 0, err)
  bench.give({ observations: [observation(target, bare), observation(solver)] })
  const both = await bench.run()
  assert.deepEqual(
    both.document.observations.flatMap(({ steps }) => steps.map(({ cached }) => cached)),
    Array(8).fill(true),
  )
  assert.equal(both.document.observations[1]?.steps[1]?.key, document.observations[0]?.steps[1]?.key)
})

test('without a calibrator and a set the observation fails where it is calibrated, and no product claims otherwise', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(target, bare)] })
  const { exitCode, document, err } = await bench.run()
  assert.equal(exitCode, 1)
  const [found] = document.observations
  assert.deepEqual([found?.status, found?.verdict, found?.error?.code], ['failed', 'not run', 'NO_CALIBRATOR'])
  assert.deepEqual(
    found?.steps.map(({ status }) => status),
    ['done', 'failed', 'skipped', 'skipped'],
  )
  assert.match(err, /calibration failed: no calibrator.*\[NO_CALIBRATOR\]/)
  assert.match(err, /fix +use --uncalibrated/)
  assert.match(err, /kept +conversion of this observation/)
  const [, command = ''] = /logs +contimg (.+)/.exec(err) ?? []
  assert.match((await bench.cli(...command.split(' '))).out, /no calibrator in the beam/)
  assert.equal(existsSync(join(bench.root, 'quarantine')), false)
})

test('sets too far away in declination or time are no choice, and the reasons are told', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(solver, { decOfDateRad: 0.9 }), observation(target, bare)] })
  const { exitCode, err } = await bench.run()
  assert.equal(exitCode, 1)
  assert.match(err, new RegExp(`not ${solver} \\(3C286\\): 21\\.2 deg away in declination`))
})

test('a bad own set is kept and never applied: the observation takes the next best, its targets too', async (t) => {
  const bench = workbench(t)
  const other = '20260125T213000'
  bench.give({ observations: [observation(other, { hour: -1 }), observation(solver), observation(target, bare)] })
  bench.script({ [`calibration ${solver}`]: { verdict: 'bad', blocking: true, without: ['calibrated'] } })
  // The script speaks of the stage and the observation: the second calibration would be bad as well.
  const first = await bench.run()
  assert.equal(first.exitCode, 3)
  assert.match(first.err, new RegExp(`planned again, because the solution set of ${solver} is bad`))
  const steps = first.document.observations.find(({ id }) => id === solver)?.steps ?? []
  assert.deepEqual(
    steps.map(({ stage }) => stage),
    ['conversion', 'calibration', 'calibration', 'imaging', 'validation'],
  )
  const reference = bench.played().filter(({ stage, observation: id }) => stage === 'calibration' && id === target)
  assert.deepEqual(
    reference.map(({ inputs }) => inputs['solutions']),
    [1],
  )
  bench.script({})
  const second = await bench.run()
  assert.equal(second.document.observations.find(({ id }) => id === target)?.verdict, 'good')
})

test('a set that calibration refuses to apply gives way to the next best', async (t) => {
  const bench = workbench(t)
  const other = '20260125T213000'
  bench.give({ observations: [observation(other, { hour: -1 }), observation(solver), observation(target, bare)] })
  bench.script({ [`calibration ${target}`]: { error: 'NO_CALIBRATOR', times: 1 } })
  const { exitCode, document, err } = await bench.run()
  assert.equal(exitCode, 0, err)
  assert.match(err, new RegExp(`${target} +planned again, because the script asks for NO_CALIBRATOR`))
  assert.match(err, new RegExp(`the set of ${other} on 3C286 covers it`))
  assert.doesNotMatch(err, /calibration failed/)
  const found = document.observations.find(({ id }) => id === target)
  assert.deepEqual(
    found?.steps.map(({ status }) => status),
    ['done', 'done', 'done', 'done'],
  )
})

test('when no other set is left the refusal stands', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(solver), observation(target, bare)] })
  bench.script({ [`calibration ${target}`]: { error: 'NO_CALIBRATOR' } })
  const { exitCode, document } = await bench.run()
  assert.equal(exitCode, 1)
  const found = document.observations.find(({ id }) => id === target)
  assert.deepEqual(
    [found?.status, found?.error?.code, ...(found?.steps ?? []).map(({ status }) => status)],
    ['failed', 'NO_CALIBRATOR', 'done', 'failed', 'skipped', 'skipped'],
  )
})

test('a set that could not be solved fails its own observation and leaves its targets without one', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(solver), observation(target, bare)] })
  bench.script({ [`calibration ${solver}`]: { error: 'DATA_UNUSABLE' } })
  const { exitCode, document, err } = await bench.run()
  assert.equal(exitCode, 1)
  assert.deepEqual(
    document.observations.map(({ id, error }) => [id, error?.code]),
    [
      [solver, 'DATA_UNUSABLE'],
      [target, 'NO_CALIBRATOR'],
    ],
  )
  assert.match(err, new RegExp(`${target} +planned again, because the solution set of ${solver} could not be solved`))
  assert.deepEqual(globSync(`products/${solver}/{calibration,imaging,validation}/*`, { cwd: bench.root }), [])
})

test('a bad set with no other stops its observation as skipped and exits with 3', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(solver)] })
  bench.script({ calibration: { verdict: 'bad', blocking: true, without: ['calibrated'] } })
  const { exitCode, document } = await bench.run()
  assert.equal(exitCode, 3)
  const [found] = document.observations
  assert.deepEqual([found?.status, found?.verdict, found?.error?.code], ['skipped', 'bad', 'BLOCKED'])
  assert.deepEqual(
    found?.steps.map(({ status }) => status),
    ['done', 'done', 'skipped', 'skipped'],
  )
})

test('a weak calibrator of its own serves only when no set covers', async (t) => {
  const weak = { calibrators: [calibrator('3C48', { meanBeam: 0.3, rule: 6 })], hour: 0.1 }
  const alone = workbench(t)
  alone.give({ observations: [observation(target, weak)] })
  await alone.run()
  assert.equal(alone.played().find(({ stage }) => stage === 'calibration')?.params['calibrator'], '3C48')
  const together = workbench(t)
  together.give({ observations: [observation(target, weak), observation(solver)] })
  await together.run()
  const calibration = together.played().find(({ stage, observation: id }) => stage === 'calibration' && id === target)
  assert.deepEqual([calibration?.params['calibrator'], calibration?.inputs['solutions']], [null, 1])
})

test('a pinned calibrator is used wherever it is in the beam', async (t) => {
  const bench = workbench(t)
  bench.give({
    observations: [observation(solver, { calibrators: [calibrator('3C286'), calibrator('3C48', { rule: 4 })] })],
  })
  await bench.run('--set', 'calibration.calibrator=3C48')
  assert.equal(bench.played().find(({ stage }) => stage === 'calibration')?.params['calibrator'], '3C48')
})

test('uncalibrated is asked for by one flag and needs no calibrator', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(target, bare)] })
  bench.script({ validation: { verdict: 'bad' } })
  const { exitCode, err } = await bench.run('--uncalibrated')
  assert.equal(exitCode, 3)
  assert.match(err, /uncalibrated, as asked/)
  const calibration = bench.played().find(({ stage }) => stage === 'calibration')
  assert.equal(calibration?.params['mode'], 'none')
  assert.equal(bench.played().find(({ stage }) => stage === 'validation')?.inputs['solutions'] ?? null, null)
})

test('too few subbands: skipped, exit 1, no quarantine; the others finish', async (t) => {
  const bench = workbench(t)
  bench.give({
    observations: [observation(solver), observation(target, { subbands: [0, 1, 2, 3, 5, 6, 7, 8, 10, 15] })],
  })
  const { exitCode, document, err } = await bench.run()
  assert.equal(exitCode, 1)
  assert.deepEqual(
    document.observations.map(({ id, status, error }) => [id, status, error?.code]),
    [
      [target, 'skipped', 'SUBBANDS_MISSING'],
      [solver, 'done', undefined],
    ],
  )
  assert.match(err, /6 of 16 subbands are missing \(04, 09, 11, 12, 13, 14\); ingest\.minSubbands asks for at least 12/)
  assert.match(err, /fix [^]*--set ingest\.minSubbands=10/)
  assert.equal(existsSync(join(bench.root, 'quarantine')), false)
  const lowered = await bench.run('--set', 'ingest.minSubbands=10')
  assert.equal(lowered.exitCode, 0)
})

test('a run whose observations were all skipped calls none of them failed', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(target, { subbands: [0, 1] })] })
  const { exitCode, out, err } = await bench.cli('run', '--input', bench.input)
  assert.equal(exitCode, 1)
  assert.match(out, /^\S+ {2}skipped in 0:00/)
  assert.match(out, new RegExp(`^skipped 14 of 16 subbands are missing .*\\[SUBBANDS_MISSING\\] ${target}$`, 'm'))
  assert.match(err, /skipped 14 of 16 subbands are missing/)
  assert.doesNotMatch(out + err + (await bench.cli('get')).out, /FAILED|failed/)
})

test('what concerns an observation as a whole is told of it and not of a file', async (t) => {
  const bench = workbench(t)
  bench.give({
    observations: [
      observation(solver, { warnings: [{ message: 'subband 03 is absent' }, { file: 'a.hdf5', message: 'odd' }] }),
    ],
  })
  const { err } = await bench.run()
  assert.match(err, new RegExp(`note: ${solver}: subband 03 is absent\n`))
  assert.match(err, /note: a\.hdf5: odd\n/)
})

const fault = { code: 'DATA_UNREADABLE' as const, message: 'it is not an HDF5 file', hint: 'copy it again' }

test('a file that cannot be read is quarantined; the rest of its observation goes on when enough is left', async (t) => {
  const bench = workbench(t)
  const file = `${solver}_sb03.hdf5`
  const subbands = [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
  bench.give({ observations: [observation(solver, { subbands, faults: [{ file, ...fault }] })] })
  const { exitCode, err } = await bench.run()
  assert.equal(exitCode, 0)
  assert.match(err, new RegExp(`${file} is set aside: it is not an HDF5 file \\[DATA_UNREADABLE\\]`))
  const record = JSON.parse(readFileSync(join(bench.root, 'quarantine', solver, `${file}.json`), 'utf8')) as Record<
    string,
    unknown
  >
  assert.deepEqual([record['code'], record['file'], record['input']], ['DATA_UNREADABLE', file, bench.input])
})

test('files that belong to no observation make one that failed', async (t) => {
  const bench = workbench(t)
  bench.give({
    observations: [],
    faults: [
      { file: 'junk/../x<b>.hdf5', ...fault },
      { file: 'a.hdf5', ...fault, observation: target },
    ],
  })
  const { exitCode, document, err } = await bench.run()
  assert.equal(exitCode, 1)
  assert.deepEqual(
    document.observations.map(({ status, error }) => [status, error?.code]),
    [
      ['failed', 'DATA_UNREADABLE'],
      ['failed', 'DATA_UNREADABLE'],
    ],
  )
  assert.match(err, /a\.hdf5: it is not an HDF5 file/)
  assert.deepEqual(readdirSync(join(bench.root, 'quarantine')).sort(), [target, 'junk_.._x_b_.hdf5'].sort())
  assert.equal(existsSync(join(bench.root, 'products')), false)
})

test('faults that leave too few subbands fail the observation with their reason', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(solver, { subbands: [0, 1], faults: [{ file: 'x.hdf5', ...fault }] })] })
  const { exitCode, document } = await bench.run()
  assert.equal(exitCode, 1)
  assert.equal(document.observations[0]?.error?.code, 'DATA_UNREADABLE')
  assert.match(
    document.observations[0]?.error?.message ?? '',
    /x\.hdf5: it is not an HDF5 file; 2 of 16 subbands are left, at least 12 are needed/,
  )
})

test('raw data at fault in a step set the observation aside', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(solver), observation(target)] })
  bench.script({ [`conversion ${target}`]: { error: 'DATA_IMPLAUSIBLE' } })
  const { exitCode, document } = await bench.run()
  assert.equal(exitCode, 1)
  assert.deepEqual(
    document.observations.map(({ status }) => status),
    ['done', 'failed'],
  )
  assert.deepEqual(readdirSync(join(bench.root, 'quarantine')), [target])
})

test('a bad verdict is a result: products stay, exit 3', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(solver)] })
  bench.script({ validation: { verdict: 'bad' } })
  const { exitCode, document } = await bench.run()
  assert.equal(exitCode, 3)
  assert.deepEqual(
    [document.status, document.observations[0]?.status, document.observations[0]?.verdict],
    ['done', 'done', 'bad'],
  )
})

test('an uncertain verdict passes, unless failOn says otherwise', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(solver)] })
  bench.script({ validation: { verdict: 'uncertain' } })
  assert.equal((await bench.run()).exitCode, 0)
  assert.equal((await bench.run('--set', 'execution.failOn=uncertain')).exitCode, 3)
})

test('a stage that was killed once is tried again and its product is whole', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(solver)] })
  bench.script({ imaging: { crash: 'SIGKILL', times: 1 } })
  const { exitCode, err } = await bench.run()
  assert.equal(exitCode, 0, err)
  assert.match(err, /attempt 1 ended: killed by SIGKILL.*trying again/)
  const left = readdirSync(join(bench.root, 'products', solver, 'imaging'))
  assert.deepEqual(
    left.filter((name) => name.startsWith('.')),
    [],
  )
  assert.equal(existsSync(join(bench.root, '.scratch')), false)
})

test('a stage that cannot even start is not tried again', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(solver)] })
  bench.script({ validation: { crash: 'import' } })
  const { exitCode, document, err } = await bench.run()
  assert.equal(exitCode, 1)
  const error = document.observations[0]?.error
  assert.equal(error?.code, 'STAGE_CRASHED')
  assert.match(error?.message ?? '', /exit code 1 without saying why/)
  assert.match(error?.why ?? '', /its last words: .*no-such-module/)
  assert.doesNotMatch(err, /trying again|attempt 2/)
  assert.match(err, /kept +conversion, calibration and imaging of this observation/)
})

test('a stage that always crashes fails its observation and not the others', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(solver), observation(target, { hour: 0.1 })] })
  bench.script({ [`imaging ${solver}`]: { crash: 'exit', times: 5 } })
  const { exitCode, document } = await bench.run()
  assert.equal(exitCode, 1)
  assert.deepEqual(
    document.observations.map(({ status, error }) => [status, error?.code]),
    [
      ['failed', 'STAGE_CRASHED'],
      ['done', undefined],
    ],
  )
})

test('a stage that breaks its contract is an error, not a product', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(solver)] })
  bench.script({ imaging: { without: ['psf'] } })
  const { exitCode, document } = await bench.run()
  assert.equal(exitCode, 1)
  assert.equal(document.observations[0]?.error?.code, 'OUTPUT_INVALID')
})

test('a time limit ends a stage that hangs', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(solver)] })
  bench.script({ imaging: { waitMs: 60_000 } })
  const { exitCode, document } = await bench.run('--set', 'execution.timeouts.imaging=1')
  assert.equal(exitCode, 1)
  assert.equal(document.observations[0]?.error?.code, 'TIME_LIMIT')
})

test('only the selected observations are processed', async (t) => {
  const bench = workbench(t)
  bench.give({ observations: [observation(solver), observation(target)] })
  const { document } = await bench.run('--observations', '*2231??')
  assert.deepEqual(
    document.observations.map(({ id }) => id),
    [target],
  )
  const none = await bench.cli('run', '--input', bench.input, '--observations', '2027*')
  assert.equal(none.exitCode, 2)
  assert.match(none.err, /OBSERVATIONS_UNKNOWN/)
})
