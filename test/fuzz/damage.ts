import type { Random } from './target.ts'

/** Text that parsers, paths, pages and terminals stumble over. */
export const hostileTexts: readonly string[] = [
  '',
  ' ',
  '.',
  '..',
  '/',
  '../../../outside',
  '../'.repeat(40) + 'etc/passwd',
  '/etc/passwd',
  'file:///etc/passwd',
  'incoming:../../x',
  'link-out',
  'link-out/secret',
  'a\0b',
  '<script>alert(1)</script>',
  '"onload="alert(1)',
  '</svg>',
  'javascript:alert(1)',
  '\u001b[31mred\u001b[0m\u0007\r\n',
  '\u202Egnp.exe',
  '\uD800',
  '\uFEFF',
  'é'.repeat(300),
  'x'.repeat(70_000),
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'null',
  'NaN',
  'Infinity',
  '-0',
  '1e999',
  '0x7f',
  '1_000',
  '١٢',
  '%s%n',
  '${x}',
  '*',
  '(a+)+$',
]

const hostileNumbers: readonly number[] = [
  0,
  -0,
  1,
  -1,
  0.5,
  2,
  255,
  256,
  65_535,
  65_536,
  1e6,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53,
  2 ** 63,
  1e15,
  1e300,
  -1e300,
  5e-324,
  Number.MAX_VALUE,
]

export function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.int(values.length)]
}

interface BytePlaces {
  /** Where structures begin; damage is done at and after them. */
  readonly places: readonly number[]
  /** How many bytes after a place belong to it. */
  readonly reach?: number
  readonly order?: 'big' | 'little'
}

/**
 * Damages bytes once: a bit, a byte, a number of 2, 4 or 8 bytes that becomes an extreme or the place of another
 * structure, a structure in the place of another, or the end cut off.
 */
export function damageBytes(bytes: Buffer, random: Random, where: BytePlaces): Buffer {
  const { places, reach = 400, order = 'little' } = where
  if (bytes.length === 0) return bytes
  const near = pick(random, places) + random.int(random.int(4) === 0 ? reach : 64)
  const at = Math.min(random.int(8) === 0 ? random.int(bytes.length) : near, bytes.length - 1)
  const number = pick(random, [0n, 1n, 2n, 7n, 255n, 65_535n, 0x7fff_ffffn, 0xffff_ffffn, 1n << 33n, 1n << 62n, -1n])
  const address = BigInt(pick(random, [...places, bytes.length, bytes.length - 8, bytes.length + 8, at, 8]))
  const write = (width: 2 | 4 | 8, value: bigint): void => {
    if (at + width > bytes.length) return
    const wrapped = BigInt.asUintN(8 * width, value)
    if (width === 8) {
      if (order === 'little') bytes.writeBigUInt64LE(wrapped, at)
      else bytes.writeBigUInt64BE(wrapped, at)
    } else if (order === 'little') bytes.writeUIntLE(Number(wrapped), at, width)
    else bytes.writeUIntBE(Number(wrapped), at, width)
  }
  switch (random.int(9)) {
    case 0:
      bytes[at] ^= 1 << random.int(8)
      return bytes
    case 1:
      bytes[at] = random.int(256)
      return bytes
    case 2:
    case 3:
      write(8, random.int(2) === 0 ? number : address)
      return bytes
    case 4:
      write(4, random.int(2) === 0 ? number : address)
      return bytes
    case 5:
      write(2, number)
      return bytes
    case 6: {
      // A structure, or a part of one, in the place of another.
      const from = Math.min(pick(random, places), bytes.length)
      bytes.copy(bytes, at, from, from + 1 + random.int(reach))
      return bytes
    }
    case 7: {
      const value = pick(random, [...hostileNumbers, Number.NaN, Number.POSITIVE_INFINITY])
      if (at + 8 <= bytes.length) {
        if (order === 'little') bytes.writeDoubleLE(value, at)
        else bytes.writeDoubleBE(value, at)
      }
      return bytes
    }
    default: {
      if (random.int(4) > 0) return damageBytes(bytes, random, where)
      return bytes.subarray(0, Math.max(1, random.int(bytes.length)))
    }
  }
}

/** Places of all given signatures. */
export function placesOf(bytes: Buffer, signatures: readonly string[]): number[] {
  const places = [0]
  for (const signature of signatures) {
    for (let at = bytes.indexOf(signature); at >= 0; at = bytes.indexOf(signature, at + 1)) places.push(at)
  }
  return places
}

/** Damages lines of text: removed, doubled, swapped, joined, cut, words replaced by what is hostile or by `tokens`. */
export function damageText(sound: Buffer, random: Random, tokens: readonly string[]): Buffer {
  let lines = sound.toString('utf8').split('\n')
  for (let change = changes(random); change > 0; change--) lines = damageLines(lines, random, tokens)
  const bytes = Buffer.from(lines.join(random.int(20) === 0 ? '\r\n' : '\n'))
  if (random.int(12) > 0) return bytes
  return damageBytes(bytes, random, { places: [random.int(Math.max(bytes.length, 1))] })
}

/** One change in half of the inputs: after many little is left that gets past the first look. */
export function changes(random: Random): number {
  return random.int(2) === 0 ? 1 : 1 + random.int(4)
}

