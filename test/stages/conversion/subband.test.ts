import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCandidate, isUnfinished, parseFileName } from '../../../stages/conversion/file-name.ts'
import { SUBBAND_WIDTH_HZ, subbandFrequencies, subbandOf, upperEdgeHz } from '../../../stages/conversion/subband.ts'

/** First and last channel of each subband as the telescope writes them, MHz (descending). */
const table: readonly (readonly [number, number])[] = [
  [1498.643188, 1487.168579],
  [1486.924438, 1475.449829],
  [1475.205688, 1463.731079],
  [1463.486938, 1452.012329],
  [1451.768188, 1440.293579],
  [1440.049438, 1428.574829],
  [1428.330688, 1416.856079],
  [1416.611938, 1405.137329],
  [1404.893188, 1393.418579],
  [1393.174438, 1381.699829],
  [1381.455688, 1369.981079],
  [1369.736938, 1358.262329],
  [1358.018188, 1346.543579],
  [1346.299438, 1334.824829],
  [1334.580688, 1323.106079],
  [1322.861938, 1311.387329],
]

test('the 16 subbands have the frequencies of the correlator', () => {
  assert.equal(subbandFrequencies(0, 48)[47], 1498643188.4765625)
  table.forEach(([first, last], subband) => {
    const freqHz = subbandFrequencies(subband, 48)
    assert.equal((freqHz[47] / 1e6).toFixed(6), first.toFixed(6))
    assert.equal((freqHz[0] / 1e6).toFixed(6), last.toFixed(6))
    assert.equal(subbandOf(freqHz.toReversed(), 244140.625), subband)
  })
  assert.equal((upperEdgeHz(0) / 1e6).toFixed(6), '1498.765259')
  assert.equal(((upperEdgeHz(15) - SUBBAND_WIDTH_HZ) / 1e6).toFixed(6), '1311.265259')
})

function shifted(offsetHz: number): Float64Array {
  return subbandFrequencies(7, 12).map((freqHz) => freqHz + offsetHz)
}

test('a subband is recognised within 1 kHz, in any number of channels, and in either order', () => {
  assert.equal(subbandOf(shifted(999), 976562.5), 7)
  assert.equal(subbandOf(shifted(-999).toReversed(), 976562.5), 7)
  assert.equal(subbandOf(shifted(1001), 976562.5), undefined)
  assert.equal(subbandOf(shifted(0).subarray(0, 11), 976562.5), undefined)
  assert.equal(
    subbandOf(
      subbandFrequencies(0, 12).map((freqHz) => freqHz + SUBBAND_WIDTH_HZ),
      976562.5,
    ),
    undefined,
  )
})

test('file names are read where they follow the pattern', () => {
  assert.deepEqual(parseFileName('2026-01-25T22:26:05_sb07.hdf5')?.label, 7)
  for (const name of [
    '2026-01-25T22:26:05_sb7.hdf5',
    '2026-13-25T22:26:05_sb07.hdf5',
    'a.hdf5',
    '2026-01-25T22:26:05_sb07_incomplete.hdf5',
  ]) {
    assert.equal(parseFileName(name), undefined, name)
  }
  assert.deepEqual(['a.hdf5', 'b.UVH5', 'c.h5', 'd.txt', 'e_incomplete.hdf5'].map(isCandidate), [
    true,
    true,
    true,
    false,
    false,
  ])
  assert.ok(isUnfinished('2026-01-25T22:26:05_sb07_incomplete.hdf5'))
})
