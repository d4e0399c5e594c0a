import { z } from 'zod'
import { defineStage } from '#runtime/stage/contract.ts'

const MIB = 1024 * 1024

/** More workers than this wait for memory. */
export const MAX_WORKERS = 4

/** Baselines (times integrations) that a worker holds at once. */
export const SLOTS_PER_UNIT = 32
/** Channels averaged into one unless the parameters say otherwise, and bytes of one averaged visibility: data, weight, flag. */
const CHANNELS_AVERAGED = 8
const BYTES_PER_VISIBILITY = 8 + 4 + 1 / 8

export const calibrationParams = z.strictObject({
  mode: z
    .enum(['auto', 'none'])
    .default('auto')
    .describe(
      'auto: solve on the calibrator in the beam or apply the given solution set; none: flag and average only, products are labelled UNCALIBR',
    ),
  calibrator: z
    .string()
    .nullable()
    .default(null)
    .describe(
      'Name of the calibrator to solve on; null: the best one in the beam by apparent flux density (mean beam times flux)',
    ),
  sefdJy: z
    .number()
    .positive()
    .default(6500)
    .describe(
      'System equivalent flux density of one antenna, Jy; expectation against which the measured one is reported (antpos, operational value)',
    ),
  averageToHz: z
    .number()
    .positive()
    .default(1953125)
    .describe(
      'Channel width after averaging, Hz; the largest divisor of the channels of a subband that fits (8 channels; 0.8 % peak loss at half power for a 37 arcsec beam, Bridle & Schwab 1999)',
    ),
  weights: z
    .enum(['measured', 'equal'])
    .default('measured')
    .describe(
      'measured: noise of each antenna, polarisation and subband from differences of neighbouring samples; equal: one noise for all raw samples (the rule of CASA)',
    ),
  uvMinLambda: z
    .number()
    .nonnegative()
    .default(1000)
    .describe(
      'Shortest projected baseline used in solving, wavelengths at band centre; drops diffuse emission and confusion',
    ),
  uvMaxLambda: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe('Longest projected baseline used in solving, wavelengths at band centre; null: no limit'),
  binIntegrations: z
    .number()
    .int()
    .positive()
    .default(4)
    .describe('Integrations in one time bin of the phase solutions G2 (4: 51.5 s)'),
  referenceAntennas: z
    .array(z.string())
    .default([])
    .describe(
      'Reference antennas by name, best first; empty: the healthiest outrigger, then the healthiest other antenna',
    ),
  minBaselines: z
    .number()
    .int()
    .min(3)
    .default(4)
    .describe('Unflagged baselines an antenna needs in a solve (minblperant of CASA)'),
  minAntennas: z.number().int().min(3).default(10).describe('Antennas a solve needs'),
  minSnrBandpass: z
    .number()
    .nonnegative()
    .default(5)
    .describe('Bandpass solutions below this signal-to-noise ratio are flagged'),
  minSnrGain: z
    .number()
    .nonnegative()
    .default(3)
    .describe('Gain solutions below this signal-to-noise ratio are flagged'),
  maxIterations: z
    .number()
    .int()
    .positive()
    .default(50)
    .describe('Iterations of one StEFCal solve (hyperdrive default)'),
  tolerance: z
    .number()
    .positive()
    .default(1e-8)
    .describe('Relative change at which a StEFCal solve stops (hyperdrive default)'),
  acceptTolerance: z
    .number()
    .positive()
    .default(1e-4)
    .describe('Relative change up to which a solve that used all its iterations counts as converged'),
  fillGapChannels: z
    .number()
    .int()
    .nonnegative()
    .default(3)
    .describe('Flagged bandpass gaps up to this many channels are filled by interpolation'),
  clipSigma: z
    .number()
    .positive()
    .default(7)
    .describe(
      'Samples above median + this many robust standard deviations of their baseline are flagged (7: 4e-8 of clean Rayleigh samples)',
    ),
  badAntennas: z.array(z.string()).default([]).describe('Antennas to flag, by name'),
  badFrequenciesMhz: z
    .array(z.tuple([z.number(), z.number()]))
    .default([])
    .describe('Frequency ranges to flag, MHz'),
  badTimesUtc: z
    .array(z.tuple([z.string(), z.string()]))
    .default([])
    .describe('Time ranges to flag, ISO 8601 UTC'),
  modelFraction: z
    .number()
    .positive()
    .default(3e-4)
    .describe(
      'Catalogue sources with more than this fraction of the apparent flux density of the calibrator enter its model. The gains absorb up to 2 a^2 of a source that is left out, a being the voltage response of the array at it: 0.36 on a grating lobe of the north-south arm, a quarter of the flux density',
    ),
  modelSources: z.number().int().nonnegative().default(100).describe('Most catalogue sources in the model'),
  modelIntegrations: z
    .number()
    .int()
    .positive()
    .default(4)
    .describe('Integrations over which the model of the other sources is averaged (with their own smearing); 1: exact'),
  spectralIndex: z.number().default(-0.7).describe('Spectral index of catalogue sources without one, S ~ nu^alpha'),
  applyWindowHours: z
    .number()
    .positive()
    .default(12)
    .describe(
      'Age up to which the solution set of another observation may be applied, hours, either side (gain phases are random beyond)',
    ),
})
export type CalibrationParams = z.output<typeof calibrationParams>

