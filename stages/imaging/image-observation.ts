import { join } from 'node:path'
import { writeFitsImage, type FitsImage } from '#runtime/formats/fits/image.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { maskFromIslands, type Island } from '#runtime/sky/islands.ts'
import type { SkySource } from '#runtime/sky/calibrators.ts'
import type { CleanStop } from './checks.ts'
import type { CleanImages, Engine, Stage } from './engine.ts'
import { findFirstPass, newIslands, noiseMap, type Peak } from './first-pass.ts'
import { peakOf } from './image-statistics.ts'
import {
  asPeaks,
  brightCandidates,
  copySets,
  fitBrightSources,
  meanApparentFlux,
  subtractBright,
  type BrightCandidate,
  type SurveyedSet,
} from './peel.ts'
import { describePointSpread, type PointSpread } from './point-spread.ts'
import { emptyCleanLog, type CleanLog } from './wsclean-log.ts'

/** What came out of WSClean, before sources are restored and headers written. */
export interface Imaged {
  image: FitsImage
  residual: Float32Array
  model: Float32Array
  psf: FitsImage
  noisePath: string
  bright: readonly BrightCandidate[]
  islands: readonly Island[]
  maskFraction: number
  maskRounds: number
  retries: number
  cleanStop: CleanStop
  log: CleanLog
  psfSidelobe: number
  /** Largest apparent flux density in the field, subtracted or not. */
  brightestJy: number
}

/** A model with a peak above this multiple of the dirty peak has diverged. */
const modelPeakFactor = 2

/** Windows of the mask reach this part of the minor axis beyond their island, and of the major axis about a subtracted source. */
const growPart = 1
const discPart = 0.6

/** Images of one observation: dirty beam and noise, bright sources away, mask, clean, another look at the residual. */
export async function imageObservation(
  stage: Stage,
  { engine, sets, skyModel }: { engine: Engine; sets: readonly SurveyedSet[]; skyModel: readonly SkySource[] },
): Promise<Imaged> {
  const field = await peel(stage, { engine, sets, skyModel })
  if (!engine.settings.clean) return dirtyResult(field)
  const masked = await stage.phase('mask', () => openMask(field))
  if (!masked.mask.includes(1)) return dirtyResult(field)
  return deconvolve(stage, engine, { field, masked })
}

/** The field once its bright sources are subtracted. */
interface Field {
  /** Sets to image now: the calibrated ones, or copies without the bright sources. */
  paths: readonly string[]
  dirty: FitsImage
  psf: FitsImage
  spread: PointSpread
  noisePath: string
  bright: BrightCandidate[]
  islands: Island[]
  peaks: Peak[]
  beamPixels: number
  minorPixels: number
  maskSigma: number
}

async function peel(
  stage: Stage,
  { engine, sets, skyModel }: { engine: Engine; sets: readonly SurveyedSet[]; skyModel: readonly SkySource[] },
): Promise<Field> {
  const { params } = stage
  const limitJy = params.brightJy ?? Number.POSITIVE_INFINITY
  let paths = sets.map(({ set }) => set.layout.path)
  const images = await stage.phase('dirty', () => engine.dirty(paths))
  const { psf, noisePath } = images
  let dirty = images.image
  const { beam, wcs } = psf
  if (beam === undefined) throw new StageError('WSCLEAN_FAILED', 'WSClean could not fit a beam to the dirty beam')
  if (peakOf(dirty.data) === 0) {
    throw new StageError('DATA_UNUSABLE', 'the dirty image is zero everywhere: the visibilities are all zero', {
      hint: 'look at the calibration: its DATA column must hold the corrected visibilities',
    })
  }
  const beamPixels = beam.majorRad / wcs.cellRad
  const minorPixels = beam.minorRad / wcs.cellRad
  const wide = await stage.phase('wide beam', () => engine.widePsf(paths))
  const spread = describePointSpread(psf.data, wcs.width, { height: wcs.height, mainLobePixels: beamPixels, wide })
  const search = (bright: readonly BrightCandidate[]): ReturnType<typeof findFirstPass> =>
    findFirstPass({
      image: dirty.data,
      psf: spread,
      maskSigma: engine.settings.maskSigma,
      beamPixels,
      removed: asPeaks(bright, wcs),
    })
  const rank = (a: BrightCandidate, b: BrightCandidate): number => b.apparentFluxJy - a.apparentFluxJy
  const fitAndSubtract = async (candidates: BrightCandidate[]): Promise<BrightCandidate[]> => {
    const chosen = candidates.sort(rank).slice(0, params.brightSources)
    const fitted = await stage.phase('fit bright sources', () => fitBrightSources(stage, { sets, candidates: chosen, beam }))
    copies ??= await stage.phase('copy', () => copySets(stage, sets))
    await stage.phase('subtract', () => subtractBright(stage, { sets, copies: copies ?? [], sources: fitted }))
    paths = copies.map(({ layout }) => layout.path)
    dirty = await stage.phase('dirty', () => engine.redirty(paths))
    return fitted
  }
  let copies: Awaited<ReturnType<typeof copySets>> | undefined
  const known = skyModel
    .map((source) => ({ source, apparentFluxJy: meanApparentFlux(source, sets) }))
    .filter(({ apparentFluxJy }) => apparentFluxJy > limitJy)
  let bright = known.length > 0 ? await fitAndSubtract(known) : []
  let found = await stage.phase('search', () => search(bright))
  for (let round = known.length > 0 ? 1 : 0; round < params.peelRounds; round += 1) {
    const candidates = brightCandidates(found.peaks, wcs, {
      limitJy,
      known: bright.map(({ source }) => source),
      beamRad: beam.majorRad,
      sets,
      freqHz: Number(psf.cards.get('CRVAL3')),
    })
    if (candidates.length === 0 || bright.length >= params.brightSources) break
    const before = bright.length
    bright = await fitAndSubtract([...bright, ...candidates])
    found = await stage.phase('search', () => search(bright))
    if (bright.length === before) break
  }
  return {
    paths,
    dirty,
    psf,
    spread,
    noisePath,
    bright,
    islands: found.islands,
    peaks: found.peaks,
    beamPixels,
    minorPixels,
    maskSigma: engine.settings.maskSigma,
  }
}

