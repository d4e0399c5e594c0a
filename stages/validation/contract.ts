import { z } from 'zod'
import { defineStage } from '#runtime/stage/contract.ts'
import { limitsSchema } from './limits.ts'

const validationParams = z.strictObject({
  seedSigma: z
    .number()
    .min(3)
    .default(5)
    .describe(
      'A source has a pixel above this many local noise rms (5: about 0.5 false detections a field of Gaussian noise)',
    ),
  growSigma: z
    .number()
    .min(2)
    .default(4)
    .describe('Pixels above this many local noise rms belong to its island (Aegean, Hancock et al. 2012)'),
  minPixels: z.number().int().positive().default(3).describe('Smallest island, pixels'),
  maxComponents: z.number().int().positive().default(5).describe('Most Gaussians fitted to one island'),
  maxIslands: z
    .number()
    .int()
    .positive()
    .default(10_000)
    .describe('Most islands fitted, the brightest; a broken image can hold any number'),
  boxBeams: z
    .number()
    .positive()
    .default(20)
    .describe('Side of a background and noise box, beams (20: about 1000 arcsec)'),
  stepBeams: z.number().positive().default(4).describe('Distance of background and noise boxes, beams'),
  beamCut: z
    .number()
    .positive()
    .max(1)
    .default(0.2)
    .describe('Sources are sought where the mean primary beam exceeds this'),
  noiseBeamCut: z
    .number()
    .positive()
    .max(1)
    .default(0.5)
    .describe('The noise at the centre is measured where the mean primary beam exceeds this'),
  fluxBeamCut: z
    .number()
    .positive()
    .max(1)
    .default(0.3)
    .describe('Flux densities are compared where the mean primary beam exceeds this'),
  fluxSnr: z
    .number()
    .positive()
    .default(20)
    .describe('Signal-to-noise ratio of the sources whose flux densities are compared'),
  positionSnr: z
    .number()
    .positive()
    .default(10)
    .describe('Signal-to-noise ratio of the sources whose positions are compared'),
  completenessSnr: z
    .number()
    .positive()
    .default(10)
    .describe('Predicted signal-to-noise ratio of the catalogue sources that ought to be found'),
  isolationBeams: z
    .number()
    .positive()
    .default(2)
    .describe('An isolated source has no neighbour within this many beam major axes'),
  isolationFlux: z
    .number()
    .positive()
    .default(0.1)
    .describe('Neighbours fainter than this part of a source do not count'),
  maxResolvedRatio: z
    .number()
    .min(1)
    .default(1.3)
    .describe(
      'Catalogue sources with a larger integrated over peak flux density are not compared (fitted sizes: RACS)',
    ),
  maxSizeBeams: z
    .number()
    .positive()
    .default(0.5)
    .describe('Catalogue sources larger than this part of the beam minor axis are not compared (deconvolved sizes)'),
  spectralIndex: z
    .number()
    .default(-0.7)
    .describe(
      'Spectral index that brings catalogue flux densities to our frequency where the catalogue gives none, S ~ nu^alpha (Condon 1992)',
    ),
  fluxFloor: z
    .number()
    .nonnegative()
    .default(0.02)
    .describe('Systematic error of flux densities, relative, added in quadrature'),
  positionFloorArcsec: z
    .number()
    .nonnegative()
    .default(0.5)
    .describe('Systematic error of positions, arcsec, added in quadrature'),
  limits: limitsSchema.describe('Limits of the checks'),
})
export type ValidationParams = z.output<typeof validationParams>

/** Largest image that is planned for: 4800 pixels a side. */
const LARGEST_PIXELS = 4800 ** 2
/** Image, beam, background, noise, signal-to-noise, islands and two more planes at once. */
const BYTES_PER_PIXEL = 34

/** Node with the code of the stage and the pictures of the report. */
const BASE_BYTES = 80 * 1024 ** 2

/** Memory of the validation of an image. */
export function validationBytes(pixels: number): number {
  return BASE_BYTES + pixels * BYTES_PER_PIXEL
}

