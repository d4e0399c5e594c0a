import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY_S, DEGREE_RAD, DSA110_SITE, SPEED_OF_LIGHT_M_S } from '#runtime/sky/constants.ts'
import { meridianPlaceIcrs, separation } from '#runtime/sky/frames.ts'
import { rotationFrame, type RotationFrame } from '#runtime/sky/phase-rotation.ts'
import { earthOrientationAt, jdToMjd } from '#runtime/sky/time.ts'
import { dot, subtract, type Vec3 } from '#runtime/sky/vector.ts'
import {
  convert,
  earthOrientation,
  inFolder,
  rawObservation,
  readWhole,
  writeRaw,
  type Converted,
  type ConvertOptions,
  type RawObservation,
  type WholeSet,
} from './raw-observation.ts'

const site = {
  latitudeRad: DSA110_SITE.latitudeDeg * DEGREE_RAD,
  longitudeRad: DSA110_SITE.longitudeDeg * DEGREE_RAD,
  altitudeM: DSA110_SITE.altitudeM,
}

function whole(raw: RawObservation, options: ConvertOptions = {}): Promise<{ set: WholeSet; converted: Converted }> {
  return inFolder(async (dir) => {
    const converted = await convert(writeRaw(dir, raw), dir, options)
    return { set: await readWhole(converted.path), converted }
  })
}

/** The frames of an observation, from its times alone. */
function framesOf({ timesJd, subbands }: RawObservation): RotationFrame[] {
  const [{ spec }] = subbands.values()
  const middle = jdToMjd((timesJd[0] + timesJd[timesJd.length - 1]) / 2)
  const target = meridianPlaceIcrs(spec.decOfDateRad, middle, earthOrientationAt(earthOrientation, middle), site)
  return timesJd.map((jd) => {
    const mjdUtc = jdToMjd(jd)
    const eop = earthOrientationAt(earthOrientation, mjdUtc)
    return rotationFrame({ mjdUtc, eop, site, decOfDateRad: spec.decOfDateRad, target })
  })
}

function check(converted: Converted, name: string) {
  const found = converted.outcome.quality.checks.find((entry) => entry.name === name)
  assert.ok(found, name)
  return found
}

for (const polarizations of [
  [-5, -6],
  [-5, -7, -8, -6],
]) {
  test(`every visibility equals a direct float64 computation: ${polarizations.length} correlations`, async () => {
    const raw = rawObservation({ polarizations })
    const { set, converted } = await whole(raw)
    const frames = framesOf(raw)
    const aips = polarizations.length === 2 ? [-5, -6] : [-5, -7, -8, -6]
    assert.deepEqual(set.metadata.stokes, polarizations.length === 2 ? [9, 12] : [9, 10, 11, 12])
    let largest = 0
    const { rows, channels } = set.layout
    for (let row = 0; row < rows; row++) {
      for (let channel = 0; channel < channels; channel++) {
        const freqHz = set.metadata.freqHz[channel]
        const file = [...raw.subbands.values()].find(({ spec }) => spec.freqHz.includes(freqHz))
        assert.ok(file)
        const { spec } = file
        const baselines = spec.ant1.length
        const [a, b] = [spec.ant1[row % baselines], spec.ant2[row % baselines]]
        const position = (antenna: number): Vec3 =>
          [...spec.antennaPositionsM.subarray(3 * antenna, 3 * antenna + 3)] as unknown as Vec3
        const frame = frames[Math.floor(row / baselines)]
        // In the file's own orientation: V' = V exp(-2 pi i nu/c b.(s1 - s0)), b = r(ant_2) - r(ant_1).
        const path = dot(subtract(position(b), position(a)), subtract(frame.s1, frame.s0))
        const angle = (-2 * Math.PI * freqHz * path) / SPEED_OF_LIGHT_M_S
        for (let p = 0; p < aips.length; p++) {
          const wanted = a > b && aips[p] === -7 ? -8 : a > b && aips[p] === -8 ? -7 : aips[p]
          const from =
            ((row * spec.freqHz.length + spec.freqHz.indexOf(freqHz)) * aips.length + polarizations.indexOf(wanted)) * 2
          const [x, y] = [file.vis[from], file.vis[from + 1]]
          const re = x * Math.cos(angle) - y * Math.sin(angle)
          const im = x * Math.sin(angle) + y * Math.cos(angle)
          const to = ((row * channels + channel) * aips.length + p) * 2
          // The set has <V_1 conj(V_2)> of the lower antenna first: the conjugate of a pair listed that way.
          const error = Math.hypot(set.data[to] - re, set.data[to + 1] - (a <= b ? -im : im))
          largest = Math.max(largest, error / Math.hypot(x, y))
        }
      }
    }
    assert.ok(largest < 5e-7, `largest relative error ${largest}`)
    assert.ok(set.flags.every((flag) => flag === 0))
    assert.equal(
      converted.outcome.quality.verdict,
      'good',
      JSON.stringify(converted.outcome.quality.checks.filter(({ verdict }) => verdict !== 'good')),
    )
    assert.equal(set.weights, undefined)
    assert.ok(set.rows.weight.every((weight) => weight === 1) && set.rows.sigma.every((sigma) => sigma === 1))
  })
}

