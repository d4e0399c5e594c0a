import { median, mad, SIGMA_PER_MAD } from '#runtime/numeric/statistics.ts'
import { runningMedian } from './running-median.ts'
import { CELL_POWER_STEPS } from './survey.ts'

/** Limits of the tests that look at the array as a whole: judgement, but for the 95 % of the operational pipeline. */
export const arrayFlagLimits = {
  /** An antenna polarisation with more than this flagged is dead. */
  deadFraction: 0.95,
  /** An antenna polarisation whose median amplitude is below this part of the array's is dead. */
  deadAmplitude: 0.1,
  /** Deviations in units of 1.4826 MAD. */
  sigma: 7,
  /** Channel, integration and cell amplitudes must deviate by this part as well: bandpasses are not flat. */
  deviation: 0.05,
  /** Natural logarithm by which an outlier baseline must deviate as well: 1.5 times. */
  baselineLog: Math.log(1.5),
  /** Channels of the running median. */
  windowChannels: 31,
  /** A cell with more of its baselines flagged than this is flagged for all. */
  growFraction: 0.5,
} as const

/** Median amplitude per (baseline, polarisation), NaN where everything is flagged, and the pairs they belong to. */
export interface BaselineAmplitudes {
  antennas: number
  antenna1: ArrayLike<number>
  antenna2: ArrayLike<number>
  polarizations: number
  amplitude: Float32Array
  /** Flagged part of each (baseline, polarisation). */
  flagged: Float32Array
}

/**
 * Dead antenna polarisations: more than 95 % flagged, or a median amplitude over their baselines below a tenth of the
 * array's. Returns (antennas) polarisation bits.
 */
export function deadAntennas(input: BaselineAmplitudes): Uint8Array {
  const { antennas, antenna1, antenna2, polarizations, amplitude, flagged } = input
  const dead = new Uint8Array(antennas)
  for (let p = 0; p < polarizations; p++) {
    const levels: number[][] = Array.from({ length: antennas }, () => [])
    const parts: number[][] = Array.from({ length: antennas }, () => [])
    for (let b = 0; b < antenna1.length; b++) {
      const k = b * polarizations + p
      for (const antenna of [antenna1[b], antenna2[b]]) {
        parts[antenna].push(flagged[k])
        if (!Number.isNaN(amplitude[k])) levels[antenna].push(amplitude[k])
      }
    }
    const level = levels.map((values) => median(values))
    const array = median(level)
    for (let a = 0; a < antennas; a++) {
      const flaggedPart = parts[a].reduce((sum, value) => sum + value, 0) / Math.max(1, parts[a].length)
      const weak = Number.isNaN(level[a]) || level[a] < arrayFlagLimits.deadAmplitude * array
      if (flaggedPart > arrayFlagLimits.deadFraction || weak) dead[a] |= 1 << p
    }
  }
  return dead
}

/**
 * Outlier baselines: ln of the median amplitude off the sum of one level per antenna (fitted by medians) by more than
 * 7 * 1.4826 MAD and by more than a factor of 1.5. Returns (baselines) polarisation bits.
 */
export function outlierBaselines(input: BaselineAmplitudes, dead: Uint8Array): Uint8Array {
  const { antennas, antenna1, antenna2, polarizations, amplitude } = input
  const bad = new Uint8Array(antenna1.length)
  for (let p = 0; p < polarizations; p++) {
    const value = new Float64Array(antenna1.length)
    for (let b = 0; b < antenna1.length; b++) {
      const alive = ((dead[antenna1[b]] | dead[antenna2[b]]) & (1 << p)) === 0
      value[b] = alive ? Math.log(amplitude[b * polarizations + p]) : Number.NaN
    }
    const level = antennaLevels(value, antennas, { antenna1, antenna2 })
    const residual = Float64Array.from(value, (v, b) => v - level[antenna1[b]] - level[antenna2[b]])
    const spread = SIGMA_PER_MAD * mad(residual)
    const limit = Math.max(arrayFlagLimits.sigma * spread, arrayFlagLimits.baselineLog)
    const centre = median(residual)
    for (let b = 0; b < residual.length; b++) if (Math.abs(residual[b] - centre) > limit) bad[b] |= 1 << p
  }
  return bad
}

/** Rounds of the fit by medians; it settles in three or four. */
const LEVEL_ROUNDS = 6

function antennaLevels(
  value: Float64Array,
  antennas: number,
  { antenna1, antenna2 }: { antenna1: ArrayLike<number>; antenna2: ArrayLike<number> },
): Float64Array {
  const start = median(value) / 2
  const level = new Float64Array(antennas).fill(Number.isNaN(start) ? 0 : start)
  for (let round = 0; round < LEVEL_ROUNDS; round++) {
    const seen: number[][] = Array.from({ length: antennas }, () => [])
    for (let b = 0; b < value.length; b++) {
      if (Number.isNaN(value[b])) continue
      seen[antenna1[b]].push(value[b] - level[antenna2[b]])
      seen[antenna2[b]].push(value[b] - level[antenna1[b]])
    }
    for (let a = 0; a < antennas; a++) {
      // Half steps: neighbours move at the same time.
      if (seen[a].length > 0) level[a] = 0.5 * (level[a] + median(seen[a]))
    }
  }
  return level
}

