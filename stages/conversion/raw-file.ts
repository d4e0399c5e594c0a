import { createHash } from 'node:crypto'
import type { Uvh5Header } from '#runtime/formats/uvh5/header.ts'
import { jdToMjd } from '#runtime/sky/time.ts'
import { DEGREE_RAD, INTEGRATION_S } from '#runtime/sky/constants.ts'
import type { Site } from '#runtime/sky/frames.ts'
import { subbandOf } from './subband.ts'

/** What all members of an observation must agree on exactly. */
const agreementFields = [
  'time_array',
  'ant_1_array',
  'ant_2_array',
  'polarization_array',
  'antenna_numbers',
  'antenna_positions',
  'phase_center_app_dec',
  'latitude, longitude, altitude',
  'channel_width',
] as const
export type AgreementField = (typeof agreementFields)[number]

/** The header of one plausible raw file without its row-indexed arrays, of which only digests are kept. */
export interface RawFile {
  /** Name for messages, relative to the folder. */
  file: string
  /** Hexadecimal digits of the 8 bytes of time_array[0]: files of one observation have the same. */
  timeKey: string
  /** Leading edge of the first integration. */
  startMjdUtc: number
  /** Mid-points of the integrations. */
  timesMjd: Float64Array
  decOfDateRad: number
  site: Site
  subband: number
  channels: number
  channelWidthHz: number
  /** Lowest and highest channel centre. */
  lowestHz: number
  highestHz: number
  polarizations: number
  antennas: number
  baselines: number
  integrations: number
  agreement: Record<AgreementField, string>
}

/** Reduces a header in which `headerProblems` found nothing. */
export function rawFile(file: string, header: Uvh5Header): RawFile {
  const { timeJd, baselines, integrations, freqHz, channelWidthHz } = header
  const subband = subbandOf(freqHz, channelWidthHz)
  if (subband === undefined || header.phaseCentreAppDecRad === undefined) throw new Error(`${file} was not checked`)
  const timesMjd = Float64Array.from({ length: integrations }, (_, k) => jdToMjd(timeJd[k * baselines]))
  const first = freqHz[0]
  const last = freqHz[freqHz.length - 1]
  const site = {
    latitudeRad: header.latitudeDeg * DEGREE_RAD,
    longitudeRad: header.longitudeDeg * DEGREE_RAD,
    altitudeM: header.altitudeM,
  }
  return {
    file,
    timeKey: Buffer.from(Float64Array.of(timeJd[0]).buffer).toString('hex'),
    startMjdUtc: timesMjd[0] - INTEGRATION_S / 2 / 86400,
    timesMjd,
    decOfDateRad: header.phaseCentreAppDecRad,
    site,
    subband,
    channels: freqHz.length,
    channelWidthHz,
    lowestHz: Math.min(first, last),
    highestHz: Math.max(first, last),
    polarizations: header.polarizations.length,
    antennas: new Set([...header.ant1.subarray(0, baselines), ...header.ant2.subarray(0, baselines)]).size,
    baselines,
    integrations,
    agreement: {
      time_array: digest(timeJd),
      ant_1_array: digest(header.ant1),
      ant_2_array: digest(header.ant2),
      polarization_array: digest(header.polarizations),
      antenna_numbers: digest(header.antennaNumbers),
      antenna_positions: digest(header.antennaPositionsM),
      phase_center_app_dec: digest(Float64Array.of(header.phaseCentreAppDecRad)),
      'latitude, longitude, altitude': digest(
        Float64Array.of(header.latitudeDeg, header.longitudeDeg, header.altitudeM),
      ),
      channel_width: digest(Float64Array.of(channelWidthHz, freqHz.length)),
    },
  }
}

/** The fields in which a file differs from another. */
export function disagreements(file: RawFile, reference: RawFile): AgreementField[] {
  return agreementFields.filter((field) => file.agreement[field] !== reference.agreement[field])
}

/**
 * The file that the others of a group are measured against: one of the largest set that agrees in everything, the
 * lowest subband among equals.
 */
export function referenceFile<F extends RawFile>(files: readonly F[]): F {
  const sets = new Map<string, F[]>()
  for (const file of [...files].sort((a, b) => a.subband - b.subband)) {
    const signature = agreementFields.map((field) => file.agreement[field]).join()
    sets.set(signature, [...(sets.get(signature) ?? []), file])
  }
  const [largest] = [...sets.values()].sort((a, b) => b.length - a.length)
  if (largest === undefined) throw new RangeError('no files')
  return largest[0]
}

function digest(array: Float64Array | Int32Array): string {
  return createHash('sha1')
    .update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    .digest('hex')
}