/** An amplitude that tells the channel. */
function inject(freqHz: number): number {
  return Math.round((freqHz - 1.4e9) / 1e5)
}

test('channels ascend in equal steps, and each holds the channel of its frequency', async () => {
  const raw = rawObservation({ subbands: [2, 0, 1], integrations: 2 })
  for (const { spec, vis } of raw.subbands.values()) {
    for (let i = 0; i < vis.length; i += 2) {
      const channel = Math.floor(i / 4) % spec.freqHz.length
      vis[i] = inject(spec.freqHz[channel])
      vis[i + 1] = 0
    }
  }
  const { set } = await whole(raw, { expect: { subbands: [0, 1, 2], integrations: 2 } })
  const { freqHz, channelWidthHz } = set.metadata
  for (let channel = 1; channel < freqHz.length; channel++) {
    assert.ok(Math.abs(freqHz[channel] - freqHz[channel - 1] - channelWidthHz) < 1e-3)
  }
  for (let row = 0; row < set.layout.rows; row++) {
    const auto = set.rows.antenna1[row] === set.rows.antenna2[row]
    for (let channel = 0; channel < freqHz.length; channel++) {
      const at = (row * freqHz.length + channel) * 4
      const amplitude = Math.hypot(set.data[at], set.data[at + 1])
      assert.ok(Math.abs(amplitude / inject(freqHz[channel]) - 1) < 1e-6)
      if (auto) assert.equal(set.data[at + 1], 0)
    }
  }
})

test('rows keep time and pairs of the files, antennas ordered, UVW along J2000 axes', async () => {
  const raw = rawObservation()
  const { set } = await whole(raw)
  const frames = framesOf(raw)
  const [{ spec }] = raw.subbands.values()
  const baselines = spec.ant1.length
  assert.equal(set.layout.rows, baselines * raw.timesJd.length)
  for (let row = 0; row < set.layout.rows; row++) {
    const k = Math.floor(row / baselines)
    assert.ok(Math.abs(set.rows.timeMjdS[row] - jdToMjd(raw.timesJd[k]) * DAY_S) < 1e-4)
    assert.ok(Math.abs(set.rows.intervalS[row] - 12.884901888) < 1e-4)
    const pair = [spec.ant1[row % baselines], spec.ant2[row % baselines]].sort((x, y) => x - y)
    assert.deepEqual([set.rows.antenna1[row], set.rows.antenna2[row]], pair)
    const [p, q] = pair.map((antenna) => set.metadata.antennas[antenna].positionM)
    const b = subtract(p, q)
    const expected = [dot(b, frames[k].u), dot(b, frames[k].v), dot(b, frames[k].w)]
    for (let axis = 0; axis < 3; axis++) assert.ok(Math.abs(set.rows.uvwM[3 * row + axis] - expected[axis]) < 1e-6)
    if (pair[0] === pair[1]) assert.deepEqual([...set.rows.uvwM.subarray(3 * row, 3 * row + 3)], [0, 0, 0])
  }
  assert.deepEqual(
    set.metadata.antennas.map(({ name }) => name),
    spec.antennaNames,
  )
  assert.equal(set.metadata.telescopeName, 'OVRO_MMA')
})

test('the phase centre is the meridian place in the middle of the observation', async () => {
  const raw = rawObservation()
  const { set, converted } = await whole(raw)
  const middle = jdToMjd((raw.timesJd[0] + raw.timesJd[4]) / 2)
  const eop = earthOrientationAt(earthOrientation, middle)
  const centre = meridianPlaceIcrs(16.15 * DEGREE_RAD, middle, eop, site)
  assert.ok(separation(set.metadata.phaseCentre, centre) < 1e-9)
  assert.ok(Math.abs((converted.outcome.metrics.phaseCentreRaDeg ?? 0) - centre.raRad / DEGREE_RAD) < 1e-9)
  const { beam } = set.metadata
  assert.equal(beam.raRad.length, 5)
  assert.ok(Math.abs(beam.decOfDateRad - 16.15 * DEGREE_RAD) < 1e-12)
  assert.ok(separation({ raRad: beam.raRad[2], decRad: beam.decRad[2] }, centre) < 1e-9)
  // 193.80 arcsec of right ascension an integration
  assert.ok(Math.abs(((beam.raRad[1] - beam.raRad[0]) / DEGREE_RAD) * 3600 - 193.8) < 0.3)
})

