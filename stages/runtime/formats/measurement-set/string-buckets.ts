import { TableFault } from './unreadable.ts'

/** Links and counters in front of the characters of a string bucket: four big-endian Int. */
const stringHeaderBytes = 16

/** casacore opens a new bucket when a string does not fit and fewer bytes than this are left. */
const worthFilling = 50

/** Strings up to this length sit in the cell itself. */
const inlineBytes = 8

/**
 * Collects long strings and string arrays into the string buckets of a StandardStMan file. Buckets are numbered from
 * `firstBucket`; a string that does not fit runs on into the next bucket.
 */
export class StringBuckets {
  readonly #buckets: Uint8Array[] = []
  readonly #bucketBytes: number
  readonly #firstBucket: number
  #used = 0

  constructor(bucketBytes: number, firstBucket: number) {
    this.#bucketBytes = bucketBytes
    this.#firstBucket = firstBucket
  }

  /** The buckets so far, in file order. */
  get buckets(): readonly Uint8Array[] {
    return this.#buckets
  }

  /** Writes the 12 bytes of a String cell at `at`, the characters into a bucket unless they fit the cell. */
  putString(cell: DataView, at: number, text: string): void {
    const bytes = new TextEncoder().encode(text)
    if (bytes.length > inlineBytes) return this.#putReference(cell, at, bytes)
    for (let i = 0; i < bytes.length; i++) cell.setUint8(at + i, bytes[i])
    cell.setInt32(at + 8, bytes.length, true)
  }

  /** Writes the cell of a String array of the given shape. */
  putArray(cell: DataView, at: number, shape: readonly number[], texts: readonly string[]): void {
    const encoded = texts.map((text) => new TextEncoder().encode(text))
    const length = 4 * (2 + shape.length) + encoded.reduce((sum, bytes) => sum + 4 + bytes.length, 0)
    const out = new Uint8Array(length)
    const view = new DataView(out.buffer)
    let position = 0
    for (const value of [shape.length, ...shape, 1]) {
      view.setInt32(position, value)
      position += 4
    }
    for (const bytes of encoded) {
      view.setInt32(position, bytes.length)
      out.set(bytes, position + 4)
      position += 4 + bytes.length
    }
    this.#putReference(cell, at, out)
  }

  #putReference(cell: DataView, at: number, bytes: Uint8Array): void {
    const capacity = this.#bucketBytes - stringHeaderBytes
    const left = this.#buckets.length === 0 ? 0 : capacity - this.#used
    if (left === 0 || (bytes.length > left && left < worthFilling)) this.#open()
    cell.setInt32(at, this.#firstBucket + this.#buckets.length - 1, true)
    cell.setInt32(at + 4, this.#used, true)
    cell.setInt32(at + 8, bytes.length, true)
    let done = 0
    while (done < bytes.length) {
      if (this.#used === capacity) {
        this.#last().setInt32(12, this.#firstBucket + this.#buckets.length)
        this.#open()
      }
      const part = Math.min(bytes.length - done, capacity - this.#used)
      const bucket = this.#buckets.at(-1) as Uint8Array
      bucket.set(bytes.subarray(done, done + part), stringHeaderBytes + this.#used)
      this.#used += part
      done += part
      this.#last().setInt32(4, this.#used)
      this.#last().setInt32(8, capacity - this.#used)
    }
  }

  #open(): void {
    this.#buckets.push(new Uint8Array(this.#bucketBytes))
    this.#used = 0
    this.#last().setInt32(8, this.#bucketBytes - stringHeaderBytes)
    this.#last().setInt32(12, -1)
  }

  #last(): DataView {
    return new DataView((this.#buckets.at(-1) as Uint8Array).buffer)
  }
}

/** The buckets of a file that is read. */
export interface Buckets {
  /** Length of the whole file. */
  bytes: number
  get(index: number): Uint8Array
}

/** Reads the String cell at `at`. */
export function readStringCell(cell: DataView, at: number, buckets: Buckets): string {
  const length = cell.getInt32(at + 8, true)
  if (length <= inlineBytes) return new TextDecoder().decode(new Uint8Array(cell.buffer, cell.byteOffset + at, length))
  return new TextDecoder().decode(readReference(cell, at, buckets))
}

/** Reads a String array cell; undefined when it was never written. */
export function readStringArrayCell(
  cell: DataView,
  at: number,
  buckets: Buckets,
): { shape: number[]; values: string[] } | undefined {
  if (cell.getInt32(at + 8, true) === 0) return undefined
  const bytes = readReference(cell, at, buckets)
  const view = new DataView(bytes.buffer)
  const dimensions = view.getInt32(0)
  const shape = Array.from({ length: dimensions }, (_, axis) => view.getInt32(4 + 4 * axis))
  const count = shape.reduce((product, length) => product * length, 1)
  let position = 4 * (dimensions + 2)
  const values = Array.from({ length: count }, () => {
    const length = view.getInt32(position)
    if (length < 0) throw new TableFault('a string of a table has a negative length')
    const text = new TextDecoder().decode(bytes.subarray(position + 4, position + 4 + length))
    position += 4 + length
    return text
  })
  return { shape, values }
}

function readReference(cell: DataView, at: number, buckets: Buckets): Uint8Array {
  const length = cell.getInt32(at + 8, true)
  if (!(length >= 0 && length <= buckets.bytes)) throw new TableFault(`a string of ${length} bytes in table.f0`)
  const out = new Uint8Array(length)
  let number = cell.getInt32(at, true)
  let offset = cell.getInt32(at + 4, true)
  let done = 0
  while (done < out.length) {
    const bytes = buckets.get(number)
    const part = bytes.subarray(stringHeaderBytes + offset, stringHeaderBytes + offset + out.length - done)
    if (part.length === 0) throw new TableFault(`a string leaves bucket ${number}`)
    out.set(part, done)
    done += part.length
    number = new DataView(bytes.buffer, bytes.byteOffset).getInt32(12)
    offset = 0
  }
  return out
}
