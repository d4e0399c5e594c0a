import type { AipsReader, AipsWriter } from './aips-io.ts'
import { TableFault } from './unreadable.ts'

const typeTag = Symbol('casacore type')

/** A scalar whose casacore type does not follow from its JavaScript type. */
export interface TypedScalar {
  readonly [typeTag]: 'Int' | 'float' | 'Table'
  readonly value: number | string
}

/** An Int or float keyword, or one that refers to a subtable by its name. */
export function typed(type: 'Int' | 'float', value: number): TypedScalar
export function typed(type: 'Table', value: string): TypedScalar
export function typed(type: 'Int' | 'float' | 'Table', value: number | string): TypedScalar {
  return { [typeTag]: type, value }
}

/**
 * A casacore keyword record. A plain number is a double, the other scalars are `typed`. Typed arrays and string lists
 * are arrays of one dimension.
 */
export interface KeywordRecord {
  readonly [name: string]: KeywordValue
}
type KeywordValue =
  | boolean
  | string
  | number
  | readonly string[]
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | TypedScalar
  | KeywordRecord

/** casacore's DataType codes of the values that we write. */
const scalarCode = { Bool: 0, Int: 5, uInt: 6, float: 7, double: 8, String: 11, Table: 12, Record: 25 } as const
const arrayCode = { Int: 18, uInt: 19, float: 20, double: 21, String: 24 } as const

/** Writes a TableRecord (keywords of tables and columns) or, inside tiled headers, a Record. */
export function writeRecord(
  out: AipsWriter,
  record: KeywordRecord,
  type: 'TableRecord' | 'Record' = 'TableRecord',
): void {
  const fields = Object.entries(record)
  out.object(type, 1, () => {
    out.object('RecordDesc', 2, () => {
      out.int(fields.length)
      for (const [name, value] of fields) writeFieldDescription(out, name, value)
    })
    out.int(1)
    for (const [, value] of fields) writeValue(out, value)
  })
}

/** Reads a TableRecord or Record. Values come back in the form in which `writeRecord` takes them. */
export function readRecord(from: AipsReader, type: 'TableRecord' | 'Record' = 'TableRecord'): KeywordRecord {
  return from.object(type, () => {
    const fields = from.object('RecordDesc', () => Array.from({ length: from.int() }, () => readFieldDescription(from)))
    from.int()
    // Names come from the file: `__proto__` is one like any other.
    return Object.fromEntries(fields.map(({ name, code }) => [name, readValue(from, code)]))
  })
}

function codeOf(value: KeywordValue): number {
  if (typeof value === 'boolean') return scalarCode.Bool
  if (typeof value === 'string') return scalarCode.String
  if (typeof value === 'number') return scalarCode.double
  if (value instanceof Int32Array) return arrayCode.Int
  if (value instanceof Uint32Array) return arrayCode.uInt
  if (value instanceof Float32Array) return arrayCode.float
  if (value instanceof Float64Array) return arrayCode.double
  if (isStringList(value)) return arrayCode.String
  return isTyped(value) ? scalarCode[value[typeTag]] : scalarCode.Record
}

function isStringList(value: KeywordValue): value is readonly string[] {
  return Array.isArray(value)
}

function isTyped(value: object): value is TypedScalar {
  return typeTag in value
}

function writeFieldDescription(out: AipsWriter, name: string, value: KeywordValue): void {
  const code = codeOf(value)
  out.string(name)
  out.int(code)
  if (code === scalarCode.Record) out.object('RecordDesc', 2, () => out.int(0))
  else if (code === scalarCode.Table) out.string('')
  else if (code > scalarCode.Table) out.position([-1])
  out.string('')
}

function readFieldDescription(from: AipsReader): { name: string; code: number } {
  const name = from.string()
  const code = from.int()
  if (code === scalarCode.Record)
    from.object('RecordDesc', () => Array.from({ length: from.int() }, () => readFieldDescription(from)))
  else if (code === scalarCode.Table) from.string()
  else if (code > scalarCode.Table && code < scalarCode.Record) from.position()
  from.string()
  return { name, code }
}

function writeValue(out: AipsWriter, value: KeywordValue): void {
  if (typeof value === 'boolean') out.bool(value)
  else if (typeof value === 'string') out.string(value)
  else if (typeof value === 'number') out.double(value)
  else if (value instanceof Int32Array) writeArray(out, 'Int', value, (item) => out.int(item))
  else if (value instanceof Uint32Array) writeArray(out, 'uInt', value, (item) => out.uint(item))
  else if (value instanceof Float32Array) writeArray(out, 'float', value, (item) => out.float(item))
  else if (value instanceof Float64Array) writeArray(out, 'double', value, (item) => out.double(item))
  else if (isStringList(value)) writeArray(out, 'String', value, (item) => out.string(item))
  else if (!isTyped(value)) writeRecord(out, value)
  else if (value[typeTag] === 'Table') out.string(`././${value.value}`)
  else if (value[typeTag] === 'Int') out.int(Number(value.value))
  else out.float(Number(value.value))
}

function writeArray<T>(out: AipsWriter, type: string, values: ArrayLike<T>, write: (item: T) => void): void {
  out.object(`Array<${type}>`, 3, () => {
    out.uint(1)
    out.uint(values.length)
    out.uint(values.length)
    for (let i = 0; i < values.length; i++) write(values[i])
  })
}

function readValue(from: AipsReader, code: number): KeywordValue {
  switch (code) {
    case scalarCode.Bool:
      return from.bool()
    case scalarCode.Int:
      return typed('Int', from.int())
    case scalarCode.uInt:
      return typed('Int', from.uint())
    case scalarCode.float:
      return typed('float', from.float())
    case scalarCode.double:
      return from.double()
    case scalarCode.String:
      return from.string()
    case scalarCode.Table:
      return typed('Table', from.string().replace('././', ''))
    case scalarCode.Record:
      return readRecord(from)
    case arrayCode.Int:
      return Int32Array.from(readArray(from, () => from.int()))
    case arrayCode.uInt:
      return Uint32Array.from(readArray(from, () => from.uint()))
    case arrayCode.float:
      return Float32Array.from(readArray(from, () => from.float()))
    case arrayCode.double:
      return Float64Array.from(readArray(from, () => from.double()))
    case arrayCode.String:
      return readArray(from, () => from.string())
    default:
      throw new TableFault(`keyword of casacore type ${code} is not supported`)
  }
}

function readArray<T>(from: AipsReader, read: () => T): T[] {
  return from.object('Array', () => {
    const dimensions = from.uint()
    for (let axis = 0; axis < dimensions; axis++) from.uint()
    return Array.from({ length: from.uint() }, read)
  })
}
