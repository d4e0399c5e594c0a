import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { File, ready } from 'h5wasm/node'
import { openHdf5, type Hdf5File } from '#runtime/formats/hdf5/file.ts'
import { createH5wasm, H5WASM_HEAP_BYTES, loadH5wasm } from '#runtime/formats/hdf5/h5wasm-module.ts'
import { openWasm } from '#runtime/formats/hdf5/wasm-reader.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { needs, runPython } from '../../../../oracles/oracle.ts'
import { temporaryFolder } from '../../../simulation/observation-files.ts'

const folder = temporaryFolder()
after(folder.remove)

function wholeDataset(file: Hdf5File, path: string): Uint8Array {
  const dataset = file.dataset(path)
  assert.ok(dataset, path)
  const rows = dataset.shape[0] ?? 1
  const rowBytes = dataset.shape.slice(1).reduce((total, length) => total * length, dataset.type.bytes)
  const out = new Uint8Array(rows * rowBytes)
  // In two pieces, so that one begins inside a chunk.
  const half = Math.floor(rows / 2)
  file.readRows(path, 0, half, out)
  file.readRows(path, half, rows - half, out.subarray(half * rowBytes))
  return out
}

interface Listing {
  path: string
  datasets: Record<string, { shape: number[]; sha256?: string; texts?: string[] }>
}

test(
  'any layout that h5py writes is read to the same bytes, directly where it can be and by libhdf5',
  { skip: needs('h5py') },
  async () => {
    const listings = runPython('hdf5-layouts.py', [folder.path, '0', '200']) as Listing[]
    const reasons = new Map<string, number>()
    let direct = 0
    for (const { path, datasets } of listings) {
      const opened = await openHdf5(path)
      const library = await openHdf5(path, { method: 'h5wasm' })
      if (opened.method === 'direct') direct += 1
      else reasons.set(opened.reason ?? '', (reasons.get(opened.reason ?? '') ?? 0) + 1)
      for (const file of new Set([opened, library])) {
        assert.deepEqual(file.paths, Object.keys(datasets).sort(), path)
        for (const [name, { shape, sha256, texts }] of Object.entries(datasets)) {
          const where = `${path} ${name} ${file.method}`
          assert.deepEqual(file.dataset(name)?.shape, shape, where)
          if (texts !== undefined) assert.deepEqual(file.readStrings(name), texts, where)
          else assert.equal(createHash('sha256').update(wholeDataset(file, name)).digest('hex'), sha256, where)
        }
      }
      opened.close()
      library.close()
    }
    assert.ok(direct > 20, `only ${direct} files were read directly`)
    assert.ok(reasons.size > 4, [...reasons.keys()].join('; '))
    assert.ok(![...reasons.keys()].includes(''), 'a reason has words')
  },
)

/** Written by libhdf5 with the filter given. */
async function filteredFile(name: string, filter: number, options: number[]): Promise<string> {
  const module = await ready
  module.insert_plugin_search_path(fileURLToPath(new URL('plugins', import.meta.resolve('h5wasm-plugins'))), 0)
  const path = join(folder.path, `${name}.h5`)
  const file = new File(path, 'w')
  file.create_dataset({ name: 'data', data: numbers, chunks: [100], compression: filter, compression_opts: options })
  file.close()
  return path
}

const numbers = Float32Array.from({ length: 1000 }, (_, index) => Math.floor(index / 3))

test('gzip, LZF and bitshuffle with and without LZ4 are undone', async () => {
  const files = {
    gzip: await filteredFile('gzip', 1, [4]),
    lzf: await filteredFile('lzf', 32_000, [4, 261, 400]),
    bitshuffle: await filteredFile('bitshuffle', 32_008, [0, 0]),
    'bitshuffle-lz4': await filteredFile('bitshuffle-lz4', 32_008, [0, 2]),
  }
  for (const [name, path] of Object.entries(files)) {
    const file = await openHdf5(path)
    assert.equal(file.method, 'h5wasm')
    assert.deepEqual(new Float32Array(wholeDataset(file, '/data').buffer), numbers, name)
    file.close()
  }
})

test('another filter is refused by name before anything is read', async () => {
  const path = await filteredFile('zstd', 32_015, [3])
  await assert.rejects(openHdf5(path), (error: unknown) => {
    assert.ok(error instanceof StageError && error.code === 'DATA_UNSUPPORTED')
    assert.match(error.message, /\/data is compressed with filter 32015 .*known are gzip, .*, LZF, bitshuffle/)
    return true
  })
})

test('a plugin that is missing is an error, and no memory is handed out as data', async () => {
  const path = await filteredFile('no-plugin', 32_000, [4, 261, 400])
  const file = await openWasm(path, 'test', await createH5wasm())
  const out = new Uint8Array(4000).fill(99)
  assert.throws(
    () => file.readRows('/data', 0, 1000, out),
    (error: unknown) => error instanceof StageError && /cannot be read: .*(filter|plugin)/.test(error.message),
  )
  assert.ok(out.every((byte) => byte === 99))
  file.close()
})

test('chunks and rows that would take too much memory are refused by name, and libhdf5 cannot grow beyond its limit', async () => {
  await ready
  const path = join(folder.path, 'large.h5')
  const make = (options: object): void => {
    const file = new File(path, 'w')
    file.create_dataset({ name: 'data', data: new Float32Array(4), ...options } as never)
    file.close()
  }
  make({ shape: [4], maxshape: [null], chunks: [20_000_000] })
  await assert.rejects(
    openHdf5(path, { method: 'h5wasm' }),
    /\/data: a chunk of 80000000 bytes exceeds the limit of 33554432/,
  )
  const { run } = await createH5wasm()
  assert.equal(
    run(path, (module) => module['_malloc'](H5WASM_HEAP_BYTES)),
    0,
  )
})

test('a call into libhdf5 that never ends is ended', async () => {
  const { run } = await createH5wasm()
  const started = performance.now()
  assert.throws(
    () =>
      run('endless.h5', () => {
        for (;;) Math.sqrt(2)
      }),
    (error: unknown) => error instanceof StageError && /endless.h5 .* did not end within [\d.]+ s/.test(error.message),
  )
  // A machine that is busy with other things gives it longer.
  assert.ok(performance.now() - started < 20_000)
  assert.throws(() => run('next.h5', () => 1), /stopped while it read another file/)
})

test('a call that waits for its storage is no fault of the file', async () => {
  const { run } = await createH5wasm()
  assert.throws(
    () => run('remote.h5', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10_000)),
    (error: unknown) => error instanceof StageError && error.code === 'STORAGE_FAILED',
  )
})

test('a call that decodes much has more time', async () => {
  const { run } = await createH5wasm()
  const wait = (): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500)
  assert.equal(run('large.h5', wait, 32 * 1024 * 1024), 'timed-out')
})

test('after an abort inside WebAssembly the instance refuses to go on, and the next file gets a new one', async () => {
  const path = await filteredFile('after-abort', 1, [4])
  const first = await loadH5wasm()
  const open = await openHdf5(path)
  assert.throws(
    () =>
      first.run(path, () => {
        throw new RangeError('Maximum call stack size exceeded')
      }),
    /the HDF5 library stopped/,
  )
  assert.throws(() => wholeDataset(open, '/data'), /the HDF5 library stopped while it read another file/)
  open.close()
  assert.notEqual(await loadH5wasm(), first)
  const again = await openHdf5(path)
  assert.deepEqual(new Float32Array(wholeDataset(again, '/data').buffer), numbers)
  again.close()
})
