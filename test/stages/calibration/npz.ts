import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'

export interface NpyArray {
  shape: number[]
  /** Complex values as pairs (re, im). */
  values: Float64Array
}

/** Reads the float64, int64 and complex128 arrays of a NumPy .npz file; others are left out. */
export function readNpz(path: string): Map<string, NpyArray> {
  const file = readFileSync(path)
  const arrays = new Map<string, NpyArray>()
  // End of central directory: its last 22 bytes when there is no comment.
  const end = file.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  let at = file.readUInt32LE(end + 16)
  for (let k = 0; k < file.readUInt16LE(end + 10); k++) {
    const method = file.readUInt16LE(at + 10)
    const compressed = file.readUInt32LE(at + 20)
    const nameLength = file.readUInt16LE(at + 28)
    const name = file.toString('latin1', at + 46, at + 46 + nameLength)
    const local = file.readUInt32LE(at + 42)
    const start = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28)
    const body = file.subarray(start, start + compressed)
    const array = readNpy(method === 8 ? inflateRawSync(body) : body)
    if (array !== undefined) arrays.set(name.replace(/\.npy$/, ''), array)
    at += 46 + nameLength + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32)
  }
  return arrays
}

function readNpy(bytes: Buffer): NpyArray | undefined {
  const headerLength = bytes.readUInt16LE(8)
  const header = bytes.toString('latin1', 10, 10 + headerLength)
  const type = /'descr': '([^']+)'/.exec(header)?.[1]
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? '')
    .split(',')
    .filter((n) => n.trim() !== '')
    .map(Number)
  if (header.includes("'fortran_order': True")) return undefined
  const body = bytes.subarray(10 + headerLength)
  const count = shape.reduce((product, n) => product * n, 1)
  if (type === '<f8' || type === '<c16') {
    const length = type === '<c16' ? 2 * count : count
    return { shape, values: Float64Array.from({ length }, (_, k) => body.readDoubleLE(8 * k)) }
  }
  if (type === '<i8')
    return { shape, values: Float64Array.from({ length: count }, (_, k) => Number(body.readBigInt64LE(8 * k))) }
  return undefined
}
