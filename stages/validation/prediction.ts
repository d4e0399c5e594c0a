import type { CatalogueInfo, CatalogueSource } from '#runtime/formats/catalogue/info.ts'
import { separation, type Direction } from '#runtime/sky/frames.ts'
import { beamResponse } from '#runtime/sky/gaussian-beam.ts'
import { neighbours, offset } from '#runtime/sky/match.ts'
import { pixelToSky, skyToPixel } from '#runtime/sky/projection.ts'
import type { ValidationParams } from './contract.ts'
import { isCovered, northAngleRad, planeAt, type Field } from './field.ts'

/** A catalogue source as this image ought to show it. */
export interface PredictedSource {
  id: string
  direction: Direction
  sigmaRad: number
  /** Flux density at our frequency of this source alone, and of all that our beam sees at its place, Jy. */
  fluxJy: number
  predictedJy: number
  predictedSnr: number
  meanBeam: number
  covered: boolean
  /** No neighbour with more than a tenth of its flux density within two beams. */
  isolated: boolean
  /** Smaller than half of the beam. */
  compact: boolean
  x: number
  y: number
}

/** Neighbours within this many beam major axes add to what the beam sees. */
const SEEN_BEAMS = 1.5
/** Assumed where a catalogue gives no position error. */
const DEFAULT_SIGMA_ARCSEC = 1
const ARCSEC = Math.PI / 648000

/**
 * What the image ought to show of a catalogue: flux densities brought to our frequency, S = S_cat (nu / nu_cat)^alpha,
 * summed over the beam, S_pred = sum_k S_k exp(-4 ln2 r_k^2 / theta(PA)^2), times the mean beam over the local noise.
 */
export function predictSources(
  catalogue: { info: CatalogueInfo; sources: readonly CatalogueSource[] },
  field: Field,
  options: { rms: Float32Array; params: ValidationParams },
): PredictedSource[] {
  const { info } = catalogue
  const { rms, params } = options
  const scale = (field.freqHz / info.freqHz) ** (info.spectralIndex ?? params.spectralIndex)
  // A flux density that is not positive predicts nothing.
  const usable = catalogue.sources.filter(({ sIntMjy }) => sIntMjy > 0)
  const directions = usable.map(({ raDeg, decDeg }) => ({
    raRad: (raDeg * Math.PI) / 180,
    decRad: (decDeg * Math.PI) / 180,
  }))
  const fluxes = usable.map(({ sIntMjy }) => (sIntMjy / 1000) * scale)
  const seen = neighbours(directions, directions, SEEN_BEAMS * field.beam.major)
  const crowd = neighbours(directions, directions, params.isolationBeams * field.beam.major)
  return usable.map((source, i): PredictedSource => {
    const direction = directions[i]
    const { x, y } = skyToPixel(field.wcs, direction)
    const covered = isCovered(field, x, y)
    const meanBeam = covered ? planeAt(field.primaryBeam, field, x, y) : NaN
    const beam = { ...field.beam, paRad: field.beam.paRad - (covered ? northAngleRad(field, x, y) : 0) }
    const predictedJy = seen[i].reduce((sum, k) => {
      const { offsetRaRad, offsetDecRad } = offset(directions[k], direction)
      return sum + fluxes[k] * beamResponse(beam, offsetRaRad, offsetDecRad)
    }, 0)
    return {
      id: source.id,
      direction,
      sigmaRad: ARCSEC * Math.max(orDefault(source.eRaArcsec), orDefault(source.eDecArcsec)),
      fluxJy: fluxes[i],
      predictedJy,
      predictedSnr: covered ? (predictedJy * meanBeam) / planeAt(rms, field, x, y) : NaN,
      meanBeam,
      covered,
      isolated: crowd[i].every((k) => k === i || fluxes[k] <= params.isolationFlux * fluxes[i]),
      compact: isCompact(source, info, { params, beamMinorArcsec: field.beam.minor / ARCSEC }),
      x,
      y,
    }
  })
}

function orDefault(sigmaArcsec: number): number {
  return Number.isFinite(sigmaArcsec) ? sigmaArcsec : DEFAULT_SIGMA_ARCSEC
}

function isCompact(
  source: CatalogueSource,
  info: CatalogueInfo,
  { params, beamMinorArcsec }: { params: ValidationParams; beamMinorArcsec: number },
): boolean {
  if (info.sizes === 'fitted') return !(source.sIntMjy / source.sPeakMjy > params.maxResolvedRatio)
  return source.sizeIsLimit || !(source.majArcsec > params.maxSizeBeams * beamMinorArcsec)
}

/** Part of the covered pixels that the catalogue covers, from a regular sample of them. */
export function coveredByCatalogue(info: CatalogueInfo, field: Field): number {
  const { width, height, covered } = field
  const step = Math.max(1, Math.floor(Math.min(width, height) / 64))
  let inside = 0
  let all = 0
  for (let y = Math.floor(step / 2); y < height; y += step) {
    for (let x = Math.floor(step / 2); x < width; x += step) {
      if (covered[y * width + x] === 0) continue
      all++
      if (covers(info, pixelToSky(field.wcs, x, y))) inside++
    }
  }
  return all === 0 ? NaN : inside / all
}

/** Surveys thin out at their edge: this much of it is left out, degrees. */
const SURVEY_EDGE_DEG = 2

function covers({ coverage }: CatalogueInfo, direction: Direction): boolean {
  const decDeg = (direction.decRad * 180) / Math.PI
  if (coverage.kind === 'declinations') {
    const low = coverage.minDeg <= -89 ? -90 : coverage.minDeg + SURVEY_EDGE_DEG
    const high = coverage.maxDeg >= 89 ? 90 : coverage.maxDeg - SURVEY_EDGE_DEG
    return decDeg >= low && decDeg <= high
  }
  const centre = { raRad: (coverage.raDeg * Math.PI) / 180, decRad: (coverage.decDeg * Math.PI) / 180 }
  return separation(direction, centre) <= (coverage.radiusDeg * Math.PI) / 180
}
