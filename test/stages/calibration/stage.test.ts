import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openMeasurementSet } from '#runtime/formats/measurement-set/read.ts'
import { createRandom } from '#runtime/numeric/random.ts'
import { openTiles } from '#runtime/formats/measurement-set/tiles.ts'
import { readSolutions } from '#runtime/formats/solutions.ts'
import { fluxAt } from '#runtime/sky/calibrators.ts'
import { createPredictor } from '#runtime/sky/predict.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { hashTree } from '#runtime/stage/files.ts'
import { calibrate, scratch, type StageOptions } from './stage-room.ts'
import { synthesize, type Synthetic, type SyntheticOptions } from './synthetic.ts'
import { writeSet, type SetOptions } from './synthetic-set.ts'

/** Noise of one sample for an SEFD of 6500 Jy, one integration and a channel of 976562.5 Hz. */
const sigma = 1.2957

async function observe(t: TestContext, synthetic: SyntheticOptions = {}, set: SetOptions = {}) {
  const dir = scratch(t)
  const s = synthesize({ sigma, noiseInJy: true, integrations: 8, antennas: 20, gainScatter: 0.5, ...synthetic })
  const measurementSet = await writeSet(join(dir, 'set'), s, set)
  const run = (options: Partial<StageOptions> = {}, name = 'product') => {
    const outputDir = join(dir, name)
    mkdirSync(outputDir)
    return calibrate({ outputDir, ...options, inputs: { measurementSet, ...options.inputs } }).then((outcome) => ({
      ...outcome,
      outputDir,
    }))
  }
  return { dir, s, measurementSet, run }
}

async function readCalibrated(outputDir: string) {
  const set = await openMeasurementSet(join(outputDir, 'calibrated', 'all.ms'))
  const { layout } = set
  const size = layout.rows * layout.channels * layout.polarizations
  const data = new Float32Array(2 * size)
  const weights = new Float32Array(size)
  const flags = new Uint8Array(size)
  const tiles = openTiles(layout, 'read')
  tiles.readData(0, layout.rows, 0, layout.channels, data)
  tiles.readWeights(0, layout.rows, 0, layout.channels, weights)
  tiles.readFlags(0, layout.rows, 0, layout.channels, flags)
  tiles.close()
  return { ...set, data, weights, flags }
}

type Calibrated = Awaited<ReturnType<typeof readCalibrated>>

/** Mean over unflagged samples of |data - sky|^2 times its weight per component, and the mean amplitude ratio. */
function compareWithSky(
  { layout, metadata, rows, data, weights, flags }: Calibrated,
  s: Synthetic,
): { chi2: number; ratio: number } {
  const { channels, polarizations } = layout
  const predictor = createPredictor({
    sources: s.sources,
    phaseCentre: metadata.phaseCentre,
    beam: metadata.beam,
    freqHz: metadata.freqHz,
  })
  const integration = Int32Array.from(rows.timeMjdS, (time) => metadata.beam.timeMjdS.indexOf(time))
  const sky = new Float32Array(2 * layout.rows * channels)
  predictor.predict(0, layout.rows, rows.uvwM, integration, sky)
  let sum = 0
  let dot = 0
  let norm = 0
  let count = 0
  for (let k = 0; k < flags.length; k++) {
    if (flags[k] === 1) continue
    const m = 2 * Math.floor(k / polarizations)
    const [re, im] = [data[2 * k] - sky[m], data[2 * k + 1] - sky[m + 1]]
    sum += weights[k] * (re * re + im * im)
    dot += data[2 * k] * sky[m] + data[2 * k + 1] * sky[m + 1]
    norm += sky[m] ** 2 + sky[m + 1] ** 2
    count++
  }
  return { chi2: sum / (2 * count), ratio: dot / norm }
}

function refusal(code: string, pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StageError, String(error))
    assert.equal(error.code, code)
    assert.match(error.message, pattern)
    return true
  }
}

