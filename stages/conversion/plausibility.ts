import type { Uvh5Header } from '#runtime/formats/uvh5/header.ts'
import { INTEGRATION_S } from '#runtime/sky/constants.ts'
import { isoUtc, jdToMjd } from '#runtime/sky/time.ts'
import { subbandOf } from './subband.ts'

/** A header value that cannot be right. Nothing is repaired. */
export interface HeaderProblem {
  /** Dataset below /Header. */
  field: string
  message: string
  hint: string
}

/** 2022-01-01: earlier stamps come from the writer's fallbacks (MJD 55000, test mode 59000.5). */
const EARLIEST_MJD = 59580

/** Data cannot be from the future, but clocks differ. */
const LATEST_AHEAD_DAYS = 1 / 24

/** A name stamp may differ from the time of the data by this much. */
const STAMP_TOLERANCE_S = 600

/** Steps between integrations are counted by the writer, so they are exact to the rounding of a Julian date. */
const STEP_TOLERANCE_S = 1e-3

const CHANNEL_STEP_TOLERANCE_HZ = 1e-3
const DAY_S = 86400

/** Linear (-5 XX, -6 YY, -7 XY, -8 YX) and circular correlations that can be converted. */
const knownPolarizations: readonly (readonly number[])[] = [
  [-5],
  [-6],
  [-5, -6],
  [-5, -6, -7, -8],
  [-1],
  [-2],
  [-1, -2],
  [-1, -2, -3, -4],
]

/**
 * What is implausible in a header, in the order in which it should be reported; empty when it can be converted.
 * @param options.nowMjd the present, MJD UTC
 * @param options.stampMjd the time in the file's name, where the name has one
 */
export function headerProblems(
  header: Uvh5Header,
  options: { nowMjd: number; stampMjd?: number | undefined },
): HeaderProblem[] {
  return [
    ...telescopeProblems(header),
    ...timeProblems(header, options),
    ...bandProblems(header),
    ...antennaProblems(header),
  ]
}

function telescopeProblems(header: Uvh5Header): HeaderProblem[] {
  const problems: HeaderProblem[] = []
  const refuse = (field: string, message: string, hint: string): number => problems.push({ field, message, hint })
  if (header.dialect !== 'dsa110') {
    refuse(
      'extra_keywords/phase_center_epoch',
      `is ${header.phaseCentreEpoch ?? 'absent'}, so the file is not fringe-stopped to the meridian as the DSA-110 writer does it`,
      'only files of the DSA-110 writer (phase_center_epoch HADEC with ha_phase_center) can be converted',
    )
    return problems
  }
  const dec = header.phaseCentreAppDecRad
  if (dec === undefined || !(Math.abs(dec) <= Math.PI / 2)) {
    refuse(
      'phase_center_app_dec',
      `is ${dec ?? 'absent'}, no declination in radians`,
      'the pointing of this file is unknown; set it aside',
    )
  }
  if (header.haPhaseCentreRad !== 0) {
    refuse(
      'extra_keywords/ha_phase_center',
      `is ${header.haPhaseCentreRad} rad, expected 0`,
      'only data fringe-stopped to the meridian can be converted',
    )
  }
  for (const [field, value] of [
    ['latitude', header.latitudeDeg],
    ['longitude', header.longitudeDeg],
    ['altitude', header.altitudeM],
  ] as const) {
    if (!Number.isFinite(value)) refuse(field, `is ${value}`, 'the site of this file is unknown; set it aside')
  }
  return problems
}

function timeProblems(header: Uvh5Header, options: { nowMjd: number; stampMjd?: number | undefined }): HeaderProblem[] {
  const { timeJd, integrations, baselines } = header
  const hint = 'the clock of the node that wrote this file was wrong; set the file aside, its times cannot be repaired'
  const problem = (message: string, advice = hint): HeaderProblem[] => [{ field: 'time_array', message, hint: advice }]
  if (!timeJd.every(Number.isFinite)) return problem('holds values that are not finite')
  const start = jdToMjd(timeJd[0])
  if (start < EARLIEST_MJD) return problem(`starts at MJD ${start.toFixed(4)}, before 2022-01-01 (MJD ${EARLIEST_MJD})`)
  if (start > options.nowMjd + LATEST_AHEAD_DAYS) return problem(`starts at ${isoUtc(start)}, in the future`)
  if (options.stampMjd !== undefined && Math.abs(start - options.stampMjd) * DAY_S > STAMP_TOLERANCE_S) {
    return problem(
      `starts at ${isoUtc(start)}, more than ${STAMP_TOLERANCE_S} s from the stamp in the file name (${isoUtc(options.stampMjd)})`,
    )
  }
  for (let k = 0; k < integrations; k++) {
    const first = timeJd[k * baselines]
    for (let row = k * baselines; row < (k + 1) * baselines; row++) {
      if (timeJd[row] !== first)
        return problem(`changes within integration ${k}`, 'rows must be ordered by integration, all baselines in each')
    }
    const stepS = k === 0 ? INTEGRATION_S : (first - timeJd[(k - 1) * baselines]) * DAY_S
    if (Math.abs(stepS - INTEGRATION_S) > STEP_TOLERANCE_S) {
      return problem(`steps by ${stepS.toFixed(4)} s at integration ${k}, expected ${INTEGRATION_S} s`)
    }
  }
  for (const value of header.integrationS) {
    if (Math.abs(value - INTEGRATION_S) > STEP_TOLERANCE_S) {
      return [{ field: 'integration_time', message: `is ${value} s, expected ${INTEGRATION_S} s`, hint }]
    }
  }
  return []
}

