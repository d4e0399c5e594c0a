import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { boolean, complex64, float32, int64 } from '#runtime/formats/hdf5/element-type.ts'
import { createHdf5Writer } from '#runtime/formats/hdf5/writer.ts'
import { File, ready } from 'h5wasm/node'

/** Sound files of the layouts that damage is done to: by our writer, and by libhdf5 in its oldest and newest format. */
export async function soundFiles(folder: string): Promise<{ name: string; bytes: Buffer }[]> {
  const module = await ready
  module.insert_plugin_search_path(fileURLToPath(new URL('plugins', import.meta.resolve('h5wasm-plugins'))), 0)
  const paths = {
    writer: writeOwn(join(folder, 'writer.h5')),
    latest: writeLibrary(join(folder, 'latest.h5'), { libver: 'latest' }),
    earliest: writeLibrary(join(folder, 'earliest.h5'), {}),
  }
  return Object.entries(paths).map(([name, path]) => ({ name, bytes: readFileSync(path) }))
}

function writeOwn(path: string): string {
  const rows = 300
  const writer = createHdf5Writer(path, {
    kind: 'group',
    children: {
      Header: {
        kind: 'group',
        children: {
          time_array: { kind: 'rows', type: int64, rowShape: [], chunkShape: [4] },
          phase_center_epoch: { kind: 'text', value: 'HADEC' },
          telescope_name: {
            kind: 'fixed',
            type: { kind: 'string', bytes: 8 },
            shape: [],
            data: Buffer.from('OVRO_MMA'),
          },
        },
      },
      Data: {
        kind: 'group',
        children: {
          visdata: { kind: 'rows', type: complex64, rowShape: [1, 4, 2], chunkShape: [32, 1, 2, 1] },
          flags: { kind: 'rows', type: boolean, rowShape: [1, 4, 2], chunkShape: [64, 1, 4, 1] },
          nsamples: { kind: 'rows', type: float32, rowShape: [1, 4, 2], chunkShape: [64, 1, 2, 1] },
        },
      },
    },
  })
  writer.append('/Header/time_array', new BigInt64Array(rows))
  writer.append('/Data/visdata', new Float32Array(rows * 16))
  writer.append('/Data/flags', new Uint8Array(rows * 8))
  writer.append('/Data/nsamples', new Float32Array(rows * 8))
  writer.close()
  return path
}

/** One dataset for each kind of layout, index of chunks, and filter. */
function writeLibrary(path: string, options: object): string {
  const file = new File(path, 'w', options)
  const group = file.create_group('Data')
  const data = Float32Array.from({ length: 600 }, (_, index) => index % 7)
  const shape = [100, 6]
  const chunks = [8, 4]
  group.create_dataset({ name: 'contiguous', data, shape })
  group.create_dataset({ name: 'fixed', data, shape, chunks, maxshape: shape })
  group.create_dataset({ name: 'extensible', data, shape, chunks, maxshape: [null, 6] })
  group.create_dataset({ name: 'tree', data, shape, chunks, maxshape: [null, null] })
  group.create_dataset({ name: 'gzip', data, shape, chunks, maxshape: [null, 6], compression: 'gzip' })
  group.create_dataset({ name: 'lzf', data, shape, chunks, compression: 32_000, compression_opts: [4, 256, 128] })
  group.create_dataset({ name: 'bitshuffle', data, shape, chunks, compression: 32_008, compression_opts: [0, 2] })
  group.create_dataset({ name: 'fixed_text', data: ['one', 'three'], dtype: 'S5' })
  group.create_dataset({ name: 'variable_text', data: ['one', 'three'] })
  group.create_dataset({ name: 'scalar', data: 5 })
  for (let index = 0; index < 12; index++) file.create_group(`group-${index}`)
  file.close()
  return path
}