test('an observation of a calibrator is calibrated: the sky in Jy, weights that are its noise', async (t) => {
  const { s, run } = await observe(t)
  const outcome = await run()
  assert.deepEqual(outcome.outputs, ['solutions', 'calibrated'])
  assert.ok(Math.abs((outcome.metrics.sefdMedianJy ?? 0) / 6500 - 1) < 0.05, `SEFD ${outcome.metrics.sefdMedianJy}`)
  const calibrated = await readCalibrated(outcome.outputDir)
  const { layout, metadata, rows } = calibrated
  assert.equal(layout.rows, (8 * 20 * 19) / 2)
  assert.equal(layout.channels, 12)
  assert.equal(metadata.freqHz[1] - metadata.freqHz[0], 2 * (s.freqHz[1] - s.freqHz[0]))
  assert.equal(metadata.freqHz[0], (s.freqHz[0] + s.freqHz[1]) / 2)
  assert.ok(rows.antenna1.every((antenna, row) => antenna !== rows.antenna2[row]))
  const { chi2, ratio } = compareWithSky(calibrated, s)
  // 18,240 independent samples: the ratio is good to 5e-4, chi-square to 1 %; gains take a few per cent of the noise.
  assert.ok(Math.abs(ratio - 1) < 2e-3, `scale ${ratio}`)
  assert.ok(chi2 > 0.85 && chi2 < 1.1, `chi-square ${chi2}`)
  assert.equal(metadata.extra['CALNAME'], '3C286')
  assert.equal(metadata.extra['UNCALIBR'], 0)
  assert.equal(metadata.extra['CHANAVG'], 2)
  assert.deepEqual(metadata.beam.raRad, s.beam.raRad)
  const sky = JSON.parse(readFileSync(join(outcome.outputDir, 'calibrated', 'sky-model.json'), 'utf8')) as {
    sources: { flux: Parameters<typeof fluxAt>[0] }[]
  }
  assert.ok(Math.abs(fluxAt(sky.sources[0].flux, 1.405e9) - 15.06) < 0.01)
})

test('one worker and three make the same bytes', async (t) => {
  const { run } = await observe(t, { integrations: 5, others: 3 })
  const one = await run({ cpu: 1 }, 'one')
  const three = await run({ cpu: 3 }, 'three')
  for (const output of ['solutions', 'calibrated']) {
    assert.equal(
      (await hashTree(join(one.outputDir, output))).sha256,
      (await hashTree(join(three.outputDir, output))).sha256,
    )
  }
})

test('reduced weights and flags of the input are honoured', async (t) => {
  const shape = { antennas: 16, integrations: 6, channels: 24, polarizations: 2, rows: (6 * 16 * 17) / 2 }
  const size = shape.rows * shape.channels * shape.polarizations
  // A quarter of the samples have half the weight and the noise to match would be larger; some are flagged in one feed.
  const weights = new Float32Array(size).fill(1)
  const flags = new Uint8Array(size)
  for (let k = 0; k < size; k += 4) weights[k] = 0.5
  for (let k = 0; k < size; k += 97) flags[k] = 1
  for (let k = 1; k < size; k += 211) weights[k] = 0
  const { s, run } = await observe(t, { ...shape }, { weights, flags })
  const outcome = await run()
  const expected = (Math.ceil(size / 97) + Math.floor((size - 2) / 211)) / size
  assert.ok(
    Math.abs((outcome.metrics.flaggedMissing ?? 0) - expected) < 0.15 * expected,
    `flagged ${outcome.metrics.flaggedMissing}`,
  )
  const { ratio } = compareWithSky(await readCalibrated(outcome.outputDir), s)
  assert.ok(Math.abs(ratio - 1) < 3e-3)
})

test('an absent subband, dead antennas and interference are flagged, counted and left out', async (t) => {
  const { dir, s } = await observe(t, { channels: 36, antennas: 24 })
  const cell = s.channels * s.polarizations
  for (let row = 0; row < s.timeMjdS.length; row++) {
    for (let c = 0; c < s.channels; c++) {
      for (let p = 0; p < s.polarizations; p++) {
        const k = 2 * (row * cell + c * s.polarizations + p)
        const dead = s.antenna1[row] === 3 || s.antenna2[row] === 3
        if (c >= 24 || dead) s.data[k] = s.data[k + 1] = 0
        else if (c === 7) s.data[k] += 400
        else if (row % 500 === 3 && c === 12) s.data[k + 1] = 1e5
      }
    }
  }
  const measurementSet = await writeSet(join(dir, 'bad'), s)
  const outputDir = join(dir, 'out')
  mkdirSync(outputDir)
  const { metrics, quality } = await calibrate({ inputs: { measurementSet }, outputDir })
  assert.equal(metrics.subbandsPresent, 2)
  assert.equal(metrics.antennasSolved, 23)
  // Samples of antenna 3: 23 of 276 baselines, all missing; one bad channel of 24, and a few spikes.
  assert.ok(Math.abs((metrics.flaggedMissing ?? 0) - 23 / 276) < 1e-9)
  assert.ok(Math.abs((metrics.flaggedChannel ?? 0) + (metrics.flaggedClip ?? 0) - (1 / 24) * (253 / 276)) < 1e-3)
  assert.equal(quality.checks.find(({ name }) => name === 'subbands')?.verdict, 'uncertain')
  const calibrated = await readCalibrated(outputDir)
  const { chi2, ratio } = compareWithSky(calibrated, s)
  assert.ok(Math.abs(ratio - 1) < 2e-3 && chi2 < 1.15, `${ratio}, ${chi2}`)
  const { channels, polarizations } = calibrated.layout
  for (let row = 0; row < calibrated.layout.rows; row++) {
    const flagged = calibrated.flags.subarray(row * channels * polarizations, (row + 1) * channels * polarizations)
    assert.ok(flagged.subarray(12 * polarizations).every((flag) => flag === 1))
    const dead = calibrated.rows.antenna1[row] === 3 || calibrated.rows.antenna2[row] === 3
    assert.equal(calibrated.rows.flagRow[row], dead ? 1 : 0)
  }
})

