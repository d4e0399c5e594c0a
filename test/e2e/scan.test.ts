import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { conversionParams } from '../../stages/conversion/contract.ts'
import type { ScanDocument } from '../../orchestrator/view/scan.ts'
import { rawObservation, writeRaw } from '../stages/conversion/raw-observation.ts'
import { cli, temporaryFolder, type CliEnd } from './cli.ts'

/** `contimg scan` as a person meets it, in a folder with a whole, a partial and a lost observation. */
const all = { subbands: Array.from({ length: 16 }, (_, subband) => subband), integrations: 24 }

interface Place {
  folder: string
  scan: (...argv: string[]) => Promise<CliEnd>
}

function place(t: TestContext): Place {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'raw'))
  return {
    folder,
    scan: (...argv) => cli(['scan', 'raw', ...argv], { cwd: folder, env: { LC_ALL: 'C.UTF-8' } }),
  }
}

function threeObservations(folder: string): void {
  const raw = join(folder, 'raw')
  writeRaw(raw, rawObservation(all))
  const partial = { startUtc: '2026-01-25T22:31:14Z', decOfDateDeg: -5, integrations: 20 }
  const paths = writeRaw(raw, rawObservation({ ...partial, subbands: [0, 1, 2, 3, 5, 6, 7, 8, 12] }))
  truncateSync(paths[1], 20_000)
  truncateSync(paths[2], 20_000)
  writeFileSync(join(raw, '2026-01-26T01:00:00_sb00.hdf5'), 'this is not HDF5')
}

test('a table says of every observation whether it is complete, or why not', async (t) => {
  const { folder, scan } = place(t)
  threeObservations(folder)
  const { exitCode, out, err } = await scan()
  assert.deepEqual([exitCode, err], [0, ''])
  assert.deepEqual(
    out.replaceAll(/truncated: it has \d+ bytes, its superblock says \d+/g, 'truncated: …').split('\n'),
    [
      'OBSERVATION      START                DEC     SUBBANDS  ANTENNAS  INTEGRATIONS  SIZE     STATE',
      '20260125T222605  2026-01-25 22:26:05  +16.15  16/16     7         24/24         3.0 MiB  complete',
      '20260125T223114  2026-01-25 22:31:14  -5.00   7/16      7         20/24         1.3 MiB  subbands 01, 02, 04, 09-11, 13-15 absent; 20 of 24 integrations; 2 files not used',
      '20260126T010000                               0/16                                       1 file not used',
      '✖ 2026-01-25T22:31:14_sb01.hdf5, 2026-01-25T22:31:14_sb02.hdf5: it is truncated: … [DATA_UNREADABLE]',
      '  fix   the file is still being written or was copied in part: wait for the copy to end, or copy it again',
      '✖ 2026-01-26T01:00:00_sb00.hdf5: it is not an HDF5 file: the HDF5 signature is missing [DATA_UNREADABLE]',
      '  fix   give UVH5 files as the telescope writes them (YYYY-MM-DDTHH:MM:SS_sbNN.hdf5)',
      '26 files, 4.4 MiB, 2 observations: 1 complete, 1 not, 3 files not used',
      '',
    ],
  )
  // The second scan tells the same, from what the first has kept under the data root.
  assert.equal(readdirSync(join(folder, 'contimg-data/cache/scan')).length, 1)
  assert.equal((await scan()).out, out)
})

test('what is incomplete is found by name', async (t) => {
  const { folder, scan } = place(t)
  threeObservations(folder)
  const names = await scan('--incomplete', '-o', 'name', '--no-cache')
  assert.deepEqual([names.exitCode, names.out], [0, '20260125T223114\n20260126T010000\n'])
  const { out } = await scan('--incomplete', '-o', 'json', '--no-cache')
  const document = JSON.parse(out) as ScanDocument
  assert.equal(document.apiVersion, 'contimg/v1')
  assert.deepEqual(document.counts, { observations: 2, complete: 1 })
  assert.deepEqual(document.expected, all)
  const [{ id, start, absentSubbands, why, faults, complete }] = document.observations
  assert.deepEqual([id, start.slice(0, 19), complete], ['20260125T223114', '2026-01-25T22:31:14', false])
  assert.deepEqual(absentSubbands, [1, 2, 4, 9, 10, 11, 13, 14, 15])
  assert.deepEqual(why, ['subbands 01, 02, 04, 09-11, 13-15 absent', '20 of 24 integrations', '2 files not used'])
  assert.deepEqual([faults.length, faults[0]?.code], [2, 'DATA_UNREADABLE'])
  assert.deepEqual(document.unusable, [{ id: '20260126T010000', files: 1 }])
  assert.ok(!readdirSync(folder).includes('contimg-data'), '--no-cache keeps nothing')
  const yaml = await scan('--incomplete', '-o', 'yaml', '--no-cache')
  assert.match(yaml.out, /^apiVersion: contimg\/v1\n/)
})

test('a configuration says what is complete', async (t) => {
  const { folder, scan } = place(t)
  writeRaw(join(folder, 'raw'), rawObservation())
  writeFileSync(join(folder, 'small.yaml'), 'conversion: {expect: {subbands: [0, 1, 2], integrations: 5}}\n')
  const { out } = await scan('--config', 'small.yaml', '-o', 'wide')
  assert.match(out, / 3\/3 +7 +5\/5 .* complete/)
  assert.match(await scan().then((end) => end.out), /subbands 03-15 absent; 5 of 24 integrations/)
})

test('without a configuration complete is what the defaults of conversion say', async (t) => {
  const { folder, scan } = place(t)
  writeRaw(join(folder, 'raw'), rawObservation({ subbands: [0] }))
  const { expected } = JSON.parse((await scan('-o', 'json')).out) as ScanDocument
  assert.deepEqual(expected, conversionParams.parse({}).expect)
})

test('an empty folder is said to be empty, a missing one ends with 2', async (t) => {
  const { folder, scan } = place(t)
  const empty = await scan()
  assert.deepEqual([empty.exitCode, empty.out], [0, ''])
  assert.match(empty.err, /^raw holds no raw files/)
  const missing = await cli(['scan', 'nowhere', '-o', 'json'], { cwd: folder })
  assert.equal(missing.exitCode, 2)
  assert.match(missing.err, /cannot read the folder .*nowhere/)
  assert.equal((JSON.parse(missing.out) as { error: { code: string } }).error.code, 'INPUT_NOT_FOUND')
  assert.equal((await cli(['scan'], { cwd: folder })).exitCode, 2)
})

test('a cache that cannot be kept is a note, not an error', async (t) => {
  const { folder, scan } = place(t)
  writeRaw(join(folder, 'raw'), rawObservation({ subbands: [0] }))
  writeFileSync(join(folder, 'taken'), '')
  const { exitCode, err, out } = await scan('--root', 'taken')
  assert.equal(exitCode, 0)
  assert.match(err, /the scan cache .* cannot be written/)
  assert.match(out, /20260125T222605/)
  assert.equal((await scan('--root', 'taken', '-q')).err, '')
  assert.equal(readFileSync(join(folder, 'taken'), 'utf8'), '')
})
