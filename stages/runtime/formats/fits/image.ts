import { open, type FileHandle } from 'node:fs/promises'
import type { ImageWcs } from '#runtime/sky/projection.ts'
import { blockBytes, encodeHeader, type FitsCard, type FitsValue } from './cards.ts'
import { encodeHeaderWithChecksum, sumWords } from './checksum.ts'
import { axisLengths, notFits, readInto, readUnit } from './file.ts'

/** Restoring beam: full widths at half maximum, position angle of the major axis from north to east. */
export interface RestoringBeam {
  majorRad: number
  minorRad: number
  positionAngleRad: number
}

export interface FitsImage {
  cards: Map<string, FitsValue>
  history: string[]
  /** C order: the slowest axis first, [..., height, width]. */
  shape: number[]
  data: Float32Array
  wcs: ImageWcs
  beam?: RestoringBeam
}

/** Pixels swapped and written at a time: a megabyte stays in the cache. */
const pixelsPerWrite = 2 ** 18

const degRad = Math.PI / 180

/**
 * Reads the image of the primary unit: 32- or 64-bit floating point, first two axes RA---SIN and DEC--SIN.
 * Throws StageError when the file is not such an image.
 */
export async function readFitsImage(path: string): Promise<FitsImage> {
  await using file = await open(path)
  const unit = await readUnit(file, path)
  if (unit === undefined) throw notFits(path, 'it is empty')
  const { cards, history } = unit
  const shape = axisLengths(cards, path).reverse()
  if (shape.length < 2) throw notFits(path, `it has ${shape.length} axes, an image has two or more`)
  const beam = beamOf(cards)
  const wcs = wcsOf(cards, path)
  const data = await readPixels(file, path, unit)
  return { cards, history, shape, data, wcs, ...(beam === undefined ? {} : { beam }) }
}

/** Reads the keywords alone. */
export async function readFitsHeader(path: string): Promise<{ cards: Map<string, FitsValue>; history: string[] }> {
  await using file = await open(path)
  const unit = await readUnit(file, path)
  if (unit === undefined) throw notFits(path, 'it is empty')
  return { cards: unit.cards, history: unit.history }
}

/**
 * Writes a float32 image as the primary unit, with CHECKSUM and DATASUM. `shape` is in C order ([..., height, width]);
 * `cards` hold all but the mandatory keywords. NaN marks blank pixels. Equal arguments give equal bytes.
 */
export async function writeFitsImage(
  path: string,
  image: { cards: readonly FitsCard[]; history?: readonly string[]; shape: readonly number[]; data: Float32Array },
): Promise<void> {
  const { shape, data, history = [] } = image
  const pixels = shape.reduce((product, length) => product * length, 1)
  if (pixels !== data.length) throw new RangeError(`shape ${shape.join(' x ')} does not hold ${data.length} pixels`)
  const cards = [...mandatoryCards(shape), ...image.cards]
  await using file = await open(path, 'w')
  const sumCards: FitsCard[] = ['CHECKSUM', 'DATASUM'].map((key) => ({ key, value: '0'.repeat(16) }))
  const dataOffset = encodeHeader([...cards, ...sumCards], history).length
  const dataSum = await writePixels(file, dataOffset, data)
  await file.write(encodeHeaderWithChecksum(cards, dataSum, { history }), 0, undefined, 0)
}

function mandatoryCards(shape: readonly number[]): FitsCard[] {
  const lengths = [...shape].reverse()
  return [
    { key: 'SIMPLE', value: true, comment: 'conforms to FITS standard 4.0' },
    { key: 'BITPIX', value: -32, comment: 'IEEE single precision floating point' },
    { key: 'NAXIS', value: lengths.length, comment: 'number of axes' },
    ...lengths.map((value, axis) => ({ key: `NAXIS${axis + 1}`, value })),
  ]
}

async function writePixels(file: FileHandle, offset: number, data: Float32Array): Promise<number> {
  const block = new Float32Array(Math.min(pixelsPerWrite, data.length))
  let sum = 0
  for (let first = 0; first < data.length; first += block.length) {
    const part = block.subarray(0, Math.min(block.length, data.length - first))
    part.set(data.subarray(first, first + part.length))
    sum = sumWords(new Uint32Array(part.buffer, 0, part.length), sum)
    const bytes = Buffer.from(part.buffer, 0, part.byteLength)
    bytes.swap32()
    await writeAll(file, offset + first * 4, bytes)
  }
  const used = data.length * 4
  const padding = Math.ceil(used / blockBytes) * blockBytes - used
  if (padding > 0) await writeAll(file, offset + used, Buffer.alloc(padding))
  return sum
}

async function writeAll(file: FileHandle, offset: number, bytes: Buffer): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    written += (await file.write(bytes, written, bytes.length - written, offset + written)).bytesWritten
  }
}

async function readPixels(
  file: FileHandle,
  path: string,
  unit: { cards: Map<string, FitsValue>; dataOffset: number },
): Promise<Float32Array> {
  const { cards, dataOffset } = unit
  const bits = cards.get('BITPIX')
  const pixels = axisLengths(cards, path).reduce((product, length) => product * length, 1)
  if (bits !== -32 && bits !== -64) throw notFits(path, `BITPIX ${bits} is not floating point`)
  const data = bits === -32 ? new Float32Array(pixels) : new Float64Array(pixels)
  const bytes = Buffer.from(data.buffer)
  await readInto(file, dataOffset, bytes)
  if (bits === -32) bytes.swap32()
  else bytes.swap64()
  return data instanceof Float32Array ? data : Float32Array.from(data)
}

function beamOf(cards: Map<string, FitsValue>): RestoringBeam | undefined {
  const [major, minor, angle] = ['BMAJ', 'BMIN', 'BPA'].map((key) => cards.get(key))
  if (typeof major !== 'number' || typeof minor !== 'number' || major <= 0 || minor <= 0) return undefined
  return { majorRad: major * degRad, minorRad: minor * degRad, positionAngleRad: Number(angle ?? 0) * degRad }
}

function wcsOf(cards: Map<string, FitsValue>, path: string): ImageWcs {
  const number = (key: string): number => {
    const value = cards.get(key)
    if (typeof value !== 'number') throw notFits(path, `no number in ${key}`)
    return value
  }
  for (const [key, wanted] of [
    ['CTYPE1', 'RA---SIN'],
    ['CTYPE2', 'DEC--SIN'],
  ] as const) {
    if (cards.get(key) !== wanted) throw notFits(path, `${key} is ${cards.get(key) ?? 'absent'}, not ${wanted}`)
  }
  const cellDeg = number('CDELT2')
  if (cellDeg <= 0 || Math.abs(number('CDELT1') + cellDeg) > 1e-9 * cellDeg) {
    throw notFits(path, 'its pixels are not square with right ascension growing to the left')
  }
  return {
    centre: { raRad: number('CRVAL1') * degRad, decRad: number('CRVAL2') * degRad },
    width: number('NAXIS1'),
    height: number('NAXIS2'),
    cellRad: cellDeg * degRad,
    referenceX: number('CRPIX1') - 1,
    referenceY: number('CRPIX2') - 1,
  }
}
