import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readFitsHeader, readFitsImage, writeFitsImage } from '#runtime/formats/fits/image.ts'
import { readFitsTable, writeFitsTable } from '#runtime/formats/fits/table.ts'
import { changes, damageBytes, hostileTexts, pick } from '../damage.ts'
import { MiB, type FuzzTarget, type Random } from '../target.ts'

const CARD = 80
const values =
  "T F 0 1 -1 2 3 7 999 32767 2147483647 4294967296 1E30 -1.5 NAN 1D5 'RA---SIN' 'RA---TAN' 'BINTABLE' '1D' '999999999D' '0A' 'PD(9)' '1QE' '17X' '&' '".split(
    ' ',
  )
const keys = ['NAXIS', 'NAXIS1', 'NAXIS2', 'BITPIX', 'PCOUNT', 'GCOUNT', 'TFIELDS', 'TFORM1', 'TFORM2', 'TNULL1', 'END']

/** Images: pixels and header. */
export const fitsImage: FuzzTarget = {
  codes: ['INPUT_MISSING'],
  memoryBytes: 16 * MiB,
  async prepare(folder) {
    const path = join(folder, 'image.fits')
    const wcs = {
      CRPIX1: 5,
      CRPIX2: 5,
      CDELT1: -0.001,
      CDELT2: 0.001,
      CRVAL1: 180,
      CRVAL2: 16,
      BMAJ: 0.01,
      BMIN: 0.008,
    }
    await writeFitsImage(path, {
      cards: [
        { key: 'CTYPE1', value: 'RA---SIN' },
        { key: 'CTYPE2', value: 'DEC--SIN' },
        ...Object.entries(wcs).map(([key, value]) => ({ key, value })),
        { key: 'OBJECT', value: 'a long string '.repeat(12) },
      ],
      history: ['made for the test'],
      shape: [1, 1, 8, 9],
      data: Float32Array.from({ length: 72 }, (_, index) => index),
    })
    const bytes = readFileSync(path)
    return {
      seeds: [{ name: 'image', bytes }],
      named: path,
      mutate: (seed, random) => damageFits(seed.bytes, random),
      async read(input) {
        writeFileSync(path, input.bytes)
        await readFitsHeader(path)
        await readFitsImage(path)
        return true
      },
    }
  },
}

/** Binary tables of every type of column. */
export const fitsTable: FuzzTarget = {
  codes: ['INPUT_MISSING'],
  memoryBytes: 16 * MiB,
  async prepare(folder) {
    const path = join(folder, 'table.fits')
    await writeFitsTable(path, {
      cards: [{ key: 'FREQ', value: 1.4e9 }],
      columns: [
        { name: 'ra', unit: 'deg', type: 'f8', values: [1, 2, 3] },
        { name: 'flux', unit: 'mJy', type: 'f4', values: [1, 2, 3] },
        { name: 'flags', type: 'i4', values: [1, 2, 3] },
        { name: 'name', type: 'str', values: ['one', 'two', 'three'], description: 'its name' },
      ],
    })
    const bytes = readFileSync(path)
    return {
      seeds: [{ name: 'table', bytes }],
      named: path,
      mutate: (seed, random) => damageFits(seed.bytes, random),
      async read(input) {
        writeFileSync(path, input.bytes)
        await readFitsTable(path)
        return true
      },
    }
  },
}

/** Damages cards: their values, keywords and order; rarely any byte, or the end. */
export function damageFits(sound: Buffer, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(sound)
  for (let change = changes(random); change > 0; change--) bytes = damageCard(bytes, random)
  return bytes
}

function damageCard(bytes: Buffer, random: Random): Buffer {
  const cards = cardPlaces(bytes)
  if (cards.length === 0 || random.int(8) === 0)
    return damageBytes(bytes, random, { places: [0, ...cards], order: 'big' })
  const at = pick(random, cards)
  const text = random.int(6) === 0 ? `'${pick(random, hostileTexts).slice(0, 60)}'` : pick(random, values)
  const card = (key: string, value: string): void => {
    bytes.write(`${key.padEnd(8)}= ${value.padStart(20)}`.padEnd(CARD).slice(0, CARD), at, CARD, 'latin1')
  }
  switch (random.int(7)) {
    case 0:
    case 1:
      card(bytes.toString('latin1', at, at + 8), text)
      return bytes
    case 2:
      card(pick(random, keys), text)
      return bytes
    case 3:
      bytes.copy(bytes, at, pick(random, cards), pick(random, cards) + CARD)
      return bytes
    case 4:
      bytes.fill(' ', at, at + CARD)
      return bytes
    case 5:
      bytes.write(pick(random, keys).padEnd(8), at, 8, 'latin1')
      return bytes
    default:
      return random.int(3) > 0 ? bytes : bytes.subarray(0, random.int(bytes.length))
  }
}

function cardPlaces(bytes: Buffer): number[] {
  const places: number[] = []
  for (let at = 0; at + CARD <= bytes.length; at += CARD)
    if (/^[A-Z][A-Z0-9_-]*\s*(=|$)/.test(bytes.toString('latin1', at, at + 9))) places.push(at)
  return places
}
