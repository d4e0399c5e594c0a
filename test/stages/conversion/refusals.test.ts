import assert from 'node:assert/strict'
import { join } from 'node:path'
import { mkdirSync } from 'node:fs'
import { test } from 'node:test'
import { StageError } from '#runtime/stage/errors.ts'
import {
  SIDEREAL,
  anyFile,
  ascii,
  catalogue,
  centre,
  integers,
  reals,
  reordered,
  writeAny,
  type AnyFile,
} from './any-file.ts'
import { convertAny } from './any-group.ts'
import { inFolder } from './raw-observation.ts'

/** The second of two files that agree in everything else. */
const cases: {
  name: string
  code?: string
  says: RegExp
  change: (file: AnyFile) => Partial<AnyFile>
  /** The first file has the same centre. */
  shared?: AnyFile['header']
}[] = [
  {
    name: 'an ephemeris',
    says: /the phase centre Mars is of type ephem/,
    change: () => header(centre({ ...SIDEREAL, cat_type: 'ephem', cat_name: 'Mars' })),
  },
  {
    name: 'a near field',
    says: /the phase centre drone is of type near_field/,
    change: () => header(centre({ ...SIDEREAL, cat_type: 'near_field', cat_name: 'drone' })),
  },
  {
    name: 'a distance',
    says: /the phase centre source has a proper motion or a distance/,
    change: () => header(centre({ ...SIDEREAL, cat_dist: 1e-6 })),
  },
  {
    name: 'a proper motion',
    says: /the phase centre source has a proper motion or a distance/,
    change: () => header(centre({ ...SIDEREAL, cat_pm_ra: 0, cat_pm_dec: 3 })),
  },
  {
    name: 'several centres',
    says: /phase_center_id_array names 2 phase centres/,
    change: ({ ant1 }) =>
      header({
        phase_center_catalog: catalogue({ 1: SIDEREAL, 2: { ...SIDEREAL, cat_name: 'other', cat_lon: 1.1 } }),
        phase_center_id_array: integers(
          [ant1.length],
          ant1.map((_, row) => 1 + (row % 2)),
        ),
      }),
  },
  {
    name: 'a place in GCRS',
    says: /is given in the frame gcrs; icrs and fk5/,
    change: () => header(centre({ ...SIDEREAL, cat_frame: 'gcrs' })),
  },
  {
    name: 'FK5 of another epoch',
    says: /is given for epoch 1975; J2000/,
    change: () => header(centre({ ...SIDEREAL, cat_frame: 'fk5', cat_epoch: 1975 })),
  },
  {
    name: 'FK4',
    says: /is given in the frame fk4/,
    change: () => header(centre({ ...SIDEREAL, cat_frame: 'fk4', cat_epoch: 1950 })),
  },
  {
    name: 'a phase type of no version',
    says: /phase_type is elsewhere, neither drift nor phased/,
    change: () => header({ phase_center_catalog: undefined, phase_type: ascii('elsewhere') }),
  },
  {
    name: 'several spectral windows',
    says: /spw_array names several spectral windows/,
    change: () => header({ spw_array: integers([2], [0, 1]) }),
  },
  {
    name: 'channels of several windows',
    says: /flex_spw_id_array names several spectral windows/,
    change: () => header({ flex_spw_id_array: integers([3], [0, 0, 1]) }),
  },
  {
    name: 'flexible polarisation',
    says: /flex_spw_polarization_array/,
    change: () => header({ flex_spw_polarization_array: integers([1], [-5]) }),
  },
  {
    name: 'uneven widths',
    says: /channel_width differs between channels/,
    change: () => header({ channel_width: reals([3], [1e5, 1e5, 2e5]) }),
  },
  {
    name: 'uneven channels',
    says: /freq_array is not a band of equal steps/,
    change: ({ freqHz }) => ({ freqHz: [freqHz[0], freqHz[1], freqHz[2] + 10] }),
  },
  {
    name: 'times other than UTC',
    says: /timesys is TAI; UTC/,
    change: () => header({ timesys: ascii('TAI') }),
  },
  {
    name: 'the Moon',
    says: /telescope_frame is mcmf/,
    change: () => header({ telescope_frame: ascii('mcmf') }),
  },
  {
    name: 'pseudo-Stokes correlations',
    says: /polarization_array is \[1, 2\]/,
    change: () => ({ polarizations: [1, 2] }),
  },
  {
    name: 'a row that comes twice',
    code: 'DATA_IMPLAUSIBLE',
    says: /ant_1_array row 60 repeats baseline 0-3 at the same time/,
    change: (file) => reordered(file, [...file.ant1.map((_, row) => row), 1]),
  },
  {
    name: 'a row that comes twice, the other way round',
    code: 'DATA_IMPLAUSIBLE',
    says: /ant_1_array row 1 repeats baseline 3-0 at the same time/,
    change: ({ ant1, ant2 }) => ({ ant1: [0, 3, ...ant1.slice(2)], ant2: [3, 0, ...ant2.slice(2)] }),
  },
  {
    name: 'another centre than the first file has',
    code: 'DATA_IMPLAUSIBLE',
    says: /phase_center_catalog differ from those of first\.uvh5/,
    change: () => header(centre({ ...SIDEREAL, cat_lon: 1.0001 })),
    shared: centre(SIDEREAL),
  },
  {
    name: 'the band of the first file again',
    code: 'DATA_IMPLAUSIBLE',
    says: /freq_array is that of subband 0, as in first\.uvh5/,
    change: () => ({ freqHz: anyFile().freqHz }),
  },
  {
    name: 'a band that lies beside no step of the first',
    says: /the files do not lie side by side in one band/,
    change: ({ freqHz }) => ({ freqHz: freqHz.map((value) => value + 5e4) }),
  },
  {
    name: 'a band far from the first',
    says: /the files do not lie side by side in one band/,
    change: ({ freqHz }) => ({ freqHz: freqHz.map((value) => value + 3e6) }),
  },
]

function header(entries: AnyFile['header']): Partial<AnyFile> {
  return { header: entries }
}

for (const { name, code = 'DATA_UNSUPPORTED', says, change, shared } of cases) {
  test(`refused by name: ${name}`, () =>
    inFolder(async (dir) => {
      const first = anyFile({ name: 'first.uvh5' })
      const second = anyFile({ firstHz: 1.4e9 + 3e5, name: 'second.uvh5' })
      const changes = change(second)
      // What is left as it is stays: a change of the header is added to it.
      const odd = { ...second, ...changes, header: { ...second.header, ...shared, ...changes.header } }
      const plain = { ...first, header: { ...first.header, ...shared } }
      const paths = [writeAny(dir, plain), writeAny(dir, odd)]
      const out = join(dir, 'out')
      mkdirSync(out)
      const error = await convertAny(paths, out).then(
        () => assert.fail('was converted'),
        (thrown: unknown) => thrown,
      )
      assert.ok(error instanceof StageError, String(error))
      assert.equal(error.code, code, error.message)
      assert.match(error.message, says)
      assert.match(error.message, /second\.uvh5/)
      assert.ok((error.hint ?? '').length > 10, error.message)
    }))
}
