import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pixelToSky, type ImageWcs } from '#runtime/sky/projection.ts'
import { addToModel, restoreSources } from '../../../stages/imaging/restore.ts'

const arcsec = Math.PI / 648_000
const size = 128
const wcs: ImageWcs = {
  centre: { raRad: 3.5, decRad: 0.3 },
  width: size,
  height: size,
  cellRad: 7 * arcsec,
  referenceX: 64,
  referenceY: 64,
}
const beam = { majorRad: 70 * arcsec, minorRad: 35 * arcsec, positionAngleRad: Math.PI / 6 }
const source = (x: number, y: number, apparentFluxJy = 2) => ({ direction: pixelToSky(wcs, x, y), apparentFluxJy })

test('a restored source has its flux density as peak and as integral over the beam', () => {
  const image = new Float32Array(size * size)
  restoreSources(image, wcs, { sources: [source(60, 70)], beam })
  assert.ok(Math.abs(image[70 * size + 60] - 2) < 1e-6)
  const beamArea = (Math.PI / (4 * Math.LN2)) * 10 * 5
  assert.ok(Math.abs(image.reduce((sum, value) => sum + value, 0) / beamArea - 2) < 1e-3)
})

test('it lies between pixels where its direction does', () => {
  const image = new Float32Array(size * size)
  restoreSources(image, wcs, { sources: [source(60.3, 70.6)], beam })
  let [sum, sx, sy] = [0, 0, 0]
  image.forEach((value, i) => {
    sum += value
    sx += value * (i % size)
    sy += value * Math.floor(i / size)
  })
  assert.ok(Math.abs(sx / sum - 60.3) < 1e-4 && Math.abs(sy / sum - 70.6) < 1e-4)
})

test('its long axis points from north to east by the position angle: up and to the left', () => {
  const image = new Float32Array(size * size)
  restoreSources(image, wcs, { sources: [source(64, 64)], beam })
  const along = (angle: number): number =>
    image[Math.round(64 + 8 * Math.cos(angle)) * size + Math.round(64 - 8 * Math.sin(angle))]
  assert.ok(along(Math.PI / 6) > 2 * along(-Math.PI / 6))
  assert.ok(along(Math.PI / 6) > 10 * along(Math.PI / 6 + Math.PI / 2))
})

test('in the model it is one pixel, and beyond the edge nothing breaks', () => {
  const model = new Float32Array(size * size)
  addToModel(model, wcs, [source(60.3, 70.6), source(200, 10)])
  assert.equal(model[71 * size + 60], 2)
  assert.equal(
    model.reduce((sum, value) => sum + value, 0),
    2,
  )
  const image = new Float32Array(size * size)
  restoreSources(image, wcs, { sources: [source(-2, 64)], beam })
  assert.ok(image[64 * size] > 1 && image[64 * size + 60] < 1e-6)
})
