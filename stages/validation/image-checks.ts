import type { Check } from '#runtime/stage/quality.ts'
import { grade, notRun } from './grade.ts'
import type { Limits } from './limits.ts'
import type { ImageSource } from './sources.ts'

export interface ImageNumbers {
  rmsCentreJy: number
  noiseThJy: number
  noiseExpectedJy: number
  /** Why there is no expected noise, where there is none. */
  noiseMissing?: string
  confusionJy: number
  peakJy: number
  residualPeakSnr: number | undefined
  /** Apparent flux density of the brightest source. */
  brightestJy: number
  /** Negative detections that Gaussian noise gives. */
  expectedNegatives: number
}

/** With a source brighter than this in the field the image noise may be twice the thermal noise (time-variable beam). */
const BRIGHT_JY = 1
const BRIGHT_FIELD_LIMIT = 2
/** Dynamic range means nothing where noise limits it: the peak must exceed this many times the thermal noise. */
const DYNAMIC_PEAK_SIGMA = 400

const micro = (jy: number): string => `${(jy * 1e6).toFixed(0)} uJy/beam`

/** The checks of the image itself. */
export function imageChecks(numbers: ImageNumbers, limits: Limits): Check[] {
  const { rmsCentreJy, noiseThJy, noiseExpectedJy, confusionJy, peakJy, residualPeakSnr, brightestJy } = numbers
  const floor = Math.hypot(noiseThJy, confusionJy)
  const bright = brightestJy > BRIGHT_JY
  return [
    Number.isFinite(noiseExpectedJy)
      ? grade(
          'noiseThermal',
          {
            graded: noiseThJy / noiseExpectedJy,
            message: `Stokes Q noise ${micro(noiseThJy)}, expected ${micro(noiseExpectedJy)}.`,
          },
          limits,
        )
      : notRun('noiseThermal', `${numbers.noiseMissing ?? 'the noise'} is not known`),
    Number.isFinite(rmsCentreJy)
      ? grade(
          'noiseImage',
          {
            graded: rmsCentreJy / floor,
            message: `Residual rms ${micro(rmsCentreJy)}, thermal and confusion noise ${micro(floor)}${bright ? '; a source above 1 Jy is in the field' : ''}.`,
            ...(bright ? { good: Math.max(BRIGHT_FIELD_LIMIT, limits.noiseImage.good) } : {}),
          },
          limits,
        )
      : {
          ...notRun('noiseImage', 'the image holds no finite pixel in the centre of the primary beam'),
          verdict: 'bad',
        },
    peakJy > DYNAMIC_PEAK_SIGMA * noiseThJy
      ? grade(
          'dynamicRange',
          { graded: peakJy / rmsCentreJy, message: `Peak ${peakJy.toPrecision(3)} Jy/beam.` },
          limits,
        )
      : notRun(
          'dynamicRange',
          `no source above ${DYNAMIC_PEAK_SIGMA} times the thermal noise: noise, not dynamic range, limits this image`,
        ),
    residualPeakSnr === undefined
      ? notRun('residual', 'the residual holds no finite pixel')
      : grade(
          'residual',
          {
            graded: residualPeakSnr,
            message: `The largest residual is ${residualPeakSnr.toFixed(1)} times the local noise.`,
          },
          limits,
        ),
    notRun('psf', 'no beam was predicted for the antennas present'),
  ]
}

/** The check of the resolved fraction, among sources bright enough to tell. */
export function resolvedCheck(
  sources: readonly Pick<ImageSource, 'snr' | 'resolved'>[],
  { simulated, minSnr }: { simulated: boolean; minSnr: number },
  limits: Limits,
): Check {
  const bright = sources.filter(({ snr }) => snr >= minSnr)
  const fraction = bright.filter(({ resolved }) => resolved).length / bright.length
  if (simulated && bright.length > 0) {
    return notRun('resolvedFraction', 'shown only: the sky is simulated', { value: fraction, n: bright.length })
  }
  return grade(
    'resolvedFraction',
    { graded: fraction, n: bright.length, message: `Among sources with S/N >= ${minSnr}.` },
    limits,
  )
}
