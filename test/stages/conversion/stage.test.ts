import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { defaultEarthOrientationPath } from '#runtime/formats/earth-orientation.ts'
import { apiVersion, stageResultSchema, type StageContext } from '#runtime/stage/contract.ts'
import { conversion } from '../../../stages/conversion/contract.ts'
import { inFolder, rawObservation, writeRaw } from './raw-observation.ts'

const main = fileURLToPath(new URL('../../../stages/conversion/main.ts', import.meta.url))
const product = 'products/20260125T222605/conversion/0123456789ab'

/** Starts the stage as an executor does: a data root, raw files outside of it, a context file. */
function start(dir: string, paths: readonly string[], integrations: number) {
  copyFileSync(defaultEarthOrientationPath, join(dir, 'eop.json'))
  const context: StageContext = {
    apiVersion,
    run: 'test',
    observation: '20260125T222605',
    stage: 'conversion',
    key: 'a'.repeat(64),
    attempt: { number: 1, uid: 'first' },
    params: { expect: { subbands: [0, 1, 2], integrations } },
    inputs: {
      raw: paths.map((path) => ({ path: `incoming:${basename(path)}`, bytes: statSync(path).size, kind: 'uvh5' })),
      earthOrientation: { path: 'eop.json', bytes: statSync(join(dir, 'eop.json')).size, kind: 'earth-orientation' },
    },
    upstream: {},
    productDir: product,
    scratchDir: 'scratch',
    resources: { cpu: 2, memoryBytes: 2 ** 30, scratchBytes: 0 },
  }
  writeFileSync(join(dir, 'context.json'), JSON.stringify(context))
  const child = spawn(process.execPath, [main, '--context', 'context.json'], {
    cwd: dir,
    env: { ...process.env, CONTIMG_INCOMING: join(dir, 'incoming') },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  return { child, output: () => output, end: once(child, 'close').then(([code]) => code as number) }
}

function incoming(dir: string): string {
  const path = join(dir, 'incoming')
  mkdirSync(path)
  return path
}

test('the stage commits a product with every metric of its contract', () =>
  inFolder(async (dir) => {
    const paths = writeRaw(incoming(dir), rawObservation())
    assert.equal(await start(dir, paths, 5).end, 0)
    const result = stageResultSchema.parse(JSON.parse(readFileSync(join(dir, product, 'result.json'), 'utf8')))
    assert.equal(result.quality.verdict, 'good')
    assert.deepEqual(Object.keys(result.metrics).sort(), Object.keys(conversion.metrics).sort())
    assert.deepEqual(Object.keys(result.outputs), ['measurementSet'])
    assert.equal(result.provenance['raw.sb01'], basename(paths[1]))
    assert.deepEqual(result.warnings, [])
    const phases = result.usage.phases.map(({ name }) => name)
    for (const phase of ['headers', 'geometry', 'convert', 'finish', 'tables', 'gates'])
      assert.ok(phases.includes(phase), phase)
  }))

test('an implausible header ends with 65 and leaves nothing behind', () =>
  inFolder(async (dir) => {
    const raw = rawObservation()
    raw.timesJd = raw.timesJd.map((jd) => jd - raw.timesJd[0] + 2455000.5)
    const { end, output } = start(dir, writeRaw(incoming(dir), raw), 5)
    assert.equal(await end, 65)
    assert.match(output(), /DATA_IMPLAUSIBLE/)
    assert.ok(!existsSync(join(dir, product)))
    assert.deepEqual(readdirSync(join(dir, 'products/20260125T222605/conversion')), [])
    assert.deepEqual(readdirSync(join(dir, 'scratch')), [])
  }))

test('a stop while it converts ends with 75 and leaves nothing behind', () =>
  inFolder(async (dir) => {
    const integrations = 400
    const paths = writeRaw(incoming(dir), rawObservation({ integrations, channels: 48 }))
    const { child, end } = start(dir, paths, integrations)
    child.stdout.on('data', (text: string) => {
      if (text.includes('"convert"')) child.kill('SIGTERM')
    })
    assert.equal(await end, 75)
    assert.deepEqual(readdirSync(join(dir, 'products/20260125T222605/conversion')), [])
  }))
