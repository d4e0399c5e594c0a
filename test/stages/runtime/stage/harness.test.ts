import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const entry = fileURLToPath(new URL('../../../fixtures/harness/main.ts', import.meta.url))
const text = 'hello'

interface Room {
  root: string
  snapshot: string
  start(act: string, overrides?: Record<string, unknown>): { child: ChildProcess; ended: Promise<Ending> }
}

interface Ending {
  code: number | null
  lines: Record<string, unknown>[]
}

function room(t: TestContext): Room {
  const root = mkdtempSync(join(tmpdir(), 'contimg-harness-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  writeFileSync(join(root, 'a.txt'), text)
  mkdirSync(join(root, 'products/obs/conversion'), { recursive: true })
  const snapshot = join(root, 'snapshot.json')
  return {
    root,
    snapshot,
    start(act, overrides = {}) {
      const path = join(root, `context-${act}.json`)
      writeFileSync(path, JSON.stringify({ ...context(act), ...overrides }))
      const child = spawn(process.execPath, [entry, '--context', path], {
        cwd: root,
        env: { ...process.env, CONTIMG_TERMINATION_PATH: snapshot },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      return { child, ended: ending(child) }
    },
  }
}

async function ending(child: ChildProcess): Promise<Ending> {
  let output = ''
  child.stdout?.on('data', (block: Buffer) => (output += block.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return {
    code,
    lines: output
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}

function context(act: string): Record<string, unknown> {
  return {
    apiVersion: 'contimg/v1',
    run: 'test-run',
    observation: '20260125T222605',
    stage: 'conversion',
    key: 'a'.repeat(64),
    attempt: { number: 1, uid: `uid-${act}` },
    params: { act },
    inputs: { text: { path: 'a.txt', bytes: text.length, kind: 'text', sha256: sha256(text) } },
    productDir: 'products/obs/conversion/aaaaaaaaaaaa',
    scratchDir: 'scratch',
    resources: { cpu: 1, memoryBytes: 1e9, scratchBytes: 0 },
  }
}

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex')
}

/** Nothing partial is visible: no product, no attempt directory, no scratch. */
function assertNothingLeft(root: string): void {
  assert.deepEqual(readdirSync(join(root, 'products/obs/conversion')), [])
  if (existsSync(join(root, 'scratch'))) assert.deepEqual(readdirSync(join(root, 'scratch')), [])
}

test('a stage that succeeds commits its product with hashes, usage and result.json', async (t) => {
  const { root, start } = room(t)
  const { code, lines } = await start('succeed').ended
  assert.equal(code, 0)
  const product = join(root, 'products/obs/conversion/aaaaaaaaaaaa')
  const result = JSON.parse(readFileSync(join(product, 'result.json'), 'utf8'))
  assert.deepEqual(result.outputs, { copy: { path: 'copy.txt', sha256: sha256('a.txt'), bytes: 5 } })
  assert.equal(result.quality.verdict, 'good')
  assert.deepEqual(result.metrics, {}, 'a metric that is not a number is absent')
  assert.deepEqual(result.warnings, ['a warning'])
  assert.deepEqual(
    result.usage.phases.map((phase: { name: string }) => phase.name),
    ['check-inputs', 'write', 'sync', 'hash'],
  )
  assert.ok(result.usage.peakMemoryBytes > 1e6 && result.usage.cpuSeconds > 0)
  assert.deepEqual(readdirSync(product).sort(), ['checksums.sha256', 'copy.txt', 'result.json', 'stage.log'])
  assert.deepEqual(readdirSync(join(root, 'scratch')), [])
  assert.ok(lines.some((line) => line['type'] === 'progress' && line['done'] === 1))
})

test('a second attempt of a committed step changes nothing and succeeds', async (t) => {
  const { root, start } = room(t)
  await start('succeed').ended
  const path = join(root, 'products/obs/conversion/aaaaaaaaaaaa/result.json')
  const before = readFileSync(path, 'utf8')
  const { code } = await start('succeed', { attempt: { number: 2, uid: 'second' } }).ended
  assert.equal(code, 0)
  assert.equal(readFileSync(path, 'utf8'), before)
  assert.equal(readdirSync(join(root, 'products/obs/conversion')).length, 1)
})

test('a failure leaves its code, hint and phase in the snapshot and nothing in the products', async (t) => {
  const { root, start, snapshot } = room(t)
  const { code, lines } = await start('fail').ended
  assert.equal(code, 65)
  const left = JSON.parse(readFileSync(snapshot, 'utf8'))
  assert.equal(left.error.code, 'DATA_UNUSABLE')
  assert.equal(left.error.hint, 'look at the antennas')
  assert.ok(lines.some((line) => line['type'] === 'error'))
  assertNothingLeft(root)
})

test('a fault of the program is INTERNAL, exit 70', async (t) => {
  const { root, start, snapshot } = room(t)
  assert.equal((await start('throw').ended).code, 70)
  assert.equal(JSON.parse(readFileSync(snapshot, 'utf8')).error.code, 'INTERNAL')
  assertNothingLeft(root)
})

test('a promised output that was not written is refused', async (t) => {
  const { root, start, snapshot } = room(t)
  assert.equal((await start('forget').ended).code, 70)
  assert.equal(JSON.parse(readFileSync(snapshot, 'utf8')).error.code, 'OUTPUT_INVALID')
  assertNothingLeft(root)
})

/** The code that a stage gave for its end. */
function codeOf(lines: readonly Record<string, unknown>[]): unknown {
  const last = lines.findLast((line) => line['type'] === 'error')
  return (last?.['error'] as { code?: string } | undefined)?.code
}

const sound = { path: 'a.txt', bytes: text.length, kind: 'text' }
const badInputs: [string, string, Record<string, unknown>][] = [
  ['a missing file', 'INPUT_MISSING', { ...sound, path: 'absent.txt' }],
  ['another size', 'INPUT_CHANGED', { ...sound, bytes: 4 }],
  ['another content', 'INPUT_CHANGED', { ...sound, sha256: sha256('other') }],
  ['a path that leaves the root', 'PARAMS_INVALID', { ...sound, path: '../a.txt' }],
]
for (const [what, error, reference] of badInputs) {
  test(`an input with ${what} is refused before the stage runs`, async (t) => {
    const { root, start } = room(t)
    const { code, lines } = await start('succeed', { inputs: { text: reference } }).ended
    assert.deepEqual([code, codeOf(lines)], [error === 'PARAMS_INVALID' ? 64 : 66, error])
    assert.ok(!lines.some((line) => line['type'] === 'progress'))
    assertNothingLeft(root)
  })
}

test('parameters outside the schema are refused with exit 64', async (t) => {
  const { root, start } = room(t)
  const { code, lines } = await start('succeed', { params: { act: 'dance' } }).ended
  assert.deepEqual([code, codeOf(lines)], [64, 'PARAMS_INVALID'])
  assertNothingLeft(root)
})

test('SIGTERM ends a stage with 75, scratch and attempt directory clean', async (t) => {
  const { root, start, snapshot } = room(t)
  const { child, ended } = start('wait')
  await new Promise<void>((resolve) => {
    child.stdout?.on('data', (block: Buffer) => block.toString().includes('"wait"') && resolve())
  })
  child.kill('SIGTERM')
  assert.equal((await ended).code, 75)
  assert.equal(JSON.parse(readFileSync(snapshot, 'utf8')).error.code, 'CANCELLED')
  assertNothingLeft(root)
})