test('half of the antennas dead and a subband full of interference leave a usable set', async (t) => {
  const { dir, s } = await observe(t, { channels: 36, antennas: 30 })
  const random = createRandom(5)
  const cell = s.channels * s.polarizations
  for (let row = 0; row < s.timeMjdS.length; row++) {
    const dead = s.antenna1[row] % 2 === 1 || s.antenna2[row] % 2 === 1
    for (let k = row * cell; k < (row + 1) * cell; k++) {
      const c = Math.floor((k % cell) / s.polarizations)
      if (dead || (c >= 12 && c < 24 && random.next() < 0.9)) s.data[2 * k] = s.data[2 * k + 1] = 0
    }
  }
  const measurementSet = await writeSet(join(dir, 'half'), s)
  const outputDir = join(dir, 'out')
  mkdirSync(outputDir)
  const { metrics, outputs, warnings, quality } = await calibrate({ inputs: { measurementSet }, outputDir })
  assert.equal(metrics.antennasSolved, 15)
  assert.equal(metrics.subbandsPresent, 2)
  assert.match(warnings.join(), /left out subbands .* 1464\.0 MHz/)
  // Half of the array is gone: that alone makes the set bad by its table, and it is not applied.
  const bad = quality.checks.filter(({ verdict }) => verdict === 'bad').map(({ name }) => name)
  assert.deepEqual(bad, ['bandpassFlagged', 'gainFlagged', 'antennasSolved', 'dataFlagged', 'solutionSet'])
  assert.deepEqual(outputs, ['solutions'])
})

test('a set that is bad is kept and applied to nothing', async (t) => {
  const { run } = await observe(t, { sigma: 300 })
  const { outputs, quality, outputDir } = await run()
  assert.deepEqual(outputs, ['solutions'])
  assert.equal(quality.verdict, 'bad')
  assert.ok(
    quality.checks.some(({ name, verdict, blocking }) => name === 'solutionSet' && verdict === 'bad' && blocking),
  )
  assert.ok(!existsSync(join(outputDir, 'calibrated')))
  const { header } = await readSolutions(join(outputDir, 'solutions', 'set.ctgs'))
  assert.equal(header['grade'], 'bad')
})

test('without calibration the data are averaged as they are, and say so', async (t) => {
  const { s, run } = await observe(t, { gainScatter: 0 })
  const { outputs, metrics, quality, outputDir } = await run({ params: { mode: 'none', averageToHz: 1e6 } })
  assert.deepEqual(outputs, ['calibrated'])
  assert.equal(metrics.uncalibrated, 1)
  assert.equal(quality.verdict, 'uncertain')
  const { data, metadata, layout } = await readCalibrated(outputDir)
  assert.equal(metadata.extra['UNCALIBR'], 1)
  assert.equal(layout.channels, s.channels)
  let row = 0
  for (let k = 0; k < s.timeMjdS.length && row < 100; k++) {
    if (s.antenna1[k] === s.antenna2[k]) continue
    const cell = 2 * s.channels * s.polarizations
    assert.deepEqual(data.subarray(row * cell, (row + 1) * cell), s.data.slice(k * cell, (k + 1) * cell))
    row++
  }
})

