import type { Uvh5Header } from '#runtime/formats/uvh5/header.ts'
import { jdToMjd } from '#runtime/sky/time.ts'
import { DEGREE_RAD, INTEGRATION_S } from '#runtime/sky/constants.ts'
import type { Site } from '#runtime/sky/frames.ts'
import { antennaRows, digestOf } from './antenna-rows.ts'
import { distinctTimes } from './array-geometry.ts'
import { firstRows, isStepwise } from './row-arrays.ts'
import { subbandOf } from './subband.ts'

/** What all members of an observation must agree on exactly. */
const agreementFields = [
  'time_array',
  'integration_time',
  'ant_1_array',
  'ant_2_array',
  'polarization_array',
  'antenna_numbers',
  'antenna_positions',
  'phase_center_app_dec',
  'phase_center_catalog',
  'latitude, longitude, altitude',
  'channel_width',
] as const
export type AgreementField = (typeof agreementFields)[number]

/** The header of one plausible file without its row-indexed arrays, of which only digests are kept. */
export interface MemberFile {
  /** Name for messages, relative to the folder. */
  file: string
  /** Hexadecimal digits of the 8 bytes of time_array[0]: files of one observation have the same. */
  timeKey: string
  /** Leading edge of the first integration. */
  startMjdUtc: number
  /** Mid-points of the integrations, ascending. */
  timesMjd: Float64Array
  site: Site
  /** 0 is the highest in frequency. */
  subband: number
  channels: number
  channelWidthHz: number
  /** Lowest and highest channel centre. */
  lowestHz: number
  highestHz: number
  polarizations: number
  antennas: number
  rows: number
  baselines: number
  integrations: number
  agreement: Record<AgreementField, string>
}

/** A raw file of the telescope. */
export interface RawFile extends MemberFile {
  decOfDateRad: number
}

/** Reduces a header of the telescope in which `headerProblem` found nothing. */
export function rawFile(file: string, header: Uvh5Header): RawFile {
  const { timeJd, baselines, integrations, phasing } = header
  const subband = subbandOf(header.freqHz, header.channelWidthHz)
  if (subband === undefined || phasing.kind !== 'meridian') throw new Error(`${file} was not checked`)
  const timesMjd = Float64Array.from({ length: integrations }, (_, k) => jdToMjd(timeJd[k * baselines]))
  return {
    ...memberFile(file, header, { subband, timesMjd }),
    startMjdUtc: timesMjd[0] - INTEGRATION_S / 2 / 86400,
    decOfDateRad: phasing.decOfDateRad,
  }
}

/**
 * Reduces a header of any telescope in which `generalProblem` found nothing. Its subband is a matter of the files that
 * it is converted with: `subbandsOfGroup`.
 */
export function generalFile(file: string, header: Uvh5Header): MemberFile {
  return memberFile(file, header, { subband: 0, timesMjd: distinctTimes(header).map(jdToMjd) })
}

function memberFile(
  file: string,
  header: Uvh5Header,
  { subband, timesMjd }: { subband: number; timesMjd: Float64Array },
): MemberFile {
  const { timeJd, freqHz, channelWidthHz, phasing } = header
  const { antennas, digests } = antennaRows(header)
  const first = freqHz[0]
  const last = freqHz[freqHz.length - 1]
  const site = {
    latitudeRad: header.latitudeDeg * DEGREE_RAD,
    longitudeRad: header.longitudeDeg * DEGREE_RAD,
    altitudeM: header.altitudeM,
  }
  // The dialect of the telescope has this in a dataset of its own.
  const appDec = phasing.kind === 'meridian' ? digestOf(Float64Array.of(phasing.decOfDateRad)) : ''
  const centre = phasing.kind === 'meridian' ? '' : JSON.stringify(phasing)
  return {
    file,
    timeKey: Buffer.from(Float64Array.of(timeJd[0]).buffer).toString('hex'),
    startMjdUtc: timesMjd[0] - header.integrationS[0] / 2 / 86400,
    timesMjd,
    site,
    subband,
    channels: freqHz.length,
    channelWidthHz,
    lowestHz: Math.min(first, last),
    highestHz: Math.max(first, last),
    polarizations: header.polarizations.length,
    antennas,
    rows: header.rows,
    baselines: header.baselines,
    integrations: header.integrations,
    agreement: {
      time_array: stepwiseDigest(timeJd, header.baselines),
      integration_time: stepwiseDigest(header.integrationS, header.baselines),
      ant_1_array: digests[0],
      ant_2_array: digests[1],
      polarization_array: digestOf(header.polarizations),
      antenna_numbers: digestOf(header.antennaNumbers),
      antenna_positions: digestOf(header.antennaPositionsM),
      phase_center_app_dec: appDec,
      phase_center_catalog: centre,
      'latitude, longitude, altitude': digestOf(
        Float64Array.of(header.latitudeDeg, header.longitudeDeg, header.altitudeM),
      ),
      channel_width: digestOf(Float64Array.of(channelWidthHz, freqHz.length)),
    },
  }
}

/** The fields in which a file differs from another. */
export function disagreements(file: MemberFile, reference: MemberFile): AgreementField[] {
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

/** Of rows that change from integration to integration only, the first of each stand for all. */
function stepwiseDigest(rows: Float64Array, period: number): string {
  if (!isStepwise(rows, period)) return digestOf(rows)
  return `${rows.length}/${period} ${digestOf(firstRows(rows, period))}`
}
