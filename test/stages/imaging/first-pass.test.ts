import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '#runtime/numeric/random.ts'
import { findFirstPass, newIslands, noiseMap, type SearchInput } from '../../../stages/imaging/first-pass.ts'
import {
  describePointSpread,
  isCovered,
  isFar,
  lobeAt,
  subtractPointSpread,
} from '../../../stages/imaging/point-spread.ts'

const size = 256
const beamPixels = 5

/**
 * Dirty beam of a regular T of two arms, twice as large as the image so that dirty images are exact at all separations:
 * a Gaussian core, sidelobes of a fifth, and spokes of grating lobes along the arms.
 */
function regularT(x: number, y: number): number {
  const core = Math.exp((-4 * Math.LN2 * (x * x + y * y)) / (beamPixels * beamPixels))
  const ring = 0.2 * Math.cos(Math.hypot(x, y) / 3) * Math.exp(-Math.hypot(x, y) / 25)
  const spoke = (along: number, across: number, period: number): number =>
    0.08 * Math.cos((2 * Math.PI * along) / period) * Math.exp(-((across / 3) ** 2))
  return 0.8 * core + ring + spoke(x, y, 31) + spoke(y, x, 43)
}

const peak = regularT(0, 0)
const beamAt = (x: number, y: number): number => regularT(x, y) / peak

const psfData = Float32Array.from({ length: size * size }, (_, i) =>
  beamAt((i % size) - size / 2, Math.floor(i / size) - size / 2),
)
const step = 2
const wide = {
  data: Float32Array.from({ length: size * size }, (_, i) =>
    beamAt(step * ((i % size) - size / 2), step * (Math.floor(i / size) - size / 2)),
  ),
  width: size,
  height: size,
  step,
}
const psf = describePointSpread(psfData, size, { height: size, mainLobePixels: beamPixels, wide })

interface Source {
  x: number
  y: number
  fluxJy: number
}

function dirtyImage(sources: readonly Source[], noiseJy: number, seed = 'first pass'): Float32Array {
  const random = createRandom(seed)
  return Float32Array.from({ length: size * size }, (_, i) => {
    const [x, y] = [i % size, Math.floor(i / size)]
    return sources.reduce(
      (sum, source) => sum + source.fluxJy * beamAt(x - source.x, y - source.y),
      noiseJy * random.normal(),
    )
  })
}

function search(image: Float32Array, more: Partial<SearchInput> = {}): ReturnType<typeof findFirstPass> {
  return findFirstPass({ image, psf, maskSigma: 6, beamPixels, ...more })
}

const nearest = (pixel: number, sources: readonly Source[]): number =>
  Math.min(...sources.map(({ x, y }) => Math.hypot((pixel % size) - x, Math.floor(pixel / size) - y)))

test('sources are found below the sidelobes of brighter ones, and no sidelobe is taken for a source', () => {
  const sources: Source[] = [
    { x: 100, y: 120, fluxJy: 1 },
    { x: 180, y: 60, fluxJy: 0.5 },
    { x: 60, y: 200, fluxJy: 0.2 },
    // In the sidelobes of the first, and fainter than they are.
    { x: 118, y: 131, fluxJy: 0.09 },
    { x: 40, y: 40, fluxJy: 0.05 },
    { x: 220, y: 210, fluxJy: 0.06 },
  ]
  const { peaks, islands } = search(dirtyImage(sources, 0.002))
  for (const { pixel } of peaks)
    assert.ok(nearest(pixel, sources) < 3, `false source at ${pixel % size}, ${Math.floor(pixel / size)}`)
  for (const source of sources) {
    const found = peaks.find(({ pixel }) => nearest(pixel, [source]) < 3)
    assert.ok(found !== undefined, `source of ${source.fluxJy} Jy`)
    assert.ok(Math.abs(found.fluxJy / source.fluxJy - 1) < 0.15, `${found.fluxJy} instead of ${source.fluxJy}`)
  }
  assert.equal(islands.length, sources.length)
})

