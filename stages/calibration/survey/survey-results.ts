import { median } from '#runtime/numeric/statistics.ts'
import { arrayFlagLimits, deadAntennas, flagCells, outlierBaselines, type BaselineAmplitudes } from './flag-array.ts'
import type { Job, SurveyPass } from '../job.ts'
import { antennaNoise, NOISELESS } from './noise.ts'
import { sharedFloat32, sharedInt32, sharedUint32 } from '../threads/shared-memory.ts'

/** Flagged samples by the first reason that applies, of those that could have been observed. */
export interface FlagCounts {
  /** Samples of present antennas and present subbands. */
  samples: number
  missing: number
  known: number
  dead: number
  clip: number
  channel: number
  baseline: number
}

export interface SurveyResults {
  counts: FlagCounts
  /** (antennas) bits of dead polarisations. */
  dead: Uint8Array
  /** (antennas) flagged part of the data. */
  antennaFlagged: Float64Array
  /** (subbands): 1 where any sample is unflagged. */
  bandPresent: Uint8Array
  /** (subbands, polarizations, antennas) raw noise factor e: sigma_ij^2 = e_i e_j. */
  noise: Float64Array
  noiseless: boolean
  /** Flagged part by (integration, channel). */
  cellFraction: Float32Array
  /** Subbands (in ascending frequency) left out because nearly all of their data are flagged. */
  droppedBands: number[]
  badChannels: number
  badIntegrations: number
}

export function createSurveyPass(
  job: Job,
  { model, workers }: { model: SurveyPass['model']; workers: number },
): SurveyPass {
  const { baselines, integrations } = job.index
  const cells = integrations * job.layout.channels * job.polarizations
  return {
    kind: 'survey',
    model,
    amplitude: sharedFloat32(baselines * job.polarizations),
    missing: sharedUint32(baselines * job.polarizations),
    clipped: sharedUint32(baselines * job.polarizations),
    sigma: sharedFloat32(baselines * job.subbands * job.polarizations),
    cellSum: Array.from({ length: workers }, () => sharedInt32(cells)),
    cellFlagged: Array.from({ length: workers }, () => sharedInt32(cells)),
  }
}

export interface SurveyOptions {
  /** (antennas) polarisation bits known bad. */
  knownBad: Uint8Array
  /** (baselines): 1 for those longer than the uv limit. */
  long: Uint8Array
  weights: 'measured' | 'equal'
  minBaselines: number
}

/**
 * Judges the array after the survey of its baselines: dead antennas, bad channels and integrations, outlier baselines, the
 * noise of each antenna. Writes `baselineFlags` and `cellFlags` of the job.
 */
