import type { FitsImage, RestoringBeam } from '#runtime/formats/fits/image.ts'
import { StageError } from '#runtime/stage/errors.ts'
import { robustSigma } from '#runtime/numeric/statistics.ts'
import type { SkySource } from '#runtime/sky/calibrators.ts'
import { ARCSEC_RAD } from '#runtime/sky/constants.ts'
import type { Island } from '#runtime/sky/islands.ts'
import type { Engine, Stage, WideImages } from './engine.ts'
import { findFirstPass, type FirstPass, type Peak } from './first-pass.ts'
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
import { describePointSpread, type PointSpread, type WideBeam } from './point-spread.ts'
import type { ImagingSettings } from './presets.ts'
import type { VisibilitySet } from './visibilities.ts'

/** The field once its bright sources are subtracted. */
export interface Field {
  /** Copies of the sets without the bright sources, that WSClean may write its model into. */
  writablePaths(): Promise<readonly string[]>
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
  /** Largest apparent flux density, subtracted or not; of a field that is not searched, the dirty peak. */
  brightestJy: number
}

/** Depth of the wide search in units of the flux density that is sought: what is fainter may hide under sidelobes. */
const wideFloor = 0.7

/** A source to be fitted stands out of what the search left by this factor: noise of uncalibrated data is no source. */
const brightSigma = 20

/**
 * Makes the dirty images of an observation and, round by round, takes its bright sources out of the visibilities: first
 * those that calibration knows, then what the image shows. Without CLEAN it stops at the dirty images.
 */
export async function peelField(
  stage: Stage,
  { engine, sets, skyModel }: { engine: Engine; sets: readonly SurveyedSet[]; skyModel: readonly SkySource[] },
): Promise<Field> {
  const { params } = stage
  const { settings } = engine
  const limitJy = settings.clean && params.brightJy !== null ? params.brightJy : Number.POSITIVE_INFINITY
  const subtraction = createSubtraction(stage, sets)
  const known = skyModel
    .map((source) => ({ source, apparentFluxJy: meanApparentFlux(source, sets) }))
    .filter(({ apparentFluxJy }) => apparentFluxJy > limitJy)
  let bright = known.length > 0 ? await subtraction.subtract(known, expectedBeam(settings)) : []
  const candidatesOf = (found: FirstPass, image: FitsImage, beamRad: number): BrightCandidate[] =>
    brightCandidates(found.peaks, image, {
      limitJy: Math.max(limitJy, brightSigma * robustSigma(found.residual)),
      known: bright.map(({ source }) => source),
      beamRad,
      sets,
    })
  let wide: WideImages | undefined
  if (settings.clean) {
    const integrations = sets[0].set.metadata.beam.raRad.length
    const images = await stage.phase('wide', () => engine.wide(subtraction.paths, integrations))
    const { beam, found } = await stage.phase('search', () => searchWide(images, { bright, settings, limitJy }))
    const candidates = candidatesOf(found, images.image, beam.majorRad)
    if (candidates.length > 0) bright = await subtraction.subtract([...bright, ...candidates], beam)
    wide = images
  }
  const { image, psf, noisePath } = await stage.phase('dirty', () => engine.dirty(subtraction.paths))
  const { wcs } = psf
  const beam = beamOf(psf)
  const peakJy = peakOf(image.data)
  if (peakJy === 0) {
    throw new StageError('DATA_UNUSABLE', 'the dirty image is zero everywhere: the visibilities are all zero', {
      hint: 'look at the calibration: its DATA column must hold the corrected visibilities',
    })
  }
  const beamPixels = beam.majorRad / wcs.cellRad
  const minorPixels = beam.minorRad / wcs.cellRad
  const spread = describePointSpread(psf.data, wcs.width, {
    height: wcs.height,
    mainLobePixels: beamPixels,
    wide: wide === undefined ? undefined : wideBeam(wide),
  })
  const { maskSigma } = settings
  const search = (): Promise<FirstPass> =>
    stage.phase('search', () =>
      findFirstPass({ image: dirty.data, psf: spread, maskSigma, beamPixels, removed: asPeaks(bright, wcs) }),
    )
  let dirty = image
  let found: FirstPass = settings.clean ? await search() : { islands: [], peaks: [], residual: image.data, rounds: 0 }
  for (let round = 1; round < params.peelRounds; round += 1) {
    const candidates = candidatesOf(found, dirty, beam.majorRad)
    const before = bright.length
    if (candidates.length === 0 || before >= params.brightSources) break
    bright = await subtraction.subtract([...bright, ...candidates], beam)
    dirty = await stage.phase('dirty', () => engine.redirty(subtraction.paths))
    found = await search()
    if (bright.length === before) break
  }
  return {
    writablePaths: () => subtraction.copy(),
    dirty,
    psf,
    spread,
    noisePath,
    bright,
    islands: found.islands,
    peaks: found.peaks,
    beamPixels,
    minorPixels,
    maskSigma,
    brightestJy: settings.clean
      ? [...found.peaks, ...bright.map(({ apparentFluxJy: fluxJy }) => ({ fluxJy }))].reduce(
          (most, { fluxJy }) => Math.max(most, fluxJy),
          0,
        )
      : peakJy,
  }
}

