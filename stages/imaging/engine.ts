import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { readFitsImage, type FitsImage } from '#runtime/formats/fits/image.ts'
import type { StageRun } from '#runtime/stage/contract.ts'
import type { imaging } from './contract.ts'
import type { ImagingSettings } from './presets.ts'
import {
  cleanArguments,
  dirtyArguments,
  redirtyArguments,
  wideArguments,
  wideStep,
  type WscleanJob,
  type WscleanVersion,
} from './wsclean-arguments.ts'
import type { CleanLog } from './wsclean-log.ts'
import { runWsclean } from './wsclean.ts'

export type Stage = StageRun<typeof imaging>

/** A clean takes this many passes over the data more often than not: for the progress bar only. */
const usualPasses = 12

/** A call that takes this many times longer than planned hangs. */
const patience = 30
const shortestTimeoutSeconds = 600

export interface DirtyImages {
  image: FitsImage
  psf: FitsImage
  /** Stokes Q, left in the scratch folder until it is needed. */
  noisePath: string
}

export interface WideImages {
  image: FitsImage
  psf: FitsImage
  /** Pixels of the image in one of these. */
  step: number
}

export interface CleanImages {
  image: FitsImage
  residual: FitsImage
  model: FitsImage
  /** Of a clean in frequency slices, which makes its own. */
  psf: FitsImage | undefined
}

/** WSClean on sets of one observation, with its files in the scratch folder. */
export interface Engine {
  /** PSF and dirty images of Stokes I and Q. */
  dirty(sets: readonly string[]): Promise<DirtyImages>
  /** Coarse dirty beam and image of twice the field. */
  wide(sets: readonly string[], integrations: number): Promise<WideImages>
  /** Dirty image of Stokes I alone. */
  redirty(sets: readonly string[]): Promise<FitsImage>
  /**
   * Clean inside a mask; without images when it diverged. `sets` are writable copies with the data of the last dirty
   * image: the model is kept in them, and `goOn` begins where the last clean ended.
   */
  clean(
    sets: readonly string[],
    options: { maskPath: string; mgain: number; goOn: boolean },
  ): Promise<{ images?: CleanImages; log: CleanLog }>
  readonly settings: ImagingSettings
}

export function createEngine(
  stage: Stage,
  { version, settings, plannedSeconds }: { version: WscleanVersion; settings: ImagingSettings; plannedSeconds: number },
): Engine {
  const { scratchDir, resources, signal } = stage
  const threads = Math.max(1, Math.floor(resources.cpu))
  const path = (name: string): string => join(scratchDir, name)
  const job = (name: string, measurementSets: readonly string[]): WscleanJob => ({
    version,
    measurementSets,
    name: path(name),
    settings,
    threads,
    memoryBytes: resources.memoryBytes,
    tempDir: scratchDir,
  })
  let donePasses = 0
  const call = async (args: readonly string[], { watchDivergence = false } = {}): ReturnType<typeof runWsclean> => {
    stage.log.info('wsclean', { arguments: args.join(' ') })
    const before = donePasses
    return runWsclean({
      args,
      signal,
      watchDivergence,
      timeoutSeconds: Math.ceil(Math.max(shortestTimeoutSeconds, patience * plannedSeconds)),
      onLog(log) {
        if (before + log.passes === donePasses) return
        donePasses = before + log.passes
        stage.progress({ done: donePasses, total: Math.max(usualPasses, donePasses + 1), unit: 'passes' })
      },
    })
  }
  // The plain dirty images are one slice; a clean in slices cannot reuse them.
  const reusable = settings.channelsOut === 1
  let lastDirty = path('first-I')
  return {
    settings,
    async dirty(sets) {
      await call(dirtyArguments(job('first', sets), ['I', 'Q']))
      lastDirty = path('first-I')
      return {
        image: await readFitsImage(path('first-I-dirty.fits')),
        noisePath: path('first-Q-dirty.fits'),
        psf: await readFitsImage(path('first-psf.fits')),
      }
    },
    async wide(sets, integrations) {
      await call(wideArguments(job('wide', sets), integrations))
      return {
        image: await readFitsImage(path('wide-dirty.fits')),
        psf: await readFitsImage(path('wide-psf.fits')),
        step: wideStep(settings),
      }
    },
    async redirty(sets) {
      await call(redirtyArguments(job('next', sets)))
      lastDirty = path('next')
      return readFitsImage(path('next-dirty.fits'))
    },
    async clean(sets, { maskPath, mgain, goOn }) {
      // The last residual is the dirty image of what is still to be cleaned: no need to grid it again.
      if (goOn && reusable) await rename(path('clean-residual.fits'), path('rest-dirty.fits'))
      const reuse = reusable ? { reusePsf: path('first'), reuseDirty: goOn ? path('rest') : lastDirty } : {}
      const { diverged, log } = await call(cleanArguments(job('clean', sets), { maskPath, mgain, goOn, ...reuse }), {
        watchDivergence: true,
      })
      if (diverged) return { log }
      const name = (kind: string): string => path(`clean-${reusable ? '' : 'MFS-'}${kind}.fits`)
      return {
        log,
        images: {
          image: await readFitsImage(name('image')),
          residual: await readFitsImage(name('residual')),
          model: await readFitsImage(name('model')),
          psf: reusable ? undefined : await readFitsImage(name('psf')),
        },
      }
    },
  }
}
