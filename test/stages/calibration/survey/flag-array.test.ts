import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '#runtime/numeric/random.ts'
import {
  deadAntennas,
  flagCells,
  outlierBaselines,
  type BaselineAmplitudes,
  type CellStatistics,
} from '../../../../stages/calibration/survey/flag-array.ts'
import { antennaNoise } from '../../../../stages/calibration/survey/noise.ts'
import { CELL_POWER_STEPS } from '../../../../stages/calibration/survey/survey.ts'

const antennas = 20
const pairs = Array.from({ length: antennas }, (_, i) => Array.from({ length: i }, (__, j) => [j, i] as const)).flat()
const antenna1 = pairs.map(([i]) => i)
const antenna2 = pairs.map(([, j]) => j)

function amplitudes(level: (antenna: number, p: number) => number): BaselineAmplitudes {
  const random = createRandom(2)
  return {
    antennas,
    antenna1,
    antenna2,
    polarizations: 2,
    amplitude: Float32Array.from(
      pairs.flatMap(([i, j]) => [0, 1].map((p) => level(i, p) * level(j, p) * Math.exp(0.05 * random.normal()))),
    ),
    flagged: new Float32Array(2 * pairs.length),
  }
}

test('an antenna polarisation far below the array is dead, a weak one is not', () => {
  const input = amplitudes((a, p) => (a === 4 && p === 1 ? 0.02 : a === 5 ? 0.3 : 1 + a / 20))
  const dead = deadAntennas(input)
  assert.deepEqual(
    [...dead.keys()].filter((a) => dead[a] !== 0).map((a) => [a, dead[a]]),
    [[4, 2]],
  )
})

test('an antenna with nearly everything flagged is dead', () => {
  const input = amplitudes(() => 1)
  pairs.forEach(([i, j], b) => {
    if (i !== 7 && j !== 7) return
    input.flagged[2 * b] = 0.97
  })
  assert.deepEqual(
    [...deadAntennas(input)].flatMap((bits, a) => (bits === 0 ? [] : [[a, bits]])),
    [[7, 1]],
  )
})

test('a baseline off the product of its antennas is an outlier, antennas of any level are not', () => {
  const input = amplitudes((a) => 0.3 + a / 5)
  input.amplitude[2 * 33] *= 3
  const bad = outlierBaselines(input, new Uint8Array(antennas))
  assert.deepEqual(
    [...bad].flatMap((bits, b) => (bits === 0 ? [] : [[b, bits]])),
    [[33, 1]],
  )
})

const baselines = 190
const channels = 96
const integrations = 12

/** Cells with a bandpass that falls off at both ends of the band and noise of a tenth of a per cent. */
function cells(change: (t: number, c: number) => number): CellStatistics {
  const random = createRandom(6)
  const sum = new Float64Array(integrations * channels * 2)
  for (let t = 0; t < integrations; t++) {
    for (let c = 0; c < channels; c++) {
      const edge = Math.min(1, 0.5 + Math.min(c, channels - 1 - c) / 20)
      for (let p = 0; p < 2; p++) {
        const amplitude = edge * change(t, c) * (1 + 0.003 * random.normal())
        sum[2 * (t * channels + c) + p] = CELL_POWER_STEPS * baselines * amplitude ** 2
      }
    }
  }
  return {
    integrations,
    channels,
    polarizations: 2,
    perSubband: 48,
    baselines,
    lost: [0, 0],
    sum,
    flagged: new Float64Array(sum.length),
  }
}

function flaggedCells(input: CellStatistics): Set<string> {
  const { cells: flags } = flagCells(input)
  return new Set(
    [...flags.keys()].filter((k) => flags[k] !== 0).map((k) => `${Math.floor(k / channels)},${k % channels}`),
  )
}

test('a bandpass that falls off at its edges and a slow rise of the calibrator are left alone', () => {
  assert.equal(flaggedCells(cells((t) => 1 + 0.01 * t)).size, 0)
})

test('a bad channel, a bad integration and a bad cell are flagged with their neighbours', () => {
  const channel = flaggedCells(cells((_, c) => (c === 40 ? 1.3 : 1)))
  assert.equal(channel.size, 3 * integrations)
  assert.ok(channel.has('0,39') && channel.has('11,41'))
  const integration = flaggedCells(cells((t) => (t === 5 ? 1.3 : 1)))
  assert.equal(integration.size, 3 * channels)
  const cell = flaggedCells(cells((t, c) => (t === 3 && c === 60 ? 2 : 1)))
  assert.deepEqual([...cell].sort(), ['2,60', '3,59', '3,60', '3,61', '4,60'])
})

test('a cell with most baselines flagged is flagged for all, an absent subband is left alone', () => {
  const input = cells(() => 1)
  const k = 2 * (4 * channels + 50)
  input.flagged[k] = 100
  input.sum[k] *= 90 / 190
  for (let t = 0; t < integrations; t++) {
    for (let c = 0; c < 48; c++) {
      for (let p = 0; p < 2; p++) {
        input.flagged[2 * (t * channels + c) + p] = baselines
        input.sum[2 * (t * channels + c) + p] = 0
      }
    }
  }
  assert.deepEqual([...flaggedCells(input)], ['4,50'])
})

test('the noise of antennas is recovered from that of their baselines', () => {
  const random = createRandom(9)
  const level = Array.from({ length: antennas }, () => Math.exp(random.normal()))
  const sigma = Float32Array.from(pairs, ([i, j]) => Math.sqrt(level[i] * level[j]) * (1 + 0.1 * random.normal()))
  sigma[20] *= 10
  const noise = antennaNoise({
    antennas,
    antenna1,
    antenna2,
    sigma,
    cells: 1,
    preferred: new Uint8Array(pairs.length).fill(1),
    minBaselines: 4,
  })
  for (let a = 0; a < antennas; a++) assert.ok(Math.abs(noise[a] / level[a] - 1) < 0.15, `antenna ${a}`)
  const mean = noise.reduce((sum, e, a) => sum + Math.log(e / level[a]), 0) / antennas
  assert.ok(Math.abs(mean) < 0.025, `bias ${mean}`)
})

test('an antenna without long baselines takes its noise from the short ones', () => {
  const sigma = new Float32Array(pairs.length).fill(2)
  const preferred = Uint8Array.from(pairs, ([i, j]) => (i === 0 || j === 0 ? 0 : 1))
  const noise = antennaNoise({ antennas, antenna1, antenna2, sigma, cells: 1, preferred, minBaselines: 4 })
  assert.ok(noise.every((e) => Math.abs(e - 2) < 1e-6))
})

test('baselines that are lost as a whole do not make a cell bad', () => {
  const input = cells(() => 1)
  input.flagged.fill(140)
  for (let k = 0; k < input.sum.length; k++) input.sum[k] *= 50 / 190
  assert.equal(flaggedCells({ ...input, lost: [140, 140] }).size, 0)
})
