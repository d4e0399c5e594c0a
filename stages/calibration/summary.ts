import type { Check, Verdict } from '#runtime/stage/quality.ts'
import { isFlagged } from './solve/bandpass.ts'
import type { Job } from './job.ts'
import type { SetHeader } from './solutions/solution-set.ts'
import type { SolvedSet } from './solve/solve-set.ts'
import type { FlagCounts, SurveyResults } from './survey/survey-results.ts'

const DEGREES = 180 / Math.PI
/** Bins of the histogram of phase residuals. */
const HISTOGRAM_BINS = 41
/** Phase residuals beyond this many times their rms share the outermost bins. */
const HISTOGRAM_SPAN = 4

export interface SummaryInput {
  job: Job
  header: SetHeader
  grade: Verdict
  checks: readonly Check[]
  solved: SolvedSet
  survey: SurveyResults
  sefdJy: Float64Array
  residualPhases: readonly number[]
  metrics: Record<string, number>
  /** Channels averaged into one point of the plots. */
  average: number
}

/** The data of a report's calibration plots, plain JSON: [antenna][polarisation][channel or bin], null where flagged. */
export function summarize({
  job,
  header,
  grade,
  checks,
  solved,
  survey,
  sefdJy,
  residualPhases,
  metrics,
  average,
}: SummaryInput): object {
  const { bandpass, gains } = solved
  const { polarizations } = job
  const antennas = header.antennas.map((_, a) => a)
  const pols = Array.from({ length: polarizations }, (_, p) => p)
  const perPolarization = <T>(value: (a: number, p: number) => T): T[][] =>
    antennas.map((a) => pols.map((p) => value(a, p)))
  const averaged = perPolarization((a, p) => averagedBandpass(solved, { a, p, average }))
  return {
    apiVersion: 'contimg/v1',
    id: header.id,
    observation: header.observation,
    calibrator: {
      name: header.calibrator,
      raDeg: header.calibratorRaDeg,
      decDeg: header.calibratorDecDeg,
      meanBeam: header.meanBeam,
      apparentFluxJy: header.apparentFluxJy,
      fluxAnchor: header.fluxAnchor,
    },
    midTimeMjdS: header.midTimeMjdS,
    grade,
    checks,
    metrics,
    antennas: header.antennas,
    refant: header.referenceAntenna,
    freqMhz: centres(job.freqHz, average).map((f) => Math.round(f / 10) / 1e5),
    binTimesMjdS: header.binTimesMjdS,
    bandpass: {
      amplitude: averaged.map((row) => row.map(({ amplitude }) => amplitude)),
      phaseDeg: averaged.map((row) => row.map(({ phaseDeg }) => phaseDeg)),
    },
    gain: {
      amplitude: perPolarization((a, p) =>
        flaggedNull(gains.flags, a * polarizations + p, (k) =>
          round(Math.hypot(gains.value[2 * k], gains.value[2 * k + 1]), 5),
        ),
      ),
      phaseDeg: perPolarization((a, p) =>
        flaggedNull(gains.flags, a * polarizations + p, (k) =>
          round(Math.atan2(gains.value[2 * k + 1], gains.value[2 * k]) * DEGREES, 5),
        ),
      ),
      snr: perPolarization((a, p) => round(gains.snr[a * polarizations + p], 4)),
    },
    phase: {
      phaseDeg: perPolarization((a, p) =>
        Array.from({ length: gains.bins }, (_, bin) =>
          flaggedNull(gains.phaseFlags, (a * gains.bins + bin) * polarizations + p, (k) =>
            round(Math.atan2(gains.phase[2 * k + 1], gains.phase[2 * k]) * DEGREES, 4),
          ),
        ),
      ),
    },
    sefdJy: perPolarization((a, p) => round(sefdJy[a * polarizations + p], 5)),
    flags: {
      byReason: reasons(survey.counts),
      timeByFrequency: timeByFrequency(job, survey, average),
      antennaByFrequency: antennas.map((a) => antennaByFrequency(bandpass, { a, average })),
      antenna: antennas.map((a) => round(survey.antennaFlagged[a], 4)),
    },
    residualPhaseDeg: histogram(residualPhases),
  }
}

