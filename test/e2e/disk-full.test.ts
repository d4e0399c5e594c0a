// A full disk in every phase of every stage and of the run itself, on real file systems of limited size. `npm test` tries some
// points; CONTIMG_FULL_DISK=all tries all of them (docs/reliability.md).
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { needs } from '../oracles/oracle.ts'
import type { FullDiskEnd, FullDiskReport, FullDiskSpec, FullDiskTrial } from '../reliability/full-disk.ts'
import { observation, workbench, type Workbench } from '../orchestrator/workbench.ts'
import { cli, temporaryFolder } from './cli.ts'

const driver = fileURLToPath(new URL('../reliability/full-disk.ts', import.meta.url))
const scripted = fileURLToPath(new URL('../reliability/scripted-main.ts', import.meta.url))
const MEBIBYTE = 1024 ** 2

/** A private mount namespace with a file system in memory is only to be had as root. */
function noNamespace(): string | false {
  const { status } = spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs tmpfs /mnt'])
  return status === 0 ? false : 'no private mount namespace: not root, or not Linux'
}

const few: FullDiskTrial[] = [
  { fill: 'root', at: 'orchestrator event.before run.started' },
  { fill: 'scratch', at: 'imaging phase.before dirty' },
]

/** Where something durable is about to be done, or a phase begins. */
const telling =
  /(phase\.before|event\.before|write\.before|make\.before|commit\.before|lock\.taken|child\.start\.before)/

function judge(end: FullDiskEnd, digests: Record<string, string>): void {
  const { at, filled, full, left, again, verified } = end
  assert.ok(filled, `${at} is not passed`)
  // What needs no room after the point finishes; all else says where there is none.
  if (full.exitCode !== 0 && full.exitCode !== 3) {
    assert.equal(full.exitCode, 1, `${at}\n${full.err}`)
    assert.match(
      full.err,
      /no space left on the \w+ ?\w* \S+: [\d.]+ [MG]iB of [\d.]+ [MG]iB are free.*\[DISK_FULL\]/,
      at,
    )
    assert.match(full.err, /fix +free some space there/, at)
  }
  assert.doesNotMatch(full.err, /INTERNAL|STAGE_CRASHED|Unhandled|node:internal/, at)
  assert.deepEqual(left, [], at)
  assert.ok(again.exitCode === 0 || again.exitCode === 3, `${at}\n${again.err}`)
  assert.equal(verified.exitCode, 0, `${at}\n${verified.err}`)
  assert.deepEqual(end.digests, digests, at)
}

describe('a full disk', { skip: needs('wsclean') || noNamespace() }, () => {
  const tried = (folder: string, trials: readonly FullDiskTrial[]): FullDiskReport => {
    const argv = [
      join(folder, 'sky', 'contimg.yaml'),
      ...['imaging.sizePixels=256', 'execution.resources.cpu=1'].flatMap((setting) => ['--set', setting]),
    ]
    const spec: FullDiskSpec = { folder, argv, bytes: { root: 24 * MEBIBYTE, scratch: 24 * MEBIBYTE }, trials }
    const { status, stdout, stderr } = spawnSync('unshare', ['-m', process.execPath, driver, JSON.stringify(spec)], {
      encoding: 'utf8',
      maxBuffer: 1024 ** 3,
    })
    assert.equal(status, 0, stderr)
    return JSON.parse(stdout) as FullDiskReport
  }

  test('ends a run with its place and its room, and leaves nothing partial; with room the same command finishes', async (t) => {
    const folder = temporaryFolder(t)
    const small = ['antennas=24', 'integrations=6', 'channels=12', 'catalogue=false', 'sources=0']
    const made = await cli([
      'simulate',
      '--out',
      join(folder, 'sky'),
      ...small.flatMap((setting) => ['--set', setting]),
    ])
    assert.equal(made.exitCode, 0, made.err)
    const all = process.env['CONTIMG_FULL_DISK'] === 'all'
    const points = all ? tried(folder, []).points.filter((point) => telling.test(point)) : []
    const everywhere = points.flatMap((at): FullDiskTrial[] => [
      { fill: 'root', at },
      // Only imaging has scratch files of its own.
      ...(at.startsWith('imaging') ? [{ fill: 'scratch' as const, at }] : []),
    ])
    const { digests, ends } = tried(folder, all ? everywhere : few)
    const outcome = (end: FullDiskEnd): string => (end.full.exitCode === 1 ? 'DISK_FULL' : 'finished')
    const failures: string[] = []
    for (const end of ends) {
      try {
        judge(end, digests)
        t.diagnostic(`${end.fill} full at ${end.at}: ${outcome(end)}`)
      } catch (error) {
        failures.push(`${end.fill} full at ${end.at}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    assert.deepEqual(failures, [])
  })
})

/** A run of scripted stages in a mount namespace of its own, after some shell commands there. */
function runIn(bench: Workbench, commands: string): { exitCode: number | null; err: string } {
  const argv = [scripted, 'run', '--input', bench.input, '--root', bench.root]
  const script = `${commands} && exec "$@"`
  const { status, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', process.execPath, ...argv], {
    encoding: 'utf8',
    env: { ...process.env, CONTIMG_CATALOGUE: '' },
  })
  return { exitCode: status, err: stderr }
}

describe('a data root that cannot be written', { skip: noNamespace() }, () => {
  test('as a whole is refused before anything starts', (t) => {
    const bench = workbench(t)
    bench.give({ observations: [observation('20260125T222605')] })
    const { exitCode, err } = runIn(bench, `mkdir -p ${bench.root} && mount -t tmpfs -o ro tmpfs ${bench.root}`)
    assert.equal(exitCode, 2, err)
    assert.match(err, /the data root \S+ cannot be written \(EROFS\).*\[ROOT_UNWRITABLE\]/)
  })

  test('in the folder of products fails the step with what to do, and the same command finishes later', async (t) => {
    const bench = workbench(t)
    bench.give({ observations: [observation('20260125T222605')] })
    const products = join(bench.root, 'products')
    const readOnly = `mount --bind ${products} ${products} && mount -o remount,ro,bind ${products}`
    const { exitCode, err } = runIn(bench, `mkdir -p ${products} && ${readOnly}`)
    assert.equal(exitCode, 1, err)
    assert.match(err, /conversion failed: the file system cannot be written.*\[OUTPUT_UNWRITABLE\]/)
    assert.match(err, /fix +make it writable, or choose another data root/)
    assert.equal((await bench.run()).exitCode, 0)
  })
})

test('no room for one observation is no reason to leave the others', async (t) => {
  const bench = workbench(t)
  const [first, second] = ['20260125T222605', '20260125T223114'] as const
  bench.give({ observations: [observation(first), observation(second)] })
  bench.script({ [`imaging ${first}`]: { error: 'DISK_FULL' } })
  const { exitCode, document } = await bench.run()
  assert.equal(exitCode, 1)
  assert.deepEqual(
    document.observations.map(({ id, status }) => [id, status]),
    [
      [first, 'failed'],
      [second, 'done'],
    ],
  )
  bench.script({})
  assert.equal((await bench.run()).exitCode, 0)
})
