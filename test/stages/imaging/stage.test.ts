import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { decode } from 'fast-png'
import { readFitsImage } from '#runtime/formats/fits/image.ts'
import { meanBeam } from '#runtime/sky/beam.ts'
import { skyToPixel } from '#runtime/sky/projection.ts'
import { imaging } from '../../../stages/imaging/contract.ts'
import { needs, runPython } from '../../oracles/oracle.ts'
import { pointSource, writeCalibratedSet, writeSkyModel } from './calibrated-set.ts'
import { dataRoot, fakeWsclean, runImaging } from './stage-room.ts'

/** Vertex of a paraboloid through the logarithm of 3 x 3 pixels: peak and place of a restored point source. */
function measure(
  data: Float32Array,
  width: number,
  at: { x: number; y: number },
): { peak: number; dx: number; dy: number } {
  const [i, j] = [Math.round(at.x), Math.round(at.y)]
  const log = (x: number, y: number): number => Math.log(Math.max(1e-9, data[(j + y) * width + i + x]))
  const axis = (a: number, b: number, c: number): { shift: number; gain: number } => {
    const [slope, curve] = [(c - a) / 2, a - 2 * b + c]
    return { shift: -slope / curve, gain: (-slope * slope) / (2 * curve) }
  }
  const [x, y] = [axis(log(-1, 0), log(0, 0), log(1, 0)), axis(log(0, -1), log(0, 0), log(0, 1))]
  return { peak: Math.exp(log(0, 0) + x.gain + y.gain), dx: i + x.shift - at.x, dy: j + y.shift - at.y }
}

const at0h = { raDeg: 0.02, decDeg: 37 }
const sky = [
  pointSource(0.02, 0.01, 1.6, { ...at0h, index: -1.1 }),
  pointSource(0.45, -0.3, 0.8, at0h),
  pointSource(-0.6, 0.25, 0.4, { ...at0h, index: 0.3 }),
  pointSource(-0.2, -0.65, 0.2, at0h),
  pointSource(0.3, 0.55, 0.1, at0h),
  pointSource(-0.7, -0.5, 0.15, at0h),
]

