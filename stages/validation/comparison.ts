import { matchCatalogue } from '#runtime/sky/match.ts'
import type { ValidationParams } from './contract.ts'
import type { Field } from './field.ts'
import type { PredictedSource } from './prediction.ts'
import type { ImageSource } from './sources.ts'

/** One source of the image and its catalogue source. */
export interface Pair {
  source: ImageSource
  predicted: PredictedSource
  /** Ours minus catalogue on the sky. */
  offsetRaRad: number
  offsetDecRad: number
  separationRad: number
  /** Integrated over predicted flux density, and its error. */
  ratio: number
  eRatio: number
  /** Fit to compare flux densities, positions. */
  inFluxSample: boolean
  inPositionSample: boolean
}

export interface Comparison {
  pairs: Pair[]
  /** Catalogue sources that are covered, isolated and compact, of any predicted signal-to-noise ratio. */
  candidates: PredictedSource[]
  /** Catalogue sources that ought to be found: covered, isolated, compact, above the predicted signal-to-noise ratio. */
  expected: { predicted: PredictedSource; found: boolean }[]
  /** Image sources without a catalogue source. */
  unexpected: ImageSource[]
}

const ARCSEC = Math.PI / 648000
/** Smallest match radius, and what is added to three times the position errors (arcsec). */
const MIN_RADIUS_ARCSEC = 10
const EXTRA_RADIUS_ARCSEC = 2
/** No pair is wider than this part of the beam's minor axis: chance matches stay below 0.4 %. */
const MAX_RADIUS_BEAMS = 0.5

/** Matches the sources of an image with a catalogue and picks the samples for the checks. */
export function compareWithCatalogue(
  sources: readonly ImageSource[],
  predicted: readonly PredictedSource[],
  { field, params }: { field: Field; params: ValidationParams },
): Comparison {
  const ours = sources.map(({ direction, eRaRad, eDecRad }) => ({ direction, sigmaRad: Math.max(eRaRad, eDecRad) }))
  const maxRadiusRad = MAX_RADIUS_BEAMS * field.beam.minor
  const matches = matchCatalogue(ours, predicted, {
    maxRadiusRad,
    radiusRad: (a, b) =>
      Math.min(
        maxRadiusRad,
        Math.max(MIN_RADIUS_ARCSEC * ARCSEC, 3 * Math.hypot(a.sigmaRad, b.sigmaRad) + EXTRA_RADIUS_ARCSEC * ARCSEC),
      ),
  })
  const pairs = matches.map((match): Pair => {
    const source = sources[match.ours]
    const partner = predicted[match.theirs]
    const comparable = partner.isolated && partner.compact && !source.resolved && isClean(source)
    const ratio = source.integratedJy / partner.predictedJy
    return {
      source,
      predicted: partner,
      offsetRaRad: match.offsetRaRad,
      offsetDecRad: match.offsetDecRad,
      separationRad: match.separationRad,
      ratio,
      eRatio: source.eIntegratedJy / partner.predictedJy,
      inFluxSample: comparable && source.snr >= params.fluxSnr && source.meanBeam >= params.fluxBeamCut,
      inPositionSample: comparable && source.snr >= params.positionSnr,
    }
  })
  const matchedTheirs = new Set(matches.map(({ theirs }) => predicted[theirs]))
  const candidates = predicted.filter(({ covered, isolated, compact }) => covered && isolated && compact)
  const matchedOurs = new Set(matches.map(({ ours: index }) => index))
  return {
    pairs,
    candidates,
    expected: candidates
      .filter(({ predictedSnr }) => predictedSnr >= params.completenessSnr)
      .map((partner) => ({ predicted: partner, found: matchedTheirs.has(partner) })),
    unexpected: sources.filter((_, i) => !matchedOurs.has(i)),
  }
}

function isClean({ flags }: ImageSource): boolean {
  return (
    !flags.includes('blended') &&
    !flags.includes('fit-failed') &&
    !flags.includes('near-bright') &&
    !flags.includes('edge')
  )
}
