// The demo's observation through the real stages and the command line: verdict, pinned digests, reuse.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { calibration } from '../../stages/calibration/contract.ts'
import { conversion } from '../../stages/conversion/contract.ts'
import { needs } from '../oracles/oracle.ts'

const main = fileURLToPath(new URL('../../orchestrator/main.ts', import.meta.url))
const golden = fileURLToPath(new URL('../golden/product-digests.json', import.meta.url))

interface Step {
  stage: string
  status: string
  product: string
  outputs: Record<string, string>
}

interface Observation {
  verdict: string
  steps: Step[]
}

/** The content hashes of a step's outputs, as its result promises them. */
function digests({ outputs }: Step): Record<string, string> {
  const [path] = Object.values(outputs)
  const product = path.slice(0, path.lastIndexOf('/'))
  const result = JSON.parse(readFileSync(join(product, 'result.json'), 'utf8')) as {
    outputs: Record<string, { sha256: string }>
  }
  return Object.fromEntries(Object.entries(result.outputs).map(([name, { sha256 }]) => [name, sha256]))
}

describe('the demo observation', { skip: needs('wsclean') }, () => {
  let root = ''
  let first: Observation

  const contimg = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
    return { status, stdout, stderr }
  }
  const run = (...flags: string[]): { status: number | null; observation: Observation; stderr: string } => {
    const { status, stdout, stderr } = contimg(
      'run',
      join(root, 'raw/contimg.yaml'),
      '--root',
      root,
      '-o',
      'json',
      ...flags,
    )
    assert.notEqual(stdout, '', stderr)
    return { status, stderr, observation: JSON.parse(stdout).observations[0] as Observation }
  }

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'contimg-demo-'))
    assert.equal(contimg('simulate', '--out', join(root, 'raw')).status, 0)
  })
  after(() => rmSync(root, { recursive: true, force: true }))

  test('comes out with the verdict good and every output in place', () => {
    const { status, observation, stderr } = run()
    first = observation
    assert.equal(status, 0, stderr)
    assert.equal(observation.verdict, 'good', stderr)
    assert.deepEqual(
      observation.steps.map(({ stage, status: state }) => [stage, state]),
      [
        ['conversion', 'done'],
        ['calibration', 'done'],
        ['imaging', 'done'],
        ['validation', 'done'],
      ],
    )
    for (const { outputs } of observation.steps)
      for (const path of Object.values(outputs)) assert.ok(existsSync(path), path)
  })

  test('has the bytes that its contract versions pin', () => {
    const found = Object.fromEntries(
      [conversion, calibration].map(({ name, version }) => [
        `${name}/v${version}`,
        digests(first.steps.find(({ stage }) => stage === name) as Step),
      ]),
    )
    // An output that changes on purpose raises its contract's version; then the new digests are accepted with
    // CONTIMG_UPDATE_GOLDEN=1.
    if (process.env['CONTIMG_UPDATE_GOLDEN'] === '1') writeFileSync(golden, `${JSON.stringify(found, null, 2)}\n`)
    assert.deepEqual(found, JSON.parse(readFileSync(golden, 'utf8')))
  })

  test('is reused whole by the same command', () => {
    const { status, observation } = run()
    assert.equal(status, 0)
    assert.deepEqual(
      observation.steps.map(({ status: state }) => state),
      ['cached', 'cached', 'cached', 'cached'],
    )
  })

  test('runs imaging and validation again for a changed imaging parameter, and says why', () => {
    const { observation, stderr } = run('--set', 'imaging.sizePixels=1800')
    assert.deepEqual(
      observation.steps.map(({ status: state }) => state),
      ['cached', 'cached', 'done', 'done'],
    )
    assert.match(stderr, /sizePixels/)
  })
})
