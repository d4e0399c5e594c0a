import { accumulateBaseline, createAccumulateWork, type BinSums } from '../../../stages/calibration/model/accumulate.ts'
import {
  clipOutlierChannels,
  createBandpass,
  createBandpassFits,
  fillGaps,
  normalizeBandpass,
  solveBandpass,
  type Bandpass,
} from '../../../stages/calibration/solve/bandpass.ts'
import type { SolveGeometry, SumCube } from '../../../stages/calibration/solve/cube.ts'
import { solveGains, type Gains } from '../../../stages/calibration/solve/gains.ts'
import { addBandpassCells, bandpassProduct, setGainCells } from '../../../stages/calibration/model/collect.ts'
import { createBaselineModel, createModel, setPaths } from '../../../stages/calibration/model/model.ts'
import { indexObservation, timeBins, type ObservationIndex } from '../../../stages/calibration/observation.ts'
import { referencePhases } from '../../../stages/calibration/solve/reference-antenna.ts'
import type { Synthetic } from './synthetic.ts'

export interface SolveOutcome {
  index: ObservationIndex
  geometry: SolveGeometry
  bandpass: Bandpass
  gains: Gains
  bins: Int32Array
  bandpassCube: SumCube
  gainCube: SumCube
}

export interface InMemoryOptions {
  step?: number
  perBin?: number
  tolerance?: number
  /** Polarisation bits per (row, channel). */
  flags?: Uint8Array
  /** Noise variance factor per (subband, polarisation, antenna); ones by default. */
  noise?: Float64Array
  order?: number[]
  absoluteWeights?: boolean
  minSnr?: number
  /** Solve again with the drift of the first round taken out. */
  refine?: boolean
}

/** The solving chain of the stage on an observation in memory: sums, bandpass, sums with it, gains. */
export function solveInMemory(s: Synthetic, options: InMemoryOptions = {}): SolveOutcome {
  const first = solveOnce(s, options, undefined)
  return options.refine ? solveOnce(s, options, first.gains.phase) : first
}