export function concludeSurvey(
  job: Job,
  pass: SurveyPass,
  { knownBad, long, weights, minBaselines }: SurveyOptions,
): SurveyResults {
  const { index, polarizations, layout, perSubband } = job
  const { baselines, integrations } = index
  const cellSum = total(pass.cellSum)
  const cellFlagged = total(pass.cellFlagged)
  const bandPresent = presentBands(job, cellFlagged)
  const presentChannels = bandPresent.reduce((sum, present) => sum + present * perSubband, 0)
  const perBaseline = integrations * presentChannels
  const absent = integrations * (layout.channels - presentChannels)
  const flagged = Float32Array.from(
    pass.missing,
    (missing, k) => (missing - absent + pass.clipped[k]) / Math.max(1, perBaseline),
  )
  const input: BaselineAmplitudes = {
    antennas: index.antennas.length,
    antenna1: index.antenna1,
    antenna2: index.antenna2,
    polarizations,
    amplitude: pass.amplitude,
    flagged,
  }
  const dead = deadAntennas(input)
  const without = Uint8Array.from(dead, (bits, a) => bits | knownBad[a])
  const bad = outlierBaselines(input, without)
  const lost = Array.from({ length: polarizations }, (_, p) => lostBaselines(flagged, polarizations, p))
  const cells = flagCells({
    integrations,
    channels: layout.channels,
    polarizations,
    perSubband,
    baselines,
    lost,
    sum: cellSum,
    flagged: cellFlagged,
  })
  const counts: FlagCounts = {
    samples: baselines * perBaseline * polarizations,
    missing: 0,
    known: 0,
    dead: 0,
    clip: 0,
    channel: 0,
    baseline: 0,
  }
  const knownCells = countKnownCells(job, bandPresent)
  counts.known += knownCells * baselines * polarizations
  for (let b = 0; b < baselines; b++) {
    for (let p = 0; p < polarizations; p++) {
      const k = b * polarizations + p
      const [i, j] = [index.antenna1[b], index.antenna2[b]]
      const missing = pass.missing[k] - absent
      const left = Math.max(0, perBaseline - missing - knownCells)
      counts.missing += missing
      if (((knownBad[i] | knownBad[j]) & (1 << p)) !== 0) counts.known += left
      else if (((dead[i] | dead[j]) & (1 << p)) !== 0) counts.dead += left
      else if ((bad[b] & (1 << p)) !== 0) counts.baseline += left
      else counts.clip += pass.clipped[k]
    }
    job.baselineFlags[b] = without[index.antenna1[b]] | without[index.antenna2[b]] | bad[b]
  }
  const kept = keptFraction(job)
  for (let k = 0; k < cells.cells.length; k++) {
    const fresh = cells.cells[k] & ~job.cellFlags[k]
    if (fresh === 0 || bandPresent[Math.floor((k % layout.channels) / perSubband)] === 0) continue
    for (let p = 0; p < polarizations; p++) {
      if ((fresh & (1 << p)) !== 0)
        counts.channel += Math.round((baselines - cellFlagged[k * polarizations + p]) * kept)
    }
    job.cellFlags[k] |= fresh
  }
  const droppedBands = dropBands(job, { counts, cellFlagged, bandPresent, lost })
  const { noise, noiseless } = measureNoise(job, pass, { long, weights, minBaselines, dead: without })
  return {
    counts,
    dead,
    antennaFlagged: antennaFractions(input),
    bandPresent,
    noise,
    noiseless,
    cellFraction: fractionsByCell(job, cellFlagged),
    droppedBands,
    badChannels: cells.channels,
    badIntegrations: cells.integrations,
  }
}

function total(parts: readonly Int32Array[]): Float64Array {
  const out = new Float64Array(parts[0].length)
  for (const part of parts) for (let k = 0; k < out.length; k++) out[k] += part[k]
  return out
}

function presentBands(job: Job, cellFlagged: Float64Array): Uint8Array {
  const present = new Uint8Array(job.subbands)
  const { channels } = job.layout
  for (let k = 0; k < cellFlagged.length; k++) {
    if (cellFlagged[k] >= job.index.baselines) continue
    const c = Math.floor(k / job.polarizations) % channels
    present[Math.floor(c / job.perSubband)] = 1
  }
  return present
}

/** Part of a subband's data that may be flagged before the rest is left out too. */
const BAND_FLAGGED = 0.8

/** Flags what is left of subbands with more than 80 % flagged, whole baselines not counted, and takes them as absent. */
function dropBands(
  job: Job,
  {
    counts,
    cellFlagged,
    bandPresent,
    lost,
  }: { counts: FlagCounts; cellFlagged: Float64Array; bandPresent: Uint8Array; lost: readonly number[] },
): number[] {
  const { polarizations, perSubband, cellFlags, index, layout } = job
  const all = (1 << polarizations) - 1
  const dropped: number[] = []
  for (let band = 0; band < job.subbands; band++) {
    if (bandPresent[band] === 0) continue
    let sum = 0
    const cells: number[] = []
    for (let t = 0; t < index.integrations; t++) {
      for (let c = band * perSubband; c < (band + 1) * perSubband; c++) cells.push(t * layout.channels + c)
    }
    for (const k of cells) {
      for (let p = 0; p < polarizations; p++) {
        const left = Math.max(1, index.baselines - lost[p])
        sum += (cellFlags[k] & (1 << p)) !== 0 ? 1 : (cellFlagged[k * polarizations + p] - lost[p]) / left
      }
    }
    if (sum <= BAND_FLAGGED * cells.length * polarizations) continue
    for (const k of cells) {
      for (let p = 0; p < polarizations; p++) {
        if ((cellFlags[k] & (1 << p)) === 0) counts.channel += index.baselines - cellFlagged[k * polarizations + p]
      }
      cellFlags[k] = all
    }
    bandPresent[band] = 0
    dropped.push(band)
  }
  return dropped
}

