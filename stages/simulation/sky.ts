import { StageError } from '#runtime/stage/errors.ts'
import { createRandom } from '#runtime/numeric/random.ts'
import { meanBeam, meanBeamTimes, type BeamTrack } from '#runtime/sky/beam.ts'
import { fluxAt, PERLEY_BUTLER_2017, type FluxModel, type SkySource } from '#runtime/sky/calibrators.ts'
import { ARCSEC_RAD, DEGREE_RAD } from '#runtime/sky/constants.ts'
import { separation, type Direction } from '#runtime/sky/frames.ts'
import { sinDeproject, sinProject } from '#runtime/sky/projection.ts'
import type { ListedSource } from './contract.ts'

/** Flux densities of sources are stated at this frequency. */
export const REFERENCE_FREQ_HZ = 1.4e9

/** A source with what an observation sees of it. Means are over all integrations and channels that are simulated. */
export interface TrueSource extends SkySource {
  readonly fluxJy: number
  /** Undefined for a source with a polynomial spectrum. */
  readonly spectralIndex: number | undefined
  readonly meanFluxJy: number
  readonly meanBeam: number
  /** Mean of S A: what a flat-noise image shows. */
  readonly meanApparentJy: number
}

/** Random sources lie where the mean beam is at least this, inside this square about the centre. */
const LEAST_MEAN_BEAM = 0.3
const HALF_FIELD_DEG = 1.9
/** Distance between random sources: several synthesised beams of up to 90" x 60". */
const ISOLATION_RAD = 360 * ARCSEC_RAD
/** A bright calibrator's sidelobes run north-south and east-west (T array): sources keep clear of it and of these lines. */
const CALIBRATOR_DISTANCE_RAD = 900 * ARCSEC_RAD
const CALIBRATOR_LINE_RAD = 180 * ARCSEC_RAD
/** An image has more noise than the natural-weight theory, by its weighting and its residual sidelobes. */
const IMAGE_NOISE_FACTOR = 1.6
/** Brightest over faintest random source; counts fall as S^-1 between them. */
const FLUX_RANGE = 12
const SPECTRAL_INDEX = { mean: -0.7, sigma: 0.2, limits: [-1.3, 0] } as const
const ATTEMPTS_BEFORE_RELAXING = 4000

export interface SkyOptions {
  readonly seed: number
  readonly track: BeamTrack
  readonly centre: Direction
  readonly freqHz: Float64Array
  /** Natural-weight image noise in theory, Jy per beam. */
  readonly imageNoiseJy: number
  readonly minSnr: number
}

/** The calibrator of the Perley & Butler 2017 scale with that name, of those that gains are solved on. @throws StageError PARAMS_INVALID */
export function findCalibrator(name: string): SkySource {
  const known = PERLEY_BUTLER_2017.filter(({ tier }) => tier !== 'avoid')
  const found = known.find((source) => source.name.toLowerCase() === name.toLowerCase())
  if (found !== undefined) return { name: found.name, direction: found.direction, flux: found.flux }
  throw new StageError('PARAMS_INVALID', `unknown calibrator ${name}`, {
    hint: `give one of ${known.map((source) => source.name).join(', ')}; or none`,
  })
}

/** Sources from a list, power laws about 1.4 GHz. */
export function listedSources(list: readonly ListedSource[]): SkySource[] {
  return list.map((source, index) => ({
    name: source.name ?? sourceName(index),
    direction: { raRad: source.raDeg * DEGREE_RAD, decRad: source.decDeg * DEGREE_RAD },
    flux: powerLaw(source.fluxJy, source.spectralIndex),
  }))
}

/** Random, isolated sources; their apparent fluxes are at least `minSnr` times the expected noise of an image. */
export function randomSources(count: number, calibrator: SkySource | undefined, options: SkyOptions): SkySource[] {
  const random = createRandom(options.seed).fork('sky')
  const sources: SkySource[] = []
  for (let attempt = 0; sources.length < count; attempt++) {
    const relaxed = 0.7 ** Math.floor(attempt / ATTEMPTS_BEFORE_RELAXING)
    const half = HALF_FIELD_DEG * DEGREE_RAD
    const direction = sinDeproject(half * (2 * random.next() - 1), half * (2 * random.next() - 1), options.centre)
    if (!clearOf(direction, sources, calibrator, relaxed)) continue
    if (meanBeam(options.track, direction, [middle(options.freqHz)]) < LEAST_MEAN_BEAM) continue
    sources.push({ name: sourceName(sources.length), direction, flux: powerLaw(...drawFlux(direction)) })
  }
  return sources

  /** S with counts N(>S) ~ 1/S between the faintest and FLUX_RANGE times it, as it appears through the beam. */
  function drawFlux(direction: Direction): [number, number] {
    const { mean, sigma, limits } = SPECTRAL_INDEX
    const spectralIndex = Math.min(Math.max(mean + sigma * random.normal(), limits[0]), limits[1])
    const faintestJy = options.minSnr * options.imageNoiseJy * IMAGE_NOISE_FACTOR
    const apparentJy = faintestJy / (1 - random.next() * (1 - 1 / FLUX_RANGE))
    const shape = options.freqHz.map((freqHz) => fluxAt(powerLaw(1, spectralIndex), freqHz))
    return [apparentJy / meanBeamTimes(options.track, direction, options.freqHz, shape), spectralIndex]
  }
}

function clearOf(
  direction: Direction,
  sources: readonly SkySource[],
  calibrator: SkySource | undefined,
  relaxed: number,
): boolean {
  if (sources.some((source) => separation(source.direction, direction) < relaxed * ISOLATION_RAD)) return false
  if (calibrator === undefined) return true
  const { l, m } = sinProject(direction, calibrator.direction)
  const line = relaxed * CALIBRATOR_LINE_RAD
  return Math.hypot(l, m) >= relaxed * CALIBRATOR_DISTANCE_RAD && Math.abs(l) >= line && Math.abs(m) >= line
}

function sourceName(index: number): string {
  return `S${String(index).padStart(3, '0')}`
}

function powerLaw(fluxJy: number, spectralIndex: number): FluxModel {
  return { kind: 'power-law', fluxJy, refFreqHz: REFERENCE_FREQ_HZ, spectralIndex }
}

function middle(values: Float64Array): number {
  return values[values.length >> 1]
}

/** Adds what an observation sees of a source. */
export function seen(source: SkySource, track: BeamTrack, freqHz: Float64Array): TrueSource {
  const fluxes = freqHz.map((freq) => fluxAt(source.flux, freq))
  return {
    ...source,
    fluxJy: fluxAt(source.flux, REFERENCE_FREQ_HZ),
    spectralIndex: source.flux.kind === 'power-law' ? source.flux.spectralIndex : undefined,
    meanFluxJy: fluxes.reduce((total, flux) => total + flux, 0) / fluxes.length,
    meanBeam: meanBeam(track, source.direction, freqHz),
    meanApparentJy: meanBeamTimes(track, source.direction, freqHz, fluxes),
  }
}