/** Sources of the wide image: those in the field and those outside, whose sidelobes cross it. */
function searchWide(
  { image, psf }: WideImages,
  { bright, settings, limitJy }: { bright: readonly BrightCandidate[]; settings: ImagingSettings; limitJy: number },
): { beam: RestoringBeam; found: FirstPass } {
  const beam = beamOf(psf)
  const { wcs, data } = psf
  const beamPixels = beam.majorRad / wcs.cellRad
  const spread = describePointSpread(data, wcs.width, { height: wcs.height, mainLobePixels: beamPixels })
  const { maskSigma } = settings
  const found = findFirstPass({
    image: image.data,
    psf: spread,
    maskSigma,
    beamPixels,
    removed: asPeaks(bright, image.wcs),
    floorJy: wideFloor * limitJy,
  })
  return { beam, found }
}

function wideBeam({ psf, step }: WideImages): WideBeam {
  return { data: psf.data, width: psf.wcs.width, height: psf.wcs.height, step }
}

function beamOf({ beam }: FitsImage): RestoringBeam {
  if (beam === undefined) throw new StageError('WSCLEAN_FAILED', 'WSClean could not fit a beam to the dirty beam')
  return beam
}

/** Subtraction of bright sources from copies that are made when the first source is to go. */
function createSubtraction(
  stage: Stage,
  sets: readonly SurveyedSet[],
): {
  /** The sets to image now. */
  readonly paths: readonly string[]
  /** Copies of the sets, made now if they have not been: the calibrated ones are never written to. */
  copy(): Promise<readonly string[]>
  /** Fits the sources to the calibrated data and leaves their remainder in the copies. */
  subtract(candidates: BrightCandidate[], beam: RestoringBeam): Promise<BrightCandidate[]>
} {
  let copies: VisibilitySet[] | undefined
  const copied = async (): Promise<VisibilitySet[]> =>
    (copies ??= await stage.phase('copy', () => copySets(stage, sets)))
  const pathsOf = (each: readonly VisibilitySet[]): string[] => each.map(({ layout }) => layout.path)
  return {
    get paths() {
      return pathsOf(copies ?? sets.map(({ set }) => set))
    },
    copy: async () => pathsOf(await copied()),
    async subtract(candidates, beam) {
      const chosen = candidates
        .toSorted((a, b) => b.apparentFluxJy - a.apparentFluxJy)
        .slice(0, stage.params.brightSources)
      const sources = await stage.phase('fit bright sources', () =>
        fitBrightSources(stage, { sets, candidates: chosen, beam }),
      )
      const into = await copied()
      await stage.phase('subtract', () => subtractBright(stage, { sets, copies: into, sources }))
      return sources
    },
  }
}

/** The beam that a preset is made for, before it is known: ten and five pixels. */
function expectedBeam({ cellArcsec }: ImagingSettings): RestoringBeam {
  const cellRad = cellArcsec * ARCSEC_RAD
  return { majorRad: 10 * cellRad, minorRad: 5 * cellRad, positionAngleRad: 0 }
}
