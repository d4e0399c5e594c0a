import type { Uvh5Header } from '#runtime/formats/uvh5/header.ts'
import { DAY_S, INTEGRATION_S } from '#runtime/sky/constants.ts'
import { isoUtc, jdToMjd } from '#runtime/sky/time.ts'
import { antennaRows } from './antenna-rows.ts'
import { firstRows, isConstant, isFinite, isStepwise } from './row-arrays.ts'
import { subbandOf } from './subband.ts'

/** A header value that cannot be right, or that is of a kind which is not converted. Nothing is repaired. */
export interface HeaderProblem {
  code: 'DATA_IMPLAUSIBLE' | 'DATA_UNSUPPORTED'
  /** Names the dataset and says what is wrong with it. */
  message: string
  hint: string
}

/** What a header is held against besides itself, MJD UTC. */
export interface HeaderExpectations {
  nowMjd: number
  /** The time in the file's name, where the name has one. */
  stampMjd?: number | undefined
}

/** 2022-01-01: earlier stamps come from the writer's fallbacks (MJD 55000, test mode 59000.5). */
const EARLIEST_MJD = 59580

/** Data cannot be from the future, but clocks differ. */
export const LATEST_AHEAD_DAYS = 1 / 24

/** A name stamp may differ from the time of the data by this much. */
const STAMP_TOLERANCE_S = 600

/** Steps between integrations are counted by the writer, so they are exact to the rounding of a Julian date. */
const STEP_TOLERANCE_S = 1e-3

/** As pyuvdata allows; also the limit of the check `frequency-order`. */
export const CHANNEL_STEP_TOLERANCE_HZ = 1e-3

/** Linear (-5 XX, -6 YY, -7 XY, -8 YX) and circular (-1 RR to -4 LR) correlations, sorted. */
const knownPolarizations = ['-5', '-6', '-5,-6', '-5,-6,-7,-8', '-1', '-2', '-1,-2', '-1,-2,-3,-4']

/** The first thing that keeps a file from being converted, by its header; undefined when there is none. */
export function headerProblem(header: Uvh5Header, expectations: HeaderExpectations): HeaderProblem | undefined {
  return (
    dialectProblem(header) ??
    pointingProblem(header) ??
    timeProblem(header, expectations) ??
    bandProblem(header) ??
    polarizationProblem(header) ??
    antennaProblem(header) ??
    baselineProblem(header)
  )
}

export function implausible(field: string, what: string, hint: string): HeaderProblem {
  return { code: 'DATA_IMPLAUSIBLE', message: `/Header/${field} ${what}`, hint }
}

function dialectProblem({ dialect, phaseCentreEpoch }: Uvh5Header): HeaderProblem | undefined {
  if (dialect === 'dsa110') return undefined
  const message = `/Header/extra_keywords/phase_center_epoch is ${phaseCentreEpoch ?? 'absent'}, not HADEC with an ha_phase_center: the data are not fringe-stopped to the meridian`
  return {
    code: 'DATA_UNSUPPORTED',
    message,
    hint: 'a run takes files as the writer of the DSA-110 makes them; contimg convert takes those of any telescope',
  }
}

function pointingProblem(header: Uvh5Header): HeaderProblem | undefined {
  const { phaseCentreAppDecRad: dec, haPhaseCentreRad } = header
  const hint = 'the pointing of this file is unknown; set it aside'
  if (dec === undefined || !(Math.abs(dec) <= Math.PI / 2)) {
    return implausible('phase_center_app_dec', `is ${dec ?? 'absent'}, no declination in radians`, hint)
  }
  if (haPhaseCentreRad !== 0) {
    return implausible('extra_keywords/ha_phase_center', `is ${haPhaseCentreRad} rad, expected 0`, hint)
  }
  return siteProblem(header)
}

export function siteProblem({ latitudeDeg, longitudeDeg, altitudeM }: Uvh5Header): HeaderProblem | undefined {
  for (const [field, value] of Object.entries({
    latitude: latitudeDeg,
    longitude: longitudeDeg,
    altitude: altitudeM,
  })) {
    if (!Number.isFinite(value))
      return implausible(field, `is ${value}`, 'the site of this file is unknown; set it aside')
  }
  return undefined
}

