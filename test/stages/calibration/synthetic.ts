import { createRandom } from '#runtime/numeric/random.ts'
import { fluxAt, PERLEY_BUTLER_2017, type SkySource } from '#runtime/sky/calibrators.ts'
import { SPEED_OF_LIGHT_M_S } from '#runtime/sky/constants.ts'
import { beamPower, type BeamTrack } from '#runtime/sky/beam.ts'
import { sinProject } from '#runtime/sky/projection.ts'

/** A small observation of 3C286 in memory: rows are (integration, baseline with autos), every number known. */
export interface Synthetic {
  antennas: number
  channels: number
  integrations: number
  polarizations: number
  perSubband: number
  freqHz: Float64Array
  beam: BeamTrack
  phaseCentre: { raRad: number; decRad: number }
  sources: SkySource[]
  antenna1: Int32Array
  antenna2: Int32Array
  timeMjdS: Float64Array
  uvwM: Float64Array
  /** (antennas, channels, polarizations, re/im) times (antennas, integrations) phases in radians. */
  gain: Float64Array
  drift: Float64Array
  sigma: number
  /** (rows, channels, polarizations, re/im) */
  data: Float32Array | Float64Array
}

export interface SyntheticOptions {
  antennas?: number
  channels?: number
  perSubband?: number
  integrations?: number
  polarizations?: number
  seed?: number
  /** Noise per real component in Jy; it is added before the gains when `noiseInJy`, else after them. */
  sigma?: number
  noiseInJy?: boolean
  others?: number
  /** Radians of random phase per integration step. */
  drift?: number
  /** Offset of the calibrator from the middle of the beam track, radians. */
  offset?: number
  double?: boolean
  /** (antennas, integrations) radians, instead of a random drift. */
  phases?: Float64Array
  gainScatter?: number
}

const degree = Math.PI / 180
const channelWidthHz = 976562.5