export interface CellStatistics {
  integrations: number
  channels: number
  polarizations: number
  perSubband: number
  /** Baselines with rows in each integration. */
  baselines: number
  /** (polarizations): those of them that are flagged as a whole, which say nothing about a cell. */
  lost: ArrayLike<number>
  /** (integrations, channels, polarizations): summed power over the median of each baseline, in integer steps. */
  sum: Float64Array
  /** Same shape: flagged samples. */
  flagged: Float64Array
}

export interface CellFlags {
  /** (integrations, channels) polarisation bits. */
  cells: Uint8Array
  /** Whole channels and whole integrations found bad. */
  channels: number
  integrations: number
}

/**
 * Cells (integration, channel) bad on every baseline. The amplitude of a cell is the root of the mean power in units of
 * each baseline's median; its channel profile is compared with a running median within each subband's neighbourhood of
 * 31 channels, its time profile with the median, and single cells with the product of both; beyond 7 * 1.4826 MAD and
 * 5 % they are flagged, with one neighbour in channel and time. Cells of which more than half of the baselines are flagged
 * follow. Both polarisations together; absent subbands (nothing unflagged) are left alone.
 */
export function flagCells(input: CellStatistics): CellFlags {
  const { integrations, channels, polarizations } = input
  const all = (1 << polarizations) - 1
  const hit = new Uint8Array(integrations * channels)
  let badChannels = 0
  let badIntegrations = 0
  for (let p = 0; p < polarizations; p++) {
    const level = cellLevels(input, p)
    const profile = Float64Array.from({ length: channels }, (_, c) => median(column(level, c)))
    const smooth = runningMedian(profile, arrayFlagLimits.windowChannels >> 1, { first: 0, end: channels })
    const badChannel = outliers(Float64Array.from(profile, (v, c) => v / smooth[c]))
    const series = Float64Array.from({ length: integrations }, (_, t) =>
      median(
        Float64Array.from({ length: channels }, (__, c) =>
          badChannel[c] ? Number.NaN : level[t * channels + c] / profile[c],
        ),
      ),
    )
    const centre = median(series)
    const badTime = outliers(Float64Array.from(series, (v) => v / centre))
    const ratio = Float64Array.from(level, (v, k) => {
      const c = k % channels
      const t = (k - c) / channels
      return badChannel[c] || badTime[t] ? Number.NaN : v / (profile[c] * series[t])
    })
    const badCell = outliers(ratio)
    for (let t = 0; t < integrations; t++) {
      for (let c = 0; c < channels; c++) {
        if (badChannel[c] || badTime[t] || badCell[t * channels + c]) hit[t * channels + c] = 1
      }
    }
    badChannels += badChannel.reduce((n, v) => n + v, 0)
    badIntegrations += badTime.reduce((n, v) => n + v, 0)
  }
  const cells = grow(hit, integrations, channels)
  for (let k = 0; k < cells.length; k++) {
    let bits = cells[k] === 1 ? all : 0
    for (let p = 0; p < polarizations && bits === 0; p++) {
      const left = input.baselines - input.lost[p]
      const part = (input.flagged[k * polarizations + p] - input.lost[p]) / Math.max(1, left)
      if (part > arrayFlagLimits.growFraction && part < 1) bits = all
    }
    cells[k] = bits
  }
  return { cells, channels: badChannels, integrations: badIntegrations }

  function column(level: Float64Array, c: number): Float64Array {
    return Float64Array.from({ length: integrations }, (_, t) => level[t * channels + c])
  }
}

/** Root of the mean normalised power of each cell; NaN where nothing is unflagged. */
function cellLevels({ sum, flagged, baselines, polarizations }: CellStatistics, p: number): Float64Array {
  const level = new Float64Array(sum.length / polarizations)
  for (let k = 0; k < level.length; k++) {
    const n = baselines - flagged[k * polarizations + p]
    level[k] = n > 0 ? Math.sqrt(sum[k * polarizations + p] / (CELL_POWER_STEPS * n)) : Number.NaN
  }
  return level
}

/** 1 where a value around 1 deviates by more than 7 robust standard deviations and by more than 5 %. */
function outliers(values: Float64Array): Uint8Array {
  const centre = median(values)
  const limit = Math.max(arrayFlagLimits.sigma * SIGMA_PER_MAD * mad(values, centre), arrayFlagLimits.deviation)
  return Uint8Array.from(values, (v) => (Math.abs(v - centre) > limit ? 1 : 0))
}

function grow(hit: Uint8Array, integrations: number, channels: number): Uint8Array {
  const out = new Uint8Array(hit.length)
  for (let t = 0; t < integrations; t++) {
    for (let c = 0; c < channels; c++) {
      if (hit[t * channels + c] === 0) continue
      for (let dt = Math.max(0, t - 1); dt <= Math.min(integrations - 1, t + 1); dt++) out[dt * channels + c] = 1
      for (let dc = Math.max(0, c - 1); dc <= Math.min(channels - 1, c + 1); dc++) out[t * channels + dc] = 1
    }
  }
  return out
}
