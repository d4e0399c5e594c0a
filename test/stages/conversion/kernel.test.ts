import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { StoredArray } from '#runtime/formats/uvh5/data.ts'
import { createRandom } from '#runtime/numeric/random.ts'
import { SPEED_OF_LIGHT_M_S } from '#runtime/sky/constants.ts'
import { convertBlock, startPhases, type KernelSetup } from '../../../stages/conversion/kernel.ts'
import { createPairKernel } from '../../../stages/conversion/pair-kernel.ts'
import { polarizationOrder } from '../../../stages/conversion/polarization.ts'

const rows = 40
const baselines = 20
const channels = 48

function setup(codes: readonly number[], changes: Partial<KernelSetup> = {}): KernelSetup {
  const { direct, swapped } = polarizationOrder(Int32Array.from(codes))
  const random = createRandom(7)
  return {
    channels,
    polarizations: codes.length,
    descending: true,
    lowestHz: 1487168579.1015625,
    stepHz: 244140.625,
    direct,
    swappedOrder: swapped,
    swapped: repeated(Array.from({ length: baselines }, () => random.int(2))),
    pathM: Float64Array.from({ length: rows }, () => 28 * (2 * random.next() - 1)),
    samplesPerIntegration: 96,
    ...changes,
  }
}

/** All integrations list their baselines in the same order. */
function repeated(swapped: readonly number[]): Uint8Array {
  return Uint8Array.from({ length: rows }, (_, row) => swapped[row % baselines])
}

type Converted = { data: Float32Array; bad: Uint8Array; badCount: Uint32Array }

/** @param vis in C order */
function converted(kernel: KernelSetup, vis: Float32Array): Converted {
  return convertedFrom(kernel, stored(vis, kernel.polarizations, [rows, channels, kernel.polarizations]))
}

function convertedFrom(kernel: KernelSetup, vis: StoredArray<Float32Array>): Converted {
  const elements = rows * channels * kernel.polarizations
  const data = new Float32Array(2 * elements)
  const bad = new Uint8Array(elements)
  const badCount = new Uint32Array(rows)
  const phases = { phase: new Float64Array(4 * rows), step: new Float64Array(2 * rows) }
  startPhases(kernel, { row0: 0, rows }, phases)
  convertBlock(kernel, { row0: 0, rows, vis, ...phases, data, bad, badCount })
  return { data, bad, badCount }
}

/** Stores a C-order array in chunks: the value of every element found anew from its place. */
function stored(
  vis: Float32Array,
  polarizations: number,
  [chunkRows, chunkChannels, chunkPolarizations]: readonly [number, number, number],
): StoredArray<Float32Array> {
  const across = Math.ceil(channels / chunkChannels)
  const deep = Math.ceil(polarizations / chunkPolarizations)
  const rowStride = chunkChannels * chunkPolarizations
  const chunkStride = chunkRows * rowStride
  const values = new Float32Array(2 * Math.ceil(rows / chunkRows) * across * deep * chunkStride).fill(Number.NaN)
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let p = 0; p < polarizations; p++) {
        const chunk =
          (Math.floor(row / chunkRows) * across + Math.floor(channel / chunkChannels)) * deep +
          Math.floor(p / chunkPolarizations)
        const inside =
          (row % chunkRows) * rowStride + (channel % chunkChannels) * chunkPolarizations + (p % chunkPolarizations)
        const from = 2 * ((row * channels + channel) * polarizations + p)
        values.set(vis.subarray(from, from + 2), 2 * (chunk * chunkStride + inside))
      }
    }
  }
  const bands = Array.from({ length: Math.ceil(rows / chunkRows) }, (_, band) => ({
    row: band * chunkRows,
    rows: Math.min(chunkRows, rows - band * chunkRows),
    start: band * across * deep * chunkStride,
    chunkStride,
  }))
  return { values, parts: 2, rowStride, chunkChannels, chunkPolarizations, uniform: false, bands }
}

function randomVis(polarizations: number): Float32Array {
  const vis = new Float32Array(2 * rows * channels * polarizations)
  createRandom(8).fillNormal(vis, 3)
  return vis
}

