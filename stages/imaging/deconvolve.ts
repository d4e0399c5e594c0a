import { join } from 'node:path'
import { writeFitsImage, type FitsImage } from '#runtime/formats/fits/image.ts'
import { maskFromIslands, type Island } from '#runtime/sky/islands.ts'
import type { CleanStop } from './checks.ts'
import type { CleanImages, Engine, Stage } from './engine.ts'
import type { Field } from './field.ts'
import { newIslands, noiseMap } from './first-pass.ts'
import { peakOf } from './image-statistics.ts'
import { asPeaks } from './peel.ts'
import { emptyCleanLog, type CleanLog } from './wsclean-log.ts'

/** A deconvolved field; `images` are absent when every attempt diverged. */
export interface Deconvolved {
  images: CleanImages | undefined
  islands: Island[]
  maskFraction: number
  maskRounds: number
  retries: number
  cleanStop: CleanStop
  /** Of the last round; cycles and iterations are those of all rounds. */
  log: CleanLog
}

/** A model with a peak above this multiple of the dirty peak has diverged. */
const modelPeakFactor = 2

/** Windows of the mask reach this part of the minor axis beyond their island, and of the major axis about a subtracted source. */
const growPart = 1
const discPart = 0.6

/**
 * CLEAN inside a mask of the islands that the search found, and as long as the residual shows new ones, on with a wider
 * mask. A first round that diverges is begun again once, with a lower gain; a later one that does ends the cleaning with
 * what the rounds before it made.
 */
export async function deconvolve(stage: Stage, engine: Engine, field: Field): Promise<Deconvolved> {
  const { params } = stage
  const maskPath = join(stage.scratchDir, 'mask.fits')
  let { islands } = field
  let mask = openMask(field)
  let mgain = engine.settings.mgain
  let [rounds, retries] = [0, 0]
  let images: CleanImages | undefined
  let log = emptyCleanLog
  if (!mask.includes(1)) return { images, islands, maskFraction: 0, maskRounds: 0, retries, cleanStop: 'none', log }
  const paths = await field.writablePaths()
  while (rounds < params.maskRounds) {
    await writeMask(maskPath, mask, field.dirty)
    const attempt = await stage.phase('clean', () => engine.clean(paths, { maskPath, mgain, goOn: rounds > 0 }))
    if (attempt.images === undefined || hasDiverged(attempt.images, field.dirty)) {
      stage.warn(`CLEAN diverged with mgain ${mgain}${rounds > 0 ? `, in round ${rounds + 1}` : ''}`)
      if (rounds > 0 || retries > 0 || mgain <= params.retryMgain) break
      retries += 1
      mgain = params.retryMgain
      continue
    }
    rounds += 1
    images = attempt.images
    log = addRounds(log, attempt.log)
    if (rounds >= params.maskRounds) break
    const { residual } = attempt.images
    const added = await stage.phase('search', () => searchResidual(field, residual.data, mask))
    stage.log.info('search of the residual', { round: rounds, newIslands: added.length })
    if (added.length === 0) break
    islands = [...islands, ...added]
    const { width, height } = field.spread
    const more = maskFromIslands(added, width, height, growPart * field.minorPixels)
    mask = mask.map((inside, i) => inside | more[i])
  }
  return {
    images,
    islands,
    maskFraction: mask.reduce((sum, inside) => sum + inside, 0) / mask.length,
    maskRounds: rounds,
    retries,
    cleanStop: images === undefined ? 'diverged' : log.stop === 'running' ? 'threshold' : log.stop,
    log,
  }
}

function openMask({ islands, bright, dirty, spread, beamPixels, minorPixels }: Field): Uint8Array {
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
  return mask
}

/** Islands of a residual that neither noise nor the remainders of subtracted and cleaned sources explain. */
function searchResidual(field: Field, residual: Float32Array, known: Uint8Array): Island[] {
  const { spread, maskSigma, beamPixels, peaks, bright, dirty } = field
  const removed = [...peaks, ...asPeaks(bright, dirty.wcs)]
  const rms = noiseMap(residual, spread.width, beamPixels)
  return newIslands({ image: residual, psf: spread, maskSigma, beamPixels, removed, known }, rms)
}

function addRounds(before: CleanLog, log: CleanLog): CleanLog {
  return {
    ...log,
    majorCycles: before.majorCycles + log.majorCycles,
    minorIterations: before.minorIterations + log.minorIterations,
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
