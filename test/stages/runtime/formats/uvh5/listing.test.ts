import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { needs, needsSamples, runPython } from '../../../../oracles/oracle.ts'
import { simulate, temporaryFolder, uvh5Files } from '../../../simulation/observation-files.ts'

const folder = temporaryFolder()
after(folder.remove)

interface Listing {
  superblock: number
  items: { name: string; kind: string; chunks?: number[]; shape?: number[]; type?: unknown[]; storage?: number }[]
  strings: Record<string, string | string[]>
}

/** Strings whose length is not fixed by the format: their type holds it. */
const FREE_STRINGS = ['Header/history', 'Header/extra_keywords/fs_table', 'Header/extra_keywords/applied_delays_ns']

function withoutFreeLengths({ items }: Listing): Listing['items'] {
  return items.map((item) =>
    FREE_STRINGS.includes(item.name)
      ? { ...item, type: ['string', 'any length'], dtype: '', storage: 0, fill: [] }
      : item,
  )
}

test(
  'h5py lists a simulated file as it lists one of the independent sample',
  { skip: needs('h5py') || needsSamples() },
  async () => {
    const sample = uvh5Files(join(process.env['CONTIMG_SAMPLES'] as string, 'tile-small'))[0]
    const params = {
      antennas: 96,
      channels: 12,
      integrations: 6,
      subbands: [0],
      sefdJy: null,
      sources: 1,
      calibrator: null,
    }
    const { paths } = await simulate(folder.path, params)
    const [theirs, ours] = runPython('hdf5-listing.py', [sample, paths[0]]) as [Listing, Listing]
    assert.equal(ours.superblock, 0)
    assert.deepEqual(withoutFreeLengths(ours), withoutFreeLengths(theirs))
    for (const [name, value] of Object.entries(theirs.strings)) {
      if (!FREE_STRINGS.includes(name)) assert.deepEqual(ours.strings[name], value, name)
    }
  },
)

test('the chunks at full width are those of the telescope', { skip: needs('h5py') }, async () => {
  const { paths } = await simulate(join(folder.path, 'wide'), {
    channels: 48,
    subbands: [0],
    sources: 0,
    calibrator: null,
  })
  const [{ items }] = runPython('hdf5-listing.py', paths) as [Listing]
  const chunks = Object.fromEntries(items.filter((item) => item.chunks).map((item) => [item.name, item.chunks]))
  assert.deepEqual(chunks, {
    'Data/visdata': [128, 1, 12, 1],
    'Data/flags': [256, 1, 24, 1],
    'Data/nsamples': [256, 1, 12, 1],
    'Header/ant_1_array': [1024],
    'Header/ant_2_array': [1024],
    'Header/integration_time': [1024],
    'Header/time_array': [1024],
    'Header/uvw_array': [512, 3],
  })
})