function averagedBandpass(
  { bandpass }: SolvedSet,
  { a, p, average }: { a: number; p: number; average: number },
): { amplitude: (number | null)[]; phaseDeg: (number | null)[] } {
  const { channels, polarizations, value, flags } = bandpass
  const amplitude: (number | null)[] = []
  const phaseDeg: (number | null)[] = []
  for (let first = 0; first < channels; first += average) {
    let re = 0
    let im = 0
    let sum = 0
    let n = 0
    for (let c = first; c < first + average; c++) {
      const k = (a * channels + c) * polarizations + p
      if (isFlagged(flags[k])) continue
      re += value[2 * k]
      im += value[2 * k + 1]
      sum += Math.hypot(value[2 * k], value[2 * k + 1])
      n++
    }
    amplitude.push(n === 0 ? null : round(sum / n, 4))
    phaseDeg.push(n === 0 ? null : round(Math.atan2(im, re) * DEGREES, 4))
  }
  return { amplitude, phaseDeg }
}

/** Flagged bandpass solutions of an antenna by averaged channel. */
function antennaByFrequency(
  { channels, polarizations, flags }: SolvedSet['bandpass'],
  { a, average }: { a: number; average: number },
): number[] {
  const out: number[] = []
  for (let first = 0; first < channels; first += average) {
    let n = 0
    for (let k = (a * channels + first) * polarizations; k < (a * channels + first + average) * polarizations; k++)
      if (isFlagged(flags[k])) n++
    out.push(round(n / (average * polarizations), 3))
  }
  return out
}

function timeByFrequency(job: Job, { cellFraction }: SurveyResults, average: number): number[][] {
  const { channels } = job.layout
  return Array.from({ length: job.index.integrations }, (_, t) =>
    Array.from({ length: channels / average }, (__, g) => {
      const from = t * channels + g * average
      return round(cellFraction.subarray(from, from + average).reduce((sum, part) => sum + part, 0) / average, 3)
    }),
  )
}

/** Flagged parts by reason. */
export function reasons({
  samples,
  missing,
  known,
  dead,
  clip,
  channel,
  baseline,
}: FlagCounts): Record<string, number> {
  const part = (count: number): number => (samples === 0 ? 0 : count / samples)
  return {
    missing: part(missing),
    known: part(known),
    dead: part(dead),
    clip: part(clip),
    channel: part(channel),
    baseline: part(baseline),
  }
}

function centres(freqHz: Float64Array, average: number): number[] {
  return Array.from(
    { length: freqHz.length / average },
    (_, g) => freqHz.subarray(g * average, (g + 1) * average).reduce((sum, f) => sum + f, 0) / average,
  )
}

function histogram(phases: readonly number[]): { edges: number[]; counts: number[] } {
  const rms = Math.sqrt(phases.reduce((sum, phase) => sum + phase * phase, 0) / Math.max(1, phases.length))
  const half = Math.min(180, Math.max(1e-6, HISTOGRAM_SPAN * rms * DEGREES))
  const edges = Array.from({ length: HISTOGRAM_BINS + 1 }, (_, k) => round(-half + (2 * half * k) / HISTOGRAM_BINS, 5))
  const counts = new Array<number>(HISTOGRAM_BINS).fill(0)
  for (const phase of phases) {
    const bin = Math.floor(((phase * DEGREES + half) / (2 * half)) * HISTOGRAM_BINS)
    counts[Math.min(HISTOGRAM_BINS - 1, Math.max(0, bin))]++
  }
  return { edges, counts }
}

function flaggedNull(flags: Uint8Array, k: number, value: (k: number) => number): number | null {
  return isFlagged(flags[k]) ? null : value(k)
}

/** Significant digits, to keep the file small. NaN becomes null in JSON. */
function round(value: number, digits: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : Number.NaN
}