function damageLines(lines: string[], random: Random, tokens: readonly string[]): string[] {
  if (lines.length === 0) return ['']
  const at = random.int(lines.length)
  const line = lines[at]
  const word = (): string =>
    random.int(3) === 0 ? pick(random, hostileTexts) : random.int(2) === 0 ? pick(random, tokens) : numberText(random)
  const put = (text: string): string[] => lines.with(at, text)
  const place = random.int(line.length + 1)
  switch (random.int(9)) {
    case 0:
      return lines.toSpliced(at, 1 + random.int(3))
    case 1:
      return lines.toSpliced(at, 0, line)
    case 2: {
      const other = random.int(lines.length)
      return lines.with(at, lines[other]).with(other, line)
    }
    case 3:
      return put(line.slice(0, place) + word() + line.slice(place))
    case 4:
    case 5: {
      // One word, cell or number becomes another.
      const words = [...line.matchAll(/[^\s,;:<>="'()[\]{}]+/g)]
      if (words.length === 0) return put(word())
      const chosen = pick(random, words)
      return put(line.slice(0, chosen.index) + word() + line.slice(chosen.index + chosen[0].length))
    }
    case 6:
      return put(line.slice(0, place) + line.slice(place + 1 + random.int(4)))
    case 7:
      return put(`${' '.repeat(random.int(5))}${pick(random, ['', '\t', '- ', '#', '"', "'", ','])}${line}`)
    default: {
      if (random.int(3) === 0) return lines.slice(0, at)
      return lines.toSpliced(at, 0, word())
    }
  }
}

function numberText(random: Random): string {
  return String(pick(random, hostileNumbers))
}

/** Damages a JSON document: members removed, renamed, exchanged, made hostile or deep; rarely also its text. */
export function damageJson(sound: Buffer, random: Random): Buffer {
  let document = JSON.parse(sound.toString('utf8')) as unknown
  for (let change = changes(random); change > 0; change--) document = damageValue(document, random)
  let text = JSON.stringify(document) ?? ''
  // What JSON.stringify never writes.
  if (random.int(10) === 0)
    text = text.replace(/-?\d+(\.\d+)?/, pick(random, ['1e999', '-1e999', '01', 'NaN', '1e-999']))
  if (random.int(20) === 0)
    text = text.replace('{', pick(random, ['{"__proto__":{"x":1},', '{"constructor":1,', '{"":1,']))
  const bytes = Buffer.from(text)
  if (random.int(12) > 0) return bytes
  return damageBytes(bytes, random, { places: [random.int(Math.max(bytes.length, 1))] })
}

function damageValue(document: unknown, random: Random): unknown {
  const nodes = collect(document)
  const root = { document }
  const { holder, key } =
    nodes.length === 0 || random.int(40) === 0 ? { holder: root, key: 'document' } : pick(random, nodes)
  const put = (value: unknown): void => {
    Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true })
  }
  const now = (holder as Record<string, unknown>)[key]
  // Of its own type in half of the cases: it gets farther.
  if (random.int(2) === 0) {
    if (typeof now === 'string') put(pick(random, hostileTexts))
    else if (typeof now === 'number') put(pick(random, hostileNumbers))
    else if (Array.isArray(now))
      put(random.int(2) === 0 ? now.slice(1) : [...(now as unknown[]), ...(now as unknown[])])
    if (typeof now === 'string' || typeof now === 'number' || Array.isArray(now)) return root.document
  }
  switch (random.int(6)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(key), 1)
      else delete (holder as Record<string, unknown>)[key]
      break
    case 1:
      put(hostileValue(random))
      break
    case 2:
      put(pick(random, hostileTexts))
      break
    case 3:
      put(pick(random, hostileNumbers))
      break
    case 4: {
      // The value of another place: a type that is known, where it is not expected.
      if (nodes.length === 0) break
      const other = pick(random, nodes)
      put(structuredClone((other.holder as Record<string, unknown>)[other.key]))
      break
    }
    default: {
      const name = pick(random, hostileTexts)
      if (Array.isArray(holder)) holder.push(structuredClone(now))
      else Object.defineProperty(holder, name, { value: now, enumerable: true, configurable: true, writable: true })
    }
  }
  return root.document
}

function hostileValue(random: Random): unknown {
  switch (random.int(7)) {
    case 0:
      return null
    case 1:
      return []
    case 2:
      return {}
    case 3:
      return random.int(2) === 0
    case 4: {
      let deep: unknown = 1
      for (let level = 0; level < 3000; level++) deep = level % 2 === 0 ? [deep] : { a: deep }
      return deep
    }
    case 5:
      return Array.from({ length: 2000 }, (_, index) => index)
    default:
      return [[null], { length: 1e9 }]
  }
}

/** Every member of every object and array, at most some thousands. */
function collect(document: unknown): { holder: object; key: string }[] {
  const found: { holder: object; key: string }[] = []
  const stack = [document]
  while (stack.length > 0 && found.length < 4000) {
    const node = stack.pop()
    if (typeof node !== 'object' || node === null) continue
    for (const key of Object.keys(node)) {
      found.push({ holder: node, key })
      stack.push((node as Record<string, unknown>)[key])
    }
  }
  return found
}
