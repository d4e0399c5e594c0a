import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { decode } from 'fast-png'
import { encodePng } from '#runtime/formats/png.ts'
import { createRandom } from '#runtime/numeric/random.ts'
import { pixelToSky, type ImageWcs } from '#runtime/sky/projection.ts'
import { drawText, textWidth } from '../../../stages/imaging/bitmap-font.ts'
import { drawQuicklook, type QuicklookInput } from '../../../stages/imaging/quicklook.ts'
import { restoreSources } from '../../../stages/imaging/restore.ts'

const arcsec = Math.PI / 648_000
const golden = new URL('quicklook.golden.png', import.meta.url)

/** A field of 3.6 degrees across 0h with noise, sources from 5 to 500 sigma and blank corners. */
function field(size: number): QuicklookInput {
  const cellRad = (12_800 / size) * arcsec
  const wcs: ImageWcs = {
    centre: { raRad: 0.004, decRad: 0.55 },
    width: size,
    height: size,
    cellRad,
    referenceX: size / 2,
    referenceY: size / 2,
  }
  const beam = { majorRad: 170 * arcsec, minorRad: 85 * arcsec, positionAngleRad: 1.2 }
  const random = createRandom('quicklook')
  const image = new Float32Array(size * size)
  random.fillNormal(image, 1)
  const sources = [5, 15, 50, 150, 500].map((apparentFluxJy, k) => ({
    direction: pixelToSky(wcs, size * (0.2 + 0.15 * k), size * (0.8 - 0.13 * k)),
    apparentFluxJy,
  }))
  restoreSources(image, wcs, { sources, beam })
  const radius = (i: number): number => Math.hypot((i % size) - size / 2, Math.floor(i / size) - size / 2) / size
  return {
    image: image.map((value, i) => (radius(i) > 0.65 ? Number.NaN : value)),
    primaryBeam: image.map((_, i) => Math.exp(-4 * Math.LN2 * (radius(i) / 0.75) ** 2)),
    wcs,
    beam,
    rmsJy: 1,
    text: { Observation: '20260301T000000' },
  }
}

test('the picture is the one that was looked at', () => {
  const png = encodePng(drawQuicklook(field(512)))
  // Looked at, and to be looked at again when it changes: CONTIMG_UPDATE_GOLDEN=1 writes it.
  if (process.env['CONTIMG_UPDATE_GOLDEN'] === '1') writeFileSync(golden, png)
  assert.ok(existsSync(golden))
  const [drawn, wanted] = [decode(png), decode(readFileSync(golden))]
  assert.deepEqual([drawn.width, drawn.height, drawn.palette], [wanted.width, wanted.height, wanted.palette])
  assert.deepEqual(drawn.data, wanted.data)
})

test('large images are shown as block means of at most 1024 pixels, with the geometry in the file', () => {
  const input = field(2048)
  const picture = drawQuicklook(input)
  assert.deepEqual([picture.width, picture.height], [1024, 1024])
  const wcs = JSON.parse(picture.text?.['WCS'] ?? '') as { cellArcsec: number; referenceX: number }
  assert.equal(wcs.cellArcsec, 12.5)
  assert.equal(wcs.referenceX, 511.75)
  assert.ok(encodePng(picture).length < 500_000)
})

test('north is up: a source in the north is drawn in the upper half', () => {
  const input = field(256)
  input.image.fill(0)
  for (const i of [-1, 0, 1]) input.image.fill(1000, (200 + i) * 256 + 60, (200 + i) * 256 + 63)
  const { indexed } = drawQuicklook(input)
  const brightest = Math.max(...indexed!.pixels.subarray(0, 256 * 256).filter((value) => value < 24))
  assert.equal(indexed!.pixels[(255 - 200) * 256 + 61], brightest)
})

test('a blank image is drawn blank, noise of any unit alike', () => {
  const input = field(256)
  const scaled = { ...input, image: input.image.map((value) => value * 1e-4), rmsJy: 1e-4 }
  const differing = drawQuicklook(input).indexed!.pixels.filter(
    (value, i) => value < 24 && Math.abs(value - drawQuicklookOnce(scaled)[i]) > 1,
  )
  assert.ok(differing.length < 3000, 'only the numbers at the colour bar differ')
  const blank = drawQuicklook({ ...input, image: new Float32Array(256 * 256).fill(Number.NaN) })
  assert.ok(blank.indexed!.pixels.filter((value) => value === 24).length > 40_000)
})

let once: Uint8Array | undefined
function drawQuicklookOnce(input: QuicklookInput): Uint8Array {
  once ??= drawQuicklook(input).indexed!.pixels
  return once
}

test('the font draws what coordinates need, and blanks for what it does not know', () => {
  const pixelsOf = (text: string): number => {
    let count = 0
    drawText(text, { x: 0, y: 0, scale: 1 }, () => (count += 1))
    return count
  }
  for (const character of '0123456789+-.hms°\'"NEJybeam/') assert.ok(pixelsOf(character) >= 3, character)
  assert.equal(pixelsOf('€ '), 0)
  assert.equal(textWidth('12', 2), 22)
})