test('a set of another observation is applied, without its short phases', async (t) => {
  const first = await observe(t)
  const { outputDir } = await first.run()
  const solutions = { path: join(outputDir, 'solutions'), kind: 'solutions', bytes: 0 }
  // The same gains two hours later, other noise, the antennas in the same order under the same names.
  const later = await observe(t, { seed: 1 }, { shiftS: 7200 })
  const { outputs, metrics, quality, outputDir: applied } = await later.run({ inputs: { solutions } })
  assert.deepEqual(outputs, ['calibrated'])
  assert.equal(metrics.ownSolutions, 0)
  assert.ok(Math.abs((metrics.solutionAgeHours ?? 0) - 2) < 1e-6)
  assert.ok(Math.abs((metrics.sefdMedianJy ?? 0) / 6500 - 1) < 0.05)
  assert.notEqual(quality.verdict, 'bad')
  const calibrated = await readCalibrated(applied)
  assert.ok(Math.abs(compareWithSky(calibrated, later.s).ratio - 1) < 3e-3)
  assert.equal(
    calibrated.metadata.extra['CALTBL'],
    (await readSolutions(join(outputDir, 'solutions', 'set.ctgs'))).header['id'],
  )
  assert.equal(calibrated.metadata.extra['CALINTRP'], 'nearest')
})

test('a set of another time, declination, band, array or correlator setup is refused with both values', async (t) => {
  const first = await observe(t, {}, { extra: { DELAYS: 'aaa' } })
  const { outputDir } = await first.run()
  const solutions = { path: join(outputDir, 'solutions'), kind: 'solutions', bytes: 0 }
  const cases: [SyntheticOptions, SetOptions, RegExp][] = [
    [{}, { shiftS: 13 * 3600 }, /13\.0 h away in time/],
    [{}, { decOfDateRad: first.s.beam.decOfDateRad + 0.1 }, /5\.73 deg away/],
    [{ channels: 12 }, {}, /its 24 channels start at .* the data have 12/],
    [{}, { names: Array.from({ length: 20 }, (_, a) => `${a}`) }, /20 of 20 antennas have no solution/],
    [{}, { extra: { DELAYS: 'bbb' } }, /other correlator delays \(aaa against bbb\)/],
  ]
  for (const [synthetic, set, message] of cases) {
    const other = await observe(t, { integrations: 2, ...synthetic }, set)
    await assert.rejects(other.run({ inputs: { solutions } }), refusal('NO_CALIBRATOR', message))
  }
})

test('a damaged solution set is refused', async (t) => {
  const { run } = await observe(t, { integrations: 3 })
  const { outputDir } = await run()
  const path = join(outputDir, 'solutions', 'set.ctgs')
  const bytes = readFileSync(path)
  bytes[bytes.length >> 1] ^= 1
  writeFileSync(path, bytes)
  const solutions = { path: join(outputDir, 'solutions'), kind: 'solutions', bytes: 0 }
  await assert.rejects(run({ inputs: { solutions } }, 'again'), refusal('DATA_UNUSABLE', /checksum/))
})

test('no calibrator in the beam, an unknown one, too little memory and empty data say what is wrong', async (t) => {
  const away = await observe(t, { offset: 0.1, integrations: 2 })
  await assert.rejects(away.run(), refusal('NO_CALIBRATOR', /nearest is 3C286, 5\.7\d deg/))
  const { s, dir, run } = await observe(t, { integrations: 2 })
  await assert.rejects(run({ params: { calibrator: '3C999' } }, 'a'), refusal('PARAMS_INVALID', /3C999/))
  await assert.rejects(run({ params: { calibrator: '3C48' } }, 'b'), refusal('NO_CALIBRATOR', /3C48/))
  await assert.rejects(run({ params: { badAntennas: ['x1'] } }, 'c'), refusal('PARAMS_INVALID', /x1/))
  await assert.rejects(
    run({ memoryBytes: 1e6 }, 'd'),
    refusal('PLAN_TOO_LARGE', /needs [\d.]+ MiB of memory, the limit is 1\.0 MiB/),
  )
  s.data.fill(0)
  const measurementSet = await writeSet(join(dir, 'zero'), s)
  mkdirSync(join(dir, 'e'))
  await assert.rejects(
    calibrate({ inputs: { measurementSet }, outputDir: join(dir, 'e') }),
    refusal('DATA_UNUSABLE', /no unflagged/),
  )
})

test('a cancelled calibration ends as cancelled', async (t) => {
  const { run } = await observe(t)
  const controller = new AbortController()
  const ending = run({ signal: controller.signal })
  setTimeout(() => controller.abort(), 100)
  await assert.rejects(ending, refusal('CANCELLED', /stopped/))
})
