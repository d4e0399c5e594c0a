import assert from 'node:assert/strict'
import { test } from 'node:test'
import { uvCoverage } from '../../../stages/validation/uv-coverage.ts'

const cellRad = (3 * Math.PI) / 648000

test('one baseline is seen at its place in the uv plane and at the opposite one', () => {
  const [width, height] = [300, 280]
  const size = 256
  const cell = 1 / (size * cellRad)
  // Whole cells of the transform: east 20, north 50.
  const [u, v] = [20 * cell, 50 * cell]
  const psf = Float32Array.from({ length: width * height }, (_, i) => {
    const l = -((i % width) - width / 2) * cellRad
    const m = (Math.floor(i / width) - height / 2) * cellRad
    return Math.cos(2 * Math.PI * (u * l + v * m))
  })
  const coverage = uvCoverage(psf, { width, height, cellRad })
  assert.equal(coverage?.size, size)
  assert.ok(Math.abs((coverage?.reachWavelengths ?? 0) - 1 / (2 * cellRad)) < 1e-6)
  const found = [...(coverage?.density.keys() ?? [])].filter((i) => (coverage?.density[i] ?? 0) > 0.9)
  const place = (east: number, north: number): number => (size / 2 + north) * size + size / 2 + east
  assert.deepEqual(found, [place(-20, -50), place(20, 50)])
})

test('a point spread function that is empty or too small has no coverage', () => {
  assert.equal(uvCoverage(new Float32Array(64 * 64), { width: 64, height: 64, cellRad }), undefined)
  assert.equal(uvCoverage(new Float32Array(8 * 8).fill(1), { width: 8, height: 8, cellRad }), undefined)
})
