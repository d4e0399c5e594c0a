import { meanBeamTimes, type BeamTrack } from '#runtime/sky/beam.ts'
import { fluxAt, PERLEY_BUTLER_2017, type SkySource } from '#runtime/sky/calibrators.ts'
import { ARCSEC_RAD, DEGREE_RAD } from '#runtime/sky/constants.ts'
import { meanDirection, separation, type Direction } from '#runtime/sky/frames.ts'

/** Catalogue sources are looked for out to the null of the beam at band centre, radians. */
export const MODEL_RADIUS_RAD = 3.2 * DEGREE_RAD
/** Catalogue entries this near to a source of the flux scale are that source, or components of it. */
const SAME_SOURCE_RAD = 45 * ARCSEC_RAD
/** Channels over which apparent fluxes are averaged: every 16th of a full band changes them by 1e-4. */
const SAMPLED_CHANNELS = 48

/** A catalogue source as the model needs it. */
export interface CatalogueEntry {
  id: string
  raDeg: number
  decDeg: number
  sIntMjy: number
}

export interface ModelSource extends SkySource {
  /** Flux density times beam, mean over the observation and the band, Jy. */
  apparentFluxJy: number
}

export interface SkyModel {
  calibrator: ModelSource
  /** The other sources, strongest first. */
  others: ModelSource[]
}

export interface SkyModelInput {
  calibrator: SkySource
  catalogue: readonly CatalogueEntry[]
  catalogueFreqHz: number
  spectralIndex: number
  beam: BeamTrack
  freqHz: Float64Array
  /** Sources with less than this part of the calibrator's apparent flux density are left out. */
  fraction: number
  most: number
}

/** Middle of the beam track: centre of the search for other sources. */
export function beamCentre(beam: BeamTrack): Direction {
  return meanDirection(Array.from(beam.raRad, (raRad, k) => ({ raRad, decRad: beam.decRad[k] })))
}

/**
 * The sky that the calibrator is solved against: the calibrator, other sources of the primary flux scale in the beam,
 * and the catalogue's, all with more than `fraction` of the calibrator's apparent flux density, strongest first, at most
 * `most` of them. Catalogue entries at the place of a flux-scale source are dropped.
 */
export function buildSkyModel(input: SkyModelInput): SkyModel {
  const { calibrator, beam, freqHz, fraction, most } = input
  const sampled = freqHz.filter((_, c) => c % Math.max(1, Math.floor(freqHz.length / SAMPLED_CHANNELS)) === 0)
  const centre = beamCentre(beam)
  const scaleSources = PERLEY_BUTLER_2017.filter(
    ({ name, direction }) => name !== calibrator.name && separation(direction, centre) < MODEL_RADIUS_RAD,
  )
  const known = [calibrator, ...scaleSources]
  const fromCatalogue = input.catalogue
    .map((entry): SkySource => ({
      name: entry.id,
      direction: { raRad: entry.raDeg * DEGREE_RAD, decRad: entry.decDeg * DEGREE_RAD },
      flux: {
        kind: 'power-law',
        fluxJy: entry.sIntMjy / 1000,
        refFreqHz: input.catalogueFreqHz,
        spectralIndex: input.spectralIndex,
      },
    }))
    .filter(({ direction }) => known.every((source) => separation(source.direction, direction) > SAME_SOURCE_RAD))
  const own = withApparentFlux(calibrator)
  const others = [...scaleSources, ...fromCatalogue]
    .map(withApparentFlux)
    .filter(({ apparentFluxJy }) => apparentFluxJy > fraction * own.apparentFluxJy)
    .toSorted((a, b) => b.apparentFluxJy - a.apparentFluxJy || (a.name < b.name ? -1 : 1))
    .slice(0, most)
  return { calibrator: own, others }

  function withApparentFlux({ name, direction, flux }: SkySource): ModelSource {
    const fluxes = Float64Array.from(sampled, (f) => fluxAt(flux, f))
    return { name, direction, flux, apparentFluxJy: meanBeamTimes(beam, direction, sampled, fluxes) }
  }
}
