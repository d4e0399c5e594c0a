import { estimateBackground } from '#runtime/sky/background.ts'
import { findSources, type FoundSource, type SourceFlag } from '#runtime/sky/find-sources.ts'
import type { Direction } from '#runtime/sky/frames.ts'
import { deconvolve, type Ellipse } from '#runtime/sky/gaussian-beam.ts'
import { gaussianErrors, pointErrors } from '#runtime/sky/gaussian-errors.ts'
import { halfTurn } from '#runtime/sky/gaussian-fit.ts'
import { pixelToSky } from '#runtime/sky/projection.ts'
import { sourceName } from '#runtime/sky/source-name.ts'
import type { ValidationParams } from './contract.ts'
import { beamPixels, beamWidthRad, northAngleRad, planeAt, type Field } from './field.ts'

/** A source of this image, corrected for the primary beam. Angles on the sky, flux densities in Jy. */
export interface ImageSource {
  /** IAU style, J2000: JHHMMSS.s+DDMMSS. */
  name: string
  direction: Direction
  eRaRad: number
  eDecRad: number
  /** Jy/beam */
  peakJy: number
  ePeakJy: number
  integratedJy: number
  eIntegratedJy: number
  /** Apparent (flat-noise) peak, local noise and background, Jy/beam. */
  apparentPeakJy: number
  rmsJy: number
  backgroundJy: number
  snr: number
  meanBeam: number
  /** Distance from the image's centre. */
  radiusRad: number
  fitted: Ellipse
  eMajorRad: number
  eMinorRad: number
  deconvolved: Ellipse
  /** Integrated exceeds peak flux density by more than 3 sigma. */
  resolved: boolean
  island: number
  components: number
  flags: SourceFlag[]
  x: number
  y: number
}

export interface Detections {
  sources: ImageSource[]
  /** Detections on the negative image. */
  negatives: number
}

const RESOLVED_SIGMA = 3

/** Finds and measures the sources of a field, and counts the detections on its negative. */
export function detectSources(field: Field, params: ValidationParams): Detections & { rms: Float32Array } {
  const { image, width, height, covered, wcs } = field
  const widthPixels = beamWidthRad(field) / wcs.cellRad
  const { background, rms } = estimateBackground(image, width, height, {
    boxPixels: params.boxBeams * widthPixels,
    stepPixels: params.stepBeams * widthPixels,
  })
  const options = {
    seedSigma: params.seedSigma,
    growSigma: params.growSigma,
    minPixels: params.minPixels,
    valid: covered,
    background,
    rms,
    beam: beamPixels(field),
    maxComponents: params.maxComponents,
    maxIslands: params.maxIslands,
  }
  const found = findSources(image, width, height, options)
  // Mirrored at the background, what was below it stands out.
  const mirrored = new Float32Array(image.length)
  for (let i = 0; i < image.length; i++) mirrored[i] = 2 * background[i] - image[i]
  const negatives = findSources(mirrored, width, height, options).length
  const sources = found.map((source) => measure(source, field, params))
  return { sources: withUniqueNames(sources), negatives, rms }
}

function measure(found: FoundSource, field: Field, params: ValidationParams): ImageSource {
  const { wcs, beam } = field
  const direction = pixelToSky(wcs, found.x, found.y)
  const north = northAngleRad(field, found.x, found.y)
  const fitted = {
    major: found.majorPixels * wcs.cellRad,
    minor: found.minorPixels * wcs.cellRad,
    paRad: halfTurn(found.paRad - north),
  }
  const localBeam = { ...beam, paRad: halfTurn(beam.paRad - north) }
  const fixed = found.flags.includes('fixed-shape')
  const errors = fixed ? pointErrors({ snr: found.snr }, beam) : gaussianErrors({ ...fitted, snr: found.snr }, beam)
  const areaRatio = fixed ? 1 : (fitted.major * fitted.minor) / (beam.major * beam.minor)
  // The part of the error of integrated over peak that the peak does not share.
  const ratioError = areaRatio * Math.sqrt(Math.max(0, errors.integrated ** 2 - errors.peak ** 2))
  const meanBeam = planeAt(field.primaryBeam, field, found.x, found.y)
  const peakJy = found.peak / meanBeam
  const integratedJy = peakJy * areaRatio
  const floor = params.positionFloorArcsec * (Math.PI / 648000)
  const [sin, cos] = [Math.sin(fitted.paRad), Math.cos(fitted.paRad)]
  return {
    name: sourceName(direction),
    direction,
    eRaRad: Math.hypot(errors.alongMajor * sin, errors.alongMinor * cos, floor),
    eDecRad: Math.hypot(errors.alongMajor * cos, errors.alongMinor * sin, floor),
    peakJy,
    ePeakJy: Math.abs(peakJy) * Math.hypot(errors.peak, params.fluxFloor),
    integratedJy,
    eIntegratedJy: Math.abs(integratedJy) * Math.hypot(errors.integrated, params.fluxFloor),
    apparentPeakJy: found.peak,
    rmsJy: found.rms,
    backgroundJy: found.background,
    snr: found.snr,
    meanBeam,
    radiusRad: Math.asin(Math.min(1, Math.hypot(found.x - wcs.referenceX, found.y - wcs.referenceY) * wcs.cellRad)),
    fitted,
    eMajorRad: errors.major * fitted.major,
    eMinorRad: errors.minor * fitted.minor,
    deconvolved: fixed ? { major: 0, minor: 0, paRad: 0 } : deconvolve(fitted, localBeam),
    resolved: !fixed && areaRatio > 1 + RESOLVED_SIGMA * ratioError,
    island: found.island,
    components: found.components,
    flags: found.flags,
    x: found.x,
    y: found.y,
  }
}

function withUniqueNames(sources: ImageSource[]): ImageSource[] {
  const seen = new Map<string, number>()
  return sources.map((source) => {
    const count = seen.get(source.name) ?? 0
    seen.set(source.name, count + 1)
    return count === 0 ? source : { ...source, name: `${source.name}-${count + 1}` }
  })
}