interface Masked {
  islands: Island[]
  mask: Uint8Array
}

function openMask({ islands, bright, dirty, spread, beamPixels, minorPixels }: Field): Masked {
  const { width, height } = spread
  const mask = maskFromIslands(islands, width, height, growPart * minorPixels)
  const radius = discPart * beamPixels
  for (const { pixel } of asPeaks(bright, dirty.wcs)) {
    const [cx, cy] = [pixel % width, Math.floor(pixel / width)]
    for (let y = Math.max(0, Math.ceil(cy - radius)); y <= Math.min(height - 1, cy + radius); y += 1) {
      for (let x = Math.max(0, Math.ceil(cx - radius)); x <= Math.min(width - 1, cx + radius); x += 1) {
        if (Math.hypot(x - cx, y - cy) <= radius) mask[y * width + x] = 1
      }
    }
  }
  return { islands, mask }
}

async function deconvolve(
  stage: Stage,
  engine: Engine,
  { field, masked }: { field: Field; masked: Masked },
): Promise<Imaged> {
  const { params } = stage
  const { width, height } = field.spread
  const maskPath = join(stage.scratchDir, 'mask.fits')
  let { islands, mask } = masked
  let mgain = engine.settings.mgain
  let retries = 0
  let result: { images: CleanImages; log: CleanLog } | undefined
  let log = emptyCleanLog
  let rounds = 0
  while (rounds < params.maskRounds) {
    await writeMask(maskPath, mask, field.dirty)
    const attempt = await stage.phase('clean', () => engine.clean(field.paths, { maskPath, mgain }))
    log = attempt.log
    if (attempt.images === undefined || hasDiverged(attempt.images, field.dirty)) {
      stage.warn(`CLEAN diverged with mgain ${mgain}`)
      if (retries > 0 || mgain <= params.retryMgain) break
      retries += 1
      mgain = params.retryMgain
      continue
    }
    rounds += 1
    result = { images: attempt.images, log: attempt.log }
    if (rounds >= params.maskRounds) break
    const residual = attempt.images.residual.data
    const added = await stage.phase('search', () =>
      newIslands(
        {
          image: residual,
          psf: field.spread,
          maskSigma: field.maskSigma,
          beamPixels: field.beamPixels,
          removed: [...field.peaks, ...asPeaks(field.bright, field.dirty.wcs)],
          known: mask,
        },
        noiseMap(residual, width, field.beamPixels),
      ),
    )
    if (added.length === 0) break
    stage.log.info('the residual shows new sources', { islands: added.length })
    islands = [...islands, ...added]
    const more = maskFromIslands(added, width, height, growPart * field.minorPixels)
    mask = mask.map((inside, i) => inside | more[i])
  }
  const shared = { maskFraction: fractionOf(mask), maskRounds: rounds, retries, islands, log }
  if (result === undefined) return { ...dirtyResult(field), ...shared, cleanStop: 'diverged' }
  const { images } = result
  return {
    ...dirtyResult(field),
    ...shared,
    log: result.log,
    image: images.image,
    residual: images.residual.data,
    model: images.model.data,
    psf: images.psf ?? field.psf,
    cleanStop: result.log.stop === 'running' ? 'threshold' : result.log.stop,
  }
}

function dirtyResult(field: Field): Imaged {
  return {
    image: field.dirty,
    residual: field.dirty.data.slice(),
    model: new Float32Array(field.dirty.data.length),
    psf: field.psf,
    noisePath: field.noisePath,
    bright: field.bright,
    islands: [],
    maskFraction: 0,
    maskRounds: 0,
    retries: 0,
    cleanStop: 'none',
    log: emptyCleanLog,
    psfSidelobe: field.spread.sidelobe,
    brightestJy: [...field.peaks, ...asPeaks(field.bright, field.dirty.wcs)].reduce(
      (most, { fluxJy }) => Math.max(most, fluxJy),
      0,
    ),
  }
}

function hasDiverged({ model, residual }: CleanImages, dirty: FitsImage): boolean {
  const modelPeak = peakOf(model.data)
  return !(modelPeak <= modelPeakFactor * peakOf(dirty.data)) || Number.isNaN(peakOf(residual.data))
}

async function writeMask(path: string, mask: Uint8Array, like: FitsImage): Promise<void> {
  const kept = ['CTYPE', 'CRPIX', 'CRVAL', 'CDELT', 'CUNIT']
  const cards = [...like.cards]
    .filter(([key]) => kept.includes(key.slice(0, -1)))
    .map(([key, value]) => ({ key, value }))
  await writeFitsImage(path, { cards, shape: like.shape, data: Float32Array.from(mask) })
}

function fractionOf(mask: Uint8Array): number {
  return mask.reduce((sum, inside) => sum + inside, 0) / mask.length
}
