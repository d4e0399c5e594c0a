/** How visibilities are weighted: natural, uniform, or Briggs (1995) with a robustness from -2 to 2. */
export type Weighting = 'natural' | 'uniform' | { briggs: number }

/** What WSClean is asked for: every value that a preset fixes and a parameter may override. */
export interface ImagingSettings {
  sizePixels: number
  cellArcsec: number
  weighting: Weighting
  /** Error of the w-gridder against a direct transform, rms (Arras et al. 2021). */
  gridderAccuracy: number
  /** Deconvolve; else the dirty image is the image. */
  clean: boolean
  /** Part of a peak that one major cycle may remove. */
  mgain: number
  /** Guards, not controls: reaching one makes the image uncertain. */
  niter: number
  nmiter: number
  /** Depth of cleaning inside the mask, in units of the noise. */
  autoThresholdSigma: number
  /** Islands of the mask hold a pixel above this many times the local noise. */
  maskSigma: number
  /** Frequency slices that are cleaned together, with a polynomial of two terms over them. */
  channelsOut: number
}

export const presetNames = ['standard', 'fine', 'quicklook', 'deep'] as const
export type PresetName = (typeof presetNames)[number]

const standard: ImagingSettings = {
  // Twice the radius where the mean beam falls to 0.2 (1.99 deg); bmin / 5 and 1 / (2.2 u_max) both give 7 arcsec.
  sizePixels: 2048,
  cellArcsec: 7,
  // Noise 1.15 to 1.25 x natural at a beam of 68 x 37 arcsec; robust 0 costs 1.6 x.
  weighting: { briggs: 0.5 },
  // 1e-3 costs nothing visible next to the noise and saves a sixth of the time.
  gridderAccuracy: 1e-3,
  clean: true,
  // A third of the time of 0.8 at equal fluxes and noise, inside a mask and once the bright sources are subtracted; the
  // retry after a divergence uses less.
  mgain: 0.95,
  niter: 50_000,
  nmiter: 12,
  autoThresholdSigma: 1,
  maskSigma: 6,
  channelsOut: 1,
}

/** The presets: data, so that one can be compared with another. */
export const presets: Record<PresetName, ImagingSettings> = {
  standard,
  fine: { ...standard, sizePixels: 4800, cellArcsec: 3 },
  // 14 arcsec cells leave the longest baselines out of the grid on purpose.
  quicklook: { ...standard, sizePixels: 1024, cellArcsec: 14, weighting: 'natural', clean: false },
  deep: { ...standard, gridderAccuracy: 1e-4, mgain: 0.8, nmiter: 20, maskSigma: 5, channelsOut: 4 },
}

/** A preset with the overrides that are not null. */
export function resolveSettings(
  params: { preset: PresetName } & { [K in keyof ImagingSettings]: ImagingSettings[K] | null },
): ImagingSettings {
  const { preset, ...overrides } = params
  const known = Object.keys(presets[preset]) as (keyof ImagingSettings)[]
  const given = Object.fromEntries(known.flatMap((name) => (overrides[name] === null ? [] : [[name, overrides[name]]])))
  return { ...presets[preset], ...given }
}
