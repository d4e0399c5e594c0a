import { z } from 'zod'
import { defineStage } from '#runtime/stage/contract.ts'
import { presetNames, resolveSettings } from './presets.ts'

const MIB = 1024 * 1024

/** Resident size of Node with the stage's code, and of WSClean before it makes a grid; measured. */
const NODE_BYTES = 150 * MIB
const WSCLEAN_BYTES = 120 * MIB

/** Bytes a pixel that Node holds at its worst (first pass: image, dirty beam, residual, lobes, snr, noise), measured. */
const NODE_BYTES_PER_PIXEL = 48

/** Bytes a pixel that WSClean holds: images, and complex grids padded by 1.2; measured 3.1 wgridder. */
const WSCLEAN_BYTES_PER_PIXEL = 62

/** Bytes a visibility (row x channel) that WSClean holds while it grids, and of its reordered data on scratch. */
const WSCLEAN_BYTES_PER_VISIBILITY = 28
const REORDERED_BYTES_PER_VISIBILITY = 20

/** Images of the product, in float32. */
const IMAGE_PLANES = 9
const BYTES_PER_PLANE_PIXEL = 4

/** Thirteen planes that WSClean and the mask leave on scratch. */
const SCRATCH_BYTES_PER_PIXEL = 52

/** Bytes a sample (row x channel x polarisation) of a calibrated set and the model in it: complex data, weight, flag. */
const SET_BYTES_PER_SAMPLE = 20.25

/** Visibilities that one core grids or predicts in a second (3.1 wgridder at 1e-3), and passes over the data of a clean. */
const VISIBILITIES_PER_CORE_SECOND = 2.5e6
const CLEAN_PASSES = 12
const DIRTY_PASSES = 4

/** Channels that calibration averages into one, unless told otherwise. */
const CHANNEL_AVERAGING = 8

const preset = z
  .enum(presetNames)
  .default('standard')
  .describe(
    'Named settings: standard 2048 px at 7 arcsec, fine 4800 px at 3 arcsec, quicklook (not cleaned), deep (4 frequency slices)',
  )

export const imagingParams = z.strictObject({
  preset,
  wscleanVersion: z
    .string()
    .default('')
    .describe('Version of WSClean, as "wsclean -version" says; filled in by the planner, part of the key; empty: any'),
  sizePixels: z
    .int()
    .min(64)
    .max(16_384)
    .multipleOf(2)
    .nullable()
    .default(null)
    .describe(
      'Width and height of the image, pixels; null: of the preset (twice the radius where the mean beam is 0.2)',
    ),
  cellArcsec: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe('Pixel size, arcsec; null: of the preset (a fifth of the beam, and at most 1 / (2 u_max) = 7.9 arcsec)'),
  weighting: z
    .union([z.enum(['natural', 'uniform']), z.strictObject({ briggs: z.number().min(-2).max(2) })])
    .nullable()
    .default(null)
    .describe('Weighting of the visibilities, robustness of Briggs (1995) from -2 to 2; null: of the preset (0.5)'),
  gridderAccuracy: z
    .number()
    .min(1e-6)
    .max(1e-2)
    .nullable()
    .default(null)
    .describe(
      'Error of the w-gridder against a direct transform, rms ratio (Arras et al. 2021); null: of the preset (1e-3)',
    ),
  clean: z.boolean().nullable().default(null).describe('Deconvolve; null: as the preset'),
  mgain: z
    .number()
    .gt(0)
    .lt(1)
    .nullable()
    .default(null)
    .describe(
      'Part of a peak that one major cycle may remove, ratio (Offringa et al. 2014); null: of the preset (0.95)',
    ),
  niter: z
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe('Guard on CLEAN components, count; null: of the preset (50000)'),
  nmiter: z
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe('Guard on major cycles, count; null: of the preset (12)'),
  autoThresholdSigma: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe('Depth of CLEAN inside its mask, in units of the noise; null: of the preset (1)'),
  maskSigma: z
    .number()
    .min(4)
    .nullable()
    .default(null)
    .describe('Islands of the mask hold a pixel above this, in units of the local noise; null: of the preset (6)'),
  channelsOut: z
    .int()
    .positive()
    .max(32)
    .nullable()
    .default(null)
    .describe('Frequency slices cleaned together, count; null: of the preset (1)'),
  brightJy: z
    .number()
    .positive()
    .nullable()
    .default(0.05)
    .describe(
      'Sources of more apparent flux density, Jy, are subtracted from the visibilities as they drift through the beam and restored after CLEAN (200 times the thermal noise, where the drift shows above it); null: none',
    ),
  brightSources: z
    .int()
    .min(0)
    .max(100)
    .default(30)
    .describe('Most sources to subtract, count (a tenth of a second of work each)'),
  peelRounds: z
    .int()
    .min(1)
    .max(5)
    .default(3)
    .describe('Rounds of finding and subtracting bright sources, count (each reaches a factor of 30 deeper)'),
  maskRounds: z
    .int()
    .min(1)
    .max(8)
    .default(4)
    .describe('Rounds of mask and CLEAN when the residual shows new sources, count'),
  retryMgain: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.6)
    .describe('mgain of the one retry after a divergence, ratio (WSClean manual, diverging cleaning)'),
  pbCut: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.2)
    .describe('Mean beam response below which the corrected image is blank, ratio'),
  sefdJy: z
    .number()
    .positive()
    .default(6500)
    .describe(
      'System equivalent flux density of one antenna, Jy, where the calibrated data tell none (antpos, operational value)',
    ),
})
export type ImagingParams = z.output<typeof imagingParams>