function bandProblems({ freqHz, channelWidthHz, polarizations }: Uvh5Header): HeaderProblem[] {
  const problems: HeaderProblem[] = []
  const step = freqHz.length > 1 ? freqHz[1] - freqHz[0] : channelWidthHz
  let uniform = Math.abs(Math.abs(step) - channelWidthHz) <= CHANNEL_STEP_TOLERANCE_HZ
  for (let channel = 1; channel < freqHz.length; channel++) {
    const here = freqHz[channel] - freqHz[channel - 1]
    if (!(Math.abs(here - step) <= CHANNEL_STEP_TOLERANCE_HZ)) uniform = false
  }
  if (!uniform) {
    problems.push({
      field: 'freq_array',
      message: `is not a band of equal steps of ${channelWidthHz} Hz (channel_width)`,
      hint: 'the frequency setup of this file is not that of the correlator; set it aside',
    })
  } else if (subbandOf(freqHz, channelWidthHz) === undefined) {
    problems.push({
      field: 'freq_array',
      message: `(${(freqHz[0] / 1e6).toFixed(6)} MHz first) fits none of the 16 subbands of 11.71875 MHz within 1 kHz`,
      hint: 'the frequency setup of this file is not that of the correlator; set it aside',
    })
  }
  const sorted = [...polarizations].sort((a, b) => b - a)
  if (!knownPolarizations.some((known) => known.join() === sorted.join())) {
    problems.push({
      field: 'polarization_array',
      message: `is [${[...polarizations].join(', ')}], no set of linear (-5 to -8) or circular (-1 to -4) correlations`,
      hint: 'one, two parallel or all four correlations can be converted',
    })
  }
  return problems
}

function antennaProblems(header: Uvh5Header): HeaderProblem[] {
  const { antennaNumbers, antennaPositionsM, ant1, ant2, baselines, rows, uvwM } = header
  const hint = 'the antenna table of this file is damaged; set it aside'
  if (!antennaPositionsM.every(Number.isFinite))
    return [{ field: 'antenna_positions', message: 'holds values that are not finite', hint }]
  const known = new Set(antennaNumbers)
  if (known.size !== antennaNumbers.length) return [{ field: 'antenna_numbers', message: 'lists a number twice', hint }]
  const stray = ant1.findIndex((number, row) => !known.has(number) || !known.has(ant2[row]))
  if (stray >= 0) {
    return [
      {
        field: 'ant_1_array',
        message: `row ${stray} names antennas ${ant1[stray]} and ${ant2[stray]}, which antenna_numbers does not list`,
        hint,
      },
    ]
  }
  for (let row = baselines; row < rows; row++) {
    if (ant1[row] !== ant1[row - baselines] || ant2[row] !== ant2[row - baselines]) {
      return [
        {
          field: 'ant_1_array',
          message: `row ${row} breaks the order of baselines of the first integration`,
          hint: 'rows must be ordered by integration, all baselines in each',
        },
      ]
    }
  }
  const pairs = new Set<number>()
  for (let row = 0; row < baselines; row++) {
    const low = Math.min(ant1[row], ant2[row])
    pairs.add(low * 2 ** 24 + Math.max(ant1[row], ant2[row]))
  }
  if (pairs.size !== baselines)
    return [{ field: 'ant_1_array', message: 'lists a baseline twice in one integration', hint }]
  if (!uvwM.subarray(0, 3 * baselines).every(Number.isFinite))
    return [{ field: 'uvw_array', message: 'holds values that are not finite', hint }]
  return []
}
