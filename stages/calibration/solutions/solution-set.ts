import type { SolutionFile } from '#runtime/formats/solutions.ts'
import type { Verdict } from '#runtime/stage/quality.ts'
import { z } from 'zod'
import { verdictSchema } from '#runtime/stage/quality.ts'
import { solutionFlag, type Bandpass } from '../solve/bandpass.ts'
import type { Gains } from '../solve/gains.ts'

/** The identity and provenance of a set: the header of its file. */
const setHeaderSchema = z.object({
  id: z.string(),
  observation: z.string(),
  calibrator: z.string(),
  calibratorRaDeg: z.number(),
  calibratorDecDeg: z.number(),
  meanBeam: z.number(),
  apparentFluxJy: z.number(),
  fluxAnchor: z.string(),
  midTimeMjdS: z.number(),
  decOfDateDeg: z.number(),
  /** Names of the antennas of the arrays. */
  antennas: z.array(z.string()),
  referenceAntenna: z.string(),
  polarizations: z.array(z.number().int()),
  freqFirstHz: z.number(),
  freqStepHz: z.number(),
  channels: z.number().int(),
  binTimesMjdS: z.array(z.number()),
  grade: verdictSchema,
  /** First 12 digits of the hash of the correlator's delays and fringe-stopping table, where known. */
  delays: z.string().optional(),
  fringeTable: z.string().optional(),
  provenance: z.record(z.string(), z.unknown()),
})
export type SetHeader = z.output<typeof setHeaderSchema>

export interface SolutionSet {
  header: SetHeader
  bandpass: Bandpass
  gains: Gains
}

/** The file of a set: bandpass, gains, their errors and flags, (antenna, channel or bin, polarisation). */
export function toFile({ header, bandpass, gains }: SolutionSet): SolutionFile {
  const { antennas, channels, polarizations } = bandpass
  const byChannel = [antennas, channels, polarizations]
  const byAntenna = [antennas, polarizations]
  const byBin = [antennas, gains.bins, polarizations]
  return {
    header,
    arrays: {
      bandpass: { shape: [...byChannel, 2], values: bandpass.value },
      bandpassSigma: { shape: byChannel, values: bandpass.sigma },
      bandpassSnr: { shape: byChannel, values: bandpass.snr },
      bandpassFlags: { shape: byChannel, values: bandpass.flags },
      gain: { shape: [...byAntenna, 2], values: gains.value },
      gainSigma: { shape: byAntenna, values: gains.sigma },
      gainSnr: { shape: byAntenna, values: gains.snr },
      gainFlags: { shape: byAntenna, values: gains.flags },
      phase: { shape: [...byBin, 2], values: gains.phase },
      phaseSigma: { shape: byBin, values: gains.phaseSigma },
      phaseFlags: { shape: byBin, values: gains.phaseFlags },
    },
  }
}

/** A set from its file. Throws a ZodError or RangeError when the content is not one. */
export function fromFile({ header: raw, arrays }: SolutionFile): SolutionSet {
  const header = setHeaderSchema.parse(raw)
  const antennas = header.antennas.length
  const polarizations = header.polarizations.length
  const bins = header.binTimesMjdS.length
  const floats = (name: string): Float64Array => array(name, Float64Array)
  const bytes = (name: string): Uint8Array => array(name, Uint8Array)
  return {
    header,
    bandpass: {
      antennas,
      channels: header.channels,
      polarizations,
      value: floats('bandpass'),
      sigma: floats('bandpassSigma'),
      snr: floats('bandpassSnr'),
      flags: bytes('bandpassFlags'),
    },
    gains: {
      antennas,
      polarizations,
      bins,
      value: floats('gain'),
      sigma: floats('gainSigma'),
      snr: floats('gainSnr'),
      flags: bytes('gainFlags'),
      phase: floats('phase'),
      phaseSigma: floats('phaseSigma'),
      phaseFlags: bytes('phaseFlags'),
      chi2: Number.NaN,
      degreesOfFreedom: Number.NaN,
      iterations: [],
      converged: [],
    },
  }

  function array<T>(name: string, type: abstract new (...args: never[]) => T): T {
    const values = arrays[name]?.values
    if (!(values instanceof type)) throw new RangeError(`the set has no array ${name}`)
    return values
  }
}