/** The validation stage: source catalogue, graded checks, verdict and report of one image. */
export const validation = defineStage({
  name: 'validation',
  version: 2,
  params: validationParams,
  inputs: {
    image: { kind: 'image' },
    imagePbCorrected: { kind: 'image' },
    residual: { kind: 'image' },
    psf: { kind: 'image' },
    primaryBeam: { kind: 'image' },
    rms: { kind: 'image' },
    noise: { kind: 'image' },
    quicklook: { kind: 'picture' },
    weight: { kind: 'image', optional: true },
    catalogue: { kind: 'catalogue', optional: true },
    solutions: { kind: 'solutions', optional: true },
  },
  outputs: {
    catalogue: { path: 'catalogue.fits', kind: 'table', help: 'Source catalogue as FITS binary table' },
    catalogueCsv: { path: 'catalogue.csv', kind: 'table', help: 'The same as CSV' },
    catalogueVotable: { path: 'catalogue.vot', kind: 'table', help: 'The same as VOTable' },
    qa: {
      path: 'qa.json',
      kind: 'json',
      help: 'Every check with its value, error, limits and grade, and what the plots show',
    },
    report: { path: 'report.html', kind: 'page', help: 'The report, one self-contained page' },
  },
  metrics: {
    sources: { unit: '1', help: 'Sources found' },
    negativeSources: { unit: '1', help: 'Sources found on the negative image' },
    catalogueSources: { unit: '1', help: 'Catalogue sources in the field that the image ought to show' },
    matched: { unit: '1', help: 'Sources matched with the catalogue' },
    missed: { unit: '1', help: 'Catalogue sources that ought to be found and were not' },
    unexpected: { unit: '1', help: 'Sources without a catalogue source' },
    fluxRatio: { unit: '1', help: 'Median ratio of measured to predicted flux density' },
    fluxRatioError: { unit: '1', help: 'Error of the median' },
    fluxScatter: { unit: '1', help: '1.4826 MAD of the flux ratio' },
    fluxSample: { unit: '1', help: 'Sources behind the flux ratio' },
    offsetRaArcsec: { unit: 'arcsec', help: 'Median offset in right ascension times cos dec, ours minus catalogue' },
    offsetDecArcsec: { unit: 'arcsec', help: 'Median offset in declination' },
    offsetArcsec: { unit: 'arcsec', help: 'Length of the median offset' },
    offsetMedianArcsec: { unit: 'arcsec', help: 'Median length of the offsets' },
    offsetBeams: { unit: 'beam', help: 'Length of the median offset in beams (geometric mean of the axes)' },
    offsetScatterArcsec: { unit: 'arcsec', help: '1.4826 MAD of the offsets, the larger of the two axes' },
    completeness: { unit: '1', help: 'Found part of the catalogue sources with predicted S/N >= 10' },
    completenessLow: { unit: '1', help: 'Its lower Wilson bound' },
    expectedNegatives: { unit: '1', help: 'Negative detections that Gaussian noise gives' },
    falseFraction: { unit: '1', help: 'Negative over positive detections' },
    rmsCentreJy: { unit: 'Jy/beam', help: 'Robust rms of the residual where the mean beam exceeds 0.5' },
    noiseThJy: { unit: 'Jy/beam', help: 'Robust rms of the Stokes Q image, the noise as imaged' },
    noiseExpectedJy: { unit: 'Jy/beam', help: 'Noise expected from SEFD, visibilities and weighting' },
    thermalRatio: { unit: '1', help: 'Noise as imaged over expected noise' },
    noiseRatio: { unit: '1', help: 'Residual rms over the noise as imaged' },
    dynamicRange: { unit: '1', help: 'Peak over residual rms' },
    residualPeakSnr: { unit: '1', help: 'Largest absolute residual over local noise' },
    resolvedFraction: { unit: '1', help: 'Sources that are resolved' },
  },
  plan: () => ({ workingBytes: validationBytes(LARGEST_PIXELS), scratchBytes: 0, seconds: 10 }),
})