test(
  'sources come out at their places with their flux densities, across right ascension 0h',
  { skip: needs('wsclean') },
  async (t) => {
    const root = dataRoot(t)
    const { beam, freqHz } = await writeCalibratedSet(join(root, 'calibrated'), { ...at0h, sources: sky })
    const { exitCode, error, result, productDir, left } = await runImaging(root)
    assert.equal(exitCode, 0, JSON.stringify(error))
    assert.deepEqual(left, ['imaging'])
    assert.deepEqual(Object.keys(result.outputs).sort(), Object.keys(imaging.outputs).sort())
    const open = (name: keyof typeof imaging.outputs) => readFitsImage(join(productDir, imaging.outputs[name].path))
    const [image, corrected, primaryBeam] = [
      await open('image'),
      await open('imagePbCorrected'),
      await open('primaryBeam'),
    ]
    const noise = result.metrics['thermalNoiseJyPerBeam']
    const minorPixels = (image.beam?.minorRad ?? 0) / image.wcs.cellRad
    for (const source of sky) {
      const place = skyToPixel(image.wcs, source.direction)
      const { peak, dx, dy } = measure(corrected.data, image.wcs.width, place)
      const response = meanBeam(beam, source.direction, freqHz)
      const flux = source.flux.kind === 'power-law' ? source.flux.fluxJy : 0
      const sigma = noise / response
      assert.ok(
        Math.abs(peak - flux) < 0.02 * flux + 4 * sigma,
        `${source.name}: ${peak} instead of ${flux} +- ${sigma}`,
      )
      assert.ok(
        Math.hypot(dx, dy) < 0.1 * minorPixels + 2 * minorPixels * (sigma / flux),
        `${source.name}: ${dx} ${dy}`,
      )
      const pixel = Math.round(place.y) * image.wcs.width + Math.round(place.x)
      assert.ok(Math.abs(primaryBeam.data[pixel] - response) < 2e-3)
    }
    assert.ok(result.metrics['noiseRatio'] < 1.3, `noise ratio ${result.metrics['noiseRatio']}`)
    assert.equal(result.metrics['cleanStop'], 0)
    assert.ok(result.metrics['brightSources'] >= 4)
    assert.match(result.provenance['wsclean'], /^3\./)

    await t.test('the headers tell beam, times, noise and calibration, and no clock or path', () => {
      const { cards, history } = image
      assert.equal(cards.get('BUNIT'), 'JY/BEAM')
      assert.equal(cards.get('PBCOR'), false)
      assert.equal(corrected.cards.get('PBCOR'), true)
      assert.equal(cards.get('DATE-OBS'), '2026-03-01T00:00:00.000')
      assert.equal(cards.get('RADESYS'), 'ICRS')
      assert.equal(cards.get('OBJECT'), '20260301T000000')
      assert.equal(cards.get('CALNAME'), '3C286')
      assert.equal(cards.get('UNCALIBR'), false)
      assert.equal(cards.get('NANT'), 96)
      assert.equal(cards.get('CLEANSTP'), 'threshold')
      assert.ok(Math.abs(Number(cards.get('NOISETH')) / noise - 1) < 1e-3)
      assert.equal(cards.has('DATE'), false)
      assert.equal(history.join('').includes(root), false)
      assert.match(history[0], /^2026-03-01T00:00:51 imaging\/1: WSClean/)
    })

    await t.test('fitsverify finds no error and no warning in any product', { skip: needs('fitsverify') }, () => {
      const files = Object.values(imaging.outputs)
        .map(({ path }) => path)
        .filter((path) => path.endsWith('.fits'))
      assert.equal(files.length, 9)
      for (const file of files) {
        const { stdout } = spawnSync('fitsverify', ['-l', join(productDir, file)], { encoding: 'utf8' })
        assert.match(stdout, /0 warning\(s\) and 0 error\(s\)/, file)
      }
    })

    await t.test('astropy puts pixels where we do', { skip: needs('astropy') }, () => {
      const points = sky.map((source) => skyToPixel(image.wcs, source.direction))
      const read = runPython('fits-files.py', [
        'image',
        join(productDir, 'image.fits'),
        ...points.map(({ x, y }) => `${x},${y}`),
      ]) as {
        sky: [number, number][]
        warnings: string[]
        radesys: string
      }
      // That it derives the longitude from OBSGEO-X is no fault.
      assert.deepEqual(
        read.warnings.filter((text) => !text.includes('obsfix')),
        [],
      )
      assert.equal(read.radesys, 'ICRS')
      read.sky.forEach(([ra, dec], i) => {
        const { raRad, decRad } = sky[i].direction
        const turns = (ra - (raRad * 180) / Math.PI) / 360
        assert.ok(Math.abs(turns - Math.round(turns)) * 360 * 3600 < 1e-5)
        assert.ok(Math.abs(dec - (decRad * 180) / Math.PI) * 3600 < 1e-5)
      })
    })

    await t.test('the quick-look is a small picture that knows its observation', () => {
      const bytes = readFileSync(join(productDir, 'quicklook.png'))
      const png = decode(bytes)
      assert.deepEqual([png.width, png.height], [768, 768])
      assert.ok(bytes.length < 500_000)
      assert.equal(png.text['Observation'], '20260301T000000')
    })
  },
)

test(
  'a 15 Jy calibrator of the sky model leaves hardly a trace in the noise',
  { skip: needs('wsclean') },
  async (t) => {
    const root = dataRoot(t)
    const calibrator = pointSource(0.05, 0.1, 15, { index: -0.5 })
    const faint = [pointSource(0.5, 0.4, 0.12), pointSource(-0.4, -0.5, 0.2)]
    await writeCalibratedSet(join(root, 'calibrated'), { sources: [calibrator, ...faint] })
    writeSkyModel(join(root, 'calibrated'), [calibrator])
    const { exitCode, error, result, productDir } = await runImaging(root)
    assert.equal(exitCode, 0, JSON.stringify(error))
    assert.ok(result.metrics['noiseRatio'] < 1.3, `noise ratio ${result.metrics['noiseRatio']}`)
    const image = await readFitsImage(join(productDir, 'image-pb-corrected.fits'))
    for (const source of [calibrator, ...faint]) {
      const { peak } = measure(image.data, image.wcs.width, skyToPixel(image.wcs, source.direction))
      const flux = source.flux.kind === 'power-law' ? source.flux.fluxJy : 0
      assert.ok(
        Math.abs(peak / flux - 1) < 0.02 + (5 * result.metrics['thermalNoiseJyPerBeam']) / flux,
        `${source.name}: ${peak}`,
      )
    }
  },
)