/** The solutions of `names` in their order; antennas that the set lacks are flagged. Errors and short phases are left out. */
export function selectAntennas(
  { header, bandpass, gains }: SolutionSet,
  names: readonly string[],
): { bandpass: Bandpass; gains: Gains } {
  const { channels, polarizations } = bandpass
  const pick = <T extends Float64Array | Uint8Array>(out: T, values: T, perAntenna: number): T => {
    names.forEach((name, a) => {
      const from = header.antennas.indexOf(name) * perAntenna
      if (from >= 0) out.set(values.subarray(from, from + perAntenna), a * perAntenna)
    })
    return out
  }
  const n = names.length
  const unusable = (size: number): Uint8Array => new Uint8Array(size).fill(solutionFlag.noData)
  const cells = channels * polarizations
  return {
    bandpass: {
      ...bandpass,
      antennas: n,
      value: pick(new Float64Array(2 * n * cells), bandpass.value, 2 * cells),
      flags: pick(unusable(n * cells), bandpass.flags, cells),
    },
    gains: {
      ...gains,
      antennas: n,
      value: pick(new Float64Array(2 * n * polarizations), gains.value, 2 * polarizations),
      flags: pick(unusable(n * polarizations), gains.flags, polarizations),
    },
  }
}

/** What is being calibrated, for the comparison with a set. */
export interface TargetFacts {
  midTimeMjdS: number
  decOfDateRad: number
  freqHz: Float64Array
  polarizations: readonly number[]
  /** Names of the antennas with data. */
  antennas: readonly string[]
  delays?: string | undefined
  fringeTable?: string | undefined
}

export interface Applicability {
  /** Why the set must not be used; empty when it may. */
  refused: string[]
  /** Why it is at most uncertain. */
  doubts: string[]
  ageHours: number
  deltaDecDeg: number
}

/** Limits of borrowing a set. */
const borrowLimits = {
  /** Declination beyond which a set is refused, and beyond which it is uncertain, degrees. */
  refuseDecDeg: 5,
  doubtDecDeg: 1,
  /** Part of the antennas that may lack solutions. */
  missingAntennas: 0.1,
  /** Hz; channels must agree to this. */
  freqHz: 1,
} as const

/**
 * Whether a set of another observation may be applied, and how well. Refused: bad grade, another declination (> 5 deg),
 * another channel grid or polarisations, more than 10 % of the antennas missing, other correlator delays or fringe table,
 * more than `windowHours` away in time (its phases are random beyond). Uncertain: grade uncertain, declination 1-5 deg off.
 */
export function judgeSet(header: SetHeader, target: TargetFacts, windowHours: number): Applicability {
  const refused: string[] = []
  const doubts: string[] = []
  const ageHours = Math.abs(target.midTimeMjdS - header.midTimeMjdS) / 3600
  const deltaDecDeg = (target.decOfDateRad * 180) / Math.PI - header.decOfDateDeg
  if (header.grade === 'bad' || header.grade === 'not run') refused.push(`its grade is ${header.grade}`)
  if (header.grade === 'uncertain') doubts.push('its grade is uncertain')
  if (Math.abs(deltaDecDeg) > borrowLimits.refuseDecDeg) {
    refused.push(
      `it was solved at declination ${header.decOfDateDeg.toFixed(2)} deg, ${Math.abs(deltaDecDeg).toFixed(2)} deg away (limit ${borrowLimits.refuseDecDeg})`,
    )
  } else if (Math.abs(deltaDecDeg) > borrowLimits.doubtDecDeg) {
    doubts.push(`it was solved ${Math.abs(deltaDecDeg).toFixed(2)} deg away in declination`)
  }
  if (ageHours > windowHours)
    refused.push(`it is ${ageHours.toFixed(1)} h away in time: gain phases hold for ${windowHours} h`)
  const step = target.freqHz.length > 1 ? target.freqHz[1] - target.freqHz[0] : header.freqStepHz
  const sameGrid =
    header.channels === target.freqHz.length &&
    Math.abs(header.freqFirstHz - target.freqHz[0]) < borrowLimits.freqHz &&
    Math.abs(header.freqStepHz - step) * header.channels < borrowLimits.freqHz
  if (!sameGrid) {
    refused.push(
      `its ${header.channels} channels start at ${(header.freqFirstHz / 1e6).toFixed(4)} MHz, the data have ${target.freqHz.length} from ${(target.freqHz[0] / 1e6).toFixed(4)} MHz`,
    )
  }
  if (header.polarizations.join() !== target.polarizations.join())
    refused.push('its polarisations differ from those of the data')
  const missing = target.antennas.filter((name) => !header.antennas.includes(name))
  if (missing.length > borrowLimits.missingAntennas * target.antennas.length) {
    refused.push(`${missing.length} of ${target.antennas.length} antennas have no solution in it`)
  }
  if (differ(header.delays, target.delays))
    refused.push(`it was solved with other correlator delays (${header.delays} against ${target.delays})`)
  if (differ(header.fringeTable, target.fringeTable))
    refused.push(
      `it was solved with another fringe-stopping table (${header.fringeTable} against ${target.fringeTable})`,
    )
  return { refused, doubts, ageHours, deltaDecDeg }
}

function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b
}

/** Worse of two grades. */
export function worse(a: Verdict, b: Verdict): Verdict {
  const order: readonly Verdict[] = ['good', 'uncertain', 'not run', 'bad']
  return order.indexOf(a) >= order.indexOf(b) ? a : b
}
