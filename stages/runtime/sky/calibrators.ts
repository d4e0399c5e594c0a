import type { BeamTrack } from './beam.ts'
import { airyPower, meanBeam, meanBeamTimes } from './beam.ts'
import { DEGREE_RAD, SIDEREAL_RATE } from './constants.ts'
import type { Direction, Site } from './frames.ts'
import { apparentContext, icrsToApparentWith, separation } from './frames.ts'
import { wrapPi } from './projection.ts'
import type { EarthOrientation } from './time.ts'

/** Flux density over frequency: a polynomial of log10 S (Jy) in log10 nu (GHz), or a power law. */
export type FluxModel =
  | { kind: 'polynomial'; coefficients: readonly number[] }
  | { kind: 'power-law'; fluxJy: number; refFreqHz: number; spectralIndex: number }

export interface SkySource {
  name: string
  direction: Direction
  flux: FluxModel
}

/** A source of the primary flux scale. Those to `avoid` are well modelled but resolved, and never anchor a scale. */
export interface CalibratorSource extends SkySource {
  tier: 'first-choice' | 'other' | 'avoid'
  /** Whether its flux density holds within about 5 % for a century (Perley & Butler 2013). */
  stable: boolean
  note: string
}

export interface RankedCalibrator {
  source: CalibratorSource
  /** Primary beam power, mean over the observation and the band. */
  meanBeam: number
  /** Flux density times beam, mean over the observation and the band. */
  apparentFluxJy: number
  /** The step of the calibrator ladder by which it serves: 3 and 4 for full, 6 for a set graded at most uncertain. */
  rule: 3 | 4 | 6
  /** Smallest distance from a beam centre of the observation. */
  separationRad: number
}

/** Below these a calibrator gives a set that is at most uncertain (rule 6), or none. */
const FULL_MEAN_BEAM = 0.5
const FULL_APPARENT_JY = 5
const LEAST_MEAN_BEAM = 0.2
const LEAST_APPARENT_JY = 1

/**
 * Perley & Butler 2017 (ApJS 230, 7, table 6): log10 S(Jy) = sum a_i (log10 nu_GHz)^i, accurate to 3-5 %.
 * Positions J2000 from the VLA calibrator list.
 */
export const PERLEY_BUTLER_2017: readonly CalibratorSource[] = [
  {
    name: '3C286',
    direction: sexagesimal([13, 31, 8.288], [30, 30, 32.96]),
    flux: { kind: 'polynomial', coefficients: [1.2481, -0.4507, -0.1798, 0.0357] },
    tier: 'first-choice',
    stable: true,
    note: 'unresolved',
  },
  {
    name: '3C295',
    direction: sexagesimal([14, 11, 20.647], [52, 12, 9.14]),
    flux: { kind: 'polynomial', coefficients: [1.4701, -0.7658, -0.278, -0.0347, 0.0399] },
    tier: 'first-choice',
    stable: true,
    note: '5" in size',
  },
  {
    name: '3C196',
    direction: sexagesimal([8, 13, 36.033], [48, 13, 2.64]),
    flux: { kind: 'polynomial', coefficients: [1.2872, -0.853, -0.1534, -0.02, 0.0201] },
    tier: 'first-choice',
    stable: true,
    note: '7" in size',
  },
  {
    name: '3C147',
    direction: sexagesimal([5, 42, 36.138], [49, 51, 7.23]),
    flux: { kind: 'polynomial', coefficients: [1.4516, -0.6961, -0.2007, 0.064, -0.0464, 0.0289] },
    tier: 'other',
    stable: false,
    note: 'varies slowly',
  },
  {
    name: '3C48',
    direction: sexagesimal([1, 37, 41.299], [33, 9, 35.13]),
    flux: { kind: 'polynomial', coefficients: [1.3253, -0.7553, -0.1914, 0.0498] },
    tier: 'other',
    stable: false,
    note: 'varies, recent flare',
  },
  {
    name: '3C138',
    direction: sexagesimal([5, 21, 9.886], [16, 38, 22.05]),
    flux: { kind: 'polynomial', coefficients: [1.0088, -0.4981, -0.1552, -0.0102, 0.0223] },
    tier: 'other',
    stable: false,
    note: 'varies',
  },
  {
    name: '3C123',
    direction: sexagesimal([4, 37, 4.4], [29, 40, 14]),
    flux: { kind: 'polynomial', coefficients: [1.8017, -0.7884, -0.1035, -0.0248, 0.009] },
    tier: 'avoid',
    stable: true,
    note: '44" in size: resolved, position approximate',
  },
]