test('a bright source beside the field does not spoil it', { skip: needs('wsclean') }, async (t) => {
  const root = dataRoot(t)
  const inside = [pointSource(0.2, 0.1, 0.3), pointSource(-0.3, -0.2, 0.15)]
  await writeCalibratedSet(join(root, 'calibrated'), { sources: [...inside, pointSource(0.1, 0.9, 5)] })
  const { exitCode, error, result, productDir } = await runImaging(root, { params: { sizePixels: 512 } })
  assert.equal(exitCode, 0, JSON.stringify(error))
  assert.equal(result.metrics['brightSources'], 3)
  assert.ok(result.metrics['brightestJy'] > 2.5, 'the one outside')
  assert.ok(result.metrics['noiseRatio'] < 1.3, `noise ratio ${result.metrics['noiseRatio']}`)
  const image = await readFitsImage(join(productDir, 'image-pb-corrected.fits'))
  for (const source of inside) {
    const { peak } = measure(image.data, image.wcs.width, skyToPixel(image.wcs, source.direction))
    const flux = source.flux.kind === 'power-law' ? source.flux.fluxJy : 0
    assert.ok(Math.abs(peak / flux - 1) < 0.02 + (5 * result.metrics['thermalNoiseJyPerBeam']) / flux, `${peak}`)
  }
})

test('sources that only the residual shows are cleaned in a further round', { skip: needs('wsclean') }, async (t) => {
  const root = dataRoot(t)
  // Among the sidelobes of the bright one the first search trusts nothing that is a factor of 30 fainter.
  const sources = [pointSource(0.1, 0.1, 4), pointSource(0.17, 0.05, 0.08), pointSource(0.04, 0.16, 0.06)]
  await writeCalibratedSet(join(root, 'calibrated'), { sources })
  const { exitCode, error, result, productDir } = await runImaging(root, { params: { brightJy: null } })
  assert.equal(exitCode, 0, JSON.stringify(error))
  assert.equal(result.metrics['brightSources'], 0)
  assert.ok(result.metrics['maskRounds'] >= 2, `${result.metrics['maskRounds']} rounds`)
  const image = await readFitsImage(join(productDir, 'image-pb-corrected.fits'))
  for (const source of sources) {
    const { peak } = measure(image.data, image.wcs.width, skyToPixel(image.wcs, source.direction))
    const flux = source.flux.kind === 'power-law' ? source.flux.fluxJy : 0
    assert.ok(
      Math.abs(peak / flux - 1) < 0.02 + (5 * result.metrics['rmsCentreJyPerBeam']) / flux,
      `${source.name}: ${peak}`,
    )
  }
})

test('equal data give equal bytes with one thread', { skip: needs('wsclean') }, async (t) => {
  const root = dataRoot(t)
  await writeCalibratedSet(join(root, 'calibrated'), {
    stations: 48,
    sources: [pointSource(0.1, 0.1, 1), pointSource(-0.3, 0.2, 0.5)],
  })
  const first = await runImaging(root, { cpu: 1, product: 'first' })
  const second = await runImaging(root, { cpu: 1, product: 'second' })
  assert.equal(first.exitCode, 0, JSON.stringify(first.error))
  assert.deepEqual(second.result.outputs, first.result.outputs)
  assert.deepEqual(second.result.metrics, first.result.metrics)
})