function solveOnce(s: Synthetic, options: InMemoryOptions, turns: Float64Array | undefined): SolveOutcome {
  const index = indexObservation(s)
  const { channels, polarizations, integrations, perSubband } = s
  const subbands = channels / perSubband
  const bins = timeBins(integrations, options.perBin ?? 3)
  const noise = options.noise ?? new Float64Array(subbands * polarizations * s.antennas).fill(s.sigma > 0 ? s.sigma : 1)
  const geometry: SolveGeometry = {
    antennas: s.antennas,
    antenna1: index.antenna1,
    antenna2: index.antenna2,
    polarizations,
    excluded: new Uint8Array(index.baselines),
  }
  const model = createModel({
    calibrator: s.sources[0],
    others: s.sources.slice(1),
    phaseCentre: s.phaseCentre,
    beam: s.beam,
    freqHz: s.freqHz,
    step: options.step ?? 1,
  })
  const flags = options.flags ?? new Uint8Array(s.timeMjdS.length * channels)
  const forEachBaseline = (sink: (baseline: number, bin: number, sums: BinSums) => void): void => {
    const work = createAccumulateWork({ channels, polarizations, step: options.step ?? 1 })
    const baselineModel = createBaselineModel(model)
    const dirty = new Uint8Array(integrations * subbands).fill(options.flags === undefined ? 0 : 1)
    for (let b = 0; b < index.baselines; b++) {
      const offset = new Int32Array(integrations * subbands)
      const flagOffset = new Int32Array(integrations)
      for (let t = 0; t < integrations; t++) {
        const row = index.rowOf[t * index.slots + index.slotOfBaseline[b]]
        for (let band = 0; band < subbands; band++)
          offset[t * subbands + band] = (row * channels + band * perSubband) * polarizations * 2
        flagOffset[t] = row * channels
        setPaths(baselineModel, model, { uvwM: s.uvwM, at: 3 * row, t })
      }
      accumulateBaseline(
        {
          data: s.data as Float32Array,
          offset,
          integrations,
          channels,
          polarizations,
          perSubband,
          bins,
          flags,
          flagOffset,
          dirty,
          cellFlags: new Uint8Array(integrations * channels),
          model: baselineModel,
        },
        work,
        (bin, sums) => sink(b, bin, sums),
      )
    }
  }
  const turnOf = (phases: Float64Array, { i, j, bin }: { i: number; j: number; bin: number }): Float64Array => {
    const count = bins.length - 1
    return Float64Array.from(
      Array.from({ length: polarizations }, (_, p) => {
        const [a, b] = [(i * count + bin) * polarizations + p, (j * count + bin) * polarizations + p]
        return conjugated([phases[2 * b], phases[2 * b + 1]], [phases[2 * a], phases[2 * a + 1]])
      }).flat(),
    )
  }
  const weightOf = (b: number): Float64Array =>
    Float64Array.from(
      { length: subbands * polarizations },
      (_, cell) => 1 / (noise[cell * s.antennas + index.antenna1[b]] * noise[cell * s.antennas + index.antenna2[b]]),
    )
  const bandpassCube = cube(index.baselines, { cells: channels * polarizations, part: perSubband * polarizations })
  forEachBaseline((b, bin, sums) => {
    const turn = turns === undefined ? {} : { turn: turnOf(turns, { i: index.antenna1[b], j: index.antenna2[b], bin }) }
    addBandpassCells(bandpassCube, b, { sums, polarizations, weight: weightOf(b), ...turn })
  })
  const bandpass = createBandpass(s.antennas, channels, polarizations)
  const fits = createBandpassFits(channels * polarizations)
  const order = options.order ?? Array.from({ length: s.antennas }, (_, a) => a)
  const solve = {
    reference: order[0],
    minBaselines: 4,
    minAntennas: 5,
    maxIterations: 100,
    tolerance: options.tolerance ?? 1e-8,
    acceptTolerance: 1e-4,
    absoluteWeights: options.absoluteWeights ?? s.sigma > 0,
  }
  for (let subband = 0; subband < subbands; subband++) {
    solveBandpass({
      cube: bandpassCube,
      geometry,
      subband,
      options: solve,
      minSnr: options.minSnr ?? 5,
      out: bandpass,
      fits,
    })
  }
  for (let p = 0; p < polarizations; p++) {
    referencePhases(
      {
        antennas: s.antennas,
        cells: channels,
        at: (a, c) => (a * channels + c) * polarizations + p,
        value: bandpass.value,
        flags: bandpass.flags,
      },
      order,
    )
  }
  clipOutlierChannels(bandpass, perSubband)
  normalizeBandpass(bandpass)
  fillGaps(bandpass, 3, () => false)
  const binCount = bins.length - 1
  const gainCube = cube(index.baselines, { cells: binCount * polarizations, part: binCount * polarizations })
  const product = new Float64Array(2 * channels * polarizations)
  forEachBaseline((b, bin, sums) => {
    bandpassProduct(product, bandpass, { antenna1: index.antenna1[b], antenna2: index.antenna2[b] })
    setGainCells(gainCube, b, { sums, bin, polarizations, perSubband, product, weight: weightOf(b) })
  })
  const gains = solveGains({ cube: gainCube, geometry, bins: binCount, options: solve, order, minSnr: 3 })
  return { index, geometry, bandpass, gains, bins, bandpassCube, gainCube }
}

function cube(baselines: number, { cells, part }: { cells: number; part: number }): SumCube {
  return {
    baselines,
    cells,
    part,
    a: new Float64Array(2 * baselines * cells),
    w: new Float64Array(baselines * cells),
    q: new Float64Array(baselines * cells),
    n: new Float64Array(baselines * cells),
  }
}

/** Total gain of an antenna, B G G2, as [re, im]; NaN where flagged. */
export function totalGain(
  { bandpass, gains }: SolveOutcome,
  { a, c, p, bin }: { a: number; c: number; p: number; bin: number },
): [number, number] {
  const kb = (a * bandpass.channels + c) * bandpass.polarizations + p
  const kg = a * gains.polarizations + p
  const k2 = (a * gains.bins + bin) * gains.polarizations + p
  if ((bandpass.flags[kb] & ~16) !== 0 || gains.flags[kg] !== 0) return [Number.NaN, Number.NaN]
  const [re, im] = multiply(
    [bandpass.value[2 * kb], bandpass.value[2 * kb + 1]],
    [gains.value[2 * kg], gains.value[2 * kg + 1]],
  )
  return multiply([re, im], [gains.phase[2 * k2], gains.phase[2 * k2 + 1]])
}

function multiply(a: readonly [number, number], b: readonly [number, number]): [number, number] {
  return [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]]
}

/** x conj(y) */
export function conjugated(x: readonly [number, number], y: readonly [number, number]): [number, number] {
  return multiply(x, [y[0], -y[1]])
}
