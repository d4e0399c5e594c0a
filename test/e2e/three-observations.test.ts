import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { needs } from '../oracles/oracle.ts'
import { cli, runJson, startCli, temporaryFolder } from './cli.ts'
import { rawPrint } from './raw-print.ts'

/** A folder with a good observation, a corrupt one and one that lacks a subband, from the first run to the last. */
const GOOD = '20250126T130048'
const CORRUPT = '20250127T125652'
const LACKING = '20250128T125256'

const common = ['antennas=24', 'channels=4', 'integrations=3', 'sources=4', 'catalogue=false']
const observations = [
  ['2025-01-25T22:26:05Z', []],
  ['2025-01-26T22:26:05Z', ['--fault', 'truncated:subbands=2,at=0.7']],
  ['2025-01-27T22:26:05Z', ['--fault', 'missing:subbands=1']],
] as const

async function threeObservations(folder: string): Promise<string> {
  const input = join(folder, 'incoming')
  mkdirSync(input)
  for (const [startUtc, faults] of observations) {
    const own = join(folder, startUtc.slice(0, 10))
    const settings = [...common, `startUtc=${startUtc}`].flatMap((setting) => ['--set', setting])
    const { exitCode, err } = await cli(['simulate', '--out', own, ...settings, ...faults])
    assert.equal(exitCode, 0, err)
    for (const name of readdirSync(own).filter((file) => file.endsWith('.hdf5')))
      renameSync(join(own, name), join(input, name))
  }
  return input
}

interface QuarantineDocument {
  entries: { id: string; state: string; file: string; code: string; run: string; evidence: { bytes: number }[] }[]
}

test(
  'one corrupt, one lacking a subband, one good: the good one finishes, and a person knows what to do',
  { skip: needs('wsclean') },
  async (t) => {
    const folder = temporaryFolder(t)
    const input = await threeObservations(folder)
    const root = join(folder, 'root')
    const flags = [
      '--input',
      input,
      '--root',
      root,
      '--set',
      'conversion.expect={subbands: [0, 1, 2, 3], integrations: 3}',
    ]
    const small = ['--set', 'imaging.sizePixels=512']
    const before = rawPrint(input)
    const aside = async (): Promise<QuarantineDocument['entries']> => {
      const { out } = await cli(['quarantine', '--root', root, '-o', 'json'])
      return (JSON.parse(out) as QuarantineDocument).entries
    }

    await t.test('a run that is killed leaves the raw files alone', async () => {
      const run = startCli(['run', ...flags, ...small, '--name', 'killed'])
      await run.said(/conversion +started/)
      run.kill('SIGKILL')
      await run.ended
      assert.deepEqual(rawPrint(input), before)
    })

    await t.test('the good one finishes, the others say what is wrong and how to mend it', async () => {
      const { exitCode, err, document } = await runJson([...flags, ...small])
      assert.equal(exitCode, 1, err)
      const found = document.observations.map(({ id, status, error }) => [id.slice(0, 8), status, error?.code])
      assert.deepEqual(
        found.sort(([a], [b]) => String(a).localeCompare(String(b))),
        [
          [GOOD.slice(0, 8), 'done', undefined],
          [CORRUPT.slice(0, 8), 'failed', 'DATA_UNREADABLE'],
          [LACKING.slice(0, 8), 'skipped', 'SUBBANDS_MISSING'],
        ],
      )
      assert.match(
        err,
        /_sb02\.hdf5: it is truncated: it has \d+ bytes, its superblock says \d+.*\[DATA_UNREADABLE\].*\n +fix +.*copy it again/,
      )
      assert.match(
        err,
        /1 of 4 subbands are missing \(01\).*\[SUBBANDS_MISSING\].*\n +fix +copy the missing files and run the same command again/,
      )
      assert.match(err, /the raw files are untouched/)
      const good = document.observations.find(({ status }) => status === 'done')
      assert.deepEqual(
        good?.steps.map(({ stage, status }) => [stage, status === 'done' || status === 'cached']),
        [
          ['conversion', true],
          ['calibration', true],
          ['imaging', true],
          ['validation', true],
        ],
      )
    })

    await t.test('contimg quarantine lists it, shows it, puts it back, and the next run takes it up', async () => {
      const [entry, ...more] = await aside()
      assert.equal(more.length, 0)
      assert.deepEqual([entry?.code, entry?.state, entry?.evidence.length], ['DATA_UNREADABLE', 'set aside', 1])
      const text = await cli(['quarantine', '--root', root])
      assert.match(
        text.out,
        /OBSERVATION +FILE +CODE +SINCE +RUN +REASON\n20250127T\d+ +.*_sb02\.hdf5 +DATA_UNREADABLE/,
      )
      const shown = await cli(['quarantine', entry?.file ?? '', '--root', root])
      assert.match(
        shown.out,
        /why +it is truncated.*\n +fix .*\n +found by +the scan, run .*\n +input .*\n +file .*KiB/,
      )
      const names = await cli(['quarantine', '--root', root, '-o', 'name'])
      assert.equal(names.out, `${entry?.id}\n`)
      const unknown = await cli(['quarantine', '--release', 'nothing', '--root', root])
      assert.deepEqual([unknown.exitCode, /\[QUARANTINE_UNKNOWN\]/.test(unknown.err)], [2, true])
      const released = await cli(['quarantine', '--release', entry?.id ?? '', '--root', root])
      assert.match(released.out, /put back; the next run judges it anew/)
      assert.deepEqual(await aside(), [])
      const { exitCode } = await runJson([...flags, '--until', 'conversion'])
      assert.equal(exitCode, 1)
      assert.equal((await aside()).length, 1)
    })

    await t.test('scan, convert and all of that changed nothing of the raw files', async () => {
      assert.equal((await cli(['scan', input, '--root', root])).exitCode, 0)
      await cli(['convert', input, '-o', join(folder, 'all.ms')])
      assert.deepEqual(rawPrint(input), before)
    })

    await t.test('a replaced file is no longer set aside, and a subband that comes is taken up', async () => {
      for (const [day, subband] of [
        ['2025-01-26', 'sb02'],
        ['2025-01-27', 'sb01'],
      ]) {
        const own = join(folder, `again-${day}`)
        const settings = [...common, `startUtc=${day}T22:26:05Z`].flatMap((setting) => ['--set', setting])
        await cli(['simulate', '--out', own, ...settings])
        const name = readdirSync(own).find((file) => file.endsWith(`_${subband}.hdf5`)) ?? ''
        copyFileSync(join(own, name), join(input, name))
      }
      assert.deepEqual(
        (await aside()).map(({ state }) => state),
        ['replaced'],
      )
      const { exitCode, err, document } = await runJson([...flags, '--until', 'conversion'])
      assert.equal(exitCode, 0, err)
      assert.deepEqual(
        document.observations.map(({ status }) => status),
        ['done', 'done', 'done'],
      )
      assert.match(err, /_sb02\.hdf5 is no longer set aside: it was replaced/)
      assert.deepEqual(await aside(), [])
    })
  },
)
