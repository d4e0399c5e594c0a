import { damageBytes, placesOf } from '../damage.ts'
import type { Random } from '../target.ts'

/** Signatures of the structures of HDF5, old and new. */
const SIGNATURES =
  'TREE SNOD HEAP GCOL OHDR OCHK FRHP FHDB FHIB BTHD BTIN BTLF FAHD FADB EAHD EAIB EASB EADB EADB SMTB SMLI FSHD'.split(
    ' ',
  )

const placesIn = new WeakMap<Buffer, number[]>()

/** Damages a file: its numbers, addresses, sizes and structures, its end; checksums are made right again in most. */
export function damageHdf5(sound: Buffer, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(sound)
  const places = placesIn.get(sound) ?? structures(sound)
  placesIn.set(sound, places)
  for (let change = random.int(3); change >= 0; change--) bytes = damageBytes(bytes, random, { places })
  if (random.int(4) > 0) mendChecksums(bytes, places)
  return bytes
}

/** Places of everything with a signature, of the superblock, and of what object headers of version 1 look like. */
function structures(bytes: Buffer): number[] {
  const places = [0, 0, ...placesOf(bytes, SIGNATURES)]
  for (let at = 96; at + 16 < bytes.length; at += 8) {
    const oldHeader = bytes[at] === 1 && bytes[at + 1] === 0 && bytes[at + 2] > 0 && bytes[at + 2] < 32
    if (oldHeader && bytes.readUInt32LE(at + 4) === 1 && bytes.readUInt32LE(at + 8) < 2048) places.push(at)
  }
  return places
}

/** Structures of the newer format end in a checksum; without it damage would not get past the first look. */
function mendChecksums(bytes: Buffer, places: readonly number[]): void {
  const mend = (from: number, length: number): void => {
    if (from + length + 4 <= bytes.length)
      bytes.writeUInt32LE(lookup3(bytes.subarray(from, from + length)), from + length)
  }
  if (bytes.length > 48 && (bytes[8] === 2 || bytes[8] === 3)) mend(0, 44)
  for (const at of new Set(places)) {
    if (at + 64 > bytes.length) continue
    const signature = bytes.toString('latin1', at, at + 4)
    if (signature === 'OHDR') mend(at, newHeaderBytes(bytes, at))
    else if (signature in FIXED_BYTES) mend(at, FIXED_BYTES[signature])
  }
}

/** Bytes before the checksum of headers of fixed length, with 8-byte addresses and lengths. */
const FIXED_BYTES: Readonly<Record<string, number>> = { BTHD: 34, FAHD: 24, EAHD: 68 }

function newHeaderBytes(bytes: Buffer, at: number): number {
  const flags = bytes[at + 5]
  const prefix = 6 + ((flags & 0x20) === 0 ? 0 : 16) + ((flags & 0x10) === 0 ? 0 : 4)
  const width = 1 << (flags & 3)
  const body = width === 8 ? 1e9 : bytes.readUIntLE(at + prefix, width)
  return prefix + width + body
}

/** Jenkins' lookup3 (hashlittle with initial value 0), the checksum of HDF5's metadata. */
function lookup3(data: Uint8Array): number {
  let a = (0xdeadbeef + data.length) | 0
  let b = a
  let c = a
  const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by))
  const word = (at: number): number =>
    (data[at] ?? 0) | ((data[at + 1] ?? 0) << 8) | ((data[at + 2] ?? 0) << 16) | ((data[at + 3] ?? 0) << 24)
  let at = 0
  for (; data.length - at > 12; at += 12) {
    a = (a + word(at)) | 0
    b = (b + word(at + 4)) | 0
    c = (c + word(at + 8)) | 0
    a = ((a - c) | 0) ^ rotate(c, 4)
    c = (c + b) | 0
    b = ((b - a) | 0) ^ rotate(a, 6)
    a = (a + c) | 0
    c = ((c - b) | 0) ^ rotate(b, 8)
    b = (b + a) | 0
    a = ((a - c) | 0) ^ rotate(c, 16)
    c = (c + b) | 0
    b = ((b - a) | 0) ^ rotate(a, 19)
    a = (a + c) | 0
    c = ((c - b) | 0) ^ rotate(b, 4)
    b = (b + a) | 0
  }
  if (at === data.length) return c >>> 0
  a = (a + word(at)) | 0
  b = (b + word(at + 4)) | 0
  c = (c + word(at + 8)) | 0
  c = ((c ^ b) - rotate(b, 14)) | 0
  a = ((a ^ c) - rotate(c, 11)) | 0
  b = ((b ^ a) - rotate(a, 25)) | 0
  c = ((c ^ b) - rotate(b, 16)) | 0
  a = ((a ^ c) - rotate(c, 4)) | 0
  b = ((b ^ a) - rotate(a, 14)) | 0
  c = ((c ^ b) - rotate(b, 24)) | 0
  return c >>> 0
}
