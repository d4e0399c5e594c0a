import type { ImagingSettings, Weighting } from './presets.ts'

export interface WscleanVersion {
  major: number
  minor: number
  text: string
}

/** What every call of WSClean needs to know. */
export interface WscleanJob {
  version: WscleanVersion
  measurementSets: readonly string[]
  /** Path prefix of the images. */
  name: string
  settings: ImagingSettings
  threads: number
  memoryBytes: number
  tempDir: string
}

/** Inputs of one clean: a mask, and images of an earlier dirty run of the same data that need not be made again. */
export interface CleanInputs {
  maskPath: string
  mgain: number
  /** Go on from the model that an earlier clean of the same name left, in the sets and in its images. */
  goOn: boolean
  reusePsf?: string
  reuseDirty?: string
}

const widePixelArcsec = 14

/** Memory that a call is told of: three quarters of what it gets, for its tables beside the grids. */
const memoryShare = 0.75

/** The version out of `wsclean -version`; undefined when the text is not WSClean's. */
export function parseWscleanVersion(text: string): WscleanVersion | undefined {
  const match = /WSClean version ((\d+)\.(\d+)[\w.-]*)/i.exec(text)
  if (match === null) return undefined
  return { major: Number(match[2]), minor: Number(match[3]), text: match[1] }
}

/** Whether the version is one that this code has options for. */
export function isSupported(version: WscleanVersion): boolean {
  return version.major > 3 || (version.major === 3 && version.minor >= 1)
}

/** PSF and dirty images, Stokes I and Q with the same weights: Q of unpolarised sky is noise alone. */
export function dirtyArguments(job: WscleanJob, stokes: readonly ('I' | 'Q')[]): string[] {
  return [...commonArguments(job), '-pol', stokes.join(','), '-niter', '0', '-make-psf', ...job.measurementSets]
}

/**
 * Dirty beam and dirty image of twice the field in coarse pixels, with the weights of the image: super-weighting keeps the
 * cells of the uv plane in which weights are counted. Baselines too long for the pixels are left out; they make no lobes.
 * The middle quarter of the integrations shows bright sources and lobes as well as all, the lobes a little sharper.
 */
export function wideArguments(job: WscleanJob, integrations: number): string[] {
  const { sizePixels, cellArcsec } = job.settings
  const step = wideStep(job.settings)
  const size = 2 * Math.ceil(sizePixels / step)
  const settings = { ...job.settings, sizePixels: size, cellArcsec: cellArcsec * step }
  const middle = [Math.floor(integrations * 0.375), Math.ceil(integrations * 0.625)]
  return [
    ...commonArguments({ ...job, settings }),
    '-super-weight',
    String((size * step) / sizePixels),
    '-interval',
    ...middle.map(String),
    '-pol',
    'I',
    '-niter',
    '0',
    '-make-psf',
    ...job.measurementSets,
  ]
}

/** Pixels of the image in one of the wide dirty beam: 14 arcsec, twice the largest pixel that holds all baselines. */
export function wideStep({ cellArcsec }: ImagingSettings): number {
  return Math.max(1, Math.round(widePixelArcsec / cellArcsec))
}

/** Stokes I alone, without PSF: the dirty image after something was subtracted. */
export function redirtyArguments(job: WscleanJob): string[] {
  return [...commonArguments(job), '-pol', 'I', '-niter', '0', ...job.measurementSets]
}

/** A clean inside a mask: Cotton-Schwab major cycles (Offringa et al. 2014). It keeps its model in the sets. */
export function cleanArguments(job: WscleanJob, clean: CleanInputs): string[] {
  const { settings } = job
  return [
    ...commonArguments(job).filter((argument) => argument !== '-no-update-model-required'),
    ...(clean.goOn ? ['-continue'] : []),
    '-pol',
    'I',
    '-niter',
    String(settings.niter),
    '-nmiter',
    String(settings.nmiter),
    '-mgain',
    String(clean.mgain),
    '-auto-threshold',
    String(settings.autoThresholdSigma),
    '-fits-mask',
    clean.maskPath,
    ...(clean.reusePsf === undefined ? [] : ['-reuse-psf', clean.reusePsf]),
    ...(clean.reuseDirty === undefined ? [] : ['-reuse-dirty', clean.reuseDirty]),
    ...channelArguments(settings.channelsOut),
    ...job.measurementSets,
  ]
}

function commonArguments({ version, name, settings, threads, memoryBytes, tempDir }: WscleanJob): string[] {
  return [
    '-name',
    name,
    '-j',
    String(threads),
    '-abs-mem',
    ((memoryBytes * memoryShare) / 1e9).toFixed(2),
    '-temp-dir',
    tempDir,
    '-no-update-model-required',
    '-log-time',
    // Never DATA or CORRECTED_DATA by chance: what calibration writes is in DATA.
    '-data-column',
    'DATA',
    '-size',
    String(settings.sizePixels),
    String(settings.sizePixels),
    '-scale',
    `${settings.cellArcsec}asec`,
    '-weight',
    ...weightArguments(settings.weighting),
    ...gridderArguments(version),
    '-wgridder-accuracy',
    String(settings.gridderAccuracy),
  ]
}

function weightArguments(weighting: Weighting): string[] {
  return typeof weighting === 'string' ? [weighting] : ['briggs', String(weighting.briggs)]
}

/** 3.4 brought `-gridder` and dropped `-use-wgridder`. */
function gridderArguments({ major, minor }: WscleanVersion): string[] {
  return major > 3 || minor >= 4 ? ['-gridder', 'wgridder'] : ['-use-wgridder']
}

function channelArguments(channelsOut: number): string[] {
  if (channelsOut === 1) return []
  return ['-channels-out', String(channelsOut), '-join-channels', '-fit-spectral-pol', '2']
}