test('without rotation every bit of the data is that of the conjugated, reordered input', () => {
  for (const codes of [
    [-5, -6],
    [-5, -7, -8, -6],
    [-5, -6, -7, -8],
  ]) {
    const kernel = setup(codes, { pathM: new Float64Array(rows) })
    const vis = randomVis(codes.length)
    const { data } = converted(kernel, vis)
    for (let row = 0; row < rows; row++) {
      const reversed = kernel.swapped[row] === 1
      const order = reversed ? kernel.swappedOrder : kernel.direct
      for (let channel = 0; channel < channels; channel++) {
        for (let p = 0; p < codes.length; p++) {
          const from = 2 * ((row * channels + channels - 1 - channel) * codes.length + order[p])
          const to = 2 * ((row * channels + channel) * codes.length + p)
          assert.equal(data[to], vis[from])
          assert.equal(data[to + 1], reversed ? vis[from + 1] : -vis[from + 1])
        }
      }
    }
  }
})

test('how the file is chunked changes no bit of the data', () => {
  const chunk = fc.tuple(fc.integer({ min: 1, max: rows }), fc.integer({ min: 1, max: channels }))
  const correlations = fc.constantFrom([-5, -6], [-5, -7, -8, -6])
  fc.assert(
    fc.property(chunk, correlations, fc.nat(3), fc.boolean(), ([chunkRows, chunkChannels], codes, deep, descending) => {
      const kernel = setup(codes, { descending })
      const vis = randomVis(codes.length)
      vis.set([0, 0, Number.NaN], 100)
      const chunkPolarizations = (deep % codes.length) + 1
      const chunked = stored(vis, codes.length, [chunkRows, chunkChannels, chunkPolarizations])
      assert.deepEqual(convertedFrom(kernel, chunked), converted(kernel, vis))
    }),
    { numRuns: 40 },
  )
})

test('the kernel for two correlations gives the bits of the general one', () => {
  const binary = readFileSync(new URL('../../../stages/conversion/pair-kernel.wasm', import.meta.url))
  const special = fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity, 1e-45, 3e38, -3e38)
  fc.assert(
    fc.property(
      fc.tuple(
        fc.integer({ min: 1, max: rows }),
        fc.integer({ min: 1, max: channels / 2 }).map((pairs) => 2 * pairs),
      ),
      fc.integer({ min: 1, max: 2 }),
      fc.boolean(),
      fc.boolean(),
      fc.array(fc.tuple(fc.nat(4 * rows * channels - 1), special), { maxLength: 40 }),
      ([chunkRows, chunkChannels], chunkPolarizations, descending, rotated, specials) => {
        const kernel = setup([-5, -6], { descending, ...(rotated ? {} : { pathM: new Float64Array(rows) }) })
        const vis = randomVis(2)
        for (const [at, value] of specials) vis[at] = value
        const chunked = stored(vis, 2, [chunkRows, chunkChannels, chunkPolarizations])
        const pair = createPairKernel(binary, { blockRows: rows, channels, visBytes: chunked.values.byteLength })
        const values = new Float32Array(pair.vis.buffer, pair.vis.byteOffset, chunked.values.length)
        values.set(chunked.values)
        const { phase, step, data, bad, badCount } = pair
        startPhases(kernel, { row0: 0, rows }, pair)
        const block = { row0: 0, rows, vis: { ...chunked, values }, phase, step, data, bad, badCount }
        assert.ok(pair.takes(kernel, block))
        pair.convert(kernel, block)
        const expected = convertedFrom(kernel, chunked)
        assert.deepEqual(bad, expected.bad)
        assert.deepEqual(badCount, expected.badCount)
        assert.deepEqual(new Uint32Array(data.slice().buffer), new Uint32Array(expected.data.buffer))
      },
    ),
    { numRuns: 60 },
  )
})

test('phases carried over sixteen subbands are exact to 1e-12, and the rotation to 1.5e-7', () => {
  const first = setup([-5, -6], { descending: false, swapped: new Uint8Array(rows).fill(1) })
  const vis = randomVis(2)
  const values = stored(vis, 2, [rows, channels, 2])
  const data = new Float32Array(vis.length)
  const bad = new Uint8Array(vis.length / 2)
  const badCount = new Uint32Array(rows)
  const phases = { phase: new Float64Array(4 * rows), step: new Float64Array(2 * rows) }
  startPhases(first, { row0: 0, rows }, phases)
  for (let subband = 0; subband < 16; subband++) {
    const kernel = { ...first, lowestHz: first.lowestHz + subband * channels * first.stepHz }
    const phaseOf = (row: number, channel: number): number =>
      ((-2 * Math.PI) / SPEED_OF_LIGHT_M_S) * (kernel.lowestHz + channel * kernel.stepHz) * kernel.pathM[row]
    for (let row = 0; row < rows; row++) {
      const [re, nextRe, im, nextIm] = phases.phase.subarray(4 * row)
      for (const [channel, x, y] of [
        [0, re, im],
        [1, nextRe, nextIm],
      ]) {
        assert.ok(Math.abs(x - Math.cos(phaseOf(row, channel))) < 1e-12)
        assert.ok(Math.abs(y - Math.sin(phaseOf(row, channel))) < 1e-12)
      }
    }
    convertBlock(kernel, { row0: 0, rows, vis: values, ...phases, data, bad, badCount })
    for (let i = 0; i < vis.length; i += 2) {
      const angle = phaseOf(Math.floor(i / 4 / channels), Math.floor(i / 4) % channels)
      const [re, im] = [Math.cos(angle), Math.sin(angle)]
      const exact = [vis[i] * re - vis[i + 1] * im, vis[i] * im + vis[i + 1] * re]
      const error = Math.hypot(data[i] - exact[0], data[i + 1] - exact[1])
      assert.ok(error < 1.5e-7 * Math.hypot(vis[i], vis[i + 1]))
    }
  }
})

