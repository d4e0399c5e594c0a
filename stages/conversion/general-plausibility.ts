import type { Uvh5Header } from '#runtime/formats/uvh5/header.ts'
import { isoUtc, jdToMjd } from '#runtime/sky/time.ts'
import {
  antennaProblem,
  CHANNEL_STEP_TOLERANCE_HZ,
  implausible,
  LATEST_AHEAD_DAYS,
  polarizationProblem,
  siteProblem,
  type HeaderProblem,
} from './plausibility.ts'

/**
 * The first thing that keeps a file of any telescope from being converted, by its header; undefined when there is none.
 * Rows may come in any order and with gaps, times at any step.
 */
export function generalProblem(header: Uvh5Header, { nowMjd }: { nowMjd: number }): HeaderProblem | undefined {
  return (
    siteProblem(header) ??
    timeProblem(header, nowMjd) ??
    bandProblem(header) ??
    polarizationProblem(header) ??
    antennaProblem(header) ??
    repeatedRow(header)
  )
}

function timeProblem({ timeJd, integrationS }: Uvh5Header, nowMjd: number): HeaderProblem | undefined {
  const hint = 'times cannot be repaired; leave the file out'
  if (!timeJd.every(Number.isFinite)) return implausible('time_array', 'holds values that are not finite', hint)
  const latest = jdToMjd(timeJd.reduce((last, time) => Math.max(last, time), -Infinity))
  if (latest > nowMjd + LATEST_AHEAD_DAYS)
    return implausible('time_array', `reaches ${isoUtc(latest)}, in the future`, hint)
  const odd = integrationS.find((seconds) => !(seconds > 0 && Number.isFinite(seconds)))
  return odd === undefined ? undefined : implausible('integration_time', `is ${odd} s`, hint)
}

function bandProblem({ freqHz, channelWidthHz }: Uvh5Header): HeaderProblem | undefined {
  const stepHz = freqHz.length > 1 ? freqHz[1] - freqHz[0] : channelWidthHz
  const even = freqHz.every(
    (freq, i) => i === 0 || Math.abs(freq - freqHz[i - 1] - stepHz) <= CHANNEL_STEP_TOLERANCE_HZ,
  )
  const positive = freqHz.every((freq) => freq > 0)
  if (positive && even && Math.abs(Math.abs(stepHz) - channelWidthHz) <= CHANNEL_STEP_TOLERANCE_HZ) return undefined
  return {
    code: 'DATA_UNSUPPORTED',
    message: `/Header/freq_array is not a band of equal steps of ${channelWidthHz} Hz (channel_width), to ${CHANNEL_STEP_TOLERANCE_HZ} Hz`,
    hint: 'uneven channels are not supported: write each even part of the band into a file of its own',
  }
}

/** All antennas are known here. */
function repeatedRow({ rows, ant1, ant2, antennaNumbers, timeJd }: Uvh5Header): HeaderProblem | undefined {
  const indexOf = new Map(Array.from(antennaNumbers, (number, index) => [number, index]))
  const seen = new Map<number, Set<number>>()
  for (let row = 0; row < rows; row++) {
    const a = indexOf.get(ant1[row]) ?? 0
    const b = indexOf.get(ant2[row]) ?? 0
    const pair = Math.min(a, b) * antennaNumbers.length + Math.max(a, b)
    const times = seen.get(pair) ?? new Set()
    if (times.has(timeJd[row])) {
      return implausible(
        'ant_1_array',
        `row ${row} repeats baseline ${ant1[row]}-${ant2[row]} at the same time`,
        'each baseline has one row at a time; leave the file out',
      )
    }
    seen.set(pair, times.add(timeJd[row]))
  }
  return undefined
}
