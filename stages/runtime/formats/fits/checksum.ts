import { encodeHeader, type FitsCard } from './cards.ts'

const word = 2 ** 32

/** Words per partial sum: 2^20 words of 32 bits stay exact in a double. */
const wordsPerFold = 2 ** 20

/** The 32-bit ones' complement sum of big-endian words, added to `start` (FITS standard 4.0, appendix J). */
export function sumBytes(bytes: Buffer, start = 0): number {
  let sum = start
  const words = Math.floor(bytes.length / 4)
  for (let first = 0; first < words; first += wordsPerFold) {
    const end = Math.min(words, first + wordsPerFold)
    for (let i = first; i < end; i += 1) sum += bytes.readUInt32BE(i * 4)
    sum = fold(sum)
  }
  return sum
}

/** As `sumBytes`, for words already in host order: the values of a float32 plane before they are swapped. */
export function sumWords(words: Uint32Array, start = 0): number {
  let sum = start
  for (let first = 0; first < words.length; first += wordsPerFold) {
    const end = Math.min(words.length, first + wordsPerFold)
    for (let i = first; i < end; i += 1) sum += words[i]
    sum = fold(sum)
  }
  return sum
}

/** The header with DATASUM and CHECKSUM filled in, so that the whole unit sums to all ones. */
export function encodeHeaderWithChecksum(
  cards: readonly FitsCard[],
  dataSum: number,
  options: { history?: readonly string[] } = {},
): Buffer {
  const withSums = (checksum: string): Buffer =>
    encodeHeader(
      [
        ...cards,
        { key: 'CHECKSUM', value: checksum, comment: 'HDU checksum' },
        { key: 'DATASUM', value: String(dataSum), comment: 'data unit checksum' },
      ],
      options.history,
    )
  const blank = withSums('0'.repeat(16))
  return withSums(encodeChecksum(word - 1 - fold(sumBytes(blank) + dataSum)))
}

function fold(sum: number): number {
  let folded = sum
  while (folded >= word) folded = (folded % word) + Math.floor(folded / word)
  return folded
}

/** A 32-bit number as the 16 ASCII letters and digits whose word sum it is (appendix J.3 of the standard). */
function encodeChecksum(value: number): string {
  const zero = 0x30
  const excluded = new Set([0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x40, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f, 0x60])
  const letters = new Uint8Array(16)
  for (let i = 0; i < 4; i += 1) {
    const byte = Math.floor(value / 2 ** (24 - 8 * i)) % 256
    const quarter = Math.floor(byte / 4) + zero
    const parts = [quarter + (byte % 4), quarter, quarter, quarter]
    while (parts.some((part) => excluded.has(part))) {
      for (const j of [0, 2]) {
        if (!excluded.has(parts[j]) && !excluded.has(parts[j + 1])) continue
        parts[j] += 1
        parts[j + 1] -= 1
      }
    }
    parts.forEach((part, j) => (letters[4 * j + i] = part))
  }
  return String.fromCharCode(...letters.subarray(15), ...letters.subarray(0, 15))
}
