import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeCatalogue, type CatalogueSource } from '#runtime/formats/catalogue/strips.ts'
import { writeFitsImage } from '#runtime/formats/fits/image.ts'
import type { FitsCard } from '#runtime/formats/fits/cards.ts'
import { encodePng } from '#runtime/formats/png.ts'
import { createRandom, type Random } from '#runtime/numeric/random.ts'
import { airyPower } from '#runtime/sky/beam.ts'
import { gaussianAt } from '#runtime/sky/gaussian-fit.ts'
import { pixelToSky, type ImageWcs } from '#runtime/sky/projection.ts'

const DEG = Math.PI / 180
const ARCSEC = DEG / 3600

/** A point source: 0-based pixel and true flux density. */
export interface Injected {
  x: number
  y: number
  fluxJy: number
}

export interface SyntheticField {
  width: number
  wcs: ImageWcs
  beam: { majorPixels: number; minorPixels: number; paRad: number }
  rmsJy: number
  freqHz: number
  primaryBeam: Float32Array
  sources: Injected[]
}

/** Sources on a jittered grid, so that they are isolated, with apparent signal-to-noise ratios log-uniform in a range. */
export function syntheticField(options: {
  width: number
  cellArcsec: number
  beamArcsec: readonly [number, number]
  paDeg?: number
  centreDeg?: readonly [number, number]
  rmsJy?: number
  snr: readonly [number, number]
  perSide: number
  seed: number
}): SyntheticField {
  const {
    width,
    cellArcsec,
    beamArcsec,
    paDeg = 0,
    centreDeg = [202.78, 30.51],
    rmsJy = 2.4e-4,
    snr,
    perSide,
    seed,
  } = options
  const random = createRandom(seed)
  const wcs: ImageWcs = {
    centre: { raRad: centreDeg[0] * DEG, decRad: centreDeg[1] * DEG },
    width,
    height: width,
    cellRad: cellArcsec * ARCSEC,
    referenceX: width / 2,
    referenceY: width / 2,
  }
  const freqHz = 1.405e9
  const primaryBeam = new Float32Array(width * width)
  for (let y = 0; y < width; y++) {
    for (let x = 0; x < width; x++) {
      primaryBeam[y * width + x] = airyPower(Math.hypot(x - width / 2, y - width / 2) * wcs.cellRad, freqHz)
    }
  }
  const spacing = width / perSide
  const sources: Injected[] = []
  for (let j = 0; j < perSide; j++) {
    for (let i = 0; i < perSide; i++) {
      const x = (i + 0.3 + 0.4 * random.next()) * spacing
      const y = (j + 0.3 + 0.4 * random.next()) * spacing
      const ratio = snr[0] * (snr[1] / snr[0]) ** random.next()
      sources.push({ x, y, fluxJy: (ratio * rmsJy) / primaryBeam[Math.round(y) * width + Math.round(x)] })
    }
  }
  return {
    width,
    wcs,
    beam: { majorPixels: beamArcsec[0] / cellArcsec, minorPixels: beamArcsec[1] / cellArcsec, paRad: paDeg * DEG },
    rmsJy,
    freqHz,
    primaryBeam,
    sources,
  }
}

/** Noise correlated like the beam (as if the beam lay north-south), with the given rms. */
export function correlatedNoise(field: Pick<SyntheticField, 'width' | 'beam' | 'rmsJy'>, random: Random): Float32Array {
  const { width, beam, rmsJy } = field
  const noise = new Float32Array(width * width)
  random.fillNormal(noise, 1)
  // A kernel of the beam's width over sqrt 2 gives an autocorrelation as wide as the beam.
  smooth(noise, width, { fwhm: beam.majorPixels / Math.SQRT2, step: width })
  smooth(noise, width, { fwhm: beam.minorPixels / Math.SQRT2, step: 1 })
  let sum = 0
  for (const value of noise) sum += value * value
  const scale = rmsJy / Math.sqrt(sum / noise.length)
  return noise.map((value) => value * scale)
}