test('rotating there and back is the identity', () => {
  const path = fc.double({ min: -3000, max: 3000, noNaN: true })
  fc.assert(
    fc.property(
      fc.array(path, { minLength: rows, maxLength: rows }),
      fc.double({ min: 1e8, max: 1e10, noNaN: true }),
      fc.constantFrom([-5, -6], [-5, -7, -8, -6]),
      (paths, lowestHz, codes) => {
        fc.pre(paths.some((metres) => Math.abs(metres) > 1))
        const swapped = new Uint8Array(rows).fill(1)
        const kernel = setup(codes, { descending: false, swapped, lowestHz, pathM: Float64Array.from(paths) })
        // Swapped pairs of four correlations exchange the middle two: twice is where they were.
        const there = converted(kernel, randomVis(codes.length))
        const back = converted({ ...kernel, pathM: kernel.pathM.map((pathM) => -pathM) }, there.data)
        const vis = randomVis(codes.length)
        for (let i = 0; i < vis.length; i += 2) {
          const size = Math.hypot(vis[i], vis[i + 1])
          assert.ok(Math.hypot(back.data[i] - vis[i], back.data[i + 1] - vis[i + 1]) < 3e-7 * size)
        }
        assert.notDeepEqual(there.data, vis)
      },
    ),
    { numRuns: 40 },
  )
})

test('unusable samples become zero and are marked and counted, the others do not notice', () => {
  for (const codes of [
    [-5, -6],
    [-5, -7, -8, -6],
  ]) {
    const kernel = setup(codes)
    const clean = randomVis(codes.length)
    const vis = clean.slice()
    const values = [
      [0, 0],
      [Number.NaN, 1],
      [1, Number.NaN],
      [Number.NEGATIVE_INFINITY, 0],
      [3e38, 3e38],
      [-0, 0],
    ]
    values.forEach((value, i) => vis.set(value, 2 * 7 * i))
    const whole = converted(kernel, clean)
    const { data, bad, badCount } = converted(kernel, vis)
    assert.equal(badCount[0] + badCount[1], values.length)
    assert.equal(
      bad.reduce((sum, flag) => sum + flag, 0),
      values.length,
    )
    bad.forEach((flag, element) => {
      const expected = flag === 1 ? [0, 0] : [...whole.data.subarray(2 * element, 2 * element + 2)]
      assert.deepEqual([...data.subarray(2 * element, 2 * element + 2)], expected)
    })
  }
})

test('small values are data', () => {
  const vis = randomVis(2).fill(1e-44)
  assert.ok(converted(setup([-5, -6]), vis).bad.every((flag) => flag === 0))
})

test('correlations are ordered as casacore wants them', () => {
  assert.deepEqual(polarizationOrder(Int32Array.of(-5, -6)), {
    stokes: [9, 12],
    direct: Int32Array.of(0, 1),
    swapped: Int32Array.of(0, 1),
  })
  const four = polarizationOrder(Int32Array.of(-5, -7, -8, -6))
  assert.deepEqual(four, {
    stokes: [9, 10, 11, 12],
    direct: Int32Array.of(0, 1, 2, 3),
    swapped: Int32Array.of(0, 2, 1, 3),
  })
  const circular = polarizationOrder(Int32Array.of(-1, -2, -3, -4))
  assert.deepEqual(circular, {
    stokes: [5, 6, 7, 8],
    direct: Int32Array.of(0, 2, 3, 1),
    swapped: Int32Array.of(0, 3, 2, 1),
  })
})
