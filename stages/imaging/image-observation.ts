import { join } from 'node:path'
import { writeFitsImage, type FitsImage } from '#runtime/formats/fits/image.ts'
import type { SkySource } from '#runtime/sky/calibrators.ts'
import { maskFromIslands, type Island } from '#runtime/sky/islands.ts'
import type { CleanStop } from './checks.ts'
import type { CleanImages, Engine, Stage } from './engine.ts'
import { peelField, type Field } from './field.ts'
import { newIslands, noiseMap } from './first-pass.ts'
import { peakOf } from './image-statistics.ts'
import { asPeaks, type BrightCandidate, type SurveyedSet } from './peel.ts'
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
  const field = await peelField(stage, { engine, sets, skyModel })
  if (!engine.settings.clean) return dirtyResult(field)
  const masked = await stage.phase('mask', () => openMask(field))
  if (!masked.mask.includes(1)) return dirtyResult(field)
  return deconvolve(stage, engine, { field, masked })
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
    brightestJy: field.brightestJy,
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