test('two sources further apart than the dirty beam reaches do not deceive each other', () => {
  // On one spoke, 180 pixels apart: the image of the dirty beam covers 128.
  const sources: Source[] = [
    { x: 30, y: 128, fluxJy: 1 },
    { x: 210, y: 128, fluxJy: 0.4 },
  ]
  const { peaks } = search(dirtyImage(sources, 0.002))
  for (const { pixel } of peaks) assert.ok(nearest(pixel, sources) < 3)
  assert.equal(peaks.length, 2)
})

test('noise holds no source, and a field of blanks neither', () => {
  for (let seed = 0; seed < 5; seed += 1) assert.equal(search(dirtyImage([], 1, `noise ${seed}`)).islands.length, 0)
  assert.equal(search(new Float32Array(size * size).fill(Number.NaN)).islands.length, 0)
})

test('what is left of a subtracted source is no new source, unless it is more than its sidelobes may leave', () => {
  const place = 120 * size + 100
  const lobe = 120 * size + 131
  const image = dirtyImage([], 0.001)
  // Less than 0.3 % of a grating lobe of 7 % of 100 Jy, and on another image a source beyond doubt at that place.
  const rest = 0.01
  const source = { x: 131, y: 120, fluxJy: rest }
  const left = dirtyImage([source], 0.001)
  const removed = [{ pixel: place, fluxJy: 100 }]
  const islandsOf = (data: Float32Array, more: Partial<SearchInput>) =>
    newIslands({ image: data, psf, maskSigma: 6, beamPixels, ...more }, noiseMap(data, size, beamPixels))
  assert.equal(islandsOf(image, {}).length, 0)
  assert.equal(islandsOf(left, {}).length, 1)
  assert.ok(lobeAt(psf, place, lobe) > 0.05)
  assert.equal(islandsOf(left, { removed }).length, 0)
  assert.equal(islandsOf(dirtyImage([{ ...source, fluxJy: 0.1 }], 0.001), { removed }).length, 1)
})

test('islands in known windows are not new', () => {
  const image = dirtyImage([{ x: 100, y: 120, fluxJy: 0.1 }], 0.002)
  const known = new Uint8Array(size * size)
  known[120 * size + 100] = 1
  const rms = noiseMap(image, size, beamPixels)
  assert.equal(newIslands({ image, psf, maskSigma: 6, beamPixels }, rms).length, 1)
  assert.equal(newIslands({ image, psf, maskSigma: 6, beamPixels, known }, rms).length, 0)
})

test('a dirty beam is described by its sidelobes and lobes, inside and beyond its image', () => {
  assert.ok(psf.sidelobe > 0.1 && psf.sidelobe < 0.35)
  for (let r = 1; r < psf.envelope.length; r += 1) assert.ok(psf.envelope[r] <= psf.envelope[r - 1])
  const at = (x: number, y: number): number => y * size + x
  assert.equal(isCovered(psf, at(10, 128), at(120, 128)), true)
  assert.equal(isCovered(psf, at(10, 128), at(250, 128)), false)
  assert.equal(isFar(psf, at(10, 128), at(250, 128)), true)
  assert.equal(isFar(psf, at(10, 128), at(100, 128)), false)
  // Beyond the image: along a spoke there are lobes, off the spokes hardly any.
  assert.ok(lobeAt(psf, at(10, 128), at(250, 128)) > 0.06)
  assert.ok(lobeAt(psf, at(10, 10), at(250, 130)) < 0.04)
})

test('subtracting the dirty beam of a source leaves nothing where the dirty beam reaches', () => {
  const image = dirtyImage([{ x: 128, y: 128, fluxJy: 2 }], 0)
  subtractPointSpread(image, psf, { pixel: 128 * size + 128, fluxJy: 2, floorJy: 0 })
  assert.ok(Math.max(...image.subarray(0, image.length).map(Math.abs)) < 1e-6)
  const cut = dirtyImage([{ x: 128, y: 128, fluxJy: 2 }], 0)
  subtractPointSpread(cut, psf, { pixel: 128 * size + 128, fluxJy: 2, floorJy: 0.5 })
  assert.ok(Math.abs(cut[128 * size + 128]) < 1e-6)
  assert.equal(cut[128 * size + 200], Math.fround(2 * beamAt(72, 0)))
})
