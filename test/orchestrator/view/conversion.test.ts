import assert from 'node:assert/strict'
import { test } from 'node:test'
import { convertedLines, progressLine, type ConversionProgress } from '../../../orchestrator/view/conversion.ts'
import type { Converted } from '../../../stages/conversion/contract.ts'

const progress = { done: 55, total: 220, unit: 'row blocks' }
const state: ConversionProgress = { phase: 'convert', phaseBegan: 1, progress }

test('a phase that knows no total shows its name and the time, and no bar', () => {
  const options = { seconds: 63, columns: 80, bar: true, utf8: true }
  assert.equal(progressLine({ phase: 'headers', phaseBegan: 0 }, options), ' 1:03  headers')
})

test('the line has bar, part, count and remaining time where there is room', () => {
  const options = { seconds: 4, columns: 200, bar: true, utf8: true }
  const bar = `${'▇'.repeat(10)}${'▁'.repeat(30)}`
  assert.equal(progressLine(state, options), ` 0:04  convert   ${bar}   25 %   55 of 220 row blocks  9.0 s left`)
})

test('a narrow terminal gets a shorter bar without the count, then no bar; no line is ever wider', () => {
  const at = (columns: number): string => progressLine(state, { seconds: 4, columns, bar: true, utf8: true })
  assert.equal(at(60), ` 0:04  convert   ${'▇'.repeat(5)}${'▁'.repeat(15)}   25 %  9.0 s left`)
  assert.equal(at(40), ' 0:04  convert    25 %  9.0 s left')
  for (let columns = 0; columns < 250; columns++) assert.ok(at(columns).length <= Math.max(0, columns - 1))
})

test('the bar keeps its length while the numbers grow', () => {
  const lengths = new Set<number>()
  for (let done = 0; done <= 220; done++) {
    const shown = progressLine(
      { ...state, progress: { ...progress, done } },
      { seconds: 1 + done / 10, columns: 100, bar: true, utf8: true },
    )
    lengths.add(shown.replace(/[^▇▁]/g, '').length)
  }
  assert.equal(lengths.size, 1)
})

test('without symbols the bar is of ASCII, and without a terminal there is none', () => {
  assert.match(
    progressLine(state, { seconds: 2, columns: 80, bar: true, utf8: false }),
    /^ 0:02 {2}convert {3}#+\.+ {3}25 %/,
  )
  const plain = progressLine(state, { seconds: 2, columns: Number.POSITIVE_INFINITY, bar: false, utf8: true })
  assert.equal(plain, ' 0:02  convert    25 %   55 of 220 row blocks')
})

const converted: Converted = {
  output: '/data/out.ms',
  replaced: false,
  verdict: 'bad',
  files: [
    { path: 'a', bytes: 1, fingerprint: 'f', subband: 0, lowestHz: 1, highestHz: 2, read: { method: 'direct' } },
    {
      path: 'b',
      bytes: 1,
      fingerprint: 'f',
      subband: 1,
      lowestHz: 1,
      highestHz: 2,
      read: { method: 'h5wasm', reason: 'LZF filter' },
    },
    {
      path: 'c',
      bytes: 1,
      fingerprint: 'f',
      subband: 2,
      lowestHz: 1,
      highestHz: 2,
      read: { method: 'h5wasm', reason: 'LZF filter' },
    },
  ],
  rows: 140,
  channels: 12,
  polarizations: 2,
  integrations: 1,
  antennas: 7,
  centre: { raDeg: 359.9999999, decDeg: -0.5 },
  checks: [
    { name: 'rows', verdict: 'good', value: 140, unit: '1', message: '140 rows', gating: true, blocking: true },
    { name: 'integrations', verdict: 'uncertain', message: '1 of 2', gating: false, blocking: false },
    {
      name: 'zero-data',
      verdict: 'bad',
      value: 0.61234,
      unit: '1',
      limits: { good: '<= 0.3' },
      message: '61 % zero',
      gating: true,
      blocking: true,
    },
  ],
  phases: [
    { name: 'headers', seconds: 0.01, cpuSeconds: 0 },
    { name: 'convert', seconds: 1.2, cpuSeconds: 2 },
    { name: 'sync', seconds: 3, cpuSeconds: 0 },
  ],
  usage: {
    seconds: 4.5,
    cpuSeconds: 2.1,
    peakMemoryBytes: 2 ** 27,
    peakScratchBytes: 0,
    readBytes: 9,
    writtenBytes: 9,
  },
  bytes: { input: 2 ** 20, output: 2 ** 19 },
  staging: { staged: true, reason: 'assembled in scratch space' },
  warnings: ['a folder is left'],
  metrics: {},
}

test('the answer names the set, its verdict with the reasons, what it holds, how it was read and what it cost', () => {
  assert.deepEqual(convertedLines(converted, { utf8: true }), [
    '✖ /data/out.ms  verdict bad',
    '  why     zero data bad: 0.612, good <= 0.3; 61 % zero',
    '  set     140 rows, 12 channels, 2 polarizations; 1 integration of 7 antennas',
    '  centre  00h00m00.00s -00d30m00.0s J2000',
    '  read    1 file directly',
    '  read    2 files through the HDF5 library: LZF filter',
    '  bytes   1.0 MiB in, 512 KiB out',
    '  time    4.5 s, 2.1 s CPU, 128 MiB of memory: convert 1.2 s and sync 3.0 s',
    '  staged  assembled in scratch space',
    '  note    a folder is left',
  ])
})