/** The imaging stage: calibrated visibilities in, FITS images and a quick-look out. */
export const imaging = defineStage({
  name: 'imaging',
  version: 1,
  params: imagingParams,
  inputs: { calibrated: { kind: 'measurement-sets' } },
  outputs: {
    image: { path: 'image.fits', kind: 'image', help: 'Restored image, flat noise: for finding and for noise' },
    imagePbCorrected: {
      path: 'image-pb-corrected.fits',
      kind: 'image',
      help: 'Restored image over the mean primary beam, blank below pbCut: for flux densities',
    },
    residual: { path: 'residual.fits', kind: 'image', help: 'What CLEAN left' },
    model: {
      path: 'model.fits',
      kind: 'image',
      help: 'CLEAN components and subtracted sources, apparent flux density',
    },
    psf: { path: 'psf.fits', kind: 'image', help: 'Dirty beam' },
    primaryBeam: { path: 'primary-beam.fits', kind: 'image', help: 'Primary beam, mean over time and band' },
    rms: { path: 'rms.fits', kind: 'image', help: 'Local noise of the restored image' },
    weight: { path: 'weight.fits', kind: 'image', help: 'Primary beam squared: weight in mosaics' },
    noise: { path: 'noise.fits', kind: 'image', help: 'Dirty image of Stokes Q, same weights: thermal noise alone' },
    quicklook: { path: 'quicklook.png', kind: 'picture', help: 'Picture of the restored image with grid and beam' },
  },
  metrics: {
    rmsCentreJyPerBeam: { unit: 'Jy/beam', help: 'Robust rms of the residual where the mean beam is above 0.5' },
    rmsOuterJyPerBeam: { unit: 'Jy/beam', help: 'The same between 0.2 and 0.5' },
    thermalNoiseJyPerBeam: { unit: 'Jy/beam', help: 'NOISETH: the same of the Stokes Q dirty image' },
    noiseRatio: { unit: '1', help: 'rmsCentre over the thermal noise' },
    radiometerNoiseJyPerBeam: { unit: 'Jy/beam', help: 'Expected noise from SEFD and effective visibilities' },
    confusionJyPerBeam: { unit: 'Jy/beam', help: 'Expected confusion' },
    peakJyPerBeam: { unit: 'Jy/beam', help: 'Largest value of the image' },
    dynamicRange: { unit: '1', help: 'Peak of the image over rmsCentre' },
    residualPeakSnr: { unit: '1', help: 'Largest absolute residual over rmsCentre, inside a mean beam of 0.2' },
    negativePeakSnr: { unit: '1', help: 'Deepest residual over rmsCentre, inside a mean beam of 0.2' },
    residualSkewness: { unit: '1', help: 'Skewness of the residual; 0 for noise' },
    residualKurtosis: { unit: '1', help: 'Kurtosis of the residual; 3 for noise' },
    beamMajorArcsec: { unit: 'arcsec', help: 'Restoring beam, FWHM of the major axis' },
    beamMinorArcsec: { unit: 'arcsec', help: 'Restoring beam, FWHM of the minor axis' },
    beamPaDeg: { unit: 'deg', help: 'Position angle of the restoring beam' },
    psfSidelobe: { unit: '1', help: 'Largest sidelobe of the dirty beam' },
    cleanStop: { unit: '1', help: 'Why CLEAN stopped: 0 threshold, 1 niter, 2 nmiter, 3 diverged, 4 nothing to clean' },
    majorCycles: { unit: '1', help: 'Major cycles' },
    minorIterations: { unit: '1', help: 'Minor iterations' },
    cleanFluxJy: { unit: 'Jy', help: 'Apparent flux density of the model' },
    maskIslands: { unit: '1', help: 'Islands of the mask' },
    maskFraction: { unit: '1', help: 'Part of the image inside the mask' },
    maskRounds: { unit: '1', help: 'Rounds of mask and CLEAN' },
    brightSources: { unit: '1', help: 'Sources subtracted from the visibilities' },
    brightFluxJy: { unit: 'Jy', help: 'Their apparent flux density' },
    brightestJy: { unit: 'Jy', help: 'Largest apparent flux density of a source' },
    retries: { unit: '1', help: 'Cleans begun again after a divergence' },
    visibilities: { unit: '1', help: 'Stokes I visibilities gridded' },
    effectiveVisibilities: { unit: '1', help: 'The same after weighting' },
    flaggedFraction: { unit: '1', help: 'Flagged part of the calibrated data' },
    antennas: { unit: '1', help: 'Antennas with data' },
    integrations: { unit: '1', help: 'Integrations with data' },
    channels: { unit: '1', help: 'Channels with data' },
    smearLossAtHalfPower: { unit: '1', help: 'Loss of peak by bandwidth and time smearing where the beam is 0.5' },
    uncalibrated: { unit: '1', help: '1 when no calibration was applied' },
    strongSourceDeg: {
      unit: 'deg',
      help: 'Distance of the nearest of Cas A, Cyg A, Tau A and Vir A from the pointing',
    },
    sunAltitudeDeg: { unit: 'deg', help: 'Altitude of the Sun at mid time' },
  },
  plan: (params, shape) => {
    const settings = resolveSettings(params)
    const pixels = settings.sizePixels ** 2
    const baselines = (shape.antennas * (shape.antennas - 1)) / 2
    const channels = Math.ceil((shape.subbands * shape.channelsPerSubband) / CHANNEL_AVERAGING)
    const visibilities = baselines * shape.integrations * channels
    const wsclean =
      WSCLEAN_BYTES +
      pixels * (WSCLEAN_BYTES_PER_PIXEL + 8 * (settings.channelsOut - 1)) +
      visibilities * WSCLEAN_BYTES_PER_VISIBILITY
    const reordered = settings.clean ? visibilities * REORDERED_BYTES_PER_VISIBILITY : 0
    const copy = settings.clean ? visibilities * shape.polarizations * SET_BYTES_PER_SAMPLE : 0
    const passes = DIRTY_PASSES + (settings.clean ? CLEAN_PASSES * (settings.channelsOut > 1 ? 2 : 1) : 0)
    return {
      // Node waits with one plane or two while WSClean works, and WSClean has ended when Node searches.
      workingBytes: Math.round(NODE_BYTES + Math.max(wsclean + 16 * pixels, NODE_BYTES_PER_PIXEL * pixels)),
      scratchBytes: Math.round(reordered + copy + SCRATCH_BYTES_PER_PIXEL * pixels),
      outputBytes: IMAGE_PLANES * BYTES_PER_PLANE_PIXEL * pixels,
      seconds: 3 + (passes * visibilities) / VISIBILITIES_PER_CORE_SECOND / 2 + pixels / 1e6,
    }
  },
})