/** Flux density in Jy at a frequency. */
export function fluxAt(model: FluxModel, freqHz: number): number {
  if (model.kind === 'power-law') return model.fluxJy * (freqHz / model.refFreqHz) ** model.spectralIndex
  const x = Math.log10(freqHz / 1e9)
  let logFlux = 0
  for (let i = model.coefficients.length - 1; i >= 0; i--) logFlux = logFlux * x + model.coefficients[i]
  return 10 ** logFlux
}

/**
 * The calibrators in the beam that can serve an observation, best first: by rule (3 a first-choice source, 4 another,
 * both with mean beam >= 0.5 and apparent flux >= 5 Jy; 6 any with mean beam >= 0.2 and >= 1 Jy), then by apparent flux.
 */
export function rankCalibrators(
  track: BeamTrack,
  freqsHz: ArrayLike<number>,
  candidates: readonly CalibratorSource[] = PERLEY_BUTLER_2017,
): RankedCalibrator[] {
  const ranked: RankedCalibrator[] = []
  let lowestHz = Infinity
  for (let channel = 0; channel < freqsHz.length; channel++) lowestHz = Math.min(lowestHz, freqsHz[channel])
  for (const source of candidates) {
    if (source.tier === 'avoid') continue
    // Farther out and higher in frequency the beam is lower, but for side lobes of less than 2 %. So the lowest frequency
    // at the closest approach bounds the mean, and most sources of the sky cost nothing.
    const separationRad = closestApproach(track, source.direction)
    if (airyPower(separationRad, lowestHz) < LEAST_MEAN_BEAM) continue
    const beam = meanBeam(track, source.direction, freqsHz)
    if (beam < LEAST_MEAN_BEAM) continue
    const fluxes = Float64Array.from(freqsHz, (freqHz) => fluxAt(source.flux, freqHz))
    const apparentFluxJy = meanBeamTimes(track, source.direction, freqsHz, fluxes)
    if (apparentFluxJy < LEAST_APPARENT_JY) continue
    const full = beam >= FULL_MEAN_BEAM && apparentFluxJy >= FULL_APPARENT_JY
    const rule = full ? (source.tier === 'first-choice' ? 3 : 4) : 6
    ranked.push({
      source,
      meanBeam: beam,
      apparentFluxJy,
      rule,
      separationRad,
    })
  }
  return ranked.toSorted((a, b) => a.rule - b.rule || b.apparentFluxJy - a.apparentFluxJy)
}

/** The candidate that came nearest to a beam centre, in the beam or not: what to name when none can serve. */
export function nearestCalibrator(
  track: BeamTrack,
  candidates: readonly CalibratorSource[] = PERLEY_BUTLER_2017,
): { source: CalibratorSource; separationRad: number } | undefined {
  let nearest: { source: CalibratorSource; separationRad: number } | undefined
  for (const source of candidates) {
    if (source.tier === 'avoid') continue
    const separationRad = closestApproach(track, source.direction)
    if (nearest === undefined || separationRad < nearest.separationRad) nearest = { source, separationRad }
  }
  return nearest
}

/** MJD (UTC) of the source's transit of the meridian nearest to a time, at most half a sidereal day away. */
export function predictTransit(
  source: { readonly direction: Direction },
  mjdUtcStart: number,
  eop: EarthOrientation,
  site: Site,
): number {
  let mjdUtc = mjdUtcStart
  // The place of date moves with the time of transit by < 1" a day: the third pass changes microseconds.
  for (let pass = 0; pass < 3; pass++) {
    const context = apparentContext(mjdUtc, eop, site)
    const toGoRad = wrapPi(icrsToApparentWith(context, source.direction).raRad - context.lastRad)
    mjdUtc += toGoRad / (2 * Math.PI * SIDEREAL_RATE)
  }
  return mjdUtc
}

function closestApproach(track: BeamTrack, direction: Direction): number {
  let closest = Math.PI
  for (let k = 0; k < track.raRad.length; k++) {
    closest = Math.min(closest, separation({ raRad: track.raRad[k], decRad: track.decRad[k] }, direction))
  }
  return closest
}

/** Hours, minutes, seconds and degrees, minutes, seconds (north only: all of these are). */
function sexagesimal(ra: readonly [number, number, number], dec: readonly [number, number, number]): Direction {
  return {
    raRad: (ra[0] + ra[1] / 60 + ra[2] / 3600) * 15 * DEGREE_RAD,
    decRad: (dec[0] + dec[1] / 60 + dec[2] / 3600) * DEGREE_RAD,
  }
}
