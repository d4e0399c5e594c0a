import type { StationTable } from '#runtime/formats/station-table.ts'
import { ARCSEC_RAD, DEGREE_RAD } from '#runtime/sky/constants.ts'
import type { EarthOrientationTable } from '#runtime/sky/time.ts'
import type { StageOutcome } from '#runtime/stage/contract.ts'
import { quality } from '#runtime/stage/quality.ts'
import type { AntennaHealth } from './antenna-health.ts'
import type { Band } from './band.ts'
import type { OpenData } from './blocks.ts'
import type { conversion } from './contract.ts'
import type { Finished } from './finish-set.ts'
import { conversionChecks } from './gates.ts'
import { measureSet } from './measured-set.ts'
import type { Observation } from './observation.ts'
import { reopen } from './reopen.ts'
import { observationTimes } from './set-content.ts'
import type { RawGroup } from './sources.ts'
import type { Staging } from './staging.ts'
import { stationOffsets } from './station-offsets.ts'

type Outcome = StageOutcome<typeof conversion>

export interface WrittenSet {
  group: RawGroup
  observation: Observation
  band: Band
  health: AntennaHealth
  finished: Finished
  /** Samples of a row in present subbands. */
  samplesPerRow: number
  deadAntennas: string[]
  absent: number[]
  earthOrientation: EarthOrientationTable
  /** Where the antennas should be, if the user says so. */
  stationTable: StationTable | undefined
  staging: Staging
  /** Opens the raw files. */
  open: OpenData
}

/** Reads a written set back, holds it against the raw files and the gates, and sums it up. */
export async function checkSet({
  group: { sources, expect },
  observation,
  band,
  health,
  finished,
  samplesPerRow,
  deadAntennas,
  absent,
  earthOrientation,
  stationTable,
  staging,
  open,
}: WrittenSet): Promise<Outcome> {
  const { header, members } = sources
  const [{ file }] = members
  const { layout } = finished
  const reopened = await reopen({
    path: layout.path,
    open,
    files: band.subbands.map((subband) => members.find((member) => member.file.subband === subband)),
    ant1: header.ant1,
    ant2: header.ant2,
    antennaNumbers: header.antennaNumbers,
    polarizations: header.polarizations,
    frames: observation.frames,
    integration: observation.rows.integration,
    seed: members.map((member) => member.fingerprint).join(),
  })
  const measured = measureSet(reopened.set, { target: observation.pointing.centre, site: file.site })
  const checks = conversionChecks({
    ...measured,
    rows: { found: reopened.set.layout.rows, expected: file.rows },
    integrations: { found: file.integrations, expected: expect.integrations },
    subbands: { present: members.length, expected: band.subbands.length, absent },
    stations: stationTable === undefined ? undefined : stationOffsets(reopened.set, stationTable),
    dialect: header.dialect,
    wFit: observation.meridian?.wFit,
    statedW: observation.statedW,
    zeroFraction: health.zeroFractionOfLiving,
    antennas: { present: health.present.length, dead: deadAntennas },
    reopen: reopened,
    earthOrientation: {
      beyondDays: daysBeyond(earthOrientation, observation.pointing.midMjd),
      source: earthOrientation.source,
    },
  })
  const { centre, eop } = observation.pointing
  return {
    outputs: ['measurementSet'],
    quality: quality(checks),
    metrics: {
      ...observationTimes(header, observation),
      rows: layout.rows,
      channels: layout.channels,
      integrations: file.integrations,
      integrationsExpected: expect.integrations,
      antennasPresent: health.present.length,
      antennasDead: health.dead.length,
      subbandsExpected: band.subbands.length,
      subbandsPresent: members.length,
      zeroFraction: health.zeroFraction,
      flaggedFraction: finished.flagged / (layout.rows * samplesPerRow),
      phaseCentreRaDeg: centre.raRad / DEGREE_RAD,
      phaseCentreDecDeg: centre.decRad / DEGREE_RAD,
      centreFreqHz: (band.freqHz[0] + band.freqHz[band.freqHz.length - 1]) / 2,
      bandwidthHz: band.freqHz.length * band.channelWidthHz,
      channelWidthHz: band.channelWidthHz,
      dut1S: eop.dut1S,
      ...meridianMetrics(observation),
      uvwErrorMm: 1000 * measured.uvwErrorM,
      longestBaselineM: measured.longestM,
      weightSpectrum: layout.weightSpectrum ? 1 : 0,
      staged: staging.staged ? 1 : 0,
      filesReadDirectly: members.filter(({ read }) => read.method === 'direct').length,
    },
    provenance: {
      ...Object.fromEntries(
        members.map((member) => [`raw.sb${String(member.file.subband).padStart(2, '0')}`, member.file.file]),
      ),
      staging: staging.reason,
      ...(stationTable === undefined ? {} : { stationTable: stationTable.sha256 }),
    },
  }
}

/** How far a time is from the nearest day of a table that does not reach it; 0 within. */
function daysBeyond({ firstMjd, dut1S }: EarthOrientationTable, mjd: number): number {
  return Math.max(0, firstMjd - mjd, mjd - (firstMjd + dut1S.length - 1))
}

/** Metrics that only files of the telescope have. */
function meridianMetrics({ phasing, meridian }: Observation): Outcome['metrics'] {
  if (phasing.kind !== 'meridian' || meridian === undefined) return {}
  return {
    decOfDateDeg: phasing.decOfDateRad / DEGREE_RAD,
    wFitOffsetArcsec: meridian.wFit.offsetRad / ARCSEC_RAD,
    wFitResidualMm: 1000 * meridian.wFit.fittedResidualM,
  }
}
