import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planSimulation, presets, resolveParams, simulationParams } from '../../../stages/simulation/contract.ts'

test('every parameter says what it is', () => {
  for (const [name, schema] of Object.entries(simulationParams.shape)) assert.ok(schema.description, name)
})

test('a preset gives the values that are not given, and only those', () => {
  assert.deepEqual(resolveParams(undefined), resolveParams({ preset: 'demo' }))
  const full = resolveParams({ preset: 'full', integrations: 2 })
  assert.equal(full.integrations, 2)
  assert.equal(full.channels, presets.full.channels)
  assert.equal(full.subbands.length, 16)
})

test('misspelt and impossible parameters are refused', () => {
  for (const wrong of [{ chanels: 4 }, { channels: 5 }, { antennas: 118 }, { subbands: [] }, { startUtc: 'today' }]) {
    assert.throws(() => resolveParams(wrong))
  }
})

test('the plan grows with the observation', () => {
  const demo = planSimulation(resolveParams({}), 2)
  const full = planSimulation(resolveParams({ preset: 'full' }), 2)
  assert.ok(demo.bytes > 39e6 && demo.bytes < 42e6)
  assert.ok(full.bytes > 2.3e9 && full.bytes < 2.35e9)
  assert.ok(full.seconds > demo.seconds)
  assert.ok(full.workingBytes < 1e9)
})
