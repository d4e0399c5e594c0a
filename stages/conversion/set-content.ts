import { createHash } from 'node:crypto'
import type { MsHistoryEntry, MsMetadata, MsRows } from '#runtime/formats/measurement-set/schema.ts'
import type { Uvh5Header } from '#runtime/formats/uvh5/header.ts'
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
  const { pointing, array } = observation
  const { timeMjdS } = pointing.beam
  const startS = timeMjdS[0] - INTEGRATION_S / 2
  return {
    telescopeName: header.telescopeName,
    observer: '',
    project: header.instrument,
    fieldName: `drift${signed(observation.decOfDateRad / DEGREE_RAD)}`,
    antennas: array.antennas,
    freqHz: band.freqHz,
    channelWidthHz: band.channelWidthHz,
    stokes: facts.stokes,
    phaseCentre: pointing.centre,
    timeRangeMjdS: [startS, timeMjdS[timeMjdS.length - 1] + INTEGRATION_S / 2],
    history: historyMessages(observation, facts).map((message): MsHistoryEntry => ({
      message,
      application,
      timeMjdS: startS,
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
  const { pointing, decOfDateRad, wFit, fitted } = observation
  const { centre, eop } = pointing
  return [
    ...facts.sources.map(
      ({ subband, fingerprint }) => `subband ${two(subband)}: raw file with fingerprint ${fingerprint}`,
    ),
    facts.absentSubbands.length === 0
      ? 'all expected subbands present'
      : `absent subbands, flagged: ${facts.absentSubbands.map(two).join(', ')}`,
    `fringe-stopped by the telescope to hour angle 0 at declination of date ${(decOfDateRad / DEGREE_RAD).toFixed(6)} deg` +
      (fitted ? `, fitted to w: ${(wFit.offsetRad / ARCSEC_RAD).toFixed(2)} arcsec from the header` : ''),
    `rotated to ICRS ${(centre.raRad / DEGREE_RAD).toFixed(8)} ${(centre.decRad / DEGREE_RAD).toFixed(8)} deg, ` +
      `the meridian place at ${isoUtc(pointing.midMjd)} UTC`,
    `UT1-UTC ${eop.dut1S.toFixed(6)} s, polar motion ${eop.xpArcsec.toFixed(4)} ${eop.ypArcsec.toFixed(4)} arcsec` +
      `${eop.extrapolated ? ', beyond the table' : ''} (${facts.earthOrientation.source})`,
    facts.deadAntennas.length === 0 ? 'no dead antennas' : `dead antennas, flagged: ${facts.deadAntennas.join(', ')}`,
  ]
}

/** The row columns of MAIN. @param weight (rows, polarizations) @param flagRow (rows) */
export function setRows(
  header: Uvh5Header,
  { array, pointing, rotated }: Observation,
  { weight, flagRow }: { weight: Float32Array; flagRow: Uint8Array },
): MsRows {
  const { rows, baselines } = header
  const integrationOf = (row: number): number => Math.floor(row / baselines)
  const perBaseline = (values: Int32Array): Int32Array =>
    Int32Array.from({ length: rows }, (_, row) => values[row % baselines])
  return {
    timeMjdS: Float64Array.from({ length: rows }, (_, row) => pointing.beam.timeMjdS[integrationOf(row)]),
    intervalS: header.integrationS,
    exposureS: header.integrationS,
    antenna1: perBaseline(array.antenna1),
    antenna2: perBaseline(array.antenna2),
    uvwM: rotated.uvwM,
    weight,
    // A row without weight is flagged whole; its sigma says nothing and stays finite.
    sigma: weight.map((value) => (value > 0 ? 1 / Math.sqrt(value) : 1)),
    flagRow,
  }
}

/** Middle of the observation and its leading edge, MJD UTC. */
export function observationTimes({ pointing }: Observation): { startMjdUtc: number; midMjdUtc: number } {
  return { startMjdUtc: (pointing.beam.timeMjdS[0] - INTEGRATION_S / 2) / DAY_S, midMjdUtc: pointing.midMjd }
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
