import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isMap, isScalar, parseDocument } from 'yaml'
import { parseConfig, type RunConfig } from '../orchestrator/pipeline/config.ts'

const folder = fileURLToPath(new URL('../examples', import.meta.url))
const names = readdirSync(folder).sort()

function load(name: string, text = readFileSync(resolve(folder, name), 'utf8')): RunConfig {
  const path = resolve(folder, name)
  return parseConfig({
    file: { path, text },
    overrides: [],
    resolvePath: (relative, base) => resolve(base === 'file' ? dirname(path) : '/here', relative),
  })
}

test('the folder of examples holds configurations only', () => {
  assert.ok(names.includes('annotated.yaml'))
  assert.deepEqual(
    names.filter((name) => !name.endsWith('.yaml')),
    [],
  )
})

for (const name of names) {
  test(`${name} is a valid configuration and says something`, () => {
    const text = readFileSync(resolve(folder, name), 'utf8')
    const document = parseDocument(text)
    assert.ok(isMap(document.contents) && document.contents.items.length > 0)
    assert.match(text, /^# .*\n(#.*\n)*# {3}contimg run examples\/\S+\.yaml /m, 'it says how it is run')
    load(name, text)
  })
}

test('the annotated example shows defaults, but for what belongs to a machine', () => {
  const shown = load('annotated.yaml')
  const defaults = load('annotated.yaml', '')
  for (const block of ['ingest', 'conversion', 'calibration', 'imaging', 'validation'] as const) {
    assert.deepEqual(shown[block], defaults[block], block)
  }
  assert.equal(shown.execution.failOn, defaults.execution.failOn)
})

test('the annotated example has every block that enters keys', () => {
  const document = parseDocument(readFileSync(resolve(folder, 'annotated.yaml'), 'utf8'))
  assert.ok(isMap(document.contents))
  const blocks = document.contents.items.flatMap(({ key }) => (isScalar(key) ? [String(key.value)] : []))
  for (const block of ['conversion', 'calibration', 'imaging', 'validation']) assert.ok(blocks.includes(block), block)
})
