import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  faultCatalogue,
  planSimulation,
  presets,
  resolveParams,
  simulationParams,
} from '../../../stages/simulation/contract.ts'

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

test('a fault is a name with parameters, and a wrong one is told by what is wrong with it', () => {
  assert.deepEqual(resolveParams({ faults: ['samples:value=zero,channels=0-2+5'] }).faults, [
    'samples:value=zero,channels=0-2+5',
  ])
  for (const [text, message] of [
    ['mising', /no fault is called .*mising.*; there are: missing, late/],
    ['missing:at=1', /missing has no parameter .*at.*; it has: subbands/],
    ['late:seconds=soon', /late: seconds: /],
    ['station-moved', /station-moved: station: /],
    ['missing:subbands=0..3', /numbers joined by \+, ranges by -/],
  ] as const)
    assert.throws(() => resolveParams({ faults: [text] }), message, text)
})

test('every fault has its place in the help', () => {
  assert.ok(faultCatalogue.length >= 20)
  for (const { name, help, params } of faultCatalogue) assert.ok(help.length > 5 && params.includes('subbands'), name)
})
