import { TableFault } from './unreadable.ts'

/** Start of every outermost object of casacore's AipsIO serialisation; the same bytes in either byte order. */
const magic = 0xbebebebe

/** Appends values in casacore's AipsIO encoding: canonical big-endian, or the little-endian form of table files. */
export class AipsWriter {
  #bytes = new Uint8Array(4096)
  #view = new DataView(this.#bytes.buffer)
  #length = 0
  #depth = 0
  readonly #little: boolean

  constructor(order: 'big' | 'little' = 'big') {
    this.#little = order === 'little'
  }

  get length(): number {
    return this.#length
  }

  bool(value: boolean): void {
    // The room first: it may replace the view.
    const at = this.#reserve(1)
    this.#view.setUint8(at, value ? 1 : 0)
  }

  int(value: number): void {
    const at = this.#reserve(4)
    this.#view.setInt32(at, value, this.#little)
  }

  uint(value: number): void {
    const at = this.#reserve(4)
    this.#view.setUint32(at, value, this.#little)
  }

  int64(value: number): void {
    const at = this.#reserve(8)
    this.#view.setBigInt64(at, BigInt(value), this.#little)
  }

  float(value: number): void {
    const at = this.#reserve(4)
    this.#view.setFloat32(at, value, this.#little)
  }

  double(value: number): void {
    const at = this.#reserve(8)
    this.#view.setFloat64(at, value, this.#little)
  }

  string(value: string): void {
    const encoded = new TextEncoder().encode(value)
    this.uint(encoded.length)
    this.raw(encoded)
  }

  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** A framed object: length of itself, type name, version, then what `body` writes. */
  object(type: string, version: number, body: () => void): void {
    if (this.#depth === 0) this.uint(magic)
    const start = this.#reserve(4)
    this.string(type)
    this.uint(version)
    this.#depth += 1
    body()
    this.#depth -= 1
    this.#view.setUint32(start, this.#length - start, this.#little)
  }

  /** An IPosition: 32-bit values (version 1), 64-bit ones (version 2) when any value needs it. */
  position(values: readonly number[]): void {
    const wide = values.some((value) => value > 0x7fffffff)
    this.object('IPosition', wide ? 2 : 1, () => {
      this.uint(values.length)
      for (const value of values) {
        if (wide) this.int64(value)
        else this.int(value)
      }
    })
  }

  /** A Block of unsigned integers. */
  block(values: readonly number[]): void {
    this.object('Block', 1, () => {
      this.uint(values.length)
      for (const value of values) this.uint(value)
    })
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  /** Room for `size` more bytes; returns where they start. */
  #reserve(size: number): number {
    const at = this.#length
    if (at + size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, at + size))
      grown.set(this.#bytes.subarray(0, at))
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    this.#length = at + size
    return at
  }
}

/** Reads what `AipsWriter` writes. Throws TableFault beyond the end and when a frame is not the expected one. */
export class AipsReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #little: boolean
  #at = 0
  #depth = 0

  constructor(bytes: Uint8Array, order: 'big' | 'little' = 'big') {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#little = order === 'little'
  }

  bool(): boolean {
    return this.#view.getUint8(this.#take(1)) !== 0
  }

  int(): number {
    return this.#view.getInt32(this.#take(4), this.#little)
  }

  uint(): number {
    return this.#view.getUint32(this.#take(4), this.#little)
  }

  int64(): number {
    return Number(this.#view.getBigInt64(this.#take(8), this.#little))
  }

  float(): number {
    return this.#view.getFloat32(this.#take(4), this.#little)
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8), this.#little)
  }

  string(): string {
    const length = this.uint()
    const at = this.#take(length)
    return new TextDecoder().decode(this.#bytes.subarray(at, at + length))
  }

  raw(length: number): Uint8Array {
    const at = this.#take(length)
    return this.#bytes.subarray(at, at + length)
  }

  /** A framed object whose type starts with `type`; `body` gets version and full type name and reads all of it. */
  object<T>(type: string, body: (version: number, name: string) => T): T {
    if (this.#depth === 0 && this.uint() !== magic) throw new TableFault(`no AipsIO object where ${type} is expected`)
    const start = this.#at
    const length = this.uint()
    const name = this.string()
    if (!name.startsWith(type)) throw new TableFault(`AipsIO object ${name} where ${type} is expected`)
    const version = this.uint()
    this.#depth += 1
    const value = body(version, name)
    this.#depth -= 1
    if (this.#at !== start + length)
      throw new TableFault(`AipsIO object ${name} holds ${length} bytes, read ${this.#at - start}`)
    return value
  }

  /** Enters the outermost object and leaves it open: for files of which only the first members are wanted. */
  header(type: string): this {
    if (this.uint() !== magic) throw new TableFault(`no AipsIO object where ${type} is expected`)
    this.uint()
    const name = this.string()
    if (name !== type) throw new TableFault(`AipsIO object ${name} where ${type} is expected`)
    this.uint()
    this.#depth += 1
    return this
  }

  position(): number[] {
    return this.object('IPosition', (version) => {
      const length = this.uint()
      return Array.from({ length }, () => (version === 1 ? this.int() : this.int64()))
    })
  }

  block(): number[] {
    return this.object('Block', () => {
      const length = this.uint()
      return Array.from({ length }, () => this.uint())
    })
  }

  #take(size: number): number {
    const at = this.#at
    if (at + size > this.#bytes.length) throw new TableFault('a table file ends inside a value')
    this.#at = at + size
    return at
  }
}
