import { createRandom, type Random } from '#runtime/numeric/random.ts'

/** Spread of ln |g| and limits of |g|. */
const LOG_AMPLITUDE_SIGMA = 0.25
const AMPLITUDE_LIMITS = [0.3, 3] as const
/** Bandpass: relative size of the smooth shape and of the ripple, and the ripple's period, Hz. */
const SHAPE_SIGMA = 0.08
const RIPPLE_SIGMA = 0.03
const RIPPLE_PERIOD_HZ = [15e6, 60e6] as const
/** Residual delay of an antenna, s, and steps between subbands in amplitude and phase. */
const DELAY_SIGMA_S = 2e-9
const STEP_AMPLITUDE_SIGMA = 0.03
const STEP_PHASE_SIGMA_RAD = 0.1

export interface GainOptions {
  readonly seed: number
  readonly antennas: number
  readonly polarizations: number
  readonly gains: boolean
  readonly bandpass: boolean
  readonly gainDrift: number
}

/** Complex numbers as (re, im) pairs. A correlated pair sees conj(g1) g2 with g = gain x drift x bandpass. */
export interface Gains {
  /** (antenna, polarisation of the antenna: X, Y). */
  readonly gain: Float64Array
  /** (antenna, subband, channel, polarisation), channels in file order. */
  readonly bandpass: Float64Array
  /** (antenna, polarisation): d in g(t) = g (1 + Re(d) t) exp(i Im(d) t), t = -1 .. 1 over the observation. */
  readonly drift: Float64Array
}

/**
 * Random gains. Each antenna draws from a stream named by its station, so that adding antennas or subbands leaves the
 * others as they are.
 * @param stations station numbers in correlator order
 * @param freqHz channel centres of each subband
 */
export function makeGains(
  stations: readonly number[],
  freqHz: ReadonlyMap<number, Float64Array>,
  options: GainOptions,
): Gains {
  const feeds = 2
  const channels = [...freqHz.values()].reduce((total, subband) => total + subband.length, 0)
  const gain = new Float64Array(stations.length * feeds * 2)
  const drift = new Float64Array(stations.length * feeds * 2)
  const bandpass = new Float64Array(stations.length * channels * feeds * 2)
  stations.forEach((station, antenna) => {
    for (let feed = 0; feed < feeds; feed++) {
      const random = createRandom(options.seed).fork(`gains/${station}/${feed}`)
      const at = 2 * (antenna * feeds + feed)
      const amplitude = Math.exp(LOG_AMPLITUDE_SIGMA * random.normal())
      const phase = 2 * Math.PI * random.next()
      const size = options.gains ? Math.min(Math.max(amplitude, AMPLITUDE_LIMITS[0]), AMPLITUDE_LIMITS[1]) : 1
      gain[at] = size * Math.cos(options.gains ? phase : 0)
      gain[at + 1] = size * Math.sin(options.gains ? phase : 0)
      drift[at] = options.gainDrift * random.normal()
      drift[at + 1] = options.gainDrift * random.normal()
      const shape = bandShape(random, options.seed, station, feed)
      let channel = 0
      for (const [subband, centres] of freqHz) {
        for (const centre of centres) {
          const [re, im] = options.bandpass ? shape(subband, centre) : [1, 0]
          const place = 2 * ((antenna * channels + channel) * feeds + feed)
          bandpass[place] = re
          bandpass[place + 1] = im
          channel += 1
        }
      }
    }
  })
  return { gain, bandpass, drift }
}

const BAND_CENTRE_HZ = 1405.015259e6
const BAND_HALF_WIDTH_HZ = 93.75e6

/** Quadratic shape, sinusoidal ripple and delay over the whole band, and a step of each subband. */
function bandShape(
  random: Random,
  seed: number,
  station: number,
  feed: number,
): (subband: number, freqHz: number) => [number, number] {
  const [slope, curve] = [SHAPE_SIGMA * random.normal(), SHAPE_SIGMA * random.normal()]
  const [ripple, ripplePhase] = [RIPPLE_SIGMA * random.normal(), RIPPLE_SIGMA * random.normal()]
  const periodHz = RIPPLE_PERIOD_HZ[0] + (RIPPLE_PERIOD_HZ[1] - RIPPLE_PERIOD_HZ[0]) * random.next()
  const start = 2 * Math.PI * random.next()
  const delayS = DELAY_SIGMA_S * random.normal()
  return (subband, freqHz) => {
    const step = createRandom(seed).fork(`gains/${station}/${feed}/step/${subband}`)
    const offsetHz = freqHz - BAND_CENTRE_HZ
    const x = offsetHz / BAND_HALF_WIDTH_HZ
    const wave = 2 * Math.PI * (offsetHz / periodHz) + start
    const amplitude =
      (1 + slope * x + curve * (x * x - 1 / 3) + ripple * Math.sin(wave)) * (1 + STEP_AMPLITUDE_SIGMA * step.normal())
    const phase = 2 * Math.PI * delayS * offsetHz + ripplePhase * Math.cos(wave) + STEP_PHASE_SIGMA_RAD * step.normal()
    return [amplitude * Math.cos(phase), amplitude * Math.sin(phase)]
  }
}

/** The product of gain, drift and bandpass for one subband and time: (antenna, channel, feed), re and im. */
export function gainsAt(
  gains: Gains,
  place: { firstChannel: number; channels: number; allChannels: number; antennas: number; time: number },
): Float64Array {
  const out = new Float64Array(place.antennas * place.channels * 4)
  for (let antenna = 0; antenna < place.antennas; antenna++) {
    for (let feed = 0; feed < 2; feed++) {
      const at = 2 * (antenna * 2 + feed)
      const amplitude = 1 + gains.drift[at] * place.time
      const phase = gains.drift[at + 1] * place.time
      const [dRe, dIm] = [amplitude * Math.cos(phase), amplitude * Math.sin(phase)]
      const gRe = gains.gain[at] * dRe - gains.gain[at + 1] * dIm
      const gIm = gains.gain[at] * dIm + gains.gain[at + 1] * dRe
      for (let channel = 0; channel < place.channels; channel++) {
        const from = 2 * ((antenna * place.allChannels + place.firstChannel + channel) * 2 + feed)
        const to = 2 * ((antenna * place.channels + channel) * 2 + feed)
        out[to] = gRe * gains.bandpass[from] - gIm * gains.bandpass[from + 1]
        out[to + 1] = gRe * gains.bandpass[from + 1] + gIm * gains.bandpass[from]
      }
    }
  }
  return out
}
