import { UnknownLayout, paddedTo8 } from './file-format.ts'

/** The type of one element, little-endian. `bytes` is its size in the file. */
export type ElementType =
  | { readonly kind: 'integer'; readonly bytes: number; readonly signed: boolean }
  | { readonly kind: 'float'; readonly bytes: number }
  | { readonly kind: 'string'; readonly bytes: number }
  | { readonly kind: 'text'; readonly bytes: number }
  | { readonly kind: 'enumeration'; readonly bytes: number; readonly members: Readonly<Record<string, number>> }
  | { readonly kind: 'compound'; readonly bytes: number; readonly members: readonly CompoundMember[] }

interface CompoundMember {
  readonly name: string
  readonly offset: number
  readonly type: ElementType
}

export const uint8: ElementType = { kind: 'integer', bytes: 1, signed: false }
export const int64: ElementType = { kind: 'integer', bytes: 8, signed: true }
export const float32: ElementType = { kind: 'float', bytes: 4 }
export const float64: ElementType = { kind: 'float', bytes: 8 }
/** h5py's boolean: an enumeration on int8. */
export const boolean: ElementType = { kind: 'enumeration', bytes: 1, members: { FALSE: 0, TRUE: 1 } }
/** h5py's complex64: a compound of two floats. */
export const complex64: ElementType = {
  kind: 'compound',
  bytes: 8,
  members: [
    { name: 'r', offset: 0, type: float32 },
    { name: 'i', offset: 4, type: float32 },
  ],
}
/** A variable-length UTF-8 string: length, global heap address and index. */
export const text: ElementType = { kind: 'text', bytes: 16 }

/** A fixed-length, null-padded ASCII string. */
export function fixedString(bytes: number): ElementType {
  return { kind: 'string', bytes }
}

/** The datatype message (type 0x0003, version 1), padded to 8 bytes. */
export function encodeType(type: ElementType): Buffer {
  const encoded = encodeUnpadded(type)
  return Buffer.concat([encoded, Buffer.alloc(paddedTo8(encoded.length) - encoded.length)])
}

function encodeUnpadded(type: ElementType): Buffer {
  switch (type.kind) {
    case 'integer':
      return Buffer.concat([prefix(0, [type.signed ? 8 : 0, 0, 0], type.bytes), integerProperties(type.bytes)])
    case 'float':
      return encodeFloat(type.bytes)
    case 'string':
      return prefix(3, [1, 0, 0], type.bytes)
    case 'text':
      return Buffer.concat([prefix(9, [1, 1, 0], type.bytes), prefix(0, [0, 0, 0], 1), integerProperties(1)])
    case 'enumeration': {
      const members = Object.entries(type.members)
      const base = encodeUnpadded({ kind: 'integer', bytes: type.bytes, signed: true })
      const values = Buffer.alloc(members.length * type.bytes)
      members.forEach(([, value], index) => values.writeIntLE(value, index * type.bytes, type.bytes))
      return Buffer.concat([
        prefix(8, [members.length, 0, 0], type.bytes),
        base,
        ...members.map(([name]) => paddedName(name)),
        values,
      ])
    }
    default:
      return Buffer.concat([prefix(6, [type.members.length, 0, 0], type.bytes), ...type.members.map(encodeMember)])
  }
}

function prefix(typeClass: number, bits: [number, number, number], bytes: number): Buffer {
  const out = Buffer.from([0x10 | typeClass, ...bits, 0, 0, 0, 0])
  out.writeUInt32LE(bytes, 4)
  return out
}

function integerProperties(bytes: number): Buffer {
  const out = Buffer.alloc(4)
  out.writeUInt16LE(bytes * 8, 2)
  return out
}

/** IEEE little-endian: bit offset, precision, exponent place and size, mantissa place and size, exponent bias. */
function encodeFloat(bytes: number): Buffer {
  const properties =
    bytes === 4 ? [0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0] : [0, 0, 64, 0, 52, 11, 0, 52, 255, 3, 0, 0]
  return Buffer.concat([prefix(1, [0x20, bytes * 8 - 1, 0], bytes), Buffer.from(properties)])
}