test('an empty field is imaged and not cleaned', { skip: needs('wsclean') }, async (t) => {
  const root = dataRoot(t)
  await writeCalibratedSet(join(root, 'calibrated'), { stations: 48, sources: [] })
  const { exitCode, error, result } = await runImaging(root)
  assert.equal(exitCode, 0, JSON.stringify(error))
  assert.equal(result.metrics['cleanStop'], 4)
  assert.equal(result.metrics['maskIslands'], 0)
  assert.equal(result.quality.checks.find(({ name }) => name === 'clean')?.verdict, 'good')
  assert.ok(result.metrics['noiseRatio'] > 0.9 && result.metrics['noiseRatio'] < 1.1)
})

test(
  'with half of the band flagged the rest is imaged, and the flags are told',
  { skip: needs('wsclean') },
  async (t) => {
    const root = dataRoot(t)
    const source = pointSource(0.2, 0.1, 1)
    await writeCalibratedSet(join(root, 'calibrated'), {
      stations: 48,
      sources: [source],
      flagged: (_, channel) => channel < 4,
      extra: { UNCALIBR: 1 },
    })
    const { exitCode, result, productDir } = await runImaging(root)
    assert.equal(exitCode, 0)
    assert.equal(result.metrics['flaggedFraction'], 0.5)
    assert.equal(result.metrics['channels'], 4)
    assert.equal(result.metrics['uncalibrated'], 1)
    assert.equal(result.quality.verdict, 'uncertain')
    const image = await readFitsImage(join(productDir, 'image-pb-corrected.fits'))
    assert.equal(image.cards.get('UNCALIBR'), true)
    // The upper half of the band: a spectral index of -0.7 dims it by 2.4 %.
    const { peak } = measure(image.data, image.wcs.width, skyToPixel(image.wcs, source.direction))
    assert.ok(Math.abs(peak / 0.976 - 1) < 0.03, `${peak}`)
  },
)

test('data that are all flagged or all zero are unusable', { skip: needs('wsclean') }, async (t) => {
  for (const [field, message] of [
    [{ flagged: () => true }, /every visibility is flagged/],
    [{ noiseJy: 0 }, /zero everywhere/],
  ] as const) {
    const root = dataRoot(t)
    await writeCalibratedSet(join(root, 'calibrated'), { stations: 24, integrations: 1, sources: [], ...field })
    const { exitCode, error, left } = await runImaging(root)
    assert.equal(exitCode, 65)
    assert.equal(error?.code, 'DATA_UNUSABLE')
    assert.match(error?.message ?? '', message)
    assert.deepEqual(left, [])
  }
})

test('a calibrated product without a MeasurementSet is refused', { skip: needs('wsclean') }, async (t) => {
  const root = dataRoot(t)
  mkdirSync(join(root, 'calibrated'))
  const { exitCode, error } = await runImaging(root)
  assert.equal(exitCode, 66)
  assert.match(error?.message ?? '', /holds no MeasurementSet/)
})

test('without WSClean the stage says how to install it', async (t) => {
  const root = dataRoot(t)
  await writeCalibratedSet(join(root, 'calibrated'), { stations: 12, integrations: 1, sources: [] })
  const { exitCode, error, left } = await runImaging(root, { path: join(root, 'no-such-folder') })
  assert.equal(exitCode, 69)
  assert.equal(error?.code, 'WSCLEAN_MISSING')
  assert.match(error?.hint ?? '', /apt-get install wsclean/)
  assert.deepEqual(left, [])
})

test('another version of WSClean than the planned one is refused', async (t) => {
  const root = dataRoot(t)
  await writeCalibratedSet(join(root, 'calibrated'), { stations: 12, integrations: 1, sources: [] })
  const path = fakeWsclean(root, 'echo "WSClean version 3.6 (2025-01-01)"')
  const { exitCode, error } = await runImaging(root, { path, params: { wscleanVersion: '3.1.0' } })
  assert.equal(exitCode, 64)
  assert.match(error?.message ?? '', /planned for WSClean 3\.1\.0, here is 3\.6/)
})

