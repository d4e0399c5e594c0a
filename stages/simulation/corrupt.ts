import { createRandom } from '#runtime/numeric/random.ts'

/** Flux densities of interference, Jy, as powers of ten; spread of its amplitude between antennas (natural log). */
const NARROW_LOG_JY = [1.7, 3] as const
const BURST_LOG_JY = [1.3, 2] as const
const ANTENNA_SIGMA = 0.4

/** What is wrong with an observation beyond its gains; part of the truth. */
export interface Corruption {
  /** Channels (counted over all simulated subbands) with a transmitter, and its flux density. */
  readonly rfiChannels: readonly { channel: number; fluxJy: number }[]
  readonly rfiBursts: readonly { integration: number; fluxJy: number }[]
  /** Stations whose visibilities are zero. */
  readonly deadStations: readonly number[]
}

export interface CorruptionOptions {
  readonly seed: number
  readonly channels: number
  readonly integrations: number
  readonly rfiChannels: number
  readonly rfiBursts: number
  readonly deadAntennas: number | readonly number[]
}

export function drawCorruption(order: readonly number[], options: CorruptionOptions): Corruption {
  const random = createRandom(options.seed).fork('corruption')
  const level = ([low, high]: readonly [number, number]): number => 10 ** (low + (high - low) * random.next())
  const dead = options.deadAntennas
  return {
    rfiChannels: pick(options.channels, options.rfiChannels, random.fork('channels')).map((channel) => ({
      channel,
      fluxJy: level(NARROW_LOG_JY),
    })),
    rfiBursts: pick(options.integrations, options.rfiBursts, random.fork('bursts')).map((integration) => ({
      integration,
      fluxJy: level(BURST_LOG_JY),
    })),
    deadStations:
      typeof dead === 'number'
        ? pick(order.length, dead, random.fork('dead')).map((antenna) => order[antenna])
        : dead.toSorted((a, b) => a - b),
  }
}

/** `wanted` distinct indices below `n`, ascending. */
function pick(n: number, wanted: number, random: { int(n: number): number }): number[] {
  const chosen = new Set<number>()
  while (chosen.size < Math.min(n, wanted)) chosen.add(random.int(n))
  return [...chosen].sort((a, b) => a - b)
}

/**
 * Complex amplitudes of the interference in one subband and integration, (antenna, channel), sqrt(Jy): a transmitter in
 * the far sidelobes, with another phase at each antenna that changes from integration to integration.
 */
export function interferenceAt(
  corruption: Corruption,
  place: { seed: number; antennas: number; firstChannel: number; channels: number; integration: number },
): Float64Array | undefined {
  const { antennas, channels, firstChannel, integration } = place
  const burst = corruption.rfiBursts.find((candidate) => candidate.integration === integration)
  const narrow = corruption.rfiChannels.filter(
    ({ channel }) => channel >= firstChannel && channel < firstChannel + channels,
  )
  if (burst === undefined && narrow.length === 0) return undefined
  const out = new Float64Array(2 * antennas * channels)
  const add = (channel: number, fluxJy: number): void => {
    const random = createRandom(place.seed).fork(`rfi/${firstChannel + channel}/${integration}`)
    for (let antenna = 0; antenna < antennas; antenna++) {
      const amplitude = Math.sqrt(fluxJy) * Math.exp(ANTENNA_SIGMA * random.normal())
      const phase = 2 * Math.PI * random.next()
      out[2 * (antenna * channels + channel)] += amplitude * Math.cos(phase)
      out[2 * (antenna * channels + channel) + 1] += amplitude * Math.sin(phase)
    }
  }
  if (burst !== undefined) for (let channel = 0; channel < channels; channel++) add(channel, burst.fluxJy)
  for (const { channel, fluxJy } of narrow) add(channel - firstChannel, fluxJy)
  return out
}

/** Zeroes the visibilities of dead antennas, (row, channel, polarisation) with rows in correlator order. */
export function silenceDead(
  vis: Float32Array,
  order: readonly number[],
  deadStations: readonly number[],
  rowLength: number,
): void {
  if (deadStations.length === 0) return
  const dead = order.map((station) => deadStations.includes(station))
  let row = 0
  for (let second = 0; second < order.length; second++) {
    for (let first = 0; first <= second; first++, row++) {
      if (dead[first] || dead[second]) vis.fill(0, row * rowLength, (row + 1) * rowLength)
    }
  }
}