function encodeMember(member: CompoundMember): Buffer {
  const place = Buffer.alloc(32)
  place.writeUInt32LE(member.offset, 0)
  return Buffer.concat([paddedName(member.name), place, encodeUnpadded(member.type)])
}

function paddedName(name: string): Buffer {
  const out = Buffer.alloc(paddedTo8(name.length + 1))
  out.write(name, 'latin1')
  return out
}

/** The type in a version 1 datatype message. @throws UnknownLayout for other versions, classes and byte orders. */
export function decodeType(message: Buffer): ElementType {
  return decodeAt(message, 0).type
}

function decodeAt(message: Buffer, start: number): { type: ElementType; end: number } {
  if (start + 8 > message.length) throw new UnknownLayout('datatype message too short')
  const version = message[start] >> 4
  const typeClass = message[start] & 0x0f
  const bits = message.readUIntLE(start + 1, 3)
  const bytes = message.readUInt32LE(start + 4)
  const body = start + 8
  if (version !== 1) throw new UnknownLayout(`datatype version ${version}`)
  if (bytes === 0) throw new UnknownLayout('datatype of size 0')
  switch (typeClass) {
    case 0:
      return { type: decodeInteger(message, body, bits, bytes), end: body + 4 }
    case 1:
      if (!message.subarray(start, body + 12).equals(encodeFloat(bytes)))
        throw new UnknownLayout('floating-point format')
      return { type: { kind: 'float', bytes }, end: body + 12 }
    case 3:
      return { type: { kind: 'string', bytes }, end: body }
    case 6:
      return decodeCompound(message, body, bits & 0xffff, bytes)
    case 8:
      return decodeEnumeration(message, body, bits & 0xffff, bytes)
    case 9:
      if ((bits & 0x0f) !== 1 || bytes !== 16) throw new UnknownLayout('variable-length sequence')
      return { type: { kind: 'text', bytes }, end: message.length }
    default:
      throw new UnknownLayout(`datatype class ${typeClass}`)
  }
}

function decodeInteger(message: Buffer, body: number, bits: number, bytes: number): ElementType {
  if (body + 4 > message.length) throw new UnknownLayout('datatype message too short')
  const plain = (bits & 1) === 0 && [1, 2, 4, 8].includes(bytes) && message.readUInt16LE(body) === 0
  if (!plain || message.readUInt16LE(body + 2) !== bytes * 8) throw new UnknownLayout('integer format')
  return { kind: 'integer', bytes, signed: (bits & 8) !== 0 }
}

function decodeCompound(
  message: Buffer,
  body: number,
  count: number,
  bytes: number,
): { type: ElementType; end: number } {
  const members: CompoundMember[] = []
  let at = body
  for (let index = 0; index < count; index++) {
    const { name, end } = readName(message, at)
    if (end + 32 > message.length) throw new UnknownLayout('datatype message too short')
    if (message[end + 4] !== 0) throw new UnknownLayout('array member of a compound type')
    const member = decodeAt(message, end + 32)
    const offset = message.readUInt32LE(end)
    if (offset + member.type.bytes > bytes) throw new UnknownLayout('compound member outside its type')
    members.push({ name, offset, type: member.type })
    at = member.end
  }
  return { type: { kind: 'compound', bytes, members }, end: at }
}

function decodeEnumeration(
  message: Buffer,
  body: number,
  count: number,
  bytes: number,
): { type: ElementType; end: number } {
  const base = decodeAt(message, body)
  if (base.type.kind !== 'integer' || base.type.bytes !== bytes || bytes > 4)
    throw new UnknownLayout('enumeration base type')
  const names: string[] = []
  let at = base.end
  for (let index = 0; index < count; index++) {
    const { name, end } = readName(message, at)
    names.push(name)
    at = end
  }
  if (at + count * bytes > message.length) throw new UnknownLayout('datatype message too short')
  const members = Object.fromEntries(names.map((name, index) => [name, message.readIntLE(at + index * bytes, bytes)]))
  return { type: { kind: 'enumeration', bytes, members }, end: at + count * bytes }
}

function readName(message: Buffer, start: number): { name: string; end: number } {
  const zero = message.indexOf(0, start)
  if (zero < 0) throw new UnknownLayout('datatype member name without end')
  return { name: message.toString('latin1', start, zero), end: start + paddedTo8(zero + 1 - start) }
}
