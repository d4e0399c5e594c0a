import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readFitsImage, writeFitsImage } from '#runtime/formats/fits/image.ts'
import { historyLines, imageCards, type HeaderFacts } from '../../../stages/imaging/fits-headers.ts'
import { needs } from '../../oracles/oracle.ts'

const degree = Math.PI / 180

const facts: HeaderFacts = {
  wcs: {
    centre: { raRad: 0, decRad: 86 * degree },
    width: 6,
    height: 4,
    cellRad: (7 / 3600) * degree,
    referenceX: 3,
    referenceY: 2,
  },
  freqHz: 1405.015258789e6,
  bandwidthHz: 187.5e6,
  beam: { majorRad: (68 / 3600) * degree, minorRad: (37 / 3600) * degree, positionAngleRad: -0.1 },
  observation: '20260125T222605',
  telescope: 'DSA-110',
  instrument: 'DSA',
  startMjd: 61_065.934_778_935,
  endMjd: 61_065.938_358_111,
  exposureS: 309.237645,
  siteM: [-2_409_555.93, -4_478_213.62, 3_838_767.46],
  pointingDecRad: 86 * degree,
  driftRad: 0.001,
  beamCentre: { raRad: 0.00001, decRad: 86 * degree },
  dishDiameterM: 4.65,
  pbCut: 0.2,
  wsclean: new Map<string, string | number | boolean>([
    ['WSCVERSI', '3.1.0'],
    ['WSCWEIGH', "Briggs'(0.5)"],
    ['WSCENVIS', 6738539.29],
    ['DATE', '2026-11-24T13:00:00'],
    ['WSCDATAC', 'DATA'],
  ]),
  cleanStop: 'threshold',
  majorCycles: 3,
  minorIterations: 4946,
  extra: { CALNAME: '3C286', CALTBL: 'a'.repeat(100), CALGRADE: 'good', CHANAVG: 8, DELAYS: 'secret' },
  uncalibrated: false,
  noise: { sefdJy: 6500, thermalJy: 2.304123456e-4, rmsCentreJy: 2.32e-4, ratio: Number.NaN },
  brightestJy: 0.4,
  antennas: 96,
  integrations: 24,
  channels: 96,
  flaggedFraction: 0.02,
  smearLoss: 0.0113,
  contract: 'imaging/1',
  key: 'ab'.repeat(32),
}
const image = { unit: 'JY/BEAM', type: 'Intensity', corrected: false } as const

test('no keyword is written twice, and none of the clock or the machine', () => {
  const keys = imageCards(facts, image).map(({ key }) => key)
  assert.deepEqual(keys, [...new Set(keys)])
  for (const key of ['DATE', 'WSCDATAC', 'DELAYS', 'HISTORY']) assert.equal(keys.includes(key), false, key)
})

test('the image and the corrected image are told apart by the header, Stokes Q by its axis', () => {
  const value = (kind: Parameters<typeof imageCards>[1], wanted: string) =>
    imageCards(facts, kind).find(({ key }) => key === wanted)?.value
  assert.equal(value(image, 'PBCOR'), false)
  assert.equal(value({ ...image, corrected: true }, 'PBCOR'), true)
  assert.equal(value(image, 'CRVAL4'), 1)
  assert.equal(value({ ...image, stokes: 'Q' }, 'CRVAL4'), 2)
  assert.equal(value({ ...image, unit: '' }, 'BUNIT'), undefined)
})

test('what could not be measured has no keyword; what was is rounded to five digits', () => {
  const cards = imageCards(facts, image)
  assert.equal(
    cards.some(({ key }) => key === 'NOISERAT'),
    false,
  )
  assert.equal(cards.find(({ key }) => key === 'NOISETH')?.value, 2.3041e-4)
})

test('times, pointing and calibration are told', () => {
  const cards = new Map(imageCards(facts, image).map(({ key, value }) => [key, value]))
  assert.equal(cards.get('DATE-OBS'), '2026-01-25T22:26:04.900')
  assert.equal(cards.get('MJD-OBS'), 61_065.934_778_935)
  assert.ok(Math.abs(Number(cards.get('TELAPSE')) - 309.2408) < 1e-4)
  assert.equal(cards.get('POINTDEC'), 86)
  assert.equal(cards.get('CALNAME'), '3C286')
  assert.equal(cards.get('CHANAVG'), 8)
  assert.equal(cards.get('WSCMAJOR'), 3)
  assert.equal(cards.get('OBJECT'), '20260125T222605')
})

test('HISTORY is dated by the observation', () => {
  assert.deepEqual(historyLines(facts, ['cleaned']), ['2026-01-25T22:31:14 imaging/1: cleaned'])
})

test('fitsverify accepts every kind of image', { skip: needs('fitsverify') }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'contimg-headers-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'x.fits')
  for (const kind of [
    image,
    { unit: '', type: 'PrimaryBeam', corrected: false },
    { unit: 'JY/PIXEL', type: 'Intensity', corrected: false },
  ] as const) {
    await writeFitsImage(path, {
      cards: imageCards(facts, kind),
      history: historyLines(facts, ['x'.repeat(200)]),
      shape: [1, 1, 4, 6],
      data: new Float32Array(24),
    })
    const { stdout } = spawnSync('fitsverify', ['-l', path], { encoding: 'utf8' })
    assert.match(stdout, /0 warning\(s\) and 0 error\(s\)/, stdout)
    assert.equal((await readFitsImage(path)).cards.get('CALTBL'), 'a'.repeat(100))
  }
})
