import assert from 'node:assert/strict'
import { copyFileSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { openHdf5 } from '#runtime/formats/hdf5/file.ts'
import type { ArrayCell, ColumnCells } from '#runtime/formats/measurement-set/column.ts'
import { openMeasurementSet } from '#runtime/formats/measurement-set/read.ts'
import { readTable, writeTable } from '#runtime/formats/measurement-set/table.ts'
import { DAY_S, DEGREE_RAD, SPEED_OF_LIGHT_M_S } from '#runtime/sky/constants.ts'
import { meanDirection } from '#runtime/sky/frames.ts'
import { jdToMjd } from '#runtime/sky/time.ts'
import { hashFile } from '#runtime/stage/files.ts'
import { chooseSolutions } from '../orchestrator/pipeline/solutions.ts'
import { imaging } from '../stages/imaging/contract.ts'
import { referenceOrder } from '../stages/calibration/solve/reference-antenna.ts'
import { flagCells } from '../stages/calibration/survey/flag-array.ts'
import { CELL_POWER_STEPS } from '../stages/calibration/survey/survey.ts'
import { resolveParams } from '../stages/simulation/contract.ts'
import { planObservation } from '../stages/simulation/observation.ts'
import {
  convert,
  earthOrientation,
  rawObservation,
  readWhole,
  reversePairs,
  writeRaw,
  type ConvertOptions,
  type RawObservation,
  type WholeSet,
} from './stages/conversion/raw-observation.ts'
import { simulate } from './stages/simulation/observation-files.ts'

/**
 * Failures that nobody would see: each has a number, a statement that must hold, and a test of that name. The list is
 * complete; what does not apply here says so. Other tests of the same go further where they are named.
 */
const place = mkdtempSync(join(tmpdir(), 'contimg-invariants-'))
after(() => rmSync(place, { recursive: true, force: true }))
let folders = 0
const folder = (): string => {
  const path = join(place, String(folders++))
  mkdirSync(path)
  return path
}

const integrations = 3
const subbands = [4, 5, 6]
const expect = { subbands, integrations }

async function converted(
  raw: RawObservation,
  options: ConvertOptions = { expect },
): Promise<WholeSet & Pick<Awaited<ReturnType<typeof convert>>, 'outcome' | 'path'>> {
  const dir = folder()
  const { outcome, path } = await convert(writeRaw(dir, raw), dir, options)
  return { ...(await readWhole(path)), outcome, path }
}

/** A sky of one source of 1 Jy without noise and gains, converted. @param offsetDeg north and east of the phase centre */
async function onePoint(offsetDeg: number): Promise<Awaited<ReturnType<typeof converted>> & { lm: [number, number] }> {
  const params = { antennas: 12, channels: 4, integrations, subbands, calibrator: null, decOfDateDeg: 30.5 }
  const quiet = { sefdJy: null, gains: false, bandpass: false, catalogue: false }
  const { centre } = planObservation(resolveParams({ ...params, ...quiet, sources: 0 }), [], earthOrientation)
  const [ra0, dec0] = [centre.raRad, centre.decRad]
  const dec = dec0 + offsetDeg * DEGREE_RAD
  const ra = ra0 + (offsetDeg * DEGREE_RAD) / Math.cos(dec0)
  const source = { raDeg: ra / DEGREE_RAD, decDeg: dec / DEGREE_RAD, fluxJy: 1, spectralIndex: 0 }
  const dir = folder()
  const { paths } = await simulate(dir, { ...params, ...quiet, sources: [source] })
  const { outcome, path } = await convert(paths, dir, { expect })
  const lm: [number, number] = [
    Math.cos(dec) * Math.sin(ra - ra0),
    Math.sin(dec) * Math.cos(dec0) - Math.cos(dec) * Math.sin(dec0) * Math.cos(ra - ra0),
  ]
  return { ...(await readWhole(path)), outcome, path, lm }
}

/**
 * Of all cross-correlations: the mean of V exp(-2 pi i nu/c (u l + v m + w (n - 1))) over that of abs V. A set of
 * UVW = r1 - r2 and DATA = <V1 conj(V2)> has the sign with which WSClean puts a source in its place: oracle.test.ts.
 */
function coherence({ data, layout, metadata, rows }: WholeSet, [l, m]: readonly [number, number]): number {
  const n = Math.sqrt(1 - l * l - m * m)
  let [re, im, sum] = [0, 0, 0]
  visitCross({ layout, rows }, (row, channel, at) => {
    const path = rows.uvwM[3 * row] * l + rows.uvwM[3 * row + 1] * m + rows.uvwM[3 * row + 2] * (n - 1)
    const turn = (2 * Math.PI * metadata.freqHz[channel] * path) / SPEED_OF_LIGHT_M_S
    re += data[2 * at] * Math.cos(turn) + data[2 * at + 1] * Math.sin(turn)
    im += data[2 * at + 1] * Math.cos(turn) - data[2 * at] * Math.sin(turn)
    sum += Math.hypot(data[2 * at], data[2 * at + 1])
  })
  return Math.hypot(re, im) / sum
}

function visitCross(
  { layout, rows }: Pick<WholeSet, 'layout' | 'rows'>,
  visit: (row: number, channel: number, at: number) => void,
): void {
  for (let row = 0; row < layout.rows; row++) {
    if (rows.antenna1[row] === rows.antenna2[row]) continue
    for (let channel = 0; channel < layout.channels; channel++) {
      const at = (row * layout.channels + channel) * layout.polarizations
      for (let p = 0; p < layout.polarizations; p++) visit(row, channel, at + p)
    }
  }
}

let raw: RawObservation
let set: Awaited<ReturnType<typeof converted>>
let centred: Awaited<ReturnType<typeof onePoint>>

before(async () => {
  raw = rawObservation({ integrations, subbands })
  set = await converted(raw)
  centred = await onePoint(0)
})

test('invariant 1: channels ascend strictly in steps of 244140.625 Hz to 1e-3 Hz over 768 channels', async () => {
  const all = Array.from({ length: 16 }, (_, subband) => subband)
  const whole = rawObservation({ subbands: all, channels: 48, integrations: 1, order: [1, 2, 101] })
  const { metadata } = await converted(whole, { expect: { subbands: all, integrations: 1 } })
  assert.equal(metadata.freqHz.length, 768)
  metadata.freqHz.forEach((freqHz, channel) => {
    if (channel > 0) assert.ok(Math.abs(freqHz - metadata.freqHz[channel - 1] - 244140.625) <= 1e-3)
  })
})

test('invariant 2: a channel of a row holds the input channel of the same frequency and row', async () => {
  const marked = rawObservation({ integrations, subbands })
  const baselines = marked.subbands.get(4)?.spec.ant1.length ?? 0
  for (const { vis, spec } of marked.subbands.values()) {
    const channels = spec.freqHz.length
    for (let sample = 0; sample < vis.length / 2; sample++) {
      const [row, channel] = [Math.floor(sample / (2 * channels)), Math.floor(sample / 2) % channels]
      vis[2 * sample] = 1 + row + spec.freqHz[channel] / 1e6
      vis[2 * sample + 1] = 0
    }
  }
  const { data, layout, metadata, rows } = await converted(marked)
  for (let row = 0; row < layout.rows; row++) {
    for (let channel = 0; channel < layout.channels; channel++) {
      const at = 2 * (row * layout.channels + channel) * layout.polarizations
      const expected = 1 + row + metadata.freqHz[channel] / 1e6
      assert.ok(Math.abs(Math.hypot(data[at], data[at + 1]) / expected - 1) < 1e-6, `row ${row} channel ${channel}`)
      if (rows.antenna1[row] === rows.antenna2[row]) assert.equal(data[at + 1], 0)
    }
  }
  assert.equal(layout.rows, integrations * baselines)
})

test('invariant 3: a source of 1 Jy 0.7 deg off-centre appears there and not opposite', async () => {
  const off = await onePoint(0.5)
  assert.ok(coherence(off, off.lm) > 0.99)
  assert.ok(coherence(off, [-off.lm[0], -off.lm[1]]) < 0.5)
  assert.ok(Math.hypot(...off.lm) / DEGREE_RAD > 0.69)
})

test('invariant 4: one FIELD row; PHASE_DIR, DELAY_DIR and REFERENCE_DIR are the rotation target to 1e-9 rad', async () => {
  const field = await readTable(join(set.path, 'FIELD'))
  assert.equal(field.rows, 1)
  const { phaseCentreRaDeg, phaseCentreDecDeg } = set.outcome.metrics as Record<string, number>
  for (const name of ['PHASE_DIR', 'DELAY_DIR', 'REFERENCE_DIR']) {
    const [ra, dec] = (field.cells(name) as readonly ArrayCell[])[0].values as ArrayLike<number> & Iterable<number>
    const turn = 2 * Math.PI
    assert.ok(Math.abs(((ra - phaseCentreRaDeg * DEGREE_RAD + turn + Math.PI) % turn) - Math.PI) < 1e-9, name)
    assert.ok(Math.abs(dec - phaseCentreDecDeg * DEGREE_RAD) < 1e-9, name)
  }
})

test('invariant 5: a set with several centres is refused by whatever reads sets, imaging takes only what calibration made', async () => {
  const copy = folder()
  for (const path of globSync('**/table.*', { cwd: set.path })) {
    mkdirSync(join(copy, path, '..'), { recursive: true })
    copyFileSync(join(set.path, path), join(copy, path))
  }
  const field = await readTable(join(copy, 'FIELD'))
  const twice = [...field.columns.values()].map((column) => {
    const cells = Array.from(field.cells(column.name) as ArrayLike<unknown>)
    return { ...column, cells: [...cells, ...cells] as ColumnCells }
  })
  await writeTable(join(copy, 'FIELD'), { rows: 2, keywords: field.keywords, columns: twice })
  await assert.rejects(openMeasurementSet(copy), /2 fields, expected one/)
  assert.deepEqual(Object.keys(imaging.inputs), ['calibrated'])
})

test('invariant 6: UVW is float64 from positions: as long as its baseline to 1 mm, autocorrelations exactly 0', () => {
  const { rows, metadata } = set
  assert.ok(rows.uvwM instanceof Float64Array)
  for (let row = 0; row < rows.antenna1.length; row++) {
    const [a, b] = [rows.antenna1[row], rows.antenna2[row]].map((antenna) => metadata.antennas[antenna].positionM)
    const long = Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
    const uvw = Math.hypot(...rows.uvwM.subarray(3 * row, 3 * row + 3))
    if (rows.antenna1[row] === rows.antenna2[row]) assert.equal(uvw, 0)
    else assert.ok(Math.abs(uvw - long) < 1e-3, `row ${row}: ${uvw}, ${long}`)
  }
})

test('invariant 7: UVW agrees in sign with POSITION[ANTENNA1] - POSITION[ANTENNA2]', () => {
  const { rows, metadata, outcome } = set
  const longitudeRad = -118.283 * DEGREE_RAD
  const decRad = ((outcome.metrics as Record<string, number>)['decOfDateDeg'] ?? Number.NaN) * DEGREE_RAD
  const w = [Math.cos(decRad) * Math.cos(longitudeRad), Math.cos(decRad) * Math.sin(longitudeRad), Math.sin(decRad)]
  const east = [-Math.sin(longitudeRad), Math.cos(longitudeRad), 0]
  for (let row = 0; row < rows.antenna1.length; row++) {
    const [a, b] = [rows.antenna1[row], rows.antenna2[row]].map((antenna) => metadata.antennas[antenna].positionM)
    const along = (axis: readonly number[]): number => axis.reduce((sum, value, i) => sum + value * (a[i] - b[i]), 0)
    // The target is within a degree of the meridian, and J2000 north within half a degree of that of date.
    const slack = 0.03 * Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
    assert.ok(Math.abs(rows.uvwM[3 * row + 2] - along(w)) <= slack)
    assert.ok(Math.abs(rows.uvwM[3 * row] - along(east)) <= slack)
  }
})

test('invariant 8: reversing any subset of the pairs changes no byte of rows and samples', async () => {
  const hash = async (path: string): Promise<string[]> =>
    Promise.all(
      globSync('table.f*', { cwd: path })
        .sort()
        .map(async (file) => (await hashFile(join(path, file))).sha256),
    )
  const plain = await hash(set.path)
  const baselines = raw.subbands.get(4)?.spec.ant1.length ?? 0
  const some = fc.uniqueArray(fc.integer({ min: 0, max: baselines - 1 }))
  await fc.assert(
    fc.asyncProperty(some, async (reversed) => {
      assert.deepEqual(await hash((await converted(reversePairs(raw, new Set(reversed)))).path), plain)
    }),
    { numRuns: 8, seed: 8 },
  )
})

test('invariant 9: data of type drift are rotated from hour angle 0, never from the zenith', () => {
  assert.ok(coherence(centred, [0, 0]) > 0.9999)
})

test('invariant 10: the declination of the header is of date: a source at the J2000 centre is there to 0.1 arcsec', () => {
  const { data, layout, metadata, rows, outcome } = centred
  visitCross({ layout, rows }, (row, channel, at) => {
    const lengthM = Math.hypot(...rows.uvwM.subarray(3 * row, 3 * row + 3))
    const perRadian = (2 * Math.PI * metadata.freqHz[channel] * lengthM) / SPEED_OF_LIGHT_M_S
    const phase = Math.atan2(data[2 * at + 1], data[2 * at])
    assert.ok(Math.abs(phase) <= (perRadian * 0.1 * DEGREE_RAD) / 3600 + 1e-3, `row ${row}: ${phase}`)
  })
  const { decOfDateDeg, phaseCentreDecDeg } = outcome.metrics as Record<string, number>
  assert.ok(Math.abs(decOfDateDeg - phaseCentreDecDeg) > 1 / 60, 'of date and J2000 are not the same here')
})

test('invariant 11: TIME comes from the header and not from the name, in seconds of MJD', async () => {
  const dir = folder()
  const [first, ...others] = writeRaw(dir, raw)
  const renamed = join(dir, basename(first).replace('22:26:05', '22:30:41'))
  renameSync(first, renamed)
  const { path } = await convert([renamed, ...others], dir, { expect })
  const { rows } = await openMeasurementSet(path)
  raw.timesJd.forEach((jd, k) => {
    const [timeMjdS] = rows.timeMjdS.subarray((k * rows.timeMjdS.length) / integrations)
    assert.ok(Math.abs(timeMjdS - jdToMjd(jd) * DAY_S) < 1e-4)
    assert.ok(timeMjdS > 5.148e9 && timeMjdS < 5.432e9)
  })
})

test('invariant 12: the mean right ascension of 359.9 and 0.1 deg is 0', () => {
  const { raRad } = meanDirection([359.9, 0.1].map((raDeg) => ({ raRad: raDeg * DEGREE_RAD, decRad: 0 })))
  assert.ok(Math.abs(Math.sin(raRad)) < 1e-12 && Math.cos(raRad) > 0)
})

test('invariant 13: antenna positions that were turned are noticed, and so is one that is not finite or far away', async () => {
  const changed = (change: (positionsM: Float64Array) => Float64Array): RawObservation => ({
    ...raw,
    subbands: new Map(
      [...raw.subbands].map(([subband, file]) => {
        const antennaPositionsM = change(file.spec.antennaPositionsM.slice())
        return [subband, { ...file, spec: { ...file.spec, antennaPositionsM } }]
      }),
    ),
  })
  const verdictOf = async (name: string, change: (positionsM: Float64Array) => Float64Array): Promise<string> => {
    const { outcome } = await converted(changed(change))
    return outcome.quality.checks.find((check) => check.name === name)?.verdict ?? 'no such check'
  }
  const [cos, sin] = [Math.cos(-118.283 * DEGREE_RAD), Math.sin(-118.283 * DEGREE_RAD)]
  const turned = (p: Float64Array): Float64Array =>
    p.map((value, i) =>
      i % 3 === 0 ? cos * value + sin * p[i + 1] : i % 3 === 1 ? cos * value - sin * p[i - 1] : value,
    )
  assert.equal(await verdictOf('w-fit', turned), 'bad')
  const far = (p: Float64Array): Float64Array => p.map((value, i) => (i === 3 * 23 ? value + 6000 : value))
  assert.equal(await verdictOf('antenna-positions', far), 'bad')
  await assert.rejects(converted(changed((p) => p.fill(Number.NaN))), { code: 'DATA_IMPLAUSIBLE' })
})

test('invariant 14: a zero or non-finite visibility is flagged, zero and without weight; weights are nsamples/96 in [0, 1]', async () => {
  const spoilt = rawObservation({ integrations, subbands })
  const [first] = spoilt.subbands.values()
  ;[
    [0, 0],
    [Number.NaN, 1],
    [1, Infinity],
  ].forEach((pair, i) => first.vis.set(pair, 2 * (16 + i)))
  first.nsamples.fill(48)
  first.nsamples.fill(960, 200, 240)
  const { data, flags, weights, layout } = await converted(spoilt)
  assert.ok(weights !== undefined)
  let unusable = 0
  flags.forEach((flag, at) => {
    assert.ok(Number.isFinite(data[2 * at]) && Number.isFinite(data[2 * at + 1]))
    assert.ok(weights[at] >= 0 && weights[at] <= 1)
    if (flag === 0) return
    unusable++
    assert.deepEqual([data[2 * at], data[2 * at + 1], weights[at]], [0, 0, 0])
  })
  assert.equal(unusable, 3)
  assert.deepEqual(
    [...new Set(weights)].sort((a, b) => a - b),
    [0, 0.5, 1],
  )
  assert.equal(layout.weightSpectrum, true)
})

test('invariant 15: a dataset whose filter is not there is refused by name and never read', async () => {
  const dir = folder()
  const { paths } = await simulate(dir, { subbands: [0], faults: ['compressed:filter=unknown,datasets=nsamples'] })
  await assert.rejects(openHdf5(paths[0]), {
    code: 'DATA_UNSUPPORTED',
    message: /nsamples is compressed with filter 32990/,
  })
})

test('invariant 16: an absent subband is flagged, listed in HISTORY, and changes no other channel', async () => {
  const fewer = { ...raw, subbands: new Map([...raw.subbands].filter(([subband]) => subband !== 5)) }
  const gap = await converted(fewer)
  const { channels, polarizations } = gap.layout
  const perSubband = channels / subbands.length
  for (let at = 0; at < gap.flags.length; at++) {
    const absent = Math.floor((Math.floor(at / polarizations) % channels) / perSubband) === 1
    if (absent) assert.deepEqual([gap.flags[at], gap.data[2 * at], gap.data[2 * at + 1]], [1, 0, 0])
    else assert.deepEqual([gap.data[2 * at], gap.data[2 * at + 1]], [set.data[2 * at], set.data[2 * at + 1]])
  }
  assert.ok(gap.metadata.history.some(({ message }) => message === 'absent subbands, flagged: 05'))
})

test('invariant 17: a reference antenna is named, and the name means the same station everywhere', () => {
  // Station 103 has number 102 in the files; in the set it is found by its name.
  const names = set.metadata.antennas.map(({ name }) => name)
  assert.equal(names.indexOf('103'), 102)
  const stations = [...new Set(set.rows.antenna1)].map((antenna) => names[antenna])
  assert.ok(stations.includes('101') && stations.includes('24'))
  const present = ['24', '101', '102', '103']
  const quiet = { flagged: [0, 0, 0, 0], dead: [0, 0, 0, 0] }
  const [best] = referenceOrder({ names: present, ...quiet, wanted: ['102'] })
  assert.equal(present[best], '102')
})

test('invariant 18: TELESCOPE_NAME is OVRO_MMA, which CASA knows; no EveryBeam model is used', () => {
  assert.equal(set.metadata.telescopeName, 'OVRO_MMA')
  const text = readFileSync(fileURLToPath(new URL('../stages/imaging/wsclean-arguments.ts', import.meta.url)), 'utf8')
  assert.doesNotMatch(text, /apply-primary-beam|apply-facet-beam/)
})

test('invariant 19: cells of direction columns have the Fortran shape (2, 1)', async () => {
  const field = await readTable(join(set.path, 'FIELD'))
  for (const name of ['PHASE_DIR', 'DELAY_DIR', 'REFERENCE_DIR'])
    assert.deepEqual([...(field.cells(name) as readonly ArrayCell[])[0].shape], [2, 1])
})

test('invariant 20: imaging reads DATA and no other column, and no set has a CORRECTED_DATA that could be zero', async () => {
  const main = await readTable(set.path)
  assert.equal(main.columns.has('CORRECTED_DATA'), false)
  const text = readFileSync(fileURLToPath(new URL('../stages/imaging/wsclean-arguments.ts', import.meta.url)), 'utf8')
  assert.match(text, /'-data-column',\s+'DATA',/)
})

test('invariant 21: a solution set is refused when its declination differs by more than 5 deg', () => {
  const target = { observation: 'target', midMjdUtc: 61000.5, decOfDateDeg: 33, grid: '48' }
  const set16 = {
    ...target,
    observation: 'calibrator',
    decOfDateDeg: 16,
    solveKey: 'k',
    calibrator: '3C286',
    apparentFluxJy: 14,
  }
  const limits = { bad: new Set<string>(), windowHours: 12 }
  const { chosen, rejected } = chooseSolutions(target, [set16], limits)
  assert.equal(chosen, undefined)
  assert.match(rejected.join(), /17\.0 deg away in declination, at most 5 are allowed/)
  assert.equal(chooseSolutions(target, [{ ...set16, decOfDateDeg: 29 }], limits).chosen?.observation, 'calibrator')
})

test('invariant 22: statistics count the antennas that are in the data, not the 117 slots', () => {
  const { antennasPresent, flaggedFraction } = set.outcome.metrics as Record<string, number>
  assert.equal(set.metadata.antennas.length, 117)
  assert.equal(antennasPresent, 7)
  assert.equal(flaggedFraction, 0)
})

test('invariant 23: a channel bad at all times is flagged too: thresholds are not along time alone, and AOFlagger is not used', () => {
  const [times, channels, baselines] = [24, 96, 190]
  const sum = Float64Array.from(
    { length: times * channels },
    (_, k) => baselines * CELL_POWER_STEPS * (k % channels === 40 ? 1.7 : 1),
  )
  const { cells } = flagCells({
    integrations: times,
    channels,
    polarizations: 1,
    perSubband: 48,
    baselines,
    lost: [0],
    sum,
    flagged: new Float64Array(times * channels),
  })
  for (let time = 0; time < times; time++) assert.equal(cells[time * channels + 40], 1)
  assert.equal(cells[10], 0)
  const sources = globSync('stages/**/*.ts', { cwd: fileURLToPath(new URL('..', import.meta.url)) })
  for (const file of sources)
    assert.doesNotMatch(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'), /aoflagger|normalize_subbands/i)
})