function timeProblem(header: Uvh5Header, { nowMjd, stampMjd }: HeaderExpectations): HeaderProblem | undefined {
  const { timeJd, integrations, baselines, integrationS } = header
  const wrong = (what: string): HeaderProblem =>
    implausible(
      'time_array',
      what,
      'the clock of the node that wrote this file was wrong; set it aside, times cannot be repaired',
    )
  // Where times are the same within each integration, the first of each speaks for all.
  const looked = isStepwise(timeJd, baselines) ? firstRows(timeJd, baselines) : timeJd
  if (!looked.every(Number.isFinite)) return wrong('holds values that are not finite')
  const start = jdToMjd(timeJd[0])
  if (start < EARLIEST_MJD) return wrong(`starts at MJD ${start.toFixed(4)}, before 2022-01-01 (MJD ${EARLIEST_MJD})`)
  if (start > nowMjd + LATEST_AHEAD_DAYS) return wrong(`starts at ${isoUtc(start)}, in the future`)
  if (stampMjd !== undefined && Math.abs(start - stampMjd) * DAY_S > STAMP_TOLERANCE_S) {
    return wrong(
      `starts at ${isoUtc(start)}, more than ${STAMP_TOLERANCE_S} s from the stamp in the file name (${isoUtc(stampMjd)})`,
    )
  }
  for (let k = 0; k < integrations; k++) {
    const first = timeJd[k * baselines]
    if (looked === timeJd && !timeJd.subarray(k * baselines, (k + 1) * baselines).every((time) => time === first))
      return disordered('time_array', `changes within integration ${k}`)
    const stepS = k === 0 ? INTEGRATION_S : (first - timeJd[(k - 1) * baselines]) * DAY_S
    if (Math.abs(stepS - INTEGRATION_S) > STEP_TOLERANCE_S) {
      return wrong(`steps by ${stepS.toFixed(4)} s at integration ${k}, expected ${INTEGRATION_S} s`)
    }
  }
  const lengthsS = isConstant(integrationS) ? integrationS.subarray(0, 1) : integrationS
  const odd = lengthsS.find((value) => !(Math.abs(value - INTEGRATION_S) <= STEP_TOLERANCE_S))
  if (odd === undefined) return undefined
  return implausible(
    'integration_time',
    `is ${odd} s, expected ${INTEGRATION_S} s`,
    'the setup of this file is unknown; set it aside',
  )
}

function bandProblem({ freqHz, channelWidthHz }: Uvh5Header): HeaderProblem | undefined {
  const hint = 'the frequency setup of this file is not that of the correlator; set it aside'
  const step = freqHz.length > 1 ? freqHz[1] - freqHz[0] : channelWidthHz
  const uniform = freqHz.every(
    (freq, i) => i === 0 || Math.abs(freq - freqHz[i - 1] - step) <= CHANNEL_STEP_TOLERANCE_HZ,
  )
  if (!uniform || !(Math.abs(Math.abs(step) - channelWidthHz) <= CHANNEL_STEP_TOLERANCE_HZ)) {
    return implausible('freq_array', `is not a band of equal steps of ${channelWidthHz} Hz (channel_width)`, hint)
  }
  if (subbandOf(freqHz, channelWidthHz) !== undefined) return undefined
  const first = (freqHz[0] / 1e6).toFixed(6)
  return implausible(
    'freq_array',
    `(${first} MHz first) fits none of the 16 subbands of 11.71875 MHz within 1 kHz`,
    hint,
  )
}

export function polarizationProblem({ polarizations }: Uvh5Header): HeaderProblem | undefined {
  const codes = [...polarizations]
  if (knownPolarizations.includes(codes.toSorted((a, b) => b - a).join())) return undefined
  const message = `/Header/polarization_array is [${codes.join(', ')}], no set of linear (-5 to -8) or circular (-1 to -4) correlations`
  return { code: 'DATA_UNSUPPORTED', message, hint: 'one, two parallel or all four correlations can be converted' }
}

export function antennaProblem(header: Uvh5Header): HeaderProblem | undefined {
  const { antennaNumbers, antennaPositionsM, ant1, ant2, baselines, uvwM } = header
  const hint = 'the antenna table of this file is damaged; set it aside'
  if (!isFinite(antennaPositionsM)) return implausible('antenna_positions', 'holds values that are not finite', hint)
  if (!isFinite(uvwM.subarray(0, 3 * baselines)))
    return implausible('uvw_array', 'holds values that are not finite', hint)
  if (new Set(antennaNumbers).size !== antennaNumbers.length)
    return implausible('antenna_numbers', 'lists a number twice', hint)
  const { strayRow } = antennaRows(header)
  if (strayRow < 0) return undefined
  return implausible(
    'ant_1_array',
    `row ${strayRow} names antennas ${ant1[strayRow]} and ${ant2[strayRow]}, which antenna_numbers does not list`,
    hint,
  )
}

/** All antennas are known here. */
function baselineProblem(header: Uvh5Header): HeaderProblem | undefined {
  const { ant1, ant2, baselines, rows } = header
  const { periodic, repeatedPair } = antennaRows(header)
  for (let row = periodic ? rows : baselines; row < rows; row++) {
    if (ant1[row] !== ant1[row - baselines] || ant2[row] !== ant2[row - baselines])
      return disordered('ant_1_array', `row ${row} breaks the order of baselines of the first integration`)
  }
  return repeatedPair ? disordered('ant_1_array', 'lists a baseline twice in one integration') : undefined
}

function disordered(field: string, what: string): HeaderProblem {
  return implausible(field, what, 'rows must be ordered by integration, each with all baselines once')
}
