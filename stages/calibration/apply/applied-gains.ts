import { isFlagged, type Bandpass } from '../solve/bandpass.ts'
import type { Gains } from '../solve/gains.ts'
import { interpolatePhase } from './interpolate.ts'
import { sharedFloat64 } from '../threads/shared-memory.ts'

/** Gains ready for `applyRow`, in the antenna order of the data; zeros mark what may not be used. */
export interface TimedGains {
  /** (antennas, channels, polarizations, re/im) */
  bandpass: Float64Array
  /** (antennas, integrations, polarizations, re/im) */
  gain: Float64Array
  /** Neighbouring phases of G2 that differ by more than 90 degrees. */
  jumps: number
}

export interface GainTimes {
  /** (bins) of the solutions, (integrations) of the data, MJD seconds UTC. */
  binTimesMjdS: ArrayLike<number>
  timeMjdS: ArrayLike<number>
  /** (antennas of the data): antenna of the set, -1 where it has none. */
  antennaOf: ArrayLike<number>
  /** Whether G2 holds: only on the observation it was solved on. */
  withPhases: boolean
}

/** Lays a solution set out over the integrations of an observation: B, and G times the interpolated G2. */
export function layOutGains(
  bandpass: Bandpass,
  gains: Gains,
  { binTimesMjdS, timeMjdS, antennaOf, withPhases }: GainTimes,
): TimedGains {
  const { channels, polarizations } = bandpass
  const antennas = antennaOf.length
  const integrations = timeMjdS.length
  const out: TimedGains = {
    bandpass: sharedFloat64(2 * antennas * channels * polarizations),
    gain: sharedFloat64(2 * antennas * integrations * polarizations),
    jumps: 0,
  }
  for (let a = 0; a < antennas; a++) {
    const source = antennaOf[a]
    if (source < 0) continue
    for (let k = 0; k < channels * polarizations; k++) {
      const from = source * channels * polarizations + k
      if (isFlagged(bandpass.flags[from])) continue
      const to = a * channels * polarizations + k
      out.bandpass[2 * to] = bandpass.value[2 * from]
      out.bandpass[2 * to + 1] = bandpass.value[2 * from + 1]
    }
    for (let p = 0; p < polarizations; p++) layOutAntenna(a, source, p)
  }
  return out

  function layOutAntenna(a: number, source: number, p: number): void {
    const k = source * polarizations + p
    if (isFlagged(gains.flags[k])) return
    const bins = Array.from({ length: gains.bins }, (_, bin) => (source * gains.bins + bin) * polarizations + p)
    const series = {
      timeMjdS: binTimesMjdS,
      phaseRad: bins.map((at) => Math.atan2(gains.phase[2 * at + 1], gains.phase[2 * at])),
      good: bins.map((at) => !isFlagged(gains.phaseFlags[at])),
    }
    for (let t = 0; t < integrations; t++) {
      const phase = withPhases ? interpolatePhase(series, timeMjdS[t]) : { phaseRad: 0, jump: false }
      if (phase === undefined) continue
      if (phase.jump) out.jumps++
      const cos = Math.cos(phase.phaseRad)
      const sin = Math.sin(phase.phaseRad)
      const to = 2 * ((a * integrations + t) * polarizations + p)
      out.gain[to] = gains.value[2 * k] * cos - gains.value[2 * k + 1] * sin
      out.gain[to + 1] = gains.value[2 * k] * sin + gains.value[2 * k + 1] * cos
    }
  }
}

/** Gains of one for data that are averaged without calibration. */
export function unitGains({
  antennas,
  channels,
  integrations,
  polarizations,
}: {
  antennas: number
  channels: number
  integrations: number
  polarizations: number
}): TimedGains {
  const ones = (count: number): Float64Array => {
    const values = sharedFloat64(2 * count)
    for (let k = 0; k < count; k++) values[2 * k] = 1
    return values
  }
  return {
    bandpass: ones(antennas * channels * polarizations),
    gain: ones(antennas * integrations * polarizations),
    jumps: 0,
  }
}