/** The calibration stage: flags, solves or applies gains, averages channels. */
export const calibration = defineStage({
  name: 'calibration',
  version: 1,
  params: calibrationParams,
  inputs: {
    measurementSet: { kind: 'measurement-set' },
    catalogue: { kind: 'catalogue', optional: true },
    solutions: { kind: 'solutions', optional: true },
  },
  outputs: {
    solutions: {
      path: 'solutions',
      kind: 'solutions',
      optional: true,
      help: 'Solution set solved on this observation, with its grade and the data of its plots',
    },
    calibrated: {
      path: 'calibrated',
      kind: 'measurement-sets',
      optional: true,
      help: 'Corrected, channel-averaged MeasurementSet `all.ms` and the sources of the model, `sky-model.json`',
    },
  },
  metrics: {
    uncalibrated: { unit: '1', help: '1 when no calibration was applied' },
    ownSolutions: {
      unit: '1',
      help: '1 when the set was solved on this observation, 0 when another set was applied or none',
    },
    flaggedFraction: { unit: '1', help: 'Flagged part of the data of present antennas, absent subbands not counted' },
    flaggedMissing: { unit: '1', help: 'Flagged as zero, non-finite or flagged in the input' },
    flaggedDead: { unit: '1', help: 'Flagged because an antenna polarisation is dead' },
    flaggedClip: { unit: '1', help: 'Flagged by the robust clip' },
    flaggedChannel: { unit: '1', help: 'Flagged by the channel and integration tests and their growth' },
    flaggedBaseline: { unit: '1', help: 'Flagged as outlier baselines' },
    flaggedKnown: { unit: '1', help: 'Flagged by the known-bad lists' },
    antennasPresent: { unit: '1', help: 'Antennas with data' },
    antennasSolved: { unit: '1', help: 'Antennas with a solution in every polarisation' },
    subbandsPresent: { unit: '1', help: 'Subbands with data' },
    calibratorFluxJy: { unit: 'Jy', help: 'Flux density of the calibrator at band centre' },
    calibratorApparentFluxJy: { unit: 'Jy', help: 'Mean apparent flux density of the calibrator' },
    calibratorMeanBeam: { unit: '1', help: 'Mean beam response at the calibrator' },
    calibratorOffsetDeg: { unit: 'deg', help: 'Smallest distance of the calibrator from the beam centre' },
    modelSources: { unit: '1', help: 'Catalogue sources in the model besides the calibrator' },
    modelSourcesFluxJy: { unit: 'Jy', help: 'Their apparent flux density in all' },
    sefdMedianJy: {
      unit: 'Jy',
      help: 'Measured system equivalent flux density, median over antennas and polarisations',
    },
    sefdP16Jy: { unit: 'Jy', help: '16 % quantile of the measured SEFD' },
    sefdP84Jy: { unit: 'Jy', help: '84 % quantile of the measured SEFD' },
    bandpassSnr: { unit: '1', help: 'Median signal-to-noise ratio of the bandpass solutions of one channel' },
    gainSnr: { unit: '1', help: 'Median signal-to-noise ratio of the gain solutions' },
    bandpassFlagged: { unit: '1', help: 'Flagged part of the bandpass solutions of present antennas' },
    gainFlagged: { unit: '1', help: 'Flagged part of the gain solutions of present antennas' },
    iterationsMedian: { unit: '1', help: 'Median iterations of the bandpass solves' },
    iterationsMax: { unit: '1', help: 'Most iterations of a bandpass solve' },
    notConverged: { unit: '1', help: 'Part of the solves that did not converge' },
    phaseRmsDeg: { unit: 'deg', help: 'Rms phase residual on the calibrator, band-averaged baselines' },
    phaseStepDeg: { unit: 'deg', help: 'Rms phase step between neighbouring time bins' },
    chi2Reduced: { unit: '1', help: 'Chi-square per degree of freedom of the bandpass solves' },
    closureRatio: { unit: '1', help: 'Rms closure phase over its thermal expectation, single channels' },
    calibratorRecovered: { unit: '1', help: 'Median corrected calibrator amplitude over its model' },
    xyRatio: { unit: '1', help: 'Median gain amplitude ratio of the two polarisations' },
    solutionAgeHours: { unit: 'h', help: 'Time between the middle of this observation and of the solution set' },
    channelsAveraged: { unit: '1', help: 'Channels averaged into one' },
    outputFlagged: { unit: '1', help: 'Flagged part of the averaged data of present antennas' },
  },
  plan: (params, shape) => {
    const channels = shape.subbands * shape.channelsPerSubband
    const cross = Math.max(0, shape.baselines - shape.antennas)
    const samples = cross * channels * shape.polarizations
    const rows = shape.baselines * shape.integrations
    // Sums of one bandpass cell: A complex64, W and Q float32, N uint16.
    const cubes = params.mode === 'none' ? 0 : samples * 18
    const flags = rows * channels + rows * shape.subbands
    const perWorker =
      SLOTS_PER_UNIT * shape.integrations * channels * (8 * shape.polarizations + shape.polarizations) + 24 * MIB
    const visibilities = rows * channels * shape.polarizations
    return {
      workingBytes: 160 * MIB + cubes + flags + MAX_WORKERS * perWorker,
      scratchBytes: 0,
      outputBytes: Math.round((visibilities / CHANNELS_AVERAGED) * BYTES_PER_VISIBILITY),
      seconds: 2 + visibilities / 2.5e7,
    }
  },
})
