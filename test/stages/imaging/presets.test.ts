import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imaging, imagingParams } from '../../../stages/imaging/contract.ts'
import { presets, resolveSettings } from '../../../stages/imaging/presets.ts'

const fullShape = {
  antennas: 96,
  baselines: 4656,
  integrations: 24,
  subbands: 16,
  channelsPerSubband: 48,
  polarizations: 2,
}

test('without parameters the standard preset holds: 2048 pixels of 7 arcsec, Briggs 0.5', () => {
  const settings = resolveSettings(imagingParams.parse({}))
  assert.deepEqual(settings, presets.standard)
  assert.equal(settings.sizePixels, 2048)
  assert.equal(settings.cellArcsec, 7)
  assert.deepEqual(settings.weighting, { briggs: 0.5 })
})

test('a parameter overrides its preset and nothing else', () => {
  const settings = resolveSettings(
    imagingParams.parse({ preset: 'fine', weighting: 'natural', mgain: 0.7, clean: false }),
  )
  assert.deepEqual(settings, { ...presets.fine, weighting: 'natural', mgain: 0.7, clean: false })
})

test('every parameter says its unit or what null means, and unknown ones are refused', () => {
  for (const [name, schema] of Object.entries(imagingParams.shape)) {
    assert.ok((schema.description ?? '').length > 15, `${name} has no description`)
  }
  assert.equal(imagingParams.safeParse({ cell: 7 }).success, false)
  assert.equal(imagingParams.safeParse({ sizePixels: 2047 }).success, false)
  assert.equal(imagingParams.safeParse({ weighting: { briggs: 3 } }).success, false)
})

test('the plan of a full observation fits the memory that measurements showed', () => {
  const plan = imaging.plan(imagingParams.parse({}), fullShape)
  // Measured with WSClean 3.1: 0.85 GB and 0.80 GB of scratch.
  assert.ok(plan.workingBytes > 0.76e9 && plan.workingBytes < 1.2e9, `${plan.workingBytes}`)
  assert.ok(plan.scratchBytes > 0.7e9 && plan.scratchBytes < 1e9, `${plan.scratchBytes}`)
  const fine = imaging.plan(imagingParams.parse({ preset: 'fine' }), fullShape)
  assert.ok(fine.workingBytes > 2.3e9 && fine.workingBytes < 2.5e9, `${fine.workingBytes}`)
})

test('the plan grows with pixels and data, and a dirty image needs no copy', () => {
  const params = imagingParams.parse({})
  const plan = imaging.plan(params, fullShape)
  const half = imaging.plan(params, { ...fullShape, subbands: 8 })
  assert.ok(
    half.workingBytes < plan.workingBytes && half.seconds < plan.seconds && half.scratchBytes < plan.scratchBytes,
  )
  const dirty = imaging.plan({ ...params, clean: false }, fullShape)
  assert.ok(dirty.scratchBytes < plan.scratchBytes - 400e6 && dirty.seconds < plan.seconds / 2)
})