/** Baselines of a polarisation that are flagged as good as whole. */
function lostBaselines(flagged: Float32Array, polarizations: number, p: number): number {
  let lost = 0
  for (let k = p; k < flagged.length; k += polarizations) if (flagged[k] > arrayFlagLimits.deadFraction) lost++
  return lost
}

/** Cells of present subbands that the known-bad lists flag. */
function countKnownCells(job: Job, bandPresent: Uint8Array): number {
  const band = (k: number): number => Math.floor((k % job.layout.channels) / job.perSubband)
  return job.cellFlags.reduce((sum, bits, k) => sum + (bits !== 0 ? bandPresent[band(k)] : 0), 0)
}

/** Part of the baselines that is not flagged as a whole. */
function keptFraction(job: Job): number {
  let kept = 0
  for (const bits of job.baselineFlags) for (let p = 0; p < job.polarizations; p++) if ((bits & (1 << p)) === 0) kept++
  return kept / (job.index.baselines * job.polarizations)
}

function antennaFractions({ antennas, antenna1, antenna2, polarizations, flagged }: BaselineAmplitudes): Float64Array {
  const sum = new Float64Array(antennas)
  const count = new Float64Array(antennas)
  for (let b = 0; b < antenna1.length; b++) {
    for (let p = 0; p < polarizations; p++) {
      for (const antenna of [antenna1[b], antenna2[b]]) {
        sum[antenna] += flagged[b * polarizations + p]
        count[antenna]++
      }
    }
  }
  return sum.map((value, a) => value / Math.max(1, count[a]))
}

function fractionsByCell(job: Job, cellFlagged: Float64Array): Float32Array {
  const { polarizations, index, cellFlags } = job
  return Float32Array.from(cellFlags, (bits, k) => {
    if (bits !== 0) return 1
    let flagged = 0
    for (let p = 0; p < polarizations; p++) flagged += cellFlagged[k * polarizations + p]
    return flagged / (index.baselines * polarizations)
  })
}

interface NoiseChoice {
  long: Uint8Array
  weights: 'measured' | 'equal'
  minBaselines: number
  dead: Uint8Array
}

/**
 * Noise factors of the antennas. Data whose differences are below 1 % of their amplitude have no noise: equal weights.
 * `equal` takes one factor for all.
 */
function measureNoise(
  job: Job,
  pass: SurveyPass,
  { long, weights, minBaselines, dead }: NoiseChoice,
): { noise: Float64Array; noiseless: boolean } {
  const { index, polarizations, subbands } = job
  const antennas = index.antennas.length
  const cells = subbands * polarizations
  const typical = median(pass.sigma)
  const noiseless = !(typical > NOISELESS * median(pass.amplitude))
  if (noiseless || weights === 'equal') {
    const factor = noiseless ? 1 : typical
    return { noise: new Float64Array(cells * antennas).fill(factor), noiseless }
  }
  const sigma = pass.sigma.slice()
  for (let b = 0; b < index.baselines; b++) {
    const bits = job.baselineFlags[b] | dead[index.antenna1[b]] | dead[index.antenna2[b]]
    for (let cell = 0; cell < cells; cell++)
      if ((bits & (1 << (cell % polarizations))) !== 0) sigma[b * cells + cell] = Number.NaN
  }
  const noise = antennaNoise({
    antennas,
    antenna1: index.antenna1,
    antenna2: index.antenna2,
    sigma,
    cells,
    preferred: long,
    minBaselines,
  })
  return { noise, noiseless }
}