/** Periodic convolution with a Gaussian along one axis: `step` 1 for rows, `width` for columns. */
function smooth(plane: Float32Array, width: number, { fwhm, step }: { fwhm: number; step: number }): void {
  const reach = Math.ceil(fwhm * 1.5)
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, k) =>
    Math.exp((-4 * Math.LN2 * (k - reach) ** 2) / fwhm ** 2),
  )
  const line = new Float64Array(width)
  const other = step === 1 ? width : 1
  for (let start = 0; start < width; start++) {
    for (let i = 0; i < width; i++) line[i] = plane[start * other + i * step]
    for (let i = 0; i < width; i++) {
      let sum = 0
      for (let k = -reach; k <= reach; k++) sum += kernel[k + reach] * line[(i + k + width) % width]
      plane[start * other + i * step] = sum
    }
  }
}

/** Adds the sources, as seen through the primary beam, to a plane. */
export function addSources(plane: Float32Array, field: SyntheticField, scale = 1): void {
  const { width, beam, primaryBeam, sources } = field
  const reach = Math.ceil(3 * beam.majorPixels)
  for (const { x, y, fluxJy } of sources) {
    const peak = scale * fluxJy * primaryBeam[Math.round(y) * width + Math.round(x)]
    for (let py = Math.max(0, Math.round(y) - reach); py <= Math.min(width - 1, Math.round(y) + reach); py++) {
      for (let px = Math.max(0, Math.round(x) - reach); px <= Math.min(width - 1, Math.round(x) + reach); px++) {
        plane[py * width + px] += gaussianAt({ peak, x, y, ...beam }, px, py)
      }
    }
  }
}

/** The truth as catalogue rows. */
export function truthRows(
  field: SyntheticField,
  change: (row: CatalogueSource, i: number) => CatalogueSource = (row) => row,
): CatalogueSource[] {
  return field.sources.map(({ x, y, fluxJy }, i) => {
    const { raRad, decRad } = pixelToSky(field.wcs, x, y)
    return change(
      {
        id: `T${i}`,
        raDeg: raRad / DEG,
        decDeg: decRad / DEG,
        eRaArcsec: 0.01,
        eDecArcsec: 0.01,
        sIntMjy: fluxJy * 1000,
        eSIntMjy: 0,
        sPeakMjy: fluxJy * 1000,
        majArcsec: 0,
        minArcsec: 0,
        paDeg: 0,
        sizeIsLimit: false,
        flags: 0,
      },
      i,
    )
  })
}

export interface ProductFiles {
  /** Input references of a validation context, paths relative to the root. */
  inputs: Record<string, { path: string; bytes: number; kind: string }>
}

