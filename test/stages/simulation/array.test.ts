import assert from 'node:assert/strict'
import { test } from 'node:test'
import { activeStations, baselineRows, correlatorOrder, stationPositions } from '../../../stages/simulation/array.ts'
import { channelWidthHz, subbandFrequencies } from '../../../stages/simulation/band.ts'

const positions = stationPositions()

function distance(a: number, b: number): number {
  return Math.hypot(...[0, 1, 2].map((axis) => positions[3 * (a - 1) + axis] - positions[3 * (b - 1) + axis]))
}

function lengths(stations: readonly number[]): number[] {
  return stations.flatMap((a, i) => stations.slice(i + 1).map((b) => distance(a, b))).sort((x, y) => x - y)
}

function near(value: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(value - expected) <= tolerance, `${value} is not ${expected} +- ${tolerance}`)
}

test('baselines have the lengths that were computed from the station table', () => {
  const active = activeStations()
  assert.equal(active.length, 96)
  const all = lengths(active)
  near(all[0], 5.75, 0.005)
  near(all.at(-1) as number, 2601.6, 1)
  near(distance(108, 116), 2601.6, 1)
  near(distance(108, 117), 2707.2, 1)
  near(all[all.length >> 1], 308, 1)
  near(lengths(active.filter((station) => station < 103)).at(-1) as number, 483.9, 0.1)
})

test('the correlator order is not monotonic: pairs with 101 and 115 are reversed', () => {
  const order = correlatorOrder(96)
  assert.deepEqual(
    order.toSorted((a, b) => a - b),
    activeStations(),
  )
  const { ant1, ant2 } = baselineRows(order)
  assert.equal(ant1.length, 4656)
  const reversed = [...ant1.keys()].filter((row) => ant1[row] > ant2[row])
  assert.ok(reversed.length >= 6)
  for (const row of reversed) assert.ok([ant1[row], ant2[row]].some((antenna) => antenna === 100 || antenna === 114))
  assert.deepEqual([ant1[4], ant2[4]], [order[1] - 1, order[2] - 1])
})

test('smaller and larger arrays hold distinct stations, and a list is kept', () => {
  for (const count of [2, 8, 24, 64, 100, 117]) {
    const order = correlatorOrder(count)
    assert.equal(new Set(order).size, count)
    assert.ok(order.every((station) => station >= 1 && station <= 117))
  }
  assert.deepEqual(correlatorOrder([3, 1, 2]), [1, 2, 3])
})

test('channel centres are those of the band table, descending', () => {
  const table: [number, number, number][] = [
    [0, 1498.643188, 1487.168579],
    [5, 1440.049438, 1428.574829],
    [15, 1322.861938, 1311.387329],
  ]
  for (const [subband, first, last] of table) {
    const freqHz = subbandFrequencies(subband, 48)
    near(freqHz[0] / 1e6, first, 1e-6)
    near(freqHz[47] / 1e6, last, 1e-6)
    near(freqHz[0] - freqHz[1], 244140.625, 1e-6)
  }
  assert.equal(subbandFrequencies(0, 48)[0], 1498643188.4765625)
})

test('wider channels share the edges of the subband', () => {
  for (const channels of [48, 12, 4, 1]) {
    const freqHz = subbandFrequencies(3, channels)
    const half = channelWidthHz(channels) / 2
    near(freqHz[0] + half, subbandFrequencies(3, 48)[0] + 244140.625 / 2, 1e-6)
    near(freqHz[channels - 1] - half, subbandFrequencies(3, 48)[47] - 244140.625 / 2, 1e-6)
  }
})
