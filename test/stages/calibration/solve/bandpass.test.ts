import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  clipOutlierChannels,
  createBandpass,
  fillGaps,
  normalizeBandpass,
  type Bandpass,
} from '../../../../stages/calibration/solve/bandpass.ts'
import { referenceOrder, referencePhases } from '../../../../stages/calibration/solve/reference-antenna.ts'
import { interpolatePhase } from '../../../../stages/calibration/apply/interpolate.ts'

/** One antenna, one polarisation. */
function line(values: readonly [number, number][], flagged: readonly number[] = []): Bandpass {
  const bandpass = createBandpass(1, values.length, 1)
  values.forEach(([amplitude, phase], c) => {
    bandpass.value[2 * c] = amplitude * Math.cos(phase)
    bandpass.value[2 * c + 1] = amplitude * Math.sin(phase)
    bandpass.flags[c] = flagged.includes(c) ? 1 : 0
    bandpass.sigma[c] = 0.001
    bandpass.snr[c] = 1000
  })
  return bandpass
}

function amplitudes({ value, channels }: Bandpass): number[] {
  return Array.from({ length: channels }, (_, c) => Math.hypot(value[2 * c], value[2 * c + 1]))
}

test('a normalised bandpass has mean amplitude one and phase zero, times its factor it is what it was', () => {
  const bandpass = line(
    [
      [2, 0.3],
      [3, 0.5],
      [4, 0.4],
      [100, 3],
    ],
    [3],
  )
  const before = bandpass.value.slice()
  const [re, im] = normalizeBandpass(bandpass)
  const found = amplitudes(bandpass).slice(0, 3)
  assert.ok(Math.abs(found.reduce((sum, a) => sum + a, 0) / 3 - 1) < 1e-12)
  const sum = [0, 1, 2].reduce(([x, y], c) => [x + bandpass.value[2 * c], y + bandpass.value[2 * c + 1]], [0, 0])
  assert.ok(Math.abs(Math.atan2(sum[1], sum[0])) < 1e-12)
  for (let c = 0; c < 4; c++) {
    const [x, y] = [bandpass.value[2 * c], bandpass.value[2 * c + 1]]
    assert.ok(Math.hypot(x * re - y * im - before[2 * c], x * im + y * re - before[2 * c + 1]) < 1e-12 * 100)
  }
})

test('gaps of three channels are filled along the shorter arc, wider ones and the ends are not', () => {
  const values = Array.from({ length: 20 }, (_, c): [number, number] => [1 + 0.01 * c, 3 + 0.05 * c])
  const bandpass = line(values, [0, 3, 4, 5, 9, 10, 11, 12, 19])
  assert.equal(
    fillGaps(bandpass, 3, () => false),
    3,
  )
  assert.deepEqual(
    [...bandpass.flags].map((mark, c) => [c, mark]).filter(([, mark]) => mark !== 0),
    [
      [0, 1],
      [3, 16],
      [4, 16],
      [5, 16],
      [9, 1],
      [10, 1],
      [11, 1],
      [12, 1],
      [19, 1],
    ],
  )
  for (const c of [3, 4, 5]) {
    const [amplitude, phase] = values[c]
    assert.ok(
      Math.hypot(
        bandpass.value[2 * c] - amplitude * Math.cos(phase),
        bandpass.value[2 * c + 1] - amplitude * Math.sin(phase),
      ) < 1e-9,
    )
  }
})

test('channels off the bandpass are clipped, its slope, its edges and its subband steps are not', () => {
  const values = Array.from({ length: 96 }, (_, c): [number, number] => [
    (c < 48 ? 1 : 1.4) * (0.6 + 0.4 * Math.min(1, (c % 48) / 12)),
    0,
  ])
  values[30][0] *= 0.7
  values[70][0] *= 1.2
  const bandpass = line(values)
  assert.equal(clipOutlierChannels(bandpass, 48), 2)
  assert.ok(bandpass.flags[30] === 8 && bandpass.flags[70] === 8)
})

test('cells without the reference antenna follow the next one through their neighbours', () => {
  // Three antennas with phases that wander along ten cells; the solver leaves each cell an arbitrary common phase.
  const cells = 10
  const own = (a: number, cell: number): number => (a === 0 ? 0 : a * 0.4 + 0.1 * cell * a)
  const value = new Float64Array(2 * 3 * cells)
  const flags = new Uint8Array(3 * cells)
  for (let cell = 0; cell < cells; cell++) {
    for (let a = 0; a < 3; a++) {
      const phase = own(a, cell) + 7 * cell * cell
      value[2 * (a * cells + cell)] = 2 * Math.cos(phase)
      value[2 * (a * cells + cell) + 1] = 2 * Math.sin(phase)
    }
  }
  flags[4] = 1
  const axis = { antennas: 3, cells, at: (a: number, cell: number) => a * cells + cell, value, flags }
  const { reference, by } = referencePhases(axis, [0, 1, 2])
  assert.equal(reference, 0)
  assert.deepEqual([...by], [0, 0, 0, 0, 1, 0, 0, 0, 0, 0])
  for (let cell = 0; cell < cells; cell++) {
    for (let a = 1; a < 3; a++) {
      const k = 2 * (a * cells + cell)
      assert.ok(
        Math.hypot(value[k] - 2 * Math.cos(own(a, cell)), value[k + 1] - 2 * Math.sin(own(a, cell))) < 1e-9,
        `antenna ${a}, cell ${cell}`,
      )
    }
  }
})

test('an antenna that is missing in half of the cells is not the reference', () => {
  const flags = new Uint8Array(20)
  flags.fill(1, 0, 5)
  const axis = {
    antennas: 2,
    cells: 10,
    at: (a: number, cell: number) => a * 10 + cell,
    value: new Float64Array(40).fill(1),
    flags,
  }
  assert.equal(referencePhases(axis, [0, 1]).reference, 1)
})

test('the reference is a healthy outrigger, unless another one is asked for', () => {
  const names = ['1', '2', '103', '104', '105']
  const input = { names, flagged: [0, 0, 0.02, 0.5, 0.02], dead: [0, 0, 0, 0, 0] }
  const order = (over: object): string[] => referenceOrder({ ...input, wanted: [], ...over }).map((a) => names[a])
  assert.deepEqual(order({}), ['105', '103', '104', '1', '2'])
  assert.deepEqual(order({ wanted: ['2', '104'] }), ['2', '104', '105', '103', '1'])
  assert.equal(order({ dead: [0, 0, 1, 1, 2] })[0], '1')
})

test('phases are interpolated along the shorter arc, held outside, and not across a jump', () => {
  const at = (time: number, phaseRad = [3, -3, 0]): { phaseRad: number; jump: boolean } | undefined =>
    interpolatePhase({ timeMjdS: [0, 10, 20], phaseRad, good: [true, true, true] }, time)
  const turn = 2 * Math.PI
  assert.ok(Math.abs((at(5)?.phaseRad ?? 0) - (3 + (turn - 6) / 2)) < 1e-12)
  assert.equal(at(-4)?.phaseRad, 3)
  assert.equal(at(25)?.phaseRad, 0)
  assert.deepEqual(at(12), { phaseRad: -3, jump: true })
  assert.deepEqual(interpolatePhase({ timeMjdS: [0, 10], phaseRad: [1, 2], good: [true, false] }, 9), {
    phaseRad: 1,
    jump: false,
  })
  assert.equal(interpolatePhase({ timeMjdS: [0], phaseRad: [1], good: [false] }, 0), undefined)
})
