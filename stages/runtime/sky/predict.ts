import { airyPower, type BeamTrack } from './beam.ts'
import { fluxAt, type SkySource } from './calibrators.ts'
import { SPEED_OF_LIGHT_M_S } from './constants.ts'
import { separation, type Direction } from './frames.ts'
import { sinProject } from './projection.ts'

export interface PredictInput {
  sources: readonly SkySource[]
  /** Phase centre of the data. */
  phaseCentre: Direction
  beam: BeamTrack
  freqHz: Float64Array
}

export interface Predictor {
  /**
   * Stokes I visibilities of `rows` rows into out (rows, channels, re/im) from position 0. `uvwM` (all rows, 3) in metres,
   * r(antenna1) - r(antenna2), and `integration` (all rows), an index into the beam track, are read from row0 on.
   */
  predict(row0: number, rows: number, uvwM: Float64Array, integration: Int32Array, out: Float32Array): void
}

/** A run of equally spaced channels. */
export interface ChannelRun {
  start: number
  count: number
  firstHz: number
  stepHz: number
}

/** Largest departure from equal spacing that a phase recurrence may run over, Hz: 1e-5 turn on 3 km at 2 degrees. */
const SPACING_TOLERANCE_HZ = 1

/**
 * Predicts point sources: V_ij(nu) = sum_s S_s(nu) A(theta_s(t), nu) exp(+2 pi i nu/c (u l + v m + w (n - 1))) with A the
 * Airy pattern about the beam centre of the row's integration (Thompson, Moran & Swenson 2017, eq. 3.7). Phases are
 * float64, by recurrence over the channels (relative error below 1e-12 over 1000 channels).
 */
export function createPredictor(input: PredictInput): Predictor {
  const channels = input.freqHz.length
  const integrations = input.beam.raRad.length
  const amplitudes = apparentFlux(input)
  const offsets = sourceOffsets(input.sources, input.phaseCentre)
  const runs = channelRuns(input.freqHz)
  const sum = new Float64Array(2 * channels)
  return {
    predict(row0, rows, uvwM, integration, out) {
      for (let r = 0; r < rows; r++) {
        sum.fill(0)
        const u = uvwM[3 * (row0 + r)]
        const v = uvwM[3 * (row0 + r) + 1]
        const w = uvwM[3 * (row0 + r) + 2]
        const k = integration[row0 + r]
        for (let s = 0; s < input.sources.length; s++) {
          const pathM = u * offsets[3 * s] + v * offsets[3 * s + 1] + w * offsets[3 * s + 2]
          const from = (s * integrations + k) * channels
          for (const run of runs) addFringe(sum, run, { pathM, amplitudes, from })
        }
        out.set(sum, 2 * channels * r)
      }
    },
  }
}

/** Apparent flux densities S(nu) A(theta(t), nu) in Jy: (sources, integrations, channels). */
export function apparentFlux(input: Omit<PredictInput, 'phaseCentre'>): Float64Array {
  const { sources, beam, freqHz } = input
  const integrations = beam.raRad.length
  const out = new Float64Array(sources.length * integrations * freqHz.length)
  sources.forEach((source, s) => {
    const flux = Float64Array.from(freqHz, (f) => fluxAt(source.flux, f))
    for (let k = 0; k < integrations; k++) {
      const thetaRad = separation({ raRad: beam.raRad[k], decRad: beam.decRad[k] }, source.direction)
      const from = (s * integrations + k) * freqHz.length
      for (let c = 0; c < freqHz.length; c++) out[from + c] = flux[c] * airyPower(thetaRad, freqHz[c])
    }
  })
  return out
}

/** (l, m, n - 1) of each source about a phase centre: (sources, 3). */
export function sourceOffsets(sources: readonly SkySource[], centre: Direction): Float64Array {
  const out = new Float64Array(3 * sources.length)
  sources.forEach(({ direction }, s) => {
    const { l, m, n } = sinProject(direction, centre)
    out[3 * s] = l
    out[3 * s + 1] = m
    // n - 1 without cancellation near the centre.
    out[3 * s + 2] = n > 0 ? -(l * l + m * m) / (1 + n) : n - 1
  })
  return out
}

/** Splits a channel grid into runs of equal spacing. */
export function channelRuns(freqHz: Float64Array): ChannelRun[] {
  const runs: ChannelRun[] = []
  let start = 0
  while (start < freqHz.length) {
    const stepHz = start + 1 < freqHz.length ? freqHz[start + 1] - freqHz[start] : 0
    let end = start + 1
    while (end < freqHz.length && Math.abs(freqHz[end] - freqHz[start] - (end - start) * stepHz) < SPACING_TOLERANCE_HZ)
      end++
    const count = end - start
    runs.push({
      start,
      count,
      firstHz: freqHz[start],
      stepHz: count > 1 ? (freqHz[end - 1] - freqHz[start]) / (count - 1) : 0,
    })
    start = end
  }
  return runs
}

interface Fringe {
  /** u l + v m + w (n - 1), metres. */
  pathM: number
  amplitudes: Float64Array
  /** Position of channel 0 in `amplitudes`. */
  from: number
}

/** sum[c] += amplitude[c] exp(2 pi i nu_c path / c), four interleaved recurrences so that they overlap in the processor. */
export function addFringe(sum: Float64Array, run: ChannelRun, { pathM, amplitudes, from }: Fringe): void {
  const turns = pathM / SPEED_OF_LIGHT_M_S
  const phase = 2 * Math.PI * fraction(run.firstHz * turns)
  const step = 2 * Math.PI * run.stepHz * turns
  const c4 = Math.cos(4 * step)
  const s4 = Math.sin(4 * step)
  let r0 = Math.cos(phase)
  let i0 = Math.sin(phase)
  let r1 = Math.cos(phase + step)
  let i1 = Math.sin(phase + step)
  let r2 = Math.cos(phase + 2 * step)
  let i2 = Math.sin(phase + 2 * step)
  let r3 = Math.cos(phase + 3 * step)
  let i3 = Math.sin(phase + 3 * step)
  const first = run.start
  const end = run.start + run.count
  let c = first
  for (; c + 4 <= end; c += 4) {
    const a = from + c
    const k = 2 * c
    sum[k] += amplitudes[a] * r0
    sum[k + 1] += amplitudes[a] * i0
    sum[k + 2] += amplitudes[a + 1] * r1
    sum[k + 3] += amplitudes[a + 1] * i1
    sum[k + 4] += amplitudes[a + 2] * r2
    sum[k + 5] += amplitudes[a + 2] * i2
    sum[k + 6] += amplitudes[a + 3] * r3
    sum[k + 7] += amplitudes[a + 3] * i3
    let t = r0 * c4 - i0 * s4
    i0 = r0 * s4 + i0 * c4
    r0 = t
    t = r1 * c4 - i1 * s4
    i1 = r1 * s4 + i1 * c4
    r1 = t
    t = r2 * c4 - i2 * s4
    i2 = r2 * s4 + i2 * c4
    r2 = t
    t = r3 * c4 - i3 * s4
    i3 = r3 * s4 + i3 * c4
    r3 = t
  }
  for (; c < end; c++) {
    const angle = phase + (c - first) * step
    sum[2 * c] += amplitudes[from + c] * Math.cos(angle)
    sum[2 * c + 1] += amplitudes[from + c] * Math.sin(angle)
  }
}

function fraction(turns: number): number {
  return turns - Math.floor(turns)
}