/** Writes an imaging product and a catalogue as validation reads them. */
export async function writeProduct(
  root: string,
  field: SyntheticField,
  options: {
    seed: number
    cards?: FitsCard[]
    object?: string
    rows?: CatalogueSource[] | null
    change?: (image: Float32Array) => void
  },
): Promise<ProductFiles> {
  const { seed, cards = [], object = '20260125T222605', rows = truthRows(field), change } = options
  const { width, wcs, beam, primaryBeam, rmsJy, freqHz } = field
  const folder = join(root, 'imaging')
  mkdirSync(folder, { recursive: true })
  const random = createRandom(seed)
  const residual = correlatedNoise(field, random.fork('image'))
  const image = Float32Array.from(residual)
  addSources(image, field)
  change?.(image)
  const noise = correlatedNoise(field, random.fork('q'))
  const psf = new Float32Array(width * width)
  for (let y = 0; y < width; y++) {
    for (let x = 0; x < width; x++)
      psf[y * width + x] = gaussianAt({ peak: 1, x: width / 2, y: width / 2, ...beam }, x, y)
  }
  const header: FitsCard[] = [
    { key: 'BUNIT', value: 'JY/BEAM' },
    { key: 'BMAJ', value: (beam.majorPixels * wcs.cellRad) / DEG },
    { key: 'BMIN', value: (beam.minorPixels * wcs.cellRad) / DEG },
    { key: 'BPA', value: beam.paRad / DEG },
    { key: 'CTYPE1', value: 'RA---SIN' },
    { key: 'CRPIX1', value: wcs.referenceX + 1 },
    { key: 'CRVAL1', value: wcs.centre.raRad / DEG },
    { key: 'CDELT1', value: -wcs.cellRad / DEG },
    { key: 'CUNIT1', value: 'deg' },
    { key: 'CTYPE2', value: 'DEC--SIN' },
    { key: 'CRPIX2', value: wcs.referenceY + 1 },
    { key: 'CRVAL2', value: wcs.centre.decRad / DEG },
    { key: 'CDELT2', value: wcs.cellRad / DEG },
    { key: 'CUNIT2', value: 'deg' },
    { key: 'CTYPE3', value: 'FREQ' },
    { key: 'CRPIX3', value: 1 },
    { key: 'CRVAL3', value: freqHz },
    { key: 'CDELT3', value: 1.875e8 },
    { key: 'CTYPE4', value: 'STOKES' },
    { key: 'CRPIX4', value: 1 },
    { key: 'CRVAL4', value: 1 },
    { key: 'CDELT4', value: 1 },
    { key: 'OBJECT', value: object },
    { key: 'TELESCOP', value: 'DSA-110' },
    { key: 'DATE-BEG', value: '2026-01-25T22:26:05.000' },
    { key: 'SEFD', value: 6500 },
    { key: 'CHANAVG', value: 8 },
    { key: 'NTIME', value: 24 },
    { key: 'XPOSURE', value: 309.2376 },
    { key: 'WSCWEIGH', value: 'natural' },
    // Chosen so that the expected noise is the noise.
    { key: 'WSCNVIS', value: 0.5 * (6500 / Math.sqrt(2 * 1953125 * 12.8849) / rmsJy) ** 2 },
    { key: 'CALTBL', value: 'set-1' },
    { key: 'CALGRADE', value: 'good' },
    { key: 'CALNAME', value: '3C286' },
    { key: 'CALAGEH', value: 0 },
    { key: 'FLUXANCH', value: 'PB17' },
  ]
  const overridden = new Set(cards.map(({ key }) => key))
  const unique = [...header.filter(({ key }) => !overridden.has(key)), ...cards]
  const planes: Record<string, Float32Array> = {
    image,
    'image-pb-corrected': image.map((value, i) => value / primaryBeam[i]),
    residual,
    psf,
    'primary-beam': primaryBeam,
    rms: new Float32Array(width * width).fill(rmsJy),
    noise,
  }
  const inputs: ProductFiles['inputs'] = {}
  const add = (name: string, file: string, kind: string): void => {
    inputs[name] = { path: `imaging/${file}`, bytes: statSync(join(folder, file)).size, kind }
  }
  for (const [name, data] of Object.entries(planes)) {
    await writeFitsImage(join(folder, `${name}.fits`), { cards: unique, shape: [1, 1, width, width], data })
    add(
      name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      `${name}.fits`,
      'image',
    )
  }
  writeFileSync(join(folder, 'quicklook.png'), quicklook(image, width, rmsJy))
  add('quicklook', 'quicklook.png', 'picture')
  if (rows !== null) {
    const info = await writeCatalogue(join(root, 'catalogue'), {
      name: 'truth',
      version: '1',
      freqHz,
      resolutionArcsec: 0,
      simulated: true,
      spectralIndex: -0.7,
      coverage: { kind: 'cone', raDeg: wcs.centre.raRad / DEG, decDeg: wcs.centre.decRad / DEG, radiusDeg: 5 },
    }, rows) // prettier-ignore
    inputs['catalogue'] = { path: 'catalogue', bytes: info.rows, kind: 'catalogue' }
  }
  return { inputs }
}

function quicklook(image: Float32Array, width: number, rmsJy: number): Uint8Array {
  const half = width >> 1
  const grey = new Uint8Array(half * half)
  for (let row = 0; row < half; row++) {
    for (let column = 0; column < half; column++) {
      const value = image[(width - 1 - 2 * row) * width + 2 * column] / rmsJy
      grey[row * half + column] = Math.max(0, Math.min(255, 60 + 22 * Math.asinh(value)))
    }
  }
  return encodePng({ width: half, height: half, grey })
}

/** Upstream metrics of a complete, calibrated observation. */
export const completeUpstream = {
  conversion: {
    quality: 'good',
    metrics: {
      channelWidthHz: 244140.625,
      flaggedFraction: 0.02,
      subbandsPresent: 16,
      subbandsExpected: 16,
      integrations: 24,
      integrationsExpected: 24,
      antennasPresent: 96,
    },
  },
  calibration: {
    quality: 'good',
    metrics: { uncalibrated: 0, flaggedFraction: 0.03, antennasPresent: 96, channelsAveraged: 8 },
  },
  imaging: { quality: 'good', metrics: { cleanStop: 0 } },
}
