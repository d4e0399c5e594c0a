import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { open, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { type FitsCard } from '#runtime/formats/fits/cards.ts'
import { readFitsHeader, readFitsImage, writeFitsImage } from '#runtime/formats/fits/image.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { needs, runPython } from '../../../../oracles/oracle.ts'
import { scratchFolder } from './scratch.ts'

const folder = await scratchFolder()

const skyCards: FitsCard[] = [
  { key: 'BUNIT', value: 'JY/BEAM' },
  { key: 'BMAJ', value: 68 / 3600, comment: '[deg] major axis of the restoring beam' },
  { key: 'BMIN', value: 37 / 3600 },
  { key: 'BPA', value: -12.5 },
  { key: 'CTYPE1', value: 'RA---SIN' },
  { key: 'CRPIX1', value: 4 },
  { key: 'CRVAL1', value: 359.95 },
  { key: 'CDELT1', value: -7 / 3600 },
  { key: 'CUNIT1', value: 'deg' },
  { key: 'CTYPE2', value: 'DEC--SIN' },
  { key: 'CRPIX2', value: 3 },
  { key: 'CRVAL2', value: 16.15 },
  { key: 'CDELT2', value: 7 / 3600 },
  { key: 'CUNIT2', value: 'deg' },
  { key: 'CTYPE3', value: 'FREQ' },
  { key: 'CRPIX3', value: 1 },
  { key: 'CRVAL3', value: 1405.015258789e6 },
  { key: 'CDELT3', value: 187.5e6 },
  { key: 'CUNIT3', value: 'Hz' },
  { key: 'CTYPE4', value: 'STOKES' },
  { key: 'CRPIX4', value: 1 },
  { key: 'CRVAL4', value: 1 },
  { key: 'CDELT4', value: 1 },
  { key: 'RADESYS', value: 'ICRS' },
  { key: 'EQUINOX', value: 2000 },
  { key: 'SPECSYS', value: 'TOPOCENT' },
  { key: 'RESTFRQ', value: 1405.015258789e6 },
  { key: 'PBCOR', value: false },
]

const small = { shape: [1, 1, 5, 6], data: Float32Array.from({ length: 30 }, (_, i) => Math.fround(i / 7 - 1)) }

async function writeSmall(name: string, cards: readonly FitsCard[] = skyCards): Promise<string> {
  const path = join(folder, name)
  await writeFitsImage(path, { ...small, cards, history: ['made by a test', 'x'.repeat(100)] })
  return path
}

test('an image comes back with its pixels, keywords, history, beam and sky geometry', async () => {
  const data = small.data.slice()
  data[7] = Number.NaN
  const path = join(folder, 'round-trip.fits')
  await writeFitsImage(path, { ...small, data, cards: skyCards, history: ['one', 'two'] })
  const image = await readFitsImage(path)
  assert.deepEqual(image.shape, [1, 1, 5, 6])
  assert.deepEqual(image.data, data)
  assert.deepEqual(image.history, ['one', 'two'])
  for (const { key, value } of skyCards) assert.equal(image.cards.get(key), value, key)
  assert.equal(image.wcs.width, 6)
  assert.equal(image.wcs.height, 5)
  assert.equal(image.wcs.referenceX, 3)
  assert.equal(image.wcs.referenceY, 2)
  assert.ok(Math.abs(image.wcs.cellRad - (7 / 3600 / 180) * Math.PI) < 1e-18)
  assert.ok(Math.abs((image.beam?.positionAngleRad ?? 0) - (-12.5 * Math.PI) / 180) < 1e-15)
  assert.equal((await stat(path)).size % 2880, 0)
})

test('any keyword value survives a round trip', async () => {
  const path = join(folder, 'property.fits')
  const text = fc.string({ unit: fc.constantFrom(..."ab'& /=Z9".split('')), maxLength: 200 }).map((s) => s.trimEnd())
  const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (Object.is(x, -0) ? 0 : x))
  await fc.assert(
    fc.asyncProperty(fc.oneof(text, number, fc.boolean(), fc.maxSafeInteger()), async (value) => {
      await writeFitsImage(path, { ...small, cards: [...skyCards, { key: 'ANY', value, comment: 'any value' }] })
      const read = (await readFitsHeader(path)).cards.get('ANY')
      assert.equal(typeof read === 'string' ? read.trimEnd() : read, value)
    }),
    { numRuns: 100 },
  )
})