test('a source at the phase centre has flat phase', async () => {
  const raw = rawObservation()
  const frames = framesOf(raw)
  for (const { spec, vis } of raw.subbands.values()) {
    const { channels, baselines } = { channels: spec.freqHz.length, baselines: spec.ant1.length }
    for (let i = 0; i < vis.length / 2; i++) {
      const channel = Math.floor(i / 2) % channels
      const row = Math.floor(i / (2 * channels))
      const [a, b] = [spec.ant1[row % baselines], spec.ant2[row % baselines]]
      const frame = frames[Math.floor(row / baselines)]
      const path = [0, 1, 2].reduce(
        (sum, axis) =>
          sum +
          (spec.antennaPositionsM[3 * b + axis] - spec.antennaPositionsM[3 * a + axis]) *
            (frame.s1[axis] - frame.s0[axis]),
        0,
      )
      const angle = (2 * Math.PI * spec.freqHz[channel] * path) / SPEED_OF_LIGHT_M_S
      vis[2 * i] = Math.cos(angle)
      vis[2 * i + 1] = Math.sin(angle)
    }
  }
  const { set } = await whole(raw)
  for (let i = 0; i < set.data.length; i += 2) {
    assert.ok(Math.abs(set.data[i] - 1) < 5e-7 && Math.abs(set.data[i + 1]) < 5e-7)
  }
})

test('absent subbands are zero, flagged, recorded, and change no other channel', async () => {
  const raw = rawObservation()
  const { set: complete } = await whole(raw)
  raw.subbands.delete(1)
  const { set, converted } = await whole(raw)
  const { rows, channels } = set.layout
  assert.equal(channels, 12)
  assert.deepEqual(set.metadata.freqHz, complete.metadata.freqHz)
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < channels; channel++) {
      const absent = channel >= 4 && channel < 8
      const at: number = (row * channels + channel) * 2
      assert.deepEqual([...set.flags.subarray(at, at + 2)], absent ? [1, 1] : [0, 0])
      const expected = absent ? [0, 0, 0, 0] : [...complete.data.subarray(2 * at, 2 * at + 4)]
      assert.deepEqual([...set.data.subarray(2 * at, 2 * at + 4)], expected)
    }
  }
  assert.ok(set.metadata.history.some(({ message }) => message === 'absent subbands, flagged: 01'))
  assert.equal(converted.outcome.metrics.subbandsPresent, 2)
  assert.equal(converted.outcome.metrics.flaggedFraction, 0)
  assert.equal(check(converted, 'subbands').verdict, 'uncertain')
})

test('an absent subband keeps the steps of a band that is a little off', async () => {
  const raw = rawObservation({ integrations: 2, subbands: [0, 1, 3] })
  for (const file of raw.subbands.values()) {
    file.spec = { ...file.spec, freqHz: file.spec.freqHz.map((freqHz) => freqHz + 400) }
  }
  const { converted } = await whole(raw, { expect: { subbands: [0, 1, 2, 3], integrations: 2 } })
  assert.equal(check(converted, 'frequency-order').verdict, 'good')
})

/** Where a file element of subband 1, the middle one of three with 4 channels, goes: channels are reversed. */
function outputOf(element: number): number {
  const [row, channel, pol] = [Math.floor(element / 8), Math.floor(element / 2) % 4, element % 2]
  return (row * 12 + 4 + 3 - channel) * 2 + pol
}

test('zero, NaN and infinite samples become zero and flagged; file flags and empty samples are flagged', async () => {
  const raw = rawObservation()
  const file = raw.subbands.get(1)
  assert.ok(file)
  const bad = [
    [0, 0],
    [Number.NaN, 1],
    [1, Number.POSITIVE_INFINITY],
    [3e38, 3e38],
  ]
  bad.forEach(([re, im], i) => file.vis.set([re, im], 2 * (i * 2)))
  file.flags[9] = 1
  file.nsamples[11] = 0
  file.nsamples[13] = Number.NaN
  const { set, converted } = await whole(raw)
  const expected = new Uint8Array(set.flags.length)
  for (const element of [0, 2, 4, 6, 9, 11, 13]) expected[outputOf(element)] = 1
  assert.deepEqual(set.flags, expected)
  for (const element of [0, 2, 4, 6]) {
    const at = outputOf(element)
    assert.deepEqual([...set.data.subarray(2 * at, 2 * at + 2)], [0, 0])
  }
  assert.notEqual(set.data[2 * outputOf(9)], 0)
  assert.ok(set.data.every(Number.isFinite))
  // FLAG alone marks them: no WEIGHT_SPECTRUM, and the weight of the row stays 1.
  assert.equal(set.weights, undefined)
  assert.ok(set.rows.weight.every((weight) => weight === 1))
  assert.ok(Math.abs((converted.outcome.metrics.zeroFraction ?? 0) - 6 / (140 * 12 * 2)) < 1e-12)
  assert.ok(Math.abs((converted.outcome.metrics.flaggedFraction ?? 0) - 7 / (140 * 12 * 2)) < 1e-12)
})

