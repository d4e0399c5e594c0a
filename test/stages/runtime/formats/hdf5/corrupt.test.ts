import assert from 'node:assert/strict'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openDirect } from '#runtime/formats/hdf5/direct-reader.ts'
import { int64 } from '#runtime/formats/hdf5/element-type.ts'
import { UnknownLayout } from '#runtime/formats/hdf5/file-format.ts'
import { openHdf5, type Hdf5File } from '#runtime/formats/hdf5/file.ts'
import { createHdf5Writer } from '#runtime/formats/hdf5/writer.ts'
import { createRandom } from '#runtime/numeric/random.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { temporaryFolder } from '../../../simulation/observation-files.ts'

const folder = temporaryFolder()
after(folder.remove)
const good = join(folder.path, 'good.h5')
const ROWS = 100 * 16

before(() => {
  const writer = createHdf5Writer(good, {
    kind: 'group',
    children: {
      group: {
        kind: 'group',
        children: {
          rows: { kind: 'rows', type: int64, rowShape: [], chunkShape: [16] },
          text: { kind: 'text', value: 'HADEC' },
          name: { kind: 'fixed', type: { kind: 'string', bytes: 3 }, shape: [], data: Buffer.from('DSA') },
        },
      },
    },
  })
  writer.append(
    '/group/rows',
    BigInt64Array.from({ length: ROWS }, (_, index) => BigInt(index)),
  )
  writer.close()
})

function readAll(file: Hdf5File): void {
  for (const path of file.paths) {
    const dataset = file.dataset(path)
    assert.ok(dataset)
    if (dataset.type.kind === 'text' || dataset.type.kind === 'string') file.readStrings(path)
    else {
      const rows = Math.min(dataset.shape[0] ?? 1, 1e5)
      const rowBytes = dataset.shape.slice(1).reduce((total, length) => total * length, dataset.type.bytes)
      if (rows * rowBytes < 1e8) file.readRows(path, 0, rows, new Uint8Array(rows * rowBytes))
    }
  }
}

/** Writes the good file with changed bytes, reads all of it and returns the error. */
async function errorAfter(change: (bytes: Buffer) => Buffer | void): Promise<StageError> {
  const bytes = readFileSync(good)
  const path = join(folder.path, 'changed.h5')
  writeFileSync(path, change(bytes) ?? bytes)
  try {
    const file = await openHdf5(path)
    try {
      readAll(file)
    } finally {
      file.close()
    }
  } catch (error) {
    assert.ok(error instanceof StageError, String(error))
    assert.ok(error.message.includes(path), error.message)
    return error
  }
  throw new assert.AssertionError({ message: 'the changed file was read without an error' })
}

/** Places of the nodes of the chunk index. */
function nodes(bytes: Buffer): number[] {
  const found: number[] = []
  for (let at = bytes.indexOf('TREE'); at >= 0; at = bytes.indexOf('TREE', at + 1))
    if (bytes[at + 4] === 1) found.push(at)
  return found
}

const KEY_BYTES = 8 + 8 * 2

test('a file that is not HDF5 is called that', async () => {
  const error = await errorAfter(() => Buffer.from('SIMPLE  =                    T'))
  assert.equal(error.code, 'DATA_UNREADABLE')
  assert.match(error.message, /is not an HDF5 file/)
  assert.equal((await errorAfter(() => Buffer.alloc(0))).code, 'DATA_UNREADABLE')
})

test('a truncated file is called that, with both sizes', async () => {
  const { length } = readFileSync(good)
  for (const bytes of [50, 2000, length - 1]) {
    const error = await errorAfter((whole) => whole.subarray(0, bytes))
    assert.equal(error.code, 'DATA_UNREADABLE')
    assert.match(error.message, new RegExp(`truncated: it has ${bytes} bytes, its superblock says`))
  }
})

test('a missing file and a folder are missing input', async () => {
  for (const path of [join(folder.path, 'absent.h5'), folder.path]) {
    await assert.rejects(
      openHdf5(path),
      (error: unknown) => error instanceof StageError && error.code === 'INPUT_MISSING',
    )
  }
})

test('a chunk outside the file, a chunk listed twice and overlapping chunks are refused', async () => {
  const outside = await errorAfter((bytes) => {
    const leaf = nodes(bytes).find((at) => bytes[at + 5] === 0) as number
    bytes.writeBigUInt64LE(BigInt(bytes.length), leaf + 24 + KEY_BYTES)
  })
  assert.match(outside.message, /outside the file/)
  const twice = await errorAfter((bytes) => {
    const leaf = nodes(bytes).find((at) => bytes[at + 5] === 0) as number
    bytes.copy(bytes, leaf + 24, leaf + 24 + KEY_BYTES + 8, leaf + 24 + KEY_BYTES + 8 + KEY_BYTES)
  })
  assert.match(twice.message, /listed twice/)
  const overlap = await errorAfter((bytes) => {
    const leaf = nodes(bytes).find((at) => bytes[at + 5] === 0) as number
    const second = leaf + 24 + KEY_BYTES + 8 + KEY_BYTES
    bytes.writeBigUInt64LE(bytes.readBigUInt64LE(leaf + 24 + KEY_BYTES) + 8n, second)
  })
  assert.match(overlap.message, /overlap/)
})

test('a chunk index that refers to itself is refused', async () => {
  const error = await errorAfter((bytes) => {
    const root = nodes(bytes).find((at) => bytes[at + 5] === 1) as number
    bytes.writeBigUInt64LE(BigInt(root), root + 24 + KEY_BYTES)
  })
  assert.match(error.message, /refers to itself|do not fall/)
})

test('a group that refers to itself is refused', async () => {
  const error = await errorAfter((bytes) => {
    const [root, inner] = [bytes.indexOf('SNOD'), bytes.lastIndexOf('SNOD')]
    // Both tables hold their first entry's header address at the same place.
    const [from, to] = bytes.readUInt16LE(root + 6) === 1 ? [root, inner] : [inner, root]
    bytes.copy(bytes, to + 8 + 8, from + 8 + 8, from + 8 + 16)
  })
  assert.match(error.message, /refers to itself|nested/)
})

test('files with random damage end in our own error or are read, at once', () => {
  const bytes = readFileSync(good)
  const random = createRandom('damage')
  const path = join(folder.path, 'damaged.h5')
  const metadata = bytes.length - ROWS * 8
  let refused = 0
  const before = process.cpuUsage()
  for (let run = 0; run < 3000; run++) {
    const damaged = Buffer.from(bytes)
    for (let change = 0; change <= random.int(4); change++) {
      const at = random.int(2) === 0 ? random.int(metadata) : random.int(bytes.length)
      damaged[at] = random.int(3) === 0 ? 255 : random.int(256)
    }
    writeFileSync(path, damaged)
    if (random.int(10) === 0) truncateSync(path, random.int(bytes.length))
    try {
      const file = openDirect(path)
      try {
        readAll(file)
      } finally {
        file.close()
      }
    } catch (error) {
      const known = error instanceof UnknownLayout || (error instanceof StageError && error.code === 'DATA_UNREADABLE')
      assert.ok(known, `run ${run}: ${error instanceof Error ? error.stack : String(error)}`)
      refused += 1
    }
  }
  assert.ok(refused > 300, `only ${refused} of 3000 damaged files were refused`)
  const { user, system } = process.cpuUsage(before)
  // Work, not time: what else the machine does is no fault of the reader.
  assert.ok(user + system < 20e6)
})