test('equal images give equal bytes', async () => {
  const [first, second] = await Promise.all([writeSmall('first.fits'), writeSmall('second.fits')])
  assert.deepEqual(await readFile(first), await readFile(second))
})

test('every header-data unit sums to minus zero, as CHECKSUM promises', async () => {
  const bytes = await readFile(await writeSmall('sum.fits'))
  let sum = 0n
  for (let at = 0; at < bytes.length; at += 4) sum += BigInt(bytes.readUInt32BE(at))
  while (sum > 0xffffffffn) sum = (sum & 0xffffffffn) + (sum >> 32n)
  assert.equal(sum, 0xffffffffn)
})

test('an image larger than one write block keeps every pixel', async () => {
  const path = join(folder, 'large.fits')
  const data = Float32Array.from({ length: 700 * 800 }, (_, i) => Math.sin(i))
  await writeFitsImage(path, { shape: [1, 1, 700, 800], data, cards: skyCards })
  assert.deepEqual((await readFitsImage(path)).data, data)
})

test('what is not a FITS image is refused with the reason', async () => {
  const noise = join(folder, 'noise.fits')
  await writeFile(noise, Buffer.alloc(5760, 'not a header '))
  await assert.rejects(readFitsImage(noise), (error) => error instanceof StageError && /no header/.test(error.message))

  const cut = await writeSmall('cut.fits')
  await truncate(cut, (await stat(cut)).size - 2880)
  await assert.rejects(readFitsImage(cut), /truncated: the header promises/)

  const headerOnly = await writeSmall('header-only.fits')
  await truncate(headerOnly, 1000)
  await assert.rejects(readFitsImage(headerOnly), /no END/)

  const galactic = skyCards.map((card) => (card.key === 'CTYPE1' ? { ...card, value: 'GLON-SIN' } : card))
  await assert.rejects(readFitsImage(await writeSmall('galactic.fits', galactic)), /CTYPE1 is GLON-SIN, not RA---SIN/)

  const empty = join(folder, 'empty.fits')
  await (await open(empty, 'w')).close()
  await assert.rejects(readFitsImage(empty), /it is empty/)
})

test('a keyword that FITS cannot hold is an error of the caller', async () => {
  await assert.rejects(writeSmall('bad.fits', [{ key: 'TOOLONGKEY', value: 1 }]), RangeError)
  await assert.rejects(writeSmall('bad.fits', [{ key: 'X', value: Number.NaN }]), RangeError)
  await assert.rejects(
    writeFitsImage(join(folder, 'bad.fits'), { ...small, shape: [2, 2], cards: [] }),
    /does not hold 30 pixels/,
  )
})

test('fitsverify finds no error and no warning', { skip: needs('fitsverify') }, async () => {
  const path = await writeSmall('verify.fits', [...skyCards, { key: 'LONG', value: "it's long ".repeat(20).trim() }])
  const { stdout } = spawnSync('fitsverify', ['-l', path], { encoding: 'utf8' })
  assert.match(stdout, /0 warning\(s\) and 0 error\(s\)/, stdout)
})

test('astropy reads the same pixels, keywords and sky positions', { skip: needs('astropy') }, async () => {
  const path = await writeSmall('astropy.fits', [
    ...skyCards,
    { key: 'LONG', value: 'a long string '.repeat(12).trim() },
  ])
  const read = runPython('fits-files.py', ['image', path, '3,2', '0,0', '5,4']) as {
    shape: number[]
    first: number[]
    sky: [number, number][]
    cards: Record<string, unknown>
    history: string[]
    radesys: string
    warnings: string[]
  }
  assert.deepEqual(read.warnings, [])
  assert.deepEqual(read.shape, small.shape)
  assert.deepEqual(read.first, [...small.data.subarray(0, 8)])
  assert.equal(read.radesys, 'ICRS')
  assert.equal(read.cards['LONG'], 'a long string '.repeat(12).trim())
  assert.equal(read.cards['PBCOR'], false)
  assert.deepEqual(read.history, ['made by a test', 'x'.repeat(72), 'x'.repeat(28)])
  assert.ok(Math.abs(read.sky[0][0] - 359.95) < 1e-10 && Math.abs(read.sky[0][1] - 16.15) < 1e-10)
  assert.ok(read.sky[1][0] > 359.95, 'right ascension grows to the left')
  assert.ok(read.sky[2][1] > 16.15, 'declination grows upwards')
})