test('weights are nsamples over 96, clipped, in WEIGHT where they are uniform along a row', async () => {
  const raw = rawObservation()
  for (const { nsamples } of raw.subbands.values()) {
    // Row 1: half of the samples; row 2: more than possible; row 3: one polarisation with a third.
    nsamples.fill(48, 8, 16)
    nsamples.fill(200, 16, 24)
    for (let i = 24; i < 32; i += 2) nsamples[i] = 32
  }
  const { set } = await whole(raw)
  assert.equal(set.weights, undefined)
  assert.deepEqual([...set.rows.weight.subarray(0, 10)], [1, 1, 0.5, 0.5, 1, 1, Math.fround(1 / 3), 1, 1, 1])
  assert.ok(Math.abs(set.rows.sigma[2] - Math.SQRT2) < 1e-6)
})

test('weights that vary within a row go into WEIGHT_SPECTRUM, zero where flagged', async () => {
  const raw = rawObservation({ integrations: 30 })
  const file = raw.subbands.get(2)
  assert.ok(file)
  file.nsamples[8 * 700 + 2] = 24
  file.vis.set([0, 0], 2 * (8 * 700 + 5))
  const { set, converted } = await whole(raw, { expect: { subbands: [0, 1, 2], integrations: 30 }, cpu: 2 })
  assert.ok(set.weights)
  const expected = new Float32Array(set.weights.length).fill(1)
  // Row 700, lowest subband: file channels 1 and 2 are channels 2 and 1 of the set.
  expected[700 * 24 + 2 * 2] = 0.25
  expected[700 * 24 + 2 * 1 + 1] = 0
  assert.deepEqual(set.weights, expected)
  assert.ok(Math.abs(set.rows.weight[2 * 700] - 11.25 / 12) < 1e-6)
  assert.equal(set.rows.weight[2 * 700 + 1], 1)
  assert.equal(converted.outcome.metrics.weightSpectrum, 1)
})

test('an antenna without data is flagged whole and named, and refuses nothing', async () => {
  const raw = rawObservation({ order: [24, 3, 70, 101, 44, 112, 105, 50, 51, 80] })
  for (const { spec, vis } of raw.subbands.values()) {
    for (let i = 0; i < vis.length / 2; i++) {
      const baseline = Math.floor(i / 8) % spec.ant1.length
      const row = Math.floor(i / 8)
      // Station 44 is silent but for one spurious sample.
      if ((spec.ant1[baseline] === 43 || spec.ant2[baseline] === 43) && !(row === 10 && i % 8 === 0))
        vis.set([0, 0], 2 * i)
    }
  }
  const { set, converted } = await whole(raw)
  for (let row = 0; row < set.layout.rows; row++) {
    const silent = set.rows.antenna1[row] === 43 || set.rows.antenna2[row] === 43
    assert.equal(set.rows.flagRow[row], silent ? 1 : 0)
    assert.equal(set.rows.weight[2 * row], silent ? 0 : 1)
    assert.ok(set.flags.subarray(row * 24, row * 24 + 24).every((flag) => flag === (silent ? 1 : 0)))
  }
  assert.equal(converted.outcome.metrics.antennasDead, 1)
  assert.equal(check(converted, 'zero-data').verdict, 'good')
  assert.match(check(converted, 'dead-antennas').message, /1 of 10 antennas have no data: 44/)
  assert.equal(set.metadata.extra['DEADANTS'], '44')
})

/** An observation whose first part is zero in all subbands. */
function zeroed(fraction: number): RawObservation {
  const raw = rawObservation()
  for (const { vis } of raw.subbands.values()) vis.fill(0, 0, Math.round((vis.length * fraction) / 2) * 2)
  return raw
}

test('too many zeros make the set uncertain, then bad; nothing but zeros is an error', async () => {
  assert.equal(check((await whole(zeroed(0.4))).converted, 'zero-data').verdict, 'uncertain')
  const { converted } = await whole(zeroed(0.6))
  assert.equal(check(converted, 'zero-data').verdict, 'bad')
  assert.equal(check(converted, 'zero-data').blocking, true)
  assert.equal(converted.outcome.quality.verdict, 'bad')
  await assert.rejects(whole(zeroed(1)), { code: 'DATA_UNUSABLE' })
})
