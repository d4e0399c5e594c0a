import { encodePng } from '#runtime/formats/png.ts'
import { median } from '#runtime/numeric/statistics.ts'
import type { Assessment } from './assess.ts'
import type { CalibrationSummary } from './calibration-summary.ts'
import type { Field } from './field.ts'
import type { CalibrationPictures } from './page/calibration-plots.ts'
import type { Outlier } from './page/flux.ts'
import type { PointSpreadPictures } from './page/point-spread.ts'
import { cutOut, greyPicture, type GreyPicture } from './page/picture.ts'
import type { SkyPictures } from './page/sky.ts'
import { microJyPerBeam, significant } from './page/text.ts'
import { uvCoverage, type UvCoverage } from './uv-coverage.ts'

/** Side of the thumbnails, pixels. */
const THUMBNAIL = 420
const OUTLIERS = 10
/** Half a side of the picture of the point spread function, and what is black and white in it. */
const PSF_BEAMS = 10
const PSF_STRETCH = { low: -0.1, high: 0.4 }
/** Decades between black and white in the coverage of the uv plane. */
const UV_DECADES = 3

/** Pictures of the page as data URIs: quick-look as imaging made it, thumbnails of residual and noise, beam contours. */
export function drawPictures(input: {
  field: Field
  residual: Float32Array
  rms: Float32Array
  quicklook: Uint8Array
  rmsCentreJy: number
}): SkyPictures {
  const { field, residual, rms, quicklook, rmsCentreJy } = input
  const header = Buffer.from(quicklook.buffer, quicklook.byteOffset, quicklook.byteLength)
  const typical = median(sample(rms, field.covered))
  const sigma = Number.isFinite(rmsCentreJy) && rmsCentreJy > 0 ? rmsCentreJy : 1
  return {
    quicklook: { uri: dataUri(quicklook), width: header.readUInt32BE(16), height: header.readUInt32BE(20) },
    residual: pictureUri(
      greyPicture(residual, field, { low: -5 * sigma, high: 5 * sigma, pixels: THUMBNAIL, covered: field.covered }),
    ),
    rms: pictureUri(greyPicture(rms, field, { low: 0.5 * typical, high: 2.5 * typical, pixels: THUMBNAIL })),
    stretch: {
      residual: `${significant(-5e6 * sigma)} to ${microJyPerBeam(5 * sigma)} (5 \u03c3)`,
      rms: `${significant(0.5e6 * typical)} to ${microJyPerBeam(2.5 * typical)}`,
    },
  }
}

/** The point spread function around its peak, and the coverage of the uv plane on a logarithmic scale. */
export function drawPointSpread(
  psf: Float32Array,
  { width, height, cellRad }: { width: number; height: number; cellRad: number },
  beamMajorRad: number,
): PointSpreadPictures {
  const half = Math.max(
    8,
    Math.min(Math.floor(Math.min(width, height) / 2) - 1, Math.round((PSF_BEAMS * beamMajorRad) / cellRad)),
  )
  const around = { x: width / 2, y: height / 2, half, ...PSF_STRETCH }
  const coverage = uvCoverage(psf, { width, height, cellRad })
  return {
    psf: pictureUri(cutOut(psf, { width, height }, around)),
    psfReachRad: (half + 0.5) * cellRad,
    ...(coverage === undefined
      ? {}
      : { uv: { picture: coveragePicture(coverage), reachWavelengths: coverage.reachWavelengths } }),
  }
}

function coveragePicture({ density, size }: UvCoverage): string {
  const decades = density.map((value) => Math.log10(Math.max(value, 1e-9)))
  return pictureUri(greyPicture(decades, { width: size, height: size }, { low: -UV_DECADES, high: 0, pixels: size }))
}

/** The pairs farthest from the median flux ratio, each with a picture of its surroundings. */
export function drawCutOuts({ catalogue }: Assessment, field: Field): Outlier[] {
  if (catalogue === undefined || !Number.isFinite(catalogue.flux.ratio)) return []
  const half = Math.max(8, Math.round((3 * field.beam.major) / field.wcs.cellRad))
  return catalogue.comparison.pairs
    .filter(({ inFluxSample }) => inFluxSample)
    .map((pair) => ({ pair, sigma: (pair.ratio - catalogue.flux.ratio) / pair.eRatio }))
    .sort((a, b) => Math.abs(b.sigma) - Math.abs(a.sigma))
    .slice(0, OUTLIERS)
    .map(({ pair, sigma }) => {
      const { x, y, rmsJy, apparentPeakJy } = pair.source
      const stretch = { x, y, half, low: -3 * rmsJy, high: Math.max(10 * rmsJy, 0.7 * apparentPeakJy) }
      return { pair, sigma, picture: pictureUri(cutOut(field.image, field, stretch)) }
    })
}

/** Pictures of the planes of a solution set: first row at the bottom, absent values black. */
export function drawCalibration({ bandpass, flags }: CalibrationSummary): CalibrationPictures {
  const firstPolarization = bandpass.amplitude.map((antenna) => antenna[0] ?? [])
  return {
    amplitude: planeUri(firstPolarization, 0.5, 1.5),
    antennaFlags: planeUri(flags.antennaByFrequency, 0, 1),
    timeFlags: planeUri(flags.timeByFrequency, 0, 1),
  }
}

function planeUri(rows: readonly (readonly (number | null)[])[], low: number, high: number): string {
  const height = Math.max(1, rows.length)
  const width = Math.max(1, rows[0]?.length ?? 0)
  const plane = new Float32Array(width * height).fill(NaN)
  rows.forEach((row, y) => row.forEach((value, x) => (plane[y * width + x] = value ?? NaN)))
  return pictureUri(greyPicture(plane, { width, height }, { low, high, pixels: Math.max(width, height) }))
}

function sample(plane: Float32Array, covered: Uint8Array): number[] {
  const stride = Math.max(1, Math.floor(plane.length / 100_000)) | 1
  const values: number[] = []
  for (let i = 0; i < plane.length; i += stride) if (covered[i] === 1) values.push(plane[i])
  return values
}

function pictureUri(picture: GreyPicture): string {
  return dataUri(encodePng(picture))
}

function dataUri(png: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(png.buffer, png.byteOffset, png.byteLength).toString('base64')}`
}
