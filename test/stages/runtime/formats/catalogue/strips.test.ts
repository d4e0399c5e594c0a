import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import * as fc from 'fast-check'
import { openCatalogue, writeCatalogue, type CatalogueSource } from '#runtime/formats/catalogue/strips.ts'
import { createRandom } from '#runtime/numeric/random.ts'
import { separation } from '#runtime/sky/frames.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { hashTree } from '#runtime/stage/files.ts'

const DEG = Math.PI / 180
const about = { name: 'test', version: '1', freqHz: 1.4e9, resolutionArcsec: 45 }

function source(id: string, raDeg: number, decDeg: number, more: Partial<CatalogueSource> = {}): CatalogueSource {
  return {
    id,
    raDeg,
    decDeg,
    eRaArcsec: 0.5,
    eDecArcsec: 0.6,
    sIntMjy: 10,
    eSIntMjy: 0.4,
    sPeakMjy: 9,
    majArcsec: 12,
    minArcsec: 11,
    paDeg: 45,
    sizeIsLimit: false,
    flags: 0,
    ...more,
  }
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'contimg-catalogue-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const everywhere = (() => {
  const random = createRandom('sky')
  return Array.from({ length: 4000 }, (_, i) =>
    source(`S${i}`, 360 * random.next(), Math.asin(2 * random.next() - 1) / DEG),
  )
})()

test('a cone gives what a search over all sources gives, nearest first, at 0 h, the poles and elsewhere', async (t) => {
  const dir = folder(t)
  await writeCatalogue(dir, about, everywhere)
  const catalogue = await openCatalogue(dir)
  t.after(() => catalogue.close())
  const check = (raRad: number, decRad: number, radiusRad: number): void => {
    const centre = { raRad, decRad }
    const distance = (s: CatalogueSource): number =>
      separation(centre, { raRad: s.raDeg * DEG, decRad: s.decDeg * DEG })
    const expected = everywhere.filter((s) => distance(s) <= radiusRad).sort((a, b) => distance(a) - distance(b))
    assert.deepEqual(
      catalogue.cone(centre, radiusRad).map(({ id }) => id),
      expected.map(({ id }) => id),
    )
  }
  for (const [ra, dec] of [[0, 0], [359.99, 30], [0.01, -45], [10, 90], [200, 89.5], [100, -90], [180, 12.5]] as const) check(ra * DEG, dec * DEG, 4 * DEG) // prettier-ignore
  fc.assert(
    fc.property(
      fc.double({ min: -7, max: 7, noNaN: true }),
      fc.double({ min: -Math.PI / 2, max: Math.PI / 2, noNaN: true }),
      fc.double({ min: 0, max: 0.6, noNaN: true }),
      check,
    ),
    { numRuns: 40 },
  )
})

test('a source comes back with every number, unknown ones as NaN', async (t) => {
  const dir = folder(t)
  const row = source('A <b>&"quoted"', 359.5, -0.25, {
    sPeakMjy: NaN,
    eRaArcsec: NaN,
    sizeIsLimit: true,
    flags: 7,
    sIntMjy: -2,
  })
  await writeCatalogue(dir, about, [row])
  const catalogue = await openCatalogue(dir)
  t.after(() => catalogue.close())
  assert.deepEqual(catalogue.cone({ raRad: 359.5 * DEG, decRad: -0.25 * DEG }, 1e-6), [row])
})

test('each degree of declination has its file, the poles included', async (t) => {
  const dir = folder(t)
  await writeCatalogue(dir, about, [
    source('a', 1, 16.5),
    source('b', 1, -0.5),
    source('c', 1, 90),
    source('d', 1, -90),
    source('e', 1, 0),
  ])
  assert.deepEqual(readdirSync(dir).sort(), [
    'catalogue.json',
    'm01.sqlite',
    'm90.sqlite',
    'p00.sqlite',
    'p16.sqlite',
    'p89.sqlite',
  ])
})

test('the same sources in another order give the same bytes and the same hash', async (t) => {
  const [a, b] = [folder(t), folder(t)]
  const first = await writeCatalogue(a, about, everywhere)
  const second = await writeCatalogue(b, about, everywhere.toReversed())
  assert.equal(first.sha256, second.sha256)
  assert.equal((await hashTree(a)).sha256, (await hashTree(b)).sha256)
  assert.equal(first.hash12, first.sha256.slice(0, 12))
})

test('the hash covers rows and facts', async (t) => {
  const dir = folder(t)
  const hash = async (facts: object, rows: CatalogueSource[]): Promise<string> =>
    (await writeCatalogue(dir, { ...about, ...facts }, rows)).sha256
  const base = await hash({}, [source('a', 1, 1)])
  assert.notEqual(await hash({}, [source('a', 1, 1, { sIntMjy: 10.001 })]), base)
  assert.notEqual(await hash({ spectralIndex: -0.8 }, [source('a', 1, 1)]), base)
  assert.equal(await hash({}, [source('a', 1, 1)]), base)
})

test('repeated rows and rows without a position or flux density are left out and counted', async (t) => {
  const dir = folder(t)
  const info = await writeCatalogue(dir, about, [
    source('a', 1, 1),
    source('a', 1, 1),
    source('b', NaN, 1),
    source('c', 1, 91),
    source('d', 2, 1, { sIntMjy: NaN }),
  ])
  assert.equal(info.rows, 1)
  assert.equal(info.rejected, 4)
})

test('a catalogue without a usable row is an error, and no catalogue is left', async (t) => {
  const dir = folder(t)
  await assert.rejects(
    writeCatalogue(dir, about, [source('b', NaN, 1)]),
    (error: unknown) => error instanceof StageError && error.code === 'DATA_UNUSABLE',
  )
  assert.deepEqual(readdirSync(dir), [])
})

test('rows of a small field cover a cone, also around the pole; wide ones a range of declination', async (t) => {
  const dir = folder(t)
  const around = await writeCatalogue(dir, about, [source('a', 0, 89), source('b', 180, 89), source('c', 90, 89)])
  assert.equal(around.coverage.kind, 'cone')
  assert.ok(around.coverage.kind === 'cone' && around.coverage.radiusDeg < 1.5)
  const wide = await writeCatalogue(dir, about, everywhere)
  assert.equal(wide.coverage.kind, 'declinations')
})

const isRefusal = (code: string) => (error: unknown) =>
  error instanceof StageError && error.code === code && error.hint !== undefined

test('a directory that is no catalogue is refused with advice', async (t) => {
  const dir = folder(t)
  await assert.rejects(openCatalogue(dir), isRefusal('INPUT_MISSING'))
  writeFileSync(join(dir, 'catalogue.json'), '{"format": "something else"}')
  await assert.rejects(openCatalogue(dir), isRefusal('DATA_UNUSABLE'))
})
