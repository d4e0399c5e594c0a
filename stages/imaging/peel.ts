import { mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { FitsImage, RestoringBeam } from '#runtime/formats/fits/image.ts'
import type { SkySource } from '#runtime/sky/calibrators.ts'
import { separation } from '#runtime/sky/frames.ts'
import { apparentFlux } from '#runtime/sky/predict.ts'
import { pixelToSky, skyToPixel, type ImageWcs } from '#runtime/sky/projection.ts'
import { copyTree } from '#runtime/stage/copy.ts'
import { createBrightFit } from './bright-sources.ts'
import type { Stage } from './engine.ts'
import type { Peak } from './first-pass.ts'
import {
  frameOf,
  openVisibilities,
  pickedFrequencies,
  subtractSources,
  visitStokesI,
  type Survey,
  type VisibilitySet,
} from './visibilities.ts'

/** A calibrated set with its survey. */
export interface SurveyedSet {
  set: VisibilitySet
  survey: Survey
}

/** Visibilities that a fit uses: an eighth of a full observation finds a source of 200 sigma to 1.4 %. */
const fitSamples = 1_300_000

/** Channels that stay, so that delays are sampled, and the most channels and blocks of rows of which one is used. */
const fitChannels = 24
const mostChannelStep = 4
const mostBlockStep = 2

/** Steps of the fit at most; it ends when chi-square falls by less than this part. */
const fitSteps = 6
const fitTolerance = 1e-5

/** A step may move a source by this part of the minor axis; in all it may move by a major axis. */
const shiftPart = 0.5

/** A fitted source has between these multiples of the flux density that the image showed, or it is not subtracted. */
const plausibleFlux: readonly [number, number] = [0.3, 3]

/** Spectral index that a source found in an image starts from: the mean of radio sources (Condon 1984). */
const usualIndex = -0.7

/** Below this mean beam a source is not modelled: near the null the real beam is not an Airy pattern. */
const leastResponse = 0.005

/** A source to be subtracted: where it was found, and what the image showed. */
export interface BrightCandidate {
  source: SkySource
  apparentFluxJy: number
}

/** Mean over the data of flux density times beam, Jy: the response of an image to the source. */
export function meanApparentFlux(source: SkySource, sets: readonly SurveyedSet[]): number {
  let [sum, total] = [0, 0]
  for (const { set, survey } of sets) {
    const { beam, freqHz } = set.metadata
    const flux = apparentFlux({ sources: [source], beam, freqHz })
    for (let i = 0; i < flux.length; i += 1) {
      sum += flux[i] * survey.weights[i]
      total += survey.weights[i]
    }
  }
  return sum / total
}

/** Peaks of an image above a flux density as sources, leaving out those within a beam of known ones. */
export function brightCandidates(
  peaks: readonly Peak[],
  image: FitsImage,
  options: {
    limitJy: number
    known: readonly SkySource[]
    beamRad: number
    sets: readonly SurveyedSet[]
  },
): BrightCandidate[] {
  const { wcs, data, cards } = image
  return peaks
    .filter(({ fluxJy }) => fluxJy > options.limitJy)
    .sort((a, b) => b.fluxJy - a.fluxJy)
    .flatMap(({ pixel, fluxJy }): BrightCandidate[] => {
      const { x, y } = vertex(data, wcs.width, pixel)
      const direction = pixelToSky(wcs, x, y)
      if (options.known.some((source) => separation(source.direction, direction) < options.beamRad)) return []
      const unit: SkySource = {
        name: `bright ${wcs.width} ${pixel}`,
        direction,
        flux: { kind: 'power-law', fluxJy: 1, refFreqHz: Number(cards.get('CRVAL3')), spectralIndex: usualIndex },
      }
      const response = meanApparentFlux(unit, options.sets)
      if (!(response > leastResponse)) return []
      const flux = { ...unit.flux, fluxJy: fluxJy / response }
      return [{ source: { ...unit, flux }, apparentFluxJy: fluxJy }]
    })
}

/** Place of a peak between pixels: vertex of parabolas through it and its neighbours. */
function vertex(data: Float32Array, width: number, pixel: number): { x: number; y: number } {
  const shift = (step: number): number => {
    const [a, b, c] = [data[pixel - step], data[pixel], data[pixel + step]]
    const offset = (a - c) / (2 * (a - 2 * b + c))
    return Math.abs(offset) <= 1 ? offset : 0
  }
  return { x: (pixel % width) + shift(1), y: Math.floor(pixel / width) + shift(width) }
}

/** Fits sources to the visibilities; those that end implausibly are left out. */
export async function fitBrightSources(
  stage: Stage,
  {
    sets,
    candidates,
    beam,
  }: { sets: readonly SurveyedSet[]; candidates: readonly BrightCandidate[]; beam: RestoringBeam },
): Promise<BrightCandidate[]> {
  let sources = candidates.map(({ source }) => source)
  let best = { sources, chi2: Number.POSITIVE_INFINITY }
  for (let k = 0; k <= fitSteps; k += 1) {
    let chi2 = 0
    let next = sources
    for (const { set } of sets) {
      const steps = thinning(set)
      const freqHz = pickedFrequencies(set, steps.channelStep)
      const fit = createBrightFit(next, { ...frameOf(set), freqHz })
      await visitStokesI(set, { ...steps, signal: stage.signal }, (block) => fit.add(block))
      chi2 += fit.chi2()
      next = fit.solve(shiftPart * beam.minorRad)
    }
    const gain = best.chi2 - chi2
    if (gain > 0) best = { sources, chi2 }
    stage.log.debug('fit of bright sources', { step: k, chi2, sources: sources.length })
    if (!(gain > fitTolerance * chi2)) break
    sources = next
  }
  return best.sources.flatMap((source, i): BrightCandidate[] => {
    const start = candidates[i]
    const apparentFluxJy = meanApparentFlux(source, sets)
    const ratio = apparentFluxJy / start.apparentFluxJy
    const moved = separation(source.direction, start.source.direction)
    const plausible = ratio > plausibleFlux[0] && ratio < plausibleFlux[1] && moved < beam.majorRad
    stage.log.info('bright source', {
      name: source.name,
      apparentFluxJy,
      movedArcsec: (moved * 648_000) / Math.PI,
      subtracted: plausible,
    })
    return plausible ? [{ source, apparentFluxJy }] : []
  })
}

function thinning({ layout }: VisibilitySet): { channelStep: number; blockStep: number } {
  const channelStep = Math.min(mostChannelStep, Math.max(1, Math.floor(layout.channels / fitChannels)))
  const samples = (layout.rows * layout.channels) / channelStep
  return { channelStep, blockStep: Math.min(mostBlockStep, Math.max(1, Math.floor(samples / fitSamples))) }
}

/** Copies of sets in the scratch folder, for subtraction. The calibrated product itself is never touched. */
export async function copySets(stage: Stage, sets: readonly SurveyedSet[]): Promise<VisibilitySet[]> {
  const folder = join(stage.scratchDir, 'subtracted')
  await mkdir(folder, { recursive: true })
  return Promise.all(
    sets.map(async ({ set }) => {
      const path = join(folder, basename(set.layout.path))
      await copyTree(set.layout.path, path, stage.signal)
      return openVisibilities(path)
    }),
  )
}

/** Writes the data minus the sources into the copies. */
export async function subtractBright(
  stage: Stage,
  {
    sets,
    copies,
    sources,
  }: { sets: readonly SurveyedSet[]; copies: readonly VisibilitySet[]; sources: readonly BrightCandidate[] },
): Promise<void> {
  const model = sources.map(({ source }) => source)
  for (const [i, { set }] of sets.entries()) {
    await subtractSources(set, copies[i], { sources: model, signal: stage.signal })
  }
}

/** Subtracted sources as peaks of an image. */
export function asPeaks(sources: readonly BrightCandidate[], wcs: ImageWcs): Peak[] {
  return sources.flatMap(({ source, apparentFluxJy }) => {
    const { x, y } = skyToPixel(wcs, source.direction)
    const [i, j] = [Math.round(x), Math.round(y)]
    const inside = i >= 0 && j >= 0 && i < wcs.width && j < wcs.height
    return inside ? [{ pixel: j * wcs.width + i, fluxJy: apparentFluxJy }] : []
  })
}