export function synthesize(options: SyntheticOptions = {}): Synthetic {
  const {
    antennas = 20,
    channels = 24,
    perSubband = 12,
    integrations = 6,
    polarizations = 2,
    seed = 1,
    sigma = 0,
  } = options
  const random = createRandom(seed)
  const calibrator = PERLEY_BUTLER_2017.find(({ name }) => name === '3C286')!
  const phaseCentre = { raRad: calibrator.direction.raRad - 2e-4, decRad: calibrator.direction.decRad - 1e-4 }
  const stepRad = (0.0538 * degree) / Math.cos(phaseCentre.decRad)
  const offset = options.offset ?? 0
  const beam: BeamTrack = {
    timeMjdS: Float64Array.from({ length: integrations }, (_, t) => 5.2e9 + 12.884901888 * t),
    raRad: Float64Array.from(
      { length: integrations },
      (_, t) => phaseCentre.raRad + (t - (integrations - 1) / 2) * stepRad,
    ),
    decRad: new Float64Array(integrations).fill(phaseCentre.decRad - offset),
    decOfDateRad: phaseCentre.decRad - offset,
  }
  const freqHz = Float64Array.from({ length: channels }, (_, c) => 1.4523e9 + channelWidthHz * c)
  const sources: SkySource[] = [
    calibrator,
    ...Array.from({ length: options.others ?? 0 }, (_, s): SkySource => ({
      name: `s${s}`,
      direction: {
        raRad: phaseCentre.raRad + 0.02 * (random.next() - 0.5),
        decRad: phaseCentre.decRad + 0.02 * (random.next() - 0.5),
      },
      flux: { kind: 'power-law', fluxJy: 0.3 + random.next(), refFreqHz: 1.4e9, spectralIndex: -0.7 },
    })),
  ]
  const position = Array.from({ length: antennas }, () => [
    1500 * random.normal(),
    1500 * random.normal(),
    20 * random.normal(),
  ])
  const gain = new Float64Array(antennas * channels * polarizations * 2)
  const scatter = options.gainScatter ?? 1
  for (let a = 0; a < antennas; a++) {
    for (let p = 0; p < polarizations; p++) {
      const level = Math.exp(scatter * (random.next() - 0.5) * 2)
      const phase = 2 * Math.PI * random.next()
      const ripple = 0.2 * random.next()
      const slope = random.next() - 0.5
      for (let c = 0; c < channels; c++) {
        const amplitude = level * (1 + ripple * Math.sin((3 * c) / channels + a))
        const angle = phase + slope * (c / channels) + 0.1 * Math.cos((4 * c) / channels + p)
        const k = 2 * ((a * channels + c) * polarizations + p)
        gain[k] = amplitude * Math.cos(angle)
        gain[k + 1] = amplitude * Math.sin(angle)
      }
    }
  }
  const drift = new Float64Array(antennas * integrations)
  for (let a = 0; a < antennas; a++) {
    for (let t = 1; t < integrations; t++)
      drift[a * integrations + t] = drift[a * integrations + t - 1] + (options.drift ?? 0) * random.normal()
  }
  if (options.phases !== undefined) drift.set(options.phases)
  const pairs: [number, number][] = []
  for (let i = 0; i < antennas; i++) for (let j = 0; j <= i; j++) pairs.push([j, i])
  const rows = integrations * pairs.length
  const antenna1 = new Int32Array(rows)
  const antenna2 = new Int32Array(rows)
  const timeMjdS = new Float64Array(rows)
  const uvwM = new Float64Array(3 * rows)
  const size = rows * channels * polarizations * 2
  const data = options.double ? new Float64Array(size) : new Float32Array(size)
  const offsets = sources.map(({ direction }) => sinProject(direction, phaseCentre))
  for (let t = 0; t < integrations; t++) {
    const turn = 9.4e-4 * (t - (integrations - 1) / 2)
    const power = sources.map(({ direction, flux }) =>
      Float64Array.from(freqHz, (f) => fluxAt(flux, f) * beamPower(beam, t, direction, f)),
    )
    pairs.forEach(([i, j], b) => {
      const row = t * pairs.length + b
      antenna1[row] = i
      antenna2[row] = j
      timeMjdS[row] = beam.timeMjdS[t]
      const [x, y, z] = position[i].map((v, axis) => v - position[j][axis])
      const u = x * Math.cos(turn) - y * Math.sin(turn)
      const v = x * Math.sin(turn) + y * Math.cos(turn)
      uvwM.set([u, v, z], 3 * row)
      const phase = drift[i * integrations + t] - drift[j * integrations + t]
      for (let c = 0; c < channels; c++) {
        let mr = 0
        let mi = 0
        offsets.forEach(({ l, m, n }, s) => {
          const angle = (2 * Math.PI * freqHz[c] * (u * l + v * m + z * (n - 1))) / SPEED_OF_LIGHT_M_S + phase
          mr += power[s][c] * Math.cos(angle)
          mi += power[s][c] * Math.sin(angle)
        })
        for (let p = 0; p < polarizations; p++) {
          const gi = 2 * ((i * channels + c) * polarizations + p)
          const gj = 2 * ((j * channels + c) * polarizations + p)
          const pr = gain[gi] * gain[gj] + gain[gi + 1] * gain[gj + 1]
          const pi = gain[gi + 1] * gain[gj] - gain[gi] * gain[gj + 1]
          const nr = i === j ? 50 : sigma * random.normal()
          const ni = i === j ? 0 : sigma * random.normal()
          const sr = options.noiseInJy ? mr + nr : mr
          const si = options.noiseInJy ? mi + ni : mi
          const k = 2 * ((row * channels + c) * polarizations + p)
          data[k] = sr * pr - si * pi + (options.noiseInJy ? 0 : nr)
          data[k + 1] = sr * pi + si * pr + (options.noiseInJy ? 0 : ni)
        }
      }
    })
  }
  return {
    antennas,
    channels,
    integrations,
    polarizations,
    perSubband,
    freqHz,
    beam,
    phaseCentre,
    sources,
    antenna1,
    antenna2,
    timeMjdS,
    uvwM,
    gain,
    drift,
    sigma,
    data,
  }
}