test('a WSClean that is killed fails the stage with its last lines and leaves nothing', async (t) => {
  const root = dataRoot(t)
  await writeCalibratedSet(join(root, 'calibrated'), { stations: 12, integrations: 1, sources: [] })
  const path = fakeWsclean(
    root,
    'case "$*" in *-version*) echo "WSClean version 3.1.0";; *) echo "Gridding 66 rows..."; kill -9 $$;; esac',
  )
  const { exitCode, error, left } = await runImaging(root, { path })
  assert.equal(exitCode, 70)
  assert.equal(error?.code, 'WSCLEAN_FAILED')
  assert.match(error?.message ?? '', /killed by SIGKILL: Gridding 66 rows/)
  assert.match(error?.hint ?? '', /memory/)
  assert.deepEqual(left, [])
})

for (const [what, said, code] of [
  [
    'a full disk, as CFITSIO says it',
    ">>> CFITSIO reported error when performing IO on file '/s/wide-psf.fits':error writing to FITS file (Error writing data buffer to file:)",
    'DISK_FULL',
  ],
  ['a full disk, as the C library says it', 'Error writing to temporary file: No space left on device', 'DISK_FULL'],
  [
    'no memory, as the C++ library says it',
    "terminate called after throwing an instance of 'std::bad_alloc'",
    'OUT_OF_MEMORY',
  ],
] as const) {
  test(`${what} to WSClean is told as ${code}`, async (t) => {
    const root = dataRoot(t)
    await writeCalibratedSet(join(root, 'calibrated'), { stations: 12, integrations: 1, sources: [] })
    writeFileSync(join(root, 'said'), `${said}\n`)
    const path = fakeWsclean(
      root,
      `case "$*" in *-version*) echo "WSClean version 3.1.0";; *) cat '${join(root, 'said')}'; exit 255;; esac`,
    )
    const { error, left } = await runImaging(root, { path })
    assert.equal(error?.code, code, error?.message)
    assert.deepEqual(left, [])
  })
}

test(
  'a clean that diverges twice is stopped, and the dirty image is kept and graded bad',
  { skip: needs('wsclean') },
  async (t) => {
    const root = dataRoot(t)
    const source = pointSource(0.2, 0.1, 0.5)
    await writeCalibratedSet(join(root, 'calibrated'), { stations: 48, sources: [source] })
    const log = new URL('logs/diverging.log', import.meta.url).pathname
    const real = (process.env['PATH'] ?? '')
      .split(delimiter)
      .map((folder) => join(folder, 'wsclean'))
      .find((file) => spawnSync('test', ['-x', file]).status === 0)
    const path = fakeWsclean(
      root,
      `case "$*" in *-mgain*) echo "$*" >> ${root}/cleans; cat ${log}; exec sleep 60;; *) exec ${real} "$@";; esac`,
    )
    const started = performance.now()
    const { exitCode, error, result, productDir } = await runImaging(root, { path, params: { brightJy: null } })
    assert.equal(exitCode, 0, JSON.stringify(error))
    assert.ok(performance.now() - started < 45_000, 'it did not wait for the runaway child')
    assert.equal(result.metrics['cleanStop'], 3)
    assert.equal(result.metrics['retries'], 1)
    assert.equal(result.quality.verdict, 'bad')
    assert.equal(result.warnings.length, 2)
    assert.deepEqual(readFileSync(join(root, 'cleans'), 'utf8').match(/-mgain \S+/g), ['-mgain 0.95', '-mgain 0.6'])
    const image = await readFitsImage(join(productDir, 'image.fits'))
    assert.equal(image.cards.get('CLEANSTP'), 'diverged')
    assert.deepEqual(image.data, (await readFitsImage(join(productDir, 'residual.fits'))).data)
  },
)

test('a WSClean that ends with an error where it is asked for its version fails the stage', async (t) => {
  const root = dataRoot(t)
  await writeCalibratedSet(join(root, 'calibrated'), { stations: 12, integrations: 1, sources: [] })
  const { exitCode, error, left } = await runImaging(root, { path: fakeWsclean(root, 'exit 3') })
  assert.equal(exitCode, 70)
  assert.equal(error?.code, 'WSCLEAN_FAILED')
  assert.match(error?.message ?? '', /wsclean ended with exit code 3/)
  assert.deepEqual(left, [])
})
