import { createHash } from 'node:crypto'
import type { MsHistoryEntry, MsMetadata, MsRows } from '#runtime/formats/measurement-set/schema.ts'
import type { Uvh5Header } from '#runtime/formats/uvh5/header.ts'
import type { Phasing } from '#runtime/formats/uvh5/phasing.ts'
import { ARCSEC_RAD, DAY_S, DEGREE_RAD, INTEGRATION_S } from '#runtime/sky/constants.ts'
import { isoUtc } from '#runtime/sky/time.ts'
import type { Band } from './band.ts'
import type { Observation } from './observation.ts'

const application = 'contimg conversion'

/** Facts of the set besides geometry and band. */
export interface SetFacts {
  /** By ascending subband: fingerprint of each source. */
  sources: readonly { subband: number; fingerprint: string }[]
  absentSubbands: readonly number[]
  /** Names of antennas flagged whole. */
  deadAntennas: readonly string[]
  stokes: readonly number[]
  earthOrientation: { source: string; sha256: string }
}

/** Everything of the MeasurementSet but rows and tiles. Holds no name, path or clock: equal input, equal bytes. */
export function setMetadata(header: Uvh5Header, observation: Observation, band: Band, facts: SetFacts): MsMetadata {
  const { pointing, antennas } = observation
  const timeRangeMjdS = timeRange(header, observation)
  return {
    telescopeName: header.telescopeName,
    observer: '',
    project: header.instrument,
    fieldName: fieldName(observation.phasing),
    antennas,
    freqHz: band.freqHz,
    channelWidthHz: band.channelWidthHz,
    stokes: facts.stokes,
    phaseCentre: pointing.centre,
    timeRangeMjdS,
    history: historyMessages(observation, facts).map((message): MsHistoryEntry => ({
      message,
      application,
      timeMjdS: timeRangeMjdS[0],
    })),
    beam: pointing.beam,
    extra: {
      SUBBANDS: facts.sources.map(({ subband }) => subband).join(' '),
      ABSENT: facts.absentSubbands.join(' '),
      DEADANTS: facts.deadAntennas.join(' '),
      DUT1S: pointing.eop.dut1S,
      EOPSHA: facts.earthOrientation.sha256,
      // What the phases of a solution set depend on besides the sky: another value makes a set of another time useless.
      DELAYS: shortHash(header.appliedDelaysNs),
      FSTABLE: shortHash(header.fsTable),
    },
  }
}

function historyMessages(observation: Observation, facts: SetFacts): string[] {
  const { eop } = observation.pointing
  return [
    ...facts.sources.map(
      ({ subband, fingerprint }) => `subband ${two(subband)}: raw file with fingerprint ${fingerprint}`,
    ),
    facts.absentSubbands.length === 0
      ? 'all expected subbands present'
      : `absent subbands, flagged: ${facts.absentSubbands.map(two).join(', ')}`,
    ...phasingMessages(observation),
    `UT1-UTC ${eop.dut1S.toFixed(6)} s, polar motion ${eop.xpArcsec.toFixed(4)} ${eop.ypArcsec.toFixed(4)} arcsec` +
      `${eop.extrapolated ? ', beyond the table' : ''} (${facts.earthOrientation.source})`,
    facts.deadAntennas.length === 0 ? 'no dead antennas' : `dead antennas, flagged: ${facts.deadAntennas.join(', ')}`,
  ]
}

/** What the data were phased to, and what they are rotated to. */
function phasingMessages({ phasing, pointing: { centre, midMjd }, meridian }: Observation): string[] {
  const icrs = `ICRS ${(centre.raRad / DEGREE_RAD).toFixed(8)} ${(centre.decRad / DEGREE_RAD).toFixed(8)} deg`
  const at = `at ${isoUtc(midMjd)} UTC`
  switch (phasing.kind) {
    case 'meridian':
      return [
        `fringe-stopped by the telescope to hour angle 0 at declination of date ${(phasing.decOfDateRad / DEGREE_RAD).toFixed(6)} deg` +
          (meridian?.fitted === true
            ? `, fitted to w: ${(meridian.wFit.offsetRad / ARCSEC_RAD).toFixed(2)} arcsec from the header`
            : ''),
        `rotated to ${icrs}, the meridian place ${at}`,
      ]
    case 'driftscan':
      return [
        `phased in the files to azimuth ${(phasing.azimuthRad / DEGREE_RAD).toFixed(6)} and elevation ${(phasing.elevationRad / DEGREE_RAD).toFixed(6)} deg`,
        `rotated to ${icrs}, that place ${at}`,
      ]
    case 'unprojected':
      return ['not phased in the files', `phased to ${icrs}, the zenith ${at}`]
    case 'sidereal':
      return [`phased in the files to ${phasing.name}, ${icrs}, and not rotated`]
  }
}

function fieldName(phasing: Phasing): string {
  switch (phasing.kind) {
    case 'meridian':
      return `drift${signed(phasing.decOfDateRad / DEGREE_RAD)}`
    case 'unprojected':
      return 'zenith'
    default:
      return phasing.name
  }
}

/** First and last edge. The telescope's headers round the length of an integration to float32. */
function timeRange(header: Uvh5Header, { pointing, rows: { integration } }: Observation): [number, number] {
  const { timeMjdS } = pointing.beam
  if (header.dialect === 'dsa110')
    return [timeMjdS[0] - INTEGRATION_S / 2, timeMjdS[timeMjdS.length - 1] + INTEGRATION_S / 2]
  let [first, last] = [Infinity, -Infinity]
  integration.forEach((index, row) => {
    first = Math.min(first, timeMjdS[index] - header.integrationS[row] / 2)
    last = Math.max(last, timeMjdS[index] + header.integrationS[row] / 2)
  })
  return [first, last]
}

/** The row columns of MAIN. @param weight (rows, polarizations) @param flagRow (rows) */
export function setRows(
  header: Uvh5Header,
  { rows, pointing, rotated }: Observation,
  { weight, flagRow }: { weight: Float32Array; flagRow: Uint8Array },
): MsRows {
  const timeMjdS = new Float64Array(rows.integration.length)
  for (let row = 0; row < timeMjdS.length; row++) timeMjdS[row] = pointing.beam.timeMjdS[rows.integration[row]]
  const sigma = new Float32Array(weight.length)
  // A row without weight is flagged whole; its sigma says nothing and stays finite.
  for (let at = 0; at < sigma.length; at++) sigma[at] = weight[at] > 0 ? 1 / Math.sqrt(weight[at]) : 1
  return {
    timeMjdS,
    intervalS: header.integrationS,
    exposureS: header.integrationS,
    antenna1: rows.antenna1,
    antenna2: rows.antenna2,
    uvwM: rotated.uvwM,
    weight,
    sigma,
    flagRow,
  }
}

/** Middle of the observation and its leading edge, MJD UTC. */
export function observationTimes(
  header: Uvh5Header,
  observation: Observation,
): { startMjdUtc: number; midMjdUtc: number } {
  return { startMjdUtc: timeRange(header, observation)[0] / DAY_S, midMjdUtc: observation.pointing.midMjd }
}

function two(subband: number): string {
  return String(subband).padStart(2, '0')
}

function signed(degrees: number): string {
  return `${degrees < 0 ? '-' : '+'}${Math.abs(degrees).toFixed(3)}`
}

/** First 12 hex digits of the sha256 of a header text; empty where the header has none. */
function shortHash(text: string | undefined): string {
  return text === undefined ? '' : createHash('sha256').update(text).digest('hex').slice(0, 12)
}
