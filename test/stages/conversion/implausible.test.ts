import assert from 'node:assert/strict'
import { truncateSync, writeFileSync, appendFileSync } from 'node:fs'
import { test } from 'node:test'
import { DEGREE_RAD } from '#runtime/sky/constants.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { convert, inFolder, rawObservation, writeRaw, type RawObservation } from './raw-observation.ts'

/** Converts a changed observation, which must fail; the error names the file, and says what to do. */
function refused(change: (raw: RawObservation) => unknown, alter?: (paths: string[]) => void): Promise<StageError> {
  return inFolder(async (dir) => {
    const raw = rawObservation({ integrations: 2 })
    change(raw)
    const paths = writeRaw(dir, raw)
    alter?.(paths)
    const error = await convert(paths, dir).then(
      () => assert.fail('was converted'),
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof StageError, String(error))
    assert.match(error.message, /_sb0\d\.hdf5/)
    assert.ok((error.hint ?? '').length > 10, error.message)
    return error
  })
}

/** Replaces the header of one subband. */
function header(raw: RawObservation, subband: number, change: object): void {
  const file = raw.subbands.get(subband)
  assert.ok(file)
  file.spec = { ...file.spec, ...change }
}

const headers: [string, RegExp, (raw: RawObservation) => unknown][] = [
  [
    'a time from the writer without its time service',
    /time_array starts at MJD 55000.*before 2022/,
    (raw) => (raw.timesJd = [2455000.5, 2455000.5 + 12.884901888 / 86400]),
  ],
  [
    'a time in the future',
    /time_array starts at .* in the future/,
    (raw) => (raw.timesJd = [2490000.5, 2490000.5 + 12.884901888 / 86400]),
  ],
  [
    'a time that is not finite',
    /time_array holds values that are not finite/,
    (raw) => (raw.timesJd = [Number.NaN, Number.NaN]),
  ],
  ['integrations that do not follow each other', /time_array steps by/, (raw) => (raw.timesJd[1] += 1 / 86400)],
  ['no declination', /phase_center_app_dec is NaN/, (raw) => header(raw, 0, { decOfDateRad: Number.NaN })],
  ['a latitude that is not finite', /latitude is NaN/, (raw) => header(raw, 0, { latitudeDeg: Number.NaN })],
  [
    'frequencies of no subband',
    /freq_array .* fits none/,
    (raw) => header(raw, 0, { freqHz: raw.subbands.get(0)?.spec.freqHz.map((value) => value + 5000) }),
  ],
  [
    'frequencies that jump',
    /freq_array is not a band of equal steps/,
    (raw) => header(raw, 0, { freqHz: raw.subbands.get(0)?.spec.freqHz.map((value, i) => value - (i > 1 ? 1e4 : 0)) }),
  ],
  [
    'an antenna that the table does not list',
    /names antennas/,
    (raw) => header(raw, 0, { ant2: raw.subbands.get(0)?.spec.ant2.map((value) => (value === 2 ? 300 : value)) }),
  ],
  [
    'a baseline twice',
    /lists a baseline twice/,
    (raw) => header(raw, 0, { ant1: new Int32Array(28), ant2: new Int32Array(28) }),
  ],
  [
    'a position that is not finite',
    /antenna_positions holds values that are not finite/,
    (raw) => header(raw, 0, { antennaPositionsM: new Float64Array(351).fill(Number.NaN) }),
  ],
  [
    'correlations of no known kind',
    /polarization_array is \[-5, -7\]/,
    (raw) => header(raw, 0, { polarizations: [-5, -7] }),
  ],
  [
    'a member with another declination',
    /phase_center_app_dec differ/,
    (raw) => header(raw, 1, { decOfDateRad: 17 * DEGREE_RAD }),
  ],
  [
    'two files of one subband',
    /freq_array is that of subband 0/,
    (raw) => header(raw, 1, { freqHz: raw.subbands.get(0)?.spec.freqHz }),
  ],
]

for (const [name, pattern, change] of headers) {
  test(`${name} is refused`, async () => {
    const error = await refused(change)
    assert.match(error.message, pattern)
    assert.equal(error.code, name.startsWith('correlations') ? 'DATA_UNSUPPORTED' : 'DATA_IMPLAUSIBLE')
    assert.equal(error.exitCode, 65)
  })
}

test('members of two observations are refused', async () => {
  await inFolder(async (dir) => {
    const other = rawObservation({ integrations: 2, startUtc: '2026-01-25T22:31:14Z', subbands: [1] })
    const paths = [...writeRaw(dir, rawObservation({ integrations: 2, subbands: [0] })), ...writeRaw(dir, other)]
    await assert.rejects(convert(paths, dir), {
      code: 'DATA_IMPLAUSIBLE',
      message: /time_array starts at another time/,
    })
  })
})

test('a file that is not HDF5, or cut short, is unreadable', async () => {
  for (const damage of [
    (path: string) => writeFileSync(path, 'not a raw file'),
    (path: string) => writeFileSync(path, ''),
    (path: string) => truncateSync(path, 5000),
  ]) {
    const error = await refused(
      () => undefined,
      ([path]) => damage(path),
    )
    assert.equal(error.code, 'DATA_UNREADABLE')
  }
})

test('a subband that is not expected is a fault of the parameters', async () => {
  await inFolder(async (dir) => {
    const paths = writeRaw(dir, rawObservation({ integrations: 2 }))
    const attempt = convert(paths, dir, { expect: { subbands: [0, 1], integrations: 2 } })
    await assert.rejects(attempt, { code: 'PARAMS_INVALID', message: /holds subband 2/ })
  })
})

test('a file that grows while it is converted is refused', async () => {
  await inFolder(async (dir) => {
    const paths = writeRaw(dir, rawObservation({ integrations: 2 }))
    const onPhase = (name: string): void => {
      if (name === 'convert') appendFileSync(paths[0], 'more')
    }
    const attempt = convert(paths, dir, { onPhase })
    await assert.rejects(attempt, { code: 'INPUT_CHANGED' })
  })
})
