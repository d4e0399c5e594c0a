import type { FitsValue } from '#runtime/formats/fits/cards.ts'
import type { FitsImage } from '#runtime/formats/fits/image.ts'
import type { SkySource } from '#runtime/sky/calibrators.ts'
import type { Island } from '#runtime/sky/islands.ts'
import type { CleanStop } from './checks.ts'
import { deconvolve } from './deconvolve.ts'
import type { Engine, Stage } from './engine.ts'
import { peelField, type Field } from './field.ts'
import type { BrightCandidate, SurveyedSet } from './peel.ts'
import { emptyCleanLog, type CleanLog } from './wsclean-log.ts'

/** What came out of WSClean, before sources are restored and headers written. */
export interface Imaged {
  image: FitsImage
  residual: Float32Array
  model: Float32Array
  psf: FitsImage
  noisePath: string
  /** What WSClean counted in the whole band; its images of frequency slices tell one slice. */
  counts: ReadonlyMap<string, FitsValue>
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

const countKeys = ['WSCNVIS', 'WSCENVIS', 'WSCVWSUM', 'WSCNORMF']

/** Images of one observation: dirty beam and noise, bright sources away, mask, clean, another look at the residual. */
export async function imageObservation(
  stage: Stage,
  { engine, sets, skyModel }: { engine: Engine; sets: readonly SurveyedSet[]; skyModel: readonly SkySource[] },
): Promise<Imaged> {
  const field = await peelField(stage, { engine, sets, skyModel })
  const dirty = dirtyResult(field)
  if (!engine.settings.clean) return dirty
  const { images, ...rest } = await deconvolve(stage, engine, field)
  if (images === undefined) return { ...dirty, ...rest }
  return {
    ...dirty,
    ...rest,
    image: images.image,
    residual: images.residual.data,
    model: images.model.data,
    psf: images.psf ?? field.psf,
  }
}

function dirtyResult(field: Field): Imaged {
  return {
    image: field.dirty,
    residual: field.dirty.data.slice(),
    model: new Float32Array(field.dirty.data.length),
    psf: field.psf,
    noisePath: field.noisePath,
    counts: new Map([...field.psf.cards].filter(([key]) => countKeys.includes(key))),
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
