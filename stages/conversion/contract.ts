import { z } from 'zod'
import { defineStage } from '#runtime/stage/contract.ts'

export { convertedSchema, type Converted } from './converted-schema.ts'
export { scanSchema, type Scan, type ScanObservation } from './scan-schema.ts'

const MIB = 1024 * 1024

/** Resident size of Node with the stage's code and four threads at work, rounded up from 270 MB measured. */
const BASE_BYTES = 280 * MIB

/** Index of the lowest subband of the correlator. */
const LAST_SUBBAND = 15

/** Main-table and shared bytes a row: UVW, times, weights, antennas, phase path, counts, and their encoded copy. */
const BYTES_PER_ROW = 320

/** Visibilities converted in a second on two cores, disk to disk, with hashing; measured, rounded down. */
const VISIBILITIES_PER_SECOND = 4e7

/** More threads than this are never needed: two cores saturate memory and disk. */
export const MAX_THREADS = 4

/** Threads that read through the HDF5 library, which takes up to 100 MB in each: two stay below 300 MB. */
export const MAX_LIBRARY_THREADS = 2

/** Scratch space must hold this many times a set that is staged in it: other files of the attempt lie there too. */
export const STAGING_MARGIN = 1.1

/** Bytes of a MeasurementSet: data, weights and flags of each visibility, and the row columns. */
export function setBytes(rows: number, visibilities: number): number {
  return visibilities * (8 + 4 + 1 / 8) + rows * BYTES_PER_ROW
}

/** Memory of a conversion whose files are read directly; the HDF5 library takes its own in each thread. */
export function residentBytes(rows: number): number {
  return BASE_BYTES + rows * BYTES_PER_ROW
}

export const conversionParams = z.strictObject({
  expect: z
    .strictObject({
      subbands: z
        .array(z.int().min(0).max(LAST_SUBBAND))
        .min(1)
        .refine((subbands) => new Set(subbands).size === subbands.length, 'each subband once')
        .refine(
          // An index out of range has its own message already.
          (subbands) =>
            subbands.some((subband) => subband > LAST_SUBBAND) ||
            Math.max(...subbands) - Math.min(...subbands) < subbands.length,
          'subbands side by side: list those between too, absent ones are flagged',
        )
        .default([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
        .describe(
          'Subbands that make up the output grid, by index (0 is the highest frequency); absent ones are flagged (DSA-110 correlator, 16 subbands)',
        ),
      integrations: z
        .int()
        .min(1)
        .default(24)
        .describe(
          'Integrations of a complete observation, count; fewer make the check `integrations` uncertain (DSA-110 writer, 24 of 12.88 s)',
        ),
    })
    .prefault({})
    .describe('What a complete observation consists of'),
  deadAntennaFraction: z
    .number()
    .gt(0)
    .max(1)
    .default(0.95)
    .describe(
      'An antenna with more than this fraction of zero or non-finite samples is flagged whole and listed as dead, fraction (contimg choice)',
    ),
})
export type ConversionParams = z.output<typeof conversionParams>

/** The conversion stage: raw subbands in, one MeasurementSet with one phase centre and one ascending band out. */
export const conversion = defineStage({
  name: 'conversion',
  version: 3,
  params: conversionParams,
  inputs: {
    raw: { kind: 'uvh5', many: true },
    earthOrientation: { kind: 'earth-orientation' },
    stationTable: { kind: 'station-table', optional: true },
  },
  outputs: {
    measurementSet: {
      path: 'measurement-set',
      kind: 'measurement-set',
      help: 'casacore MeasurementSet: one field, one spectral window with ascending channels, rows as in the raw files',
    },
  },
  metrics: {
    rows: { unit: '1', help: 'Rows of the MeasurementSet' },
    channels: { unit: '1', help: 'Channels of the output grid' },
    integrations: { unit: '1', help: 'Integrations' },
    integrationsExpected: { unit: '1', help: 'Integrations of a complete observation' },
    antennasPresent: { unit: '1', help: 'Antennas that occur in the data' },
    antennasDead: {
      unit: '1',
      help: 'Antennas flagged whole because nearly all of their samples are zero or non-finite',
    },
    subbandsExpected: { unit: '1', help: 'Subbands of the output grid' },
    subbandsPresent: { unit: '1', help: 'Subbands with a file' },
    zeroFraction: { unit: '1', help: 'Zero or non-finite part of the samples of present subbands' },
    flaggedFraction: { unit: '1', help: 'Flagged part of the samples of present subbands' },
    startMjdUtc: { unit: 'd', help: 'Leading edge of the first integration, MJD UTC' },
    midMjdUtc: { unit: 'd', help: 'Middle of the observation, MJD UTC' },
    phaseCentreRaDeg: { unit: 'deg', help: 'Right ascension of the phase centre, ICRS' },
    phaseCentreDecDeg: { unit: 'deg', help: 'Declination of the phase centre, ICRS' },
    decOfDateDeg: { unit: 'deg', help: 'Declination to which the raw data are fringe-stopped, apparent of date' },
    centreFreqHz: { unit: 'Hz', help: 'Middle of the band' },
    bandwidthHz: { unit: 'Hz', help: 'Width of the band, absent subbands included' },
    channelWidthHz: { unit: 'Hz', help: 'Width of one channel' },
    dut1S: { unit: 's', help: 'UT1 - UTC that was used' },
    wFitOffsetArcsec: {
      unit: 'arcsec',
      help: 'Angle between the direction that the file w coordinates were made for and the header direction',
    },
    wFitResidualMm: { unit: 'mm', help: 'Largest difference between the file w coordinates and the antenna positions' },
    uvwErrorMm: { unit: 'mm', help: 'Largest difference between the length of a UVW vector and of its baseline' },
    longestBaselineM: { unit: 'm', help: 'Longest baseline' },
    weightSpectrum: {
      unit: '1',
      help: '1 when the set has a WEIGHT_SPECTRUM column because nsamples vary within a row',
    },
    staged: {
      unit: '1',
      help: '1 when the set was assembled in scratch space and copied to its place',
    },
    filesReadDirectly: {
      unit: '1',
      help: 'Files read at their chunk addresses; the others went through the HDF5 library',
    },
  },
  plan: (params, shape) => {
    const rows = shape.baselines * shape.integrations
    const visibilities = rows * shape.channelsPerSubband * params.expect.subbands.length * shape.polarizations
    return {
      workingBytes: residentBytes(rows),
      scratchBytes: 0,
      outputBytes: Math.round(setBytes(rows, visibilities)),
      stagingBytes: Math.ceil(STAGING_MARGIN * setBytes(rows, visibilities)),
      seconds: 1 + visibilities / VISIBILITIES_PER_SECOND,
    }
  },
})
