// Too little memory: said before any data are read where the plan shows it, and told from a crash where it ends a stage.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { needs } from '../oracles/oracle.ts'
import { observation, workbench } from '../orchestrator/workbench.ts'
import { cli, temporaryFolder } from './cli.ts'
import { memoryGroup } from './memory-group.ts'

const scripted = fileURLToPath(new URL('../reliability/scripted-main.ts', import.meta.url))
const id = '20260125T222605'

test(
  'a plan above the limit is told by need, limit and key, for every stage',
  { skip: needs('wsclean') },
  async (t) => {
    const folder = temporaryFolder(t)
    const small = ['antennas=24', 'integrations=6', 'channels=12', 'catalogue=false', 'sources=0']
    const made = await cli([
      'simulate',
      '--out',
      join(folder, 'sky'),
      ...small.flatMap((setting) => ['--set', setting]),
    ])
    assert.equal(made.exitCode, 0, made.err)
    for (const stage of ['conversion', 'calibration', 'imaging', 'validation']) {
      const key = `execution.stages.${stage}.resources.memory`
      const settings = [`${key}=16Mi`, 'imaging.sizePixels=256'].flatMap((setting) => ['--set', setting])
      const { exitCode, err } = await cli([
        'run',
        join(folder, 'sky/contimg.yaml'),
        '--root',
        join(folder, 'root'),
        ...settings,
      ])
      assert.equal(exitCode, 1, err)
      assert.match(
        err,
        new RegExp(`${stage} needs [\\d.]+ MiB of memory, the limit is 16\\.0 MiB.*\\[PLAN_TOO_LARGE\\]`),
      )
      assert.match(err, new RegExp(`fix +raise ${key.replaceAll('.', '\\.')}`))
      assert.deepEqual(globSync(`products/*/${stage}/*/result.json`, { cwd: join(folder, 'root') }), [])
    }
  },
)

/** A run of scripted stages as a process of its own. */
function run(
  t: TestContext,
  act: object,
  { before = 'true', env = {} }: { before?: string; env?: Record<string, string> } = {},
): { exitCode: number | null; err: string; root: string } {
  const bench = workbench(t)
  bench.give({ observations: [observation(id)] })
  bench.script({ calibration: act })
  mkdirSync(bench.root, { recursive: true })
  const argv = [scripted, 'run', '--input', bench.input, '--root', bench.root, '-v']
  const { status, stderr } = spawnSync('sh', ['-c', `${before} && exec "$@"`, 'sh', process.execPath, ...argv], {
    encoding: 'utf8',
    env: { ...process.env, CONTIMG_CATALOGUE: '', ...env },
  })
  return { exitCode: status, err: stderr, root: bench.root }
}

describe('a stage that the kernel kills', () => {
  const group = memoryGroup(400 * 1024 ** 2)
  const skip = group === undefined ? 'no control group with a memory limit: not root, or not Linux' : false

  test('for memory is told as that, with its phase, its use and its limit, and not tried again', { skip }, (t) => {
    t.after(() => group?.remove())
    const { exitCode, err, root } = run(t, { eats: 'memory' }, { before: group?.enter ?? 'true' })
    assert.equal(exitCode, 1, err)
    assert.match(err, /\[OUT_OF_MEMORY\]/)
    assert.match(err, /the kernel killed it \(SIGKILL\) when memory was used up.*had been given/)
    assert.match(err, /phase eating/)
    assert.doesNotMatch(err, /attempt 2/)
    assert.ok(existsSync(join(root, 'products', id, 'conversion')))
    assert.deepEqual(globSync('products/**/.attempt-*', { cwd: root }), [])
  })
})

test('a stage that is killed by somebody is told as killed, and tried again', (t) => {
  const { exitCode, err } = run(t, { crash: 'SIGKILL', times: 2 })
  assert.equal(exitCode, 1, err)
  assert.match(err, /\[STAGE_KILLED\]/)
  assert.match(err, /attempt 2/)
  assert.doesNotMatch(err, /OUT_OF_MEMORY/)
})

test('a stage whose heap is used up is told as out of memory', (t) => {
  const { exitCode, err } = run(t, { eats: 'heap' }, { env: { NODE_OPTIONS: '--max-old-space-size=96' } })
  assert.equal(exitCode, 1, err)
  assert.match(err, /\[OUT_OF_MEMORY\]/)
  assert.match(err, /heap/)
  assert.doesNotMatch(err, /attempt 2/)
})

test('a buffer that cannot be had is told as out of memory', (t) => {
  const { exitCode, err } = run(t, { eats: 'buffer' })
  assert.equal(exitCode, 1, err)
  assert.match(err, /not enough memory: Array buffer allocation failed.*\[OUT_OF_MEMORY\]/)
})
